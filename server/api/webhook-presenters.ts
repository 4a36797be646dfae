import type { WebhookDelivery } from '../ports/webhook-store.ts';
import type { ListedWebhook, WebhookInput } from '../webhooks/service.ts';
import type { ApiWebhook, ApiWebhookBody, ApiWebhookDelivery } from './schemas/webhooks.ts';

// As in presenters.ts: each member that goes out is named. Secrets must not.

export function presentWebhook({ settings, progress, state, lag, nextAttemptAt }: ListedWebhook): ApiWebhook {
  const { id, name, tenant, url, types, endpoints, enabled, createdAt, updatedAt, previousSecret } = settings;
  const { lastSuccessAt, lastFailure, failure, disabled } = progress;
  return {
    id,
    name,
    ...(tenant === undefined ? {} : { tenant }),
    url,
    types: [...types],
    endpoints: [...endpoints],
    enabled,
    createdAt,
    updatedAt,
    state,
    lag,
    ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
    ...(lastFailure === undefined
      ? {}
      : {
          lastFailure: {
            at: lastFailure.at,
            reason: lastFailure.reason,
            ...(lastFailure.status === undefined ? {} : { status: lastFailure.status }),
          },
        }),
    failures: failure?.attempts ?? 0,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    ...(disabled === undefined ? {} : { reason: disabled.reason }),
    ...(previousSecret === undefined ? {} : { previousSecretUntil: previousSecret.until }),
  };
}

export function webhookInput({ name, url, types, endpoints, enabled }: ApiWebhookBody): WebhookInput {
  return { name, url, types: [...new Set(types)], endpoints: endpoints ?? [], enabled: enabled ?? true };
}

export function presentDelivery(delivery: WebhookDelivery): ApiWebhookDelivery {
  const { id, type, endpoint, state, attempts, createdAt, updatedAt, status, reason, duration } = delivery;
  return {
    id,
    type,
    ...(endpoint === undefined ? {} : { endpoint }),
    state,
    attempts,
    createdAt,
    updatedAt,
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
    ...(duration === undefined ? {} : { duration }),
  };
}
