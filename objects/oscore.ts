import { defineObject } from './define-object.ts';

/** LwM2M object 21, LWM2M OSCORE, version 2.0, as registered with OMNA (urn:oma:lwm2m:oma:21:2.0). */
export const oscoreObject = defineObject({
  id: 21,
  version: '2.0',
  name: 'LWM2M OSCORE',
  description:
    'What protects the messages with one server by OSCORE (RFC 8613); only a bootstrap server may touch it.',
  multiple: true,
  resources: {
    masterSecret: {
      id: 0,
      title: 'OSCORE Master Secret',
      operations: '',
      type: 'opaque',
      mandatory: true,
      description: 'The key that both sides have.',
    },
    senderId: {
      id: 1,
      title: 'OSCORE Sender ID',
      operations: '',
      type: 'opaque',
      mandatory: true,
      description: "The client's id.",
    },
    recipientId: {
      id: 2,
      title: 'OSCORE Recipient ID',
      operations: '',
      type: 'opaque',
      mandatory: true,
      description: "The server's id.",
    },
    aeadAlgorithm: {
      id: 3,
      title: 'OSCORE AEAD Algorithm',
      operations: '',
      type: 'integer',
      description: 'Number of the cipher in the COSE registry (RFC 9053).',
    },
    hmacAlgorithm: {
      id: 4,
      title: 'OSCORE HMAC Algorithm',
      operations: '',
      type: 'integer',
      description: 'Number of the hash in the COSE registry (RFC 9053).',
    },
    masterSalt: {
      id: 5,
      title: 'OSCORE Master Salt',
      operations: '',
      type: 'opaque',
      description: 'Taken into the derivation of keys; no secret.',
    },
    idContext: {
      id: 6,
      title: 'OSCORE ID Context',
      operations: '',
      type: 'opaque',
      description: 'Tells apart contexts of the same ids.',
    },
  },
});
