import { defineObject } from '../define-object.ts';
import { applicationType, measurementTime, switching } from './resources.ts';

/** LwM2M object 3306, Actuation, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3306:1.1). */
export const actuationObject = defineObject({
  id: 3306,
  version: '1.1',
  name: 'Actuation',
  description: 'Something that is switched on and off, dimmed, or put into one of several states.',
  multiple: true,
  resources: {
    ...switching,
    multiStateOutput: {
      id: 5853,
      title: 'Multi-state Output',
      operations: 'RW',
      type: 'string',
      description: 'The state, by a name that both sides know.',
    },
    ...applicationType,
    ...measurementTime,
  },
});
