import { type Static, Type } from 'typebox';

export const AuditEntrySchema = Type.Object(
  {
    id: Type.String(),
    at: Type.Integer({ description: 'When, ms since the epoch' }),
    actor: Type.Object(
      {
        kind: Type.Union([
          Type.Literal('user'),
          Type.Literal('token'),
          Type.Literal('local'),
          Type.Literal('oidc'),
          Type.Literal('nobody'),
        ]),
        name: Type.String({ description: 'Of a token `<user>/<name>`; of nobody the name that was tried' }),
        tenant: Type.Optional(Type.String()),
      },
      { description: 'Who' },
    ),
    action: Type.String({ description: 'What: the operation, as it is called here' }),
    target: Type.Optional(Type.String({ description: 'On what: a device, a user, an id' })),
    method: Type.String(),
    path: Type.String({ description: 'Without its query' }),
    source: Type.String({ description: 'From where' }),
    outcome: Type.Union([Type.Literal('done'), Type.Literal('refused'), Type.Literal('failed')]),
    status: Type.Integer({ description: 'Of the answer' }),
    code: Type.Optional(Type.String({ description: 'Of the problem, where it was one' })),
    detail: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())]),
      ),
    ),
    node: Type.String({ description: 'Which node of the cluster did it' }),
  },
  { $id: 'AuditEntry', description: 'Something that somebody did, or wanted to do' },
);
export type ApiAuditEntry = Static<typeof AuditEntrySchema>;

export const AuditPageSchema = Type.Object(
  {
    items: Type.Array(AuditEntrySchema),
    next: Type.Union([Type.String(), Type.Null()], {
      description:
        '`cursor` of the page behind; a page may have fewer than `limit`, and one behind it nevertheless',
    }),
  },
  { $id: 'AuditPage' },
);
export type ApiAuditPage = Static<typeof AuditPageSchema>;
