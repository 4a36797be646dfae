import { defineObject } from './define-object.ts';

/** LwM2M object 2, LwM2M Access Control, version 1.1, as registered with OMNA (urn:oma:lwm2m:oma:2:1.1). */
export const accessControlObject = defineObject({
  id: 2,
  version: '1.1',
  name: 'LwM2M Access Control',
  multiple: true,
  resources: {
    objectId: {
      id: 0,
      title: 'Object ID',
      operations: 'R',
      type: 'integer',
      mandatory: true,
      range: [1, 65534],
      description: 'The object that the rights are about.',
    },
    objectInstanceId: {
      id: 1,
      title: 'Object Instance ID',
      operations: 'R',
      type: 'integer',
      mandatory: true,
      range: [0, 65535],
      description: 'Its instance; 65535: the object itself, and so Create.',
    },
    acl: {
      id: 2,
      title: 'ACL',
      operations: 'RW',
      type: 'integer',
      multiple: true,
      range: [0, 31],
      description:
        'Rights by short server id; 0 is everybody else. Bits: 1 read, 2 write, 4 execute, 8 delete, 16 create.',
    },
    accessControlOwner: {
      id: 3,
      title: 'Access Control Owner',
      operations: 'RW',
      type: 'integer',
      mandatory: true,
      range: [0, 65535],
      description: 'The server that may change these rights; 65535: the bootstrap server alone.',
    },
  },
});
