import { defineObject } from './define-object.ts';

/** LwM2M object 16, Portfolio, version 1.0, as registered with OMNA (urn:oma:lwm2m:oma:16). */
export const portfolioObject = defineObject({
  id: 16,
  version: '1.0',
  name: 'Portfolio',
  description:
    'Further properties of the device or of another object instance, and proof of them by encryption or signature.',
  multiple: true,
  resources: {
    identity: {
      id: 0,
      title: 'Identity',
      operations: 'RW',
      type: 'string',
      multiple: true,
      mandatory: true,
      description:
        'Properties in text; what each resource instance holds is agreed per use (GSMA: 0 host device id, 1 manufacturer, 2 model, 3 software version).',
    },
    getAuthData: {
      id: 1,
      title: 'GetAuthData',
      operations: 'E',
      type: 'none',
      description: 'Makes the Auth Data from an identity, as its arguments say.',
    },
    authData: {
      id: 2,
      title: 'AuthData',
      operations: 'R',
      type: 'opaque',
      multiple: true,
      description: 'What the newest GetAuthData made.',
    },
    authStatus: {
      id: 3,
      title: 'AuthStatus',
      operations: 'R',
      type: 'integer',
      range: [0, 2],
      values: { 0: 'Idle', 1: 'Data available', 2: 'Error' },
      description: 'Whether Auth Data is there.',
    },
  },
});
