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

/** LwM2M object 3300, Generic Sensor, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3300:1.1). */
export const genericSensorObject = defineObject({
  id: 3300,
  version: '1.1',
  name: 'Generic Sensor',
  description: 'Any quantity for which there is no object of its own.',
  multiple: true,
  resources: {
    ...measurement,
    ...sensorUnits,
    ...measurementRange,
    ...applicationType,
    sensorType: {
      id: 5751,
      title: 'Sensor Type',
      operations: 'R',
      type: 'string',
      description: 'What kind of sensor it is.',
    },
    ...resetMinAndMax,
    ...measurementTime,
    ...measurementQuality,
  },
});
