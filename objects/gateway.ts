import { defineObject } from './define-object.ts';

/** LwM2M object 25, LwM2M Gateway, version 2.0, as registered with OMNA (urn:oma:lwm2m:oma:25:2.0). */
export const gatewayObject = defineObject({
  id: 25,
  version: '2.0',
  name: 'LwM2M Gateway',
  description: 'One device behind a gateway each: under which prefix its objects are reached.',
  multiple: true,
  resources: {
    deviceId: {
      id: 0,
      title: 'Device ID',
      operations: 'R',
      type: 'string',
      mandatory: true,
      description: 'Of the device behind the gateway.',
    },
    prefix: {
      id: 1,
      title: 'Prefix',
      operations: 'R',
      type: 'string',
      mandatory: true,
      description: 'The first segment of the paths of this device.',
    },
    iotDeviceObjects: {
      id: 3,
      title: 'IoT Device Objects',
      operations: 'R',
      type: 'corelnk',
      mandatory: true,
      description: 'The objects and instances of this device, in link format.',
    },
  },
});
