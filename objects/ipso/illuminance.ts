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

/** LwM2M object 3301, Illuminance, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3301:1.1). */
export const illuminanceObject = defineObject({
  id: 3301,
  version: '1.1',
  name: 'Illuminance',
  description: 'A light sensor.',
  multiple: true,
  resources: {
    ...measurement,
    ...measurementRange,
    ...resetMinAndMax,
    ...sensorUnits,
    ...applicationType,
    ...measurementTime,
    ...measurementQuality,
  },
});
