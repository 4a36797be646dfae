import { type Static, Type } from 'typebox';
import { AttributeChangesSchema } from './attributes.ts';
import { ValueSchema } from './values.ts';

/** `POST /api/devices/{endpoint}/requests`: one operation, with what it needs. */
export const HeldRequestBodySchema = Type.Object(
  {
    operation: Type.Enum([
      'read',
      'write',
      'execute',
      'create',
      'delete',
      'discover',
      'write-attributes',
      'observe',
      'cancel',
      'read-composite',
      'write-composite',
      'observe-composite',
      'cancel-composite',
    ] as const),
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: '/3/0/9' })),
    paths: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 256,
        description: 'Of a composite operation',
      }),
    ),
    value: Type.Optional(ValueSchema),
    values: Type.Optional(
      Type.Record(Type.String(), Type.Union([ValueSchema, Type.Null()]), {
        description: 'As the routes of Write, Create and of the composite Write take them',
      }),
    ),
    mode: Type.Optional(Type.Union([Type.Literal('replace'), Type.Literal('update')])),
    args: Type.Optional(Type.String({ maxLength: 10_000, description: "Of Execute: 0='1',1='7'" })),
    arguments: Type.Optional(
      Type.Array(Type.String({ maxLength: 1000, pattern: "^[^']*$" }), { maxItems: 10 }),
    ),
    depth: Type.Optional(Type.Integer({ minimum: 0, maximum: 3 })),
    attributes: Type.Optional(AttributeChangesSchema),
    active: Type.Optional(Type.Boolean({ description: 'Of a cancellation: the device is told at once' })),
    format: Type.Optional(Type.String({ pattern: '^([0-9]{1,5}|[A-Za-z0-9_]{1,20})$' })),
    timeToLive: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 31_536_000_000,
        description: 'Milliseconds after which it expires if it was not sent; a day where absent',
      }),
    ),
  },
  { $id: 'HeldRequestBody', additionalProperties: false },
);
export type ApiHeldRequestBody = Static<typeof HeldRequestBodySchema>;
