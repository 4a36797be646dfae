import { type Static, Type } from 'typebox';

const source = Type.Union([Type.Literal('built-in'), Type.Literal('folder'), Type.Literal('uploaded')], {
  description: 'With the server, from a file of SIMYARD_OBJECTS, or uploaded; the last of these counts',
});

const members = {
  objectId: Type.Integer(),
  version: Type.String(),
  name: Type.String(),
  urn: Type.String(),
  source,
  file: Type.Optional(Type.String({ description: 'Of one from the folder' })),
  uploadedAt: Type.Optional(Type.Number()),
} as const;

export const ObjectModelEntrySchema = Type.Object(
  { ...members, resources: Type.Integer({ description: 'How many' }) },
  { $id: 'ObjectModelEntry', additionalProperties: false },
);
export type ApiObjectModelEntry = Static<typeof ObjectModelEntrySchema>;

export const ObjectModelListSchema = Type.Object(
  {
    items: Type.Array(ObjectModelEntrySchema, { description: 'By object id and version' }),
    problems: Type.Array(
      Type.Object({ file: Type.String(), detail: Type.String() }, { additionalProperties: false }),
      { description: 'Files that were passed over when the server started' },
    ),
  },
  { $id: 'ObjectModelList', additionalProperties: false },
);
export type ApiObjectModelList = Static<typeof ObjectModelListSchema>;

export const ObjectModelSchema = Type.Object(
  {
    ...members,
    versions: Type.Array(Type.String(), { description: 'All that are known, oldest first' }),
    description: Type.Optional(Type.String()),
    multiple: Type.Boolean({ description: 'May have several instances' }),
    mandatory: Type.Boolean(),
    resources: Type.Array(
      Type.Object(
        {
          id: Type.Integer(),
          name: Type.String(),
          operations: Type.String({ description: 'R, W, RW, E, or empty: bootstrap only' }),
          type: Type.String(),
          multiple: Type.Boolean(),
          mandatory: Type.Boolean(),
          range: Type.Optional(
            Type.Object(
              { minimum: Type.Number(), maximum: Type.Number() },
              { additionalProperties: false, description: 'Of numbers; of texts and bytes, their length' },
            ),
          ),
          values: Type.Optional(
            Type.Record(Type.String(), Type.String(), { description: 'Values with their meaning' }),
          ),
          units: Type.Optional(Type.String()),
          description: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'ObjectModel', additionalProperties: false },
);
export type ApiObjectModel = Static<typeof ObjectModelSchema>;

/** `POST /api/object-models`. */
export const ObjectModelsLoadedSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        { ...members, resources: Type.Integer(), replaces: Type.Optional(source) },
        { additionalProperties: false },
      ),
    ),
  },
  { $id: 'ObjectModelsLoaded', additionalProperties: false },
);
export type ApiObjectModelsLoaded = Static<typeof ObjectModelsLoadedSchema>;
