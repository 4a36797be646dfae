import { defineObject } from '../define-object.ts';
import {
  applicationType,
  measurement,
  measurementQuality,
  measurementRange,
  measurementTime,
  resetMinAndMax,
  sensorUnits,
} from './resources.ts';

/** LwM2M object 3315, Barometer, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3315:1.1). */
export const barometerObject = defineObject({
  id: 3315,
  version: '1.1',
  name: 'Barometer',
  description: 'Air pressure.',
  multiple: true,
  resources: {
    ...measurement,
    ...measurementRange,
    ...sensorUnits,
    ...resetMinAndMax,
    ...applicationType,
    ...measurementTime,
    ...measurementQuality,
  },
});
