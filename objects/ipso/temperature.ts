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

/** LwM2M object 3303, Temperature, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3303:1.1). */
export const temperatureObject = defineObject({
  id: 3303,
  version: '1.1',
  name: 'Temperature',
  description: 'A thermometer.',
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
