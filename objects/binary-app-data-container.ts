import { defineObject } from './define-object.ts';

/** LwM2M object 19, BinaryAppDataContainer, version 1.0, as registered with OMNA (urn:oma:lwm2m:oma:19). */
export const binaryAppDataContainerObject = defineObject({
  id: 19,
  version: '1.0',
  name: 'BinaryAppDataContainer',
  description: 'Data of an application, carried as it is, in either direction.',
  multiple: true,
  resources: {
    data: {
      id: 0,
      title: 'Data',
      operations: 'RW',
      type: 'opaque',
      multiple: true,
      mandatory: true,
      description: 'The data, a piece per resource instance.',
    },
    dataPriority: {
      id: 1,
      title: 'Data Priority',
      operations: 'RW',
      type: 'integer',
      description: "How urgent the data is; 101 to 254 are the application's own.",
    },
    dataCreationTime: {
      id: 2,
      title: 'Data Creation Time',
      operations: 'RW',
      type: 'time',
      description: 'When the data was made.',
    },
    dataDescription: {
      id: 3,
      title: 'Data Description',
      operations: 'RW',
      type: 'string',
      description: 'What the data is, for people.',
    },
    dataFormat: {
      id: 4,
      title: 'Data Format',
      operations: 'RW',
      type: 'string',
      description: 'How the data is written, by a name that both sides know.',
    },
    appId: {
      id: 5,
      title: 'App ID',
      operations: 'RW',
      type: 'integer',
      description: 'The application that the data is for.',
    },
  },
});
