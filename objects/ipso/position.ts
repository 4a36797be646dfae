import { defineObject } from '../define-object.ts';
import { applicationType, compassDirection, measurementQuality, measurementTime } from './resources.ts';

/** LwM2M object 3336, Location, version 2.0, as registered with OMNA (urn:oma:lwm2m:ext:3336:2.0). */
export const positionObject = defineObject({
  id: 3336,
  version: '2.0',
  name: 'Location',
  description: 'A position on earth, by satellites or otherwise.',
  multiple: true,
  resources: {
    latitude: {
      id: 6051,
      title: 'Numeric Latitude',
      operations: 'R',
      type: 'float',
      mandatory: true,
      units: 'lat',
      description: 'WGS 84, degrees north.',
    },
    longitude: {
      id: 6052,
      title: 'Numeric Longitude',
      operations: 'R',
      type: 'float',
      mandatory: true,
      units: 'lon',
      description: 'WGS 84, degrees east.',
    },
    uncertainty: {
      id: 6053,
      title: 'Numeric Uncertainty',
      operations: 'R',
      type: 'float',
      units: 'm',
      description: 'How far the true position may be away.',
    },
    ...compassDirection,
    velocity: {
      id: 5517,
      title: 'Velocity',
      operations: 'R',
      type: 'opaque',
      description: 'As 3GPP TS 23.032 writes it.',
    },
    ...measurementTime,
    ...applicationType,
    ...measurementQuality,
  },
});
