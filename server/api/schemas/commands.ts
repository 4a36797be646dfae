import { type Static, Type } from 'typebox';

export const commandStates = [
  'queued',
  'sent',
  'accepted',
  'done',
  'failed',
  'cancelled',
  'expired',
  'unknown',
] as const;

export const CommandStateSchema = Type.Enum(commandStates);

export const CommandSchema = Type.Object(
  {
    id: Type.String(),
    endpoint: Type.String(),
    number: Type.Integer({ description: 'The id that the device sees; rises per device' }),
    kind: Type.String(),
    parameters: Type.Record(Type.String(), Type.Unknown()),
    state: CommandStateSchema,
    reason: Type.Optional(Type.String()),
    result: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    attempts: Type.Integer(),
    createdAt: Type.Number(),
    updatedAt: Type.Number(),
    expiresAt: Type.Number(),
    job: Type.Optional(Type.String({ description: 'Id of the job that made it' })),
    history: Type.Array(
      Type.Object({ state: CommandStateSchema, at: Type.Number(), reason: Type.Optional(Type.String()) }),
    ),
  },
  { $id: 'Command', additionalProperties: false },
);
export type ApiCommand = Static<typeof CommandSchema>;

/** A page of `GET /api/commands` and `GET /api/devices/{endpoint}/commands`, newest first. */
export const CommandPageSchema = Type.Object(
  {
    items: Type.Array(CommandSchema),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'Cursor of the next page; null on the last',
    }),
  },
  { $id: 'CommandPage', additionalProperties: false },
);
export type ApiCommandPage = Static<typeof CommandPageSchema>;
