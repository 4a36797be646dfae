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

/** LwM2M object 3304, Humidity, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3304:1.1). */
export const humidityObject = defineObject({
  id: 3304,
  version: '1.1',
  name: 'Humidity',
  description: 'A hygrometer.',
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
