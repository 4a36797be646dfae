import { defineObject } from '../define-object.ts';
import {
  applicationType,
  axes,
  measurementQuality,
  measurementRange,
  measurementTime,
  resetMinAndMax,
  sensorUnits,
} from './resources.ts';

/** LwM2M object 3334, Gyrometer, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3334:1.1). */
export const gyrometerObject = defineObject({
  id: 3334,
  version: '1.1',
  name: 'Gyrometer',
  description: 'Angular rates around three axes.',
  multiple: true,
  resources: {
    ...axes,
    ...sensorUnits,
    minXValue: {
      id: 5508,
      title: 'Min X Value',
      operations: 'R',
      type: 'float',
      description: 'The lowest since start or reset.',
    },
    maxXValue: {
      id: 5509,
      title: 'Max X Value',
      operations: 'R',
      type: 'float',
      description: 'The highest since start or reset.',
    },
    minYValue: {
      id: 5510,
      title: 'Min Y Value',
      operations: 'R',
      type: 'float',
      description: 'The lowest since start or reset.',
    },
    maxYValue: {
      id: 5511,
      title: 'Max Y Value',
      operations: 'R',
      type: 'float',
      description: 'The highest since start or reset.',
    },
    minZValue: {
      id: 5512,
      title: 'Min Z Value',
      operations: 'R',
      type: 'float',
      description: 'The lowest since start or reset.',
    },
    maxZValue: {
      id: 5513,
      title: 'Max Z Value',
      operations: 'R',
      type: 'float',
      description: 'The highest since start or reset.',
    },
    ...resetMinAndMax,
    ...measurementRange,
    ...applicationType,
    ...measurementTime,
    ...measurementQuality,
  },
});
