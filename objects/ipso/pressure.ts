import { defineObject } from '../define-object.ts';
import {
  applicationType,
  currentCalibration,
  measurement,
  measurementQuality,
  measurementRange,
  measurementTime,
  resetMinAndMax,
  sensorUnits,
} from './resources.ts';

/** LwM2M object 3323, Pressure, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3323:1.1). */
export const pressureObject = defineObject({
  id: 3323,
  version: '1.1',
  name: 'Pressure',
  description: 'A pressure sensor.',
  multiple: true,
  resources: {
    ...measurement,
    ...sensorUnits,
    ...measurementRange,
    ...resetMinAndMax,
    ...currentCalibration,
    ...applicationType,
    ...measurementTime,
    ...measurementQuality,
  },
});
