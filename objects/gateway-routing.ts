import { defineObject } from './define-object.ts';

/** LwM2M object 26, LwM2M Gateway Routing, version 1.0, as registered with OMNA (urn:oma:lwm2m:oma:26). */
export const gatewayRoutingObject = defineObject({
  id: 26,
  version: '1.0',
  name: 'LwM2M Gateway Routing',
  description: 'Where a gateway leads an object of a device behind it.',
  multiple: true,
  resources: {
    objectId: {
      id: 0,
      title: 'LwM2M Object ID',
      operations: 'R',
      type: 'unsigned',
      mandatory: true,
      description: 'The object that is asked for.',
    },
    mappingInfo: {
      id: 1,
      title: 'Mapping Info',
      operations: 'R',
      type: 'corelnk',
      mandatory: true,
      description: 'Where it is led; empty: to itself.',
    },
  },
});
