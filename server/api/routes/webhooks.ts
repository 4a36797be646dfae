import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import { eventTypes } from '../../events.ts';
import type { Principal } from '../../people/principal.ts';
import { sees } from '../../people/tenancy.ts';
import type { DeliveryState, WebhookDelivery } from '../../ports/webhook-store.ts';
import type { ListedWebhook } from '../../webhooks/service.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ProblemError } from '../problems.ts';
import { cursor, limit, noContent, problemResponses } from '../route-schemas.ts';
import {
  WebhookBodySchema,
  WebhookDeliveriesAnswerSchema,
  WebhookDeliverySchema,
  WebhookSchema,
  WebhooksAnswerSchema,
  WebhookWithSecretSchema,
} from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { visiblePage } from '../visible-pages.ts';
import { presentDelivery, presentWebhook, webhookInput } from '../webhook-presenters.ts';

const tags = ['webhooks'];
const IdParams = Type.Object({ id: Type.String({ minLength: 1 }) });
const DeliveryParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  delivery: Type.String({ minLength: 1 }),
});
const wantable: readonly string[] = ['readings', ...eventTypes];
const deliveryStates: readonly DeliveryState[] = ['retrying', 'delivered', 'failed'];

export const webhookRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { stores, webhooks, tenancy },
) => {
  /** A device may be another tenant's by now. */
  const visibleDeliveries = async (
    { tenant }: Principal,
    deliveries: readonly WebhookDelivery[],
  ): Promise<readonly WebhookDelivery[]> => {
    if (tenant === undefined) return deliveries;
    const named = deliveries.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint]));
    const tenants = await tenancy.of(named);
    return deliveries.filter(({ endpoint }) => endpoint === undefined || tenants.get(endpoint) === tenant);
  };

  /** @throws ProblemError there is none, or it is another tenant's */
  const found = async (principal: Principal, id: string): Promise<ListedWebhook> => {
    const webhook = known(await webhooks.get(id), id);
    if (!sees(principal, webhook.settings.tenant)) throw unknownWebhook(id);
    return webhook;
  };

  app.get(
    '/api/webhooks',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'listWebhooks',
        summary: 'Who is told what happens, and how that goes',
        tags,
        response: { 200: ref(WebhooksAnswerSchema), ...problemResponses },
      },
    },
    async ({ principal }) => {
      const all = await webhooks.list();
      return { items: all.filter(({ settings }) => sees(principal, settings.tenant)).map(presentWebhook) };
    },
  );

  app.post(
    '/api/webhooks',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'createWebhook',
        summary: 'Have what happens from now on sent to a URL',
        description: 'The answer has the secret with which messages are signed. It is not told again.',
        tags,
        body: ref(WebhookBodySchema),
        response: { 201: ref(WebhookWithSecretSchema), ...problemResponses },
      },
    },
    async ({ body, principal: { tenant } }, reply) => {
      checkTypes(body.types);
      const webhook = await webhooks.create(webhookInput(body), tenant);
      return reply
        .code(201)
        .header('location', `/api/webhooks/${webhook.settings.id}`)
        .send(withSecret(webhook));
    },
  );

  app.get(
    '/api/webhooks/:id',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'getWebhook',
        summary: 'One webhook',
        tags,
        params: IdParams,
        response: { 200: ref(WebhookSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => presentWebhook(await found(principal, id)),
  );

  app.put(
    '/api/webhooks/:id',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'replaceWebhook',
        summary: 'Change a webhook, pause it, or have one that was given up go on',
        description: 'Its secret and its place stay: nothing that happened meanwhile is left out.',
        tags,
        params: IdParams,
        body: ref(WebhookBodySchema),
        response: { 200: ref(WebhookSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, body, principal }) => {
      checkTypes(body.types);
      await found(principal, id);
      return presentWebhook(known(await webhooks.replace(id, webhookInput(body)), id));
    },
  );

  app.delete(
    '/api/webhooks/:id',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'removeWebhook',
        summary: 'Remove a webhook and the list of its deliveries',
        tags,
        params: IdParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { id }, principal }, reply) => {
      await found(principal, id);
      if (!(await webhooks.remove(id))) throw unknownWebhook(id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/webhooks/:id/test',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'testWebhook',
        summary: 'Send a message of the type `test` now, and tell how that went',
        tags,
        params: IdParams,
        body: Type.Null(),
        response: { 200: ref(WebhookDeliverySchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => {
      await found(principal, id);
      return presentDelivery(known(await webhooks.test(id), id));
    },
  );

  app.post(
    '/api/webhooks/:id/secret',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Give a webhook a new secret',
        description: 'For a day messages are signed with the one before, too. The new one is not told again.',
        tags,
        params: IdParams,
        body: Type.Null(),
        response: { 200: ref(WebhookWithSecretSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => {
      await found(principal, id);
      return withSecret(known(await webhooks.rotate(id), id));
    },
  );

  app.get(
    '/api/webhooks/:id/deliveries',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'What was sent of late, the newest first; the newest 500 are kept',
        tags,
        params: IdParams,
        querystring: Type.Object(
          {
            state: Type.Optional(
              Type.String({ maxLength: 100, description: `By comma: ${deliveryStates.join(', ')}` }),
            ),
            limit: limit(500, 100),
            cursor,
          },
          { additionalProperties: false },
        ),
        response: { 200: ref(WebhookDeliveriesAnswerSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, query, principal }) => {
      await found(principal, id);
      const states =
        query.state === undefined || query.state === '' ? {} : { states: parseStates(query.state) };
      const { items, next } = await visiblePage(
        { limit: query.limit ?? 100, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) },
        (part) => stores.webhooks.deliveries({ id, ...states, ...part }),
        (deliveries) => visibleDeliveries(principal, deliveries),
      );
      return { items: items.map(presentDelivery), next: next ?? null };
    },
  );

  app.post(
    '/api/webhooks/:id/deliveries/:delivery/retry',
    {
      config: { needs: 'administer', tenants: 'own' },
      schema: {
        operationId: 'retryWebhookDelivery',
        summary: 'Send a delivery again now, and tell how that went',
        description: 'It has the same `webhook-id`. 409 where what was in it is not kept any more.',
        tags,
        params: DeliveryParams,
        body: Type.Null(),
        response: { 200: ref(WebhookDeliverySchema), ...problemResponses },
      },
    },
    async ({ params: { id, delivery }, principal }) => {
      await found(principal, id);
      const sent = await webhooks.retry(id, delivery);
      if (sent === undefined) {
        throw new ProblemError('unknown_delivery', `the webhook has no delivery '${delivery.slice(0, 64)}'`);
      }
      return presentDelivery(sent);
    },
  );
};

/** The one place where a secret leaves the server. */
function withSecret(webhook: ListedWebhook) {
  return { ...presentWebhook(webhook), secret: webhook.settings.secret };
}

function known<T>(found: T | undefined, id: string): T {
  if (found === undefined) throw unknownWebhook(id);
  return found;
}

function unknownWebhook(id: string): ProblemError {
  return new ProblemError('unknown_webhook', `there is no webhook '${id.slice(0, 64)}'`);
}

/** @throws RequestError */
function checkTypes(types: readonly string[]): void {
  const unknown = types.find((type) => !wantable.includes(type));
  if (unknown !== undefined) throw new RequestError(`types: '${unknown}' is none of ${wantable.join(', ')}`);
}

/** @throws RequestError */
function parseStates(text: string): DeliveryState[] {
  return text.split(',').map((name) => {
    const state = deliveryStates.find((candidate) => candidate === name);
    if (state === undefined)
      throw new RequestError(`state: '${name}' is none of ${deliveryStates.join(', ')}`);
    return state;
  });
}
