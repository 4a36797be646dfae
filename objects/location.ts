import { defineObject } from './define-object.ts';

/** LwM2M object 6, Location, version 1.0, as registered with OMNA (urn:oma:lwm2m:oma:6). */
export const locationObject = defineObject({
  id: 6,
  version: '1.0',
  name: 'Location',
  resources: {
    latitude: {
      id: 0,
      title: 'Latitude',
      operations: 'R',
      type: 'float',
      mandatory: true,
      units: 'lat',
      description: 'WGS 84, degrees north.',
    },
    longitude: {
      id: 1,
      title: 'Longitude',
      operations: 'R',
      type: 'float',
      mandatory: true,
      units: 'lon',
      description: 'WGS 84, degrees east.',
    },
    altitude: {
      id: 2,
      title: 'Altitude',
      operations: 'R',
      type: 'float',
      units: 'm',
      description: 'Above sea level.',
    },
    radius: {
      id: 3,
      title: 'Radius',
      operations: 'R',
      type: 'float',
      units: 'm',
      description: 'The true position is within this distance.',
    },
    velocity: {
      id: 4,
      title: 'Velocity',
      operations: 'R',
      type: 'opaque',
      description: 'As 3GPP TS 23.032 writes it.',
    },
    timestamp: {
      id: 5,
      title: 'Timestamp',
      operations: 'R',
      type: 'time',
      mandatory: true,
      description: 'When the position was taken.',
    },
    speed: {
      id: 6,
      title: 'Speed',
      operations: 'R',
      type: 'float',
      units: 'm/s',
      description: 'Over ground.',
    },
  },
});
