import { type Static, Type } from 'typebox';

export const ServerSchema = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    startedAt: Type.Number(),
    now: Type.Number(),
    coapUri: Type.String(),
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
