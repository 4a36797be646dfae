import { defineObject } from '../define-object.ts';
import { applicationType, measurementTime, powerUse, switching } from './resources.ts';

/** LwM2M object 3312, Power Control, version 1.1, as registered with OMNA (urn:oma:lwm2m:ext:3312:1.1). */
export const powerControlObject = defineObject({
  id: 3312,
  version: '1.1',
  name: 'Power Control',
  description: 'A power outlet that is switched on and off or dimmed.',
  multiple: true,
  resources: {
    ...switching,
    ...powerUse,
    ...applicationType,
    ...measurementTime,
  },
});
