import { defineObject } from './define-object.ts';

/** LwM2M object 7, Connectivity Statistics, version 1.0, as registered with OMNA (urn:oma:lwm2m:oma:7). */
export const connectivityStatisticsObject = defineObject({
  id: 7,
  version: '1.0',
  name: 'Connectivity Statistics',
  resources: {
    smsTxCounter: { id: 0, title: 'SMS Tx Counter', operations: 'R', type: 'integer' },
    smsRxCounter: { id: 1, title: 'SMS Rx Counter', operations: 'R', type: 'integer' },
    txData: { id: 2, title: 'Tx Data', operations: 'R', type: 'integer', units: 'kB' },
    rxData: { id: 3, title: 'Rx Data', operations: 'R', type: 'integer', units: 'kB' },
    maxMessageSize: { id: 4, title: 'Max Message Size', operations: 'R', type: 'integer', units: 'B' },
    averageMessageSize: {
      id: 5,
      title: 'Average Message Size',
      operations: 'R',
      type: 'integer',
      units: 'B',
    },
    start: { id: 6, title: 'Start', operations: 'E', type: 'none', mandatory: true },
    stop: { id: 7, title: 'Stop', operations: 'E', type: 'none', mandatory: true },
    collectionPeriod: { id: 8, title: 'Collection Period', operations: 'RW', type: 'integer', units: 's' },
  },
});
