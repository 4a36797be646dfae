import { defineObject } from './define-object.ts';

/** LwM2M object 20, Event Log, version 2.1, as registered with OMNA (urn:oma:lwm2m:oma:20:2.1). */
export const eventLogObject = defineObject({
  id: 20,
  version: '2.1',
  name: 'Event Log',
  description: 'A log that the device collects, started and stopped and read by the server.',
  multiple: true,
  resources: {
    logClass: {
      id: 4010,
      title: 'LogClass',
      operations: 'RW',
      type: 'integer',
      description: "What is logged; 100 and above are the vendor's own.",
    },
    logStart: {
      id: 4011,
      title: 'LogStart',
      operations: 'E',
      type: 'none',
      description: "Starts to collect, into an empty log; argument 0='1' goes on with what there is.",
    },
    logStop: {
      id: 4012,
      title: 'LogStop',
      operations: 'E',
      type: 'none',
      description: "Ends collecting and keeps the log; argument 0='1' empties it.",
    },
    logStatus: {
      id: 4013,
      title: 'LogStatus',
      operations: 'R',
      type: 'integer',
      description:
        "Bits: 1 stopped, 2 there is valid data, 4 an error occurred while collecting, 128 the vendor's own.",
    },
    logData: {
      id: 4014,
      title: 'LogData',
      operations: 'R',
      type: 'opaque',
      mandatory: true,
      description: 'The log, in the format of Log Data Format.',
    },
    logDataFormat: {
      id: 4015,
      title: 'LogDataFormat',
      operations: 'RW',
      type: 'integer',
      description:
        "How Log Data is written: 0 plain bytes, 1 TLV, 2 JSON, 3 CBOR, from 100 the vendor's own.",
    },
    logDataIncremental: {
      id: 4016,
      title: 'LogDataIncremental',
      operations: '',
      type: 'opaque',
      description: 'What was logged since the newest Send; comes in Sends only, and cannot be read.',
    },
    logDataIncrementalMinimumSendInterval: {
      id: 4017,
      title: 'LogDataIncrementalMinimumSendInterval',
      operations: 'RW',
      type: 'unsigned',
      description: 'The shortest time in seconds between two Sends of the log; 0: none are sent.',
    },
  },
});
