import { defineObject } from '../define-object.ts';
import {
  applicationType,
  axes,
  compassDirection,
  measurementQuality,
  measurementTime,
  sensorUnits,
} from './resources.ts';

/** LwM2M object 3314, Magnetometer, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3314:1.1). */
export const magnetometerObject = defineObject({
  id: 3314,
  version: '1.1',
  name: 'Magnetometer',
  description: 'A magnetic field along three axes, and the direction that follows from it.',
  multiple: true,
  resources: {
    ...axes,
    ...compassDirection,
    ...sensorUnits,
    ...applicationType,
    ...measurementTime,
    ...measurementQuality,
  },
});
