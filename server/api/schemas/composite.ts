import { type Static, Type } from 'typebox';
import { ResourceItemSchema } from './objects.ts';
import { ValueSchema } from './values.ts';

export const CompositeResultSchema = Type.Object(
  {
    paths: Type.Array(Type.String(), { description: 'That were asked for' }),
    contentFormat: Type.Integer({ description: 'CoAP Content-Format id that the device answered in' }),
    items: Type.Array(ResourceItemSchema, { description: 'Every value at or below them that is there' }),
  },
  { $id: 'CompositeResult', additionalProperties: false },
);
export type ApiCompositeResult = Static<typeof CompositeResultSchema>;

/** `PUT /api/devices/{endpoint}/composite`. */
export const CompositeBodySchema = Type.Object(
  {
    values: Type.Record(Type.String(), Type.Union([ValueSchema, Type.Null()]), {
      minProperties: 1,
      maxProperties: 1000,
      description:
        'By whole path: {"/3/0/14": "+01:00", "/1/0/1": 300}; null removes a resource instance (LwM2M 1.2)',
    }),
  },
  { $id: 'CompositeBody', additionalProperties: false },
);
