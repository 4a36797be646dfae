import { type Static, Type } from 'typebox';

export const ServerSchema = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    startedAt: Type.Number(),
    now: Type.Number(),
    coapUri: Type.Optional(
      Type.String({
        description: 'Where devices reach this node without security; absent where that is not open',
      }),
    ),
    coapsUri: Type.Optional(
      Type.String({ description: 'Where devices reach this node by DTLS; absent where that is not open' }),
    ),
    bootstrapUri: Type.Optional(
      Type.String({ description: 'Of the bootstrap server without security; absent where that is not open' }),
    ),
    bootstrapsUri: Type.Optional(
      Type.String({ description: 'Of the bootstrap server by DTLS; absent where that is not open' }),
    ),
    store: Type.String(),
    devices: Type.Object({ known: Type.Integer(), registered: Type.Integer() }),
  },
  { $id: 'Server', additionalProperties: false },
);
export type ApiServer = Static<typeof ServerSchema>;

export const HealthSchema = Type.Object(
  { status: Type.Literal('ready') },
  { $id: 'Health', additionalProperties: false },
);
