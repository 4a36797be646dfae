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

/** LwM2M object 3316, Voltage, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3316:1.1). */
export const voltageObject = defineObject({
  id: 3316,
  version: '1.1',
  name: 'Voltage',
  description: 'A voltmeter.',
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
