import { defineObject } from '../define-object.ts';
import { applicationType, powerUse, sensorUnits, switching } from './resources.ts';

/** LwM2M object 3311, Light Control, version 1.0, as registered with OMNA (urn:oma:lwm2m:ext:3311). */
export const lightControlObject = defineObject({
  id: 3311,
  version: '1.0',
  name: 'Light Control',
  description: 'A lamp.',
  multiple: true,
  resources: {
    ...switching,
    ...powerUse,
    colour: {
      id: 5706,
      title: 'Colour',
      operations: 'RW',
      type: 'string',
      description: 'In a colour space that both sides know.',
    },
    ...sensorUnits,
    ...applicationType,
  },
});
