import { type Static, Type } from 'typebox';

const state = Type.Union([
  Type.Literal('active'),
  Type.Literal('retrying'),
  Type.Literal('paused'),
  Type.Literal('disabled'),
]);

const settings = {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  url: Type.String({ minLength: 1, maxLength: 2000, description: 'http or https' }),
  types: Type.Array(Type.String({ minLength: 1, maxLength: 40 }), {
    minItems: 1,
    maxItems: 50,
    description: 'Types of events, and `readings`',
  }),
};

/** `POST /api/webhooks`, `PUT /api/webhooks/{id}`. */
export const WebhookBodySchema = Type.Object(
  {
    ...settings,
    endpoints: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        maxItems: 100,
        description: 'Globs of endpoint names (`*`, `?`); all devices, and the server itself, where absent',
      }),
    ),
    enabled: Type.Optional(Type.Boolean({ description: 'True where absent' })),
  },
  { $id: 'WebhookBody', additionalProperties: false },
);
export type ApiWebhookBody = Static<typeof WebhookBodySchema>;

const webhook = {
  id: Type.String(),
  tenant: Type.Optional(
    Type.String({ description: 'It is told of that tenant’s devices alone; absent: of all' }),
  ),
  ...settings,
  endpoints: Type.Array(Type.String()),
  enabled: Type.Boolean(),
  createdAt: Type.Number(),
  updatedAt: Type.Number(),
  state,
  lag: Type.Number({ description: 'Events and packs of readings that it is behind' }),
  lastSuccessAt: Type.Optional(Type.Number()),
  lastFailure: Type.Optional(
    Type.Object(
      { at: Type.Number(), reason: Type.String(), status: Type.Optional(Type.Integer()) },
      { additionalProperties: false },
    ),
  ),
  failures: Type.Integer({ description: 'In a row, until now' }),
  nextAttemptAt: Type.Optional(Type.Number()),
  reason: Type.Optional(Type.String({ description: 'Why it was given up, where it was' })),
  previousSecretUntil: Type.Optional(
    Type.Number({ description: 'Until then messages are signed with the secret before, too' }),
  ),
};

export const WebhookSchema = Type.Object(webhook, { $id: 'Webhook', additionalProperties: false });
export type ApiWebhook = Static<typeof WebhookSchema>;

/** A webhook with its secret, which is never told again. */
export const WebhookWithSecretSchema = Type.Object(
  {
    ...webhook,
    secret: Type.String({ description: '`whsec_` and base64; told now, and never again' }),
  },
  { $id: 'WebhookWithSecret', additionalProperties: false },
);
export type ApiWebhookWithSecret = Static<typeof WebhookWithSecretSchema>;

export const WebhooksAnswerSchema = Type.Object(
  { items: Type.Array(WebhookSchema) },
  { $id: 'WebhooksAnswer', additionalProperties: false },
);
export type ApiWebhooksAnswer = Static<typeof WebhooksAnswerSchema>;

export const WebhookDeliverySchema = Type.Object(
  {
    id: Type.String({ description: 'The `webhook-id` of the message' }),
    type: Type.String(),
    endpoint: Type.Optional(Type.String()),
    state: Type.Union([Type.Literal('retrying'), Type.Literal('delivered'), Type.Literal('failed')]),
    attempts: Type.Integer(),
    createdAt: Type.Number({ description: 'The first attempt' }),
    updatedAt: Type.Number({ description: 'The last attempt' }),
    status: Type.Optional(Type.Integer({ description: 'HTTP status of the last answer' })),
    reason: Type.Optional(Type.String()),
    duration: Type.Optional(Type.Number({ description: 'Of the last attempt, ms' })),
  },
  { $id: 'WebhookDelivery', additionalProperties: false },
);
export type ApiWebhookDelivery = Static<typeof WebhookDeliverySchema>;

export const WebhookDeliveriesAnswerSchema = Type.Object(
  { items: Type.Array(WebhookDeliverySchema), next: Type.Union([Type.String(), Type.Null()]) },
  { $id: 'WebhookDeliveriesAnswer', additionalProperties: false },
);
export type ApiWebhookDeliveriesAnswer = Static<typeof WebhookDeliveriesAnswerSchema>;
