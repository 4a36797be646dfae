import { defineObject } from '../define-object.ts';
import { applicationType, measurementTime } from './resources.ts';

/** LwM2M object 3347, Push button, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3347:1.1). */
export const pushButtonObject = defineObject({
  id: 3347,
  version: '1.1',
  name: 'Push button',
  description: 'A push button and how often it was pressed.',
  multiple: true,
  resources: {
    digitalInputState: {
      id: 5500,
      title: 'Digital Input State',
      operations: 'R',
      type: 'boolean',
      mandatory: true,
      description: 'Whether it is pressed.',
    },
    digitalInputCounter: {
      id: 5501,
      title: 'Digital Input Counter',
      operations: 'R',
      type: 'integer',
      description: 'How often it was pressed.',
    },
    ...applicationType,
    ...measurementTime,
  },
});
