import { type Static, Type } from 'typebox';
import { ValueSchema } from './values.ts';

export const ResourceItemSchema = Type.Object(
  {
    path: Type.String(),
    value: ValueSchema,
    takenAt: Type.Optional(Type.Number({ description: 'Where the device said when' })),
    name: Type.Optional(Type.String({ description: 'From the object definition' })),
    type: Type.Optional(Type.String()),
    units: Type.Optional(Type.String()),
  },
  { $id: 'ResourceItem', additionalProperties: false },
);
export type ApiResourceItem = Static<typeof ResourceItemSchema>;

export const ReadResultSchema = Type.Object(
  {
    path: Type.String(),
    contentFormat: Type.Integer({ description: 'CoAP Content-Format id that the device answered in' }),
    value: Type.Optional(ValueSchema),
    items: Type.Array(ResourceItemSchema, { description: 'Every value at or below the path' }),
  },
  {
    $id: 'ReadResult',
    additionalProperties: false,
    description: '`value` is there where the path names one resource with one value',
  },
);
export type ApiReadResult = Static<typeof ReadResultSchema>;

export const WriteValueSchema = Type.Object(
  { value: ValueSchema },
  { $id: 'WriteValue', additionalProperties: false },
);

export const WriteValuesSchema = Type.Object(
  {
    values: Type.Record(Type.String(), ValueSchema, {
      description: 'By path relative to the one written: {"7": 1000} or {"6/0": "x"}',
    }),
  },
  { $id: 'WriteValues', additionalProperties: false },
);

export const WriteBodySchema = Type.Union([WriteValueSchema, WriteValuesSchema], { $id: 'WriteBody' });
export type ApiWriteBody = Static<typeof WriteBodySchema>;

/** One link of a device: from its registration, or from Discover. */
export const LinkSchema = Type.Object(
  {
    path: Type.String(),
    attributes: Type.Record(Type.String(), Type.String(), {
      description: 'As the device sent them, numbers too as texts: {"ver": "1.1", "dim": "2", "pmin": "10"}',
    }),
    name: Type.Optional(
      Type.String({ description: 'Of the object or resource, where its definition is known' }),
    ),
    version: Type.Optional(
      Type.String({ description: 'Of an object: of the definition by which it is read and written' }),
    ),
    type: Type.Optional(Type.String()),
    operations: Type.Optional(Type.String({ description: 'R, W, RW or E' })),
    units: Type.Optional(Type.String()),
  },
  { $id: 'Link', additionalProperties: false },
);
export type ApiLink = Static<typeof LinkSchema>;

export const LinksAnswerSchema = Type.Object(
  { items: Type.Array(LinkSchema) },
  { $id: 'LinksAnswer', additionalProperties: false },
);
export type ApiLinksAnswer = Static<typeof LinksAnswerSchema>;

/** `POST /api/devices/{endpoint}/objects/{path}` on a resource: Execute. */
export const ExecuteBodySchema = Type.Union(
  [
    Type.Object(
      {
        args: Type.String({
          maxLength: 10_000,
          description: "As LwM2M writes them: 0='1',1='7'",
        }),
      },
      { title: 'ExecuteText', additionalProperties: false },
    ),
    Type.Object(
      {
        arguments: Type.Array(Type.String({ maxLength: 1000, pattern: "^[^']*$" }), {
          maxItems: 10,
          description: 'By position: ["1", "7"]',
        }),
      },
      { title: 'ExecuteArguments', additionalProperties: false },
    ),
    Type.Object(
      {},
      {
        title: 'ExecuteNothing',
        additionalProperties: false,
        description: 'Without arguments',
      },
    ),
  ],
  { $id: 'ExecuteBody' },
);
export type ApiExecuteBody = Static<typeof ExecuteBodySchema>;

/** `POST /api/devices/{endpoint}/objects/{path}` on an object or instance: Create. */
export const CreateBodySchema = Type.Object(
  {
    values: Type.Record(Type.String(), ValueSchema, {
      description: 'By path relative to the new instance: {"7": 1000} or {"6/0": "x"}',
    }),
  },
  { $id: 'CreateBody', additionalProperties: false },
);
export type ApiCreateBody = Static<typeof CreateBodySchema>;

export const CreatedSchema = Type.Object(
  { path: Type.String({ description: 'Of the new instance' }) },
  { $id: 'Created', additionalProperties: false },
);
export type ApiCreated = Static<typeof CreatedSchema>;
