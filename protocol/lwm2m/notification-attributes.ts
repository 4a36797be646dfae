/**
 * Notification attributes of a node or of one observation, OMA-TS-LightweightM2M_Core-V1_2 §5.1.2 and
 * §7.3.2. Times in seconds; `gt`, `lt` and `st` in the resource's unit.
 */
export interface NotificationAttributes {
  /** Least time between two notifications. */
  readonly pmin?: number;
  /** Longest time between two notifications; 0, or less than pmin: none. */
  readonly pmax?: number;
  /** Notify when the value crosses it. */
  readonly gt?: number;
  readonly lt?: number;
  /** Notify when the value has changed by it. */
  readonly st?: number;
  /** Least and longest time between two samples of the value (1.1). */
  readonly epmin?: number;
  readonly epmax?: number;
  /** Boolean resources: notify on falling (0) or rising (1) edges only (1.2). */
  readonly edge?: 0 | 1;
  /** Confirmable notifications: 1 (1.2). */
  readonly con?: 0 | 1;
  /** The most historical values that a device keeps for a notification (1.2). */
  readonly hqmax?: number;
}

export const notificationAttributeNames = [
  'pmin',
  'pmax',
  'gt',
  'lt',
  'st',
  'epmin',
  'epmax',
  'edge',
  'con',
  'hqmax',
] as const satisfies readonly (keyof NotificationAttributes)[];
export type NotificationAttributeName = (typeof notificationAttributeNames)[number];
