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
    },
    objectInstanceId: {
      id: 1,
      title: 'Object Instance ID',
      operations: 'R',
      type: 'integer',
      mandatory: true,
      range: [0, 65535],
    },
    acl: { id: 2, title: 'ACL', operations: 'RW', type: 'integer', multiple: true, range: [0, 31] },
    accessControlOwner: {
      id: 3,
      title: 'Access Control Owner',
      operations: 'RW',
      type: 'integer',
      mandatory: true,
      range: [0, 65535],
    },
  },
});
