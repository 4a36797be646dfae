import { defineObject } from '../define-object.ts';
import {
  applicationType,
  axes,
  measurementQuality,
  measurementRange,
  measurementTime,
  sensorUnits,
} from './resources.ts';

/** LwM2M object 3313, Accelerometer, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3313:1.1). */
export const accelerometerObject = defineObject({
  id: 3313,
  version: '1.1',
  name: 'Accelerometer',
  description: 'Acceleration along three axes.',
  multiple: true,
  resources: {
    ...axes,
    ...sensorUnits,
    ...measurementRange,
    ...applicationType,
    ...measurementTime,
    ...measurementQuality,
  },
});
