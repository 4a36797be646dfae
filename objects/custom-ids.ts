/**
 * Ids of our own objects. 42769 to 42800 are OMNA's test range, which must not be used in production:
 * a block of one's own is asked of OMNA, and then given by configuration.
 */
export interface CustomObjectIds {
  readonly carrier: number;
  readonly iotSensor: number;
}

export const defaultCustomObjectIds: CustomObjectIds = { carrier: 42769, iotSensor: 42770 };
