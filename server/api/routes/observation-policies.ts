import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import { requestOptions } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { objectPath } from '../object-content.ts';
import { policyInput, presentObservationStatus, presentPolicy } from '../policy-presenters.ts';
import { ProblemError } from '../problems.ts';
import { EndpointParams, noContent, problemResponses, timeout } from '../route-schemas.ts';
import {
  ObservationChoiceBodySchema,
  ObservationPoliciesAnswerSchema,
  ObservationPolicyBodySchema,
  ObservationPolicySchema,
  ObservationStatusSchema,
} from '../schemas/observation-policies.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['observations'];
const policyId = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-z0-9][a-z0-9-]*$' });
const PolicyParams = Type.Object({ id: policyId });
const answer = { 200: ref(ObservationPolicySchema), ...problemResponses };
const status = { 200: ref(ObservationStatusSchema), ...problemResponses };

/** Which observations are wanted, of many devices by policies and of one by hand, and what there is of them. */
export const observationPolicyRoutes: FastifyPluginAsyncTypebox<
  ApiDependencies & { readonly closing: AbortSignal }
> = async (app, { policies, closing }) => {
  app.get(
    '/api/observation-policies',
    {
      schema: {
        operationId: 'listObservationPolicies',
        summary: 'What is observed of which devices',
        tags,
        response: { 200: ref(ObservationPoliciesAnswerSchema), ...problemResponses },
      },
    },
    async () => ({ items: policies.list().map(presentPolicy) }),
  );

  app.post(
    '/api/observation-policies',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'createObservationPolicy',
        summary: 'Make a policy; devices are brought in line with it at once',
        tags,
        body: ref(ObservationPolicyBodySchema),
        response: { 201: ref(ObservationPolicySchema), ...problemResponses },
      },
    },
    async ({ body }, reply) => {
      const { listed } = await policies.put(undefined, policyInput(body));
      return reply
        .code(201)
        .header('location', `/api/observation-policies/${listed.policy.id}`)
        .send(presentPolicy(listed));
    },
  );

  app.get(
    '/api/observation-policies/:id',
    {
      schema: {
        operationId: 'getObservationPolicy',
        summary: 'One policy',
        tags,
        params: PolicyParams,
        response: answer,
      },
    },
    async ({ params: { id } }) => {
      const listed = policies.get(id);
      if (listed === undefined) throw unknownPolicy(id);
      return presentPolicy(listed);
    },
  );

  app.put(
    '/api/observation-policies/:id',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'putObservationPolicy',
        summary: 'Replace a policy, or make one of this id; devices are brought in line with it at once',
        tags,
        params: PolicyParams,
        body: ref(ObservationPolicyBodySchema),
        response: { 201: ref(ObservationPolicySchema), ...answer },
      },
    },
    async ({ params: { id }, body }, reply) => {
      const { listed, created } = await policies.put(id, policyInput(body));
      return reply.code(created ? 201 : 200).send(presentPolicy(listed));
    },
  );

  app.delete(
    '/api/observation-policies/:id',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'removeObservationPolicy',
        summary: 'Remove a policy; a built-in one can be switched off instead',
        tags,
        params: PolicyParams,
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await policies.remove(id))) throw unknownPolicy(id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/observation-policies/:id/restore',
    {
      config: { needs: 'administer' },
      schema: {
        operationId: 'restoreObservationPolicy',
        summary: 'Make a built-in policy what the server brings along',
        tags,
        params: PolicyParams,
        response: answer,
      },
    },
    async ({ params: { id } }) => {
      const listed = await policies.restore(id);
      if (listed === undefined) throw unknownPolicy(id);
      return presentPolicy(listed);
    },
  );

  app.get(
    '/api/devices/:endpoint/observation-policy',
    {
      schema: {
        operationId: 'getObservationStatus',
        summary: 'What is wanted to be observed of the device, and what there is of it',
        tags,
        params: EndpointParams,
        response: status,
      },
    },
    async ({ params: { endpoint } }) => presentObservationStatus(await policies.statusOf(endpoint)),
  );

  app.put(
    '/api/devices/:endpoint/observation-policy',
    {
      schema: {
        operationId: 'chooseObservation',
        summary: 'Say by hand what is to be observed of the device, or not',
        description:
          'Stronger than every policy, and kept until it is said otherwise, also for a device that is not ' +
          'registered now. Observing and ending an observation by the routes of `observations` says the same.',
        tags,
        params: EndpointParams,
        body: ref(ObservationChoiceBodySchema),
        response: status,
      },
    },
    async ({ params: { endpoint }, body }) => {
      const { paths, composite, wanted, attributes, contentFormat } = body;
      const target = {
        ...targetOf(paths, composite),
        ...(attributes === undefined ? {} : { attributes }),
        ...(contentFormat === undefined ? {} : { contentFormat }),
      };
      if (!wanted && (attributes !== undefined || contentFormat !== undefined)) {
        throw new RequestError('what is not to be observed has neither attributes nor a content format');
      }
      return presentObservationStatus(await policies.choose(endpoint, target, wanted));
    },
  );

  app.delete(
    '/api/devices/:endpoint/observation-policy',
    {
      schema: {
        operationId: 'unchooseObservation',
        summary: 'Take back what was said by hand: policies alone count again',
        tags,
        params: EndpointParams,
        querystring: Type.Object(
          {
            paths: Type.String({ minLength: 1, maxLength: 4000, description: 'By comma' }),
            composite: Type.Optional(Type.Boolean()),
          },
          { additionalProperties: false },
        ),
        response: { 204: noContent, ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }, reply) => {
      await policies.unchoose(endpoint, targetOf(query.paths.split(','), query.composite));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/devices/:endpoint/observation-policy/check',
    {
      schema: {
        operationId: 'checkObservations',
        summary: 'Ask the device which attributes it has; what is other than wanted is shown, and repaired',
        tags,
        params: EndpointParams,
        querystring: Type.Object({ timeout }, { additionalProperties: false }),
        response: status,
      },
    },
    async ({ params: { endpoint }, query }, reply) =>
      presentObservationStatus(await policies.check(endpoint, requestOptions(query, reply, closing))),
  );

  app.post(
    '/api/devices/:endpoint/observation-policy/renew',
    {
      schema: {
        operationId: 'renewObservations',
        summary: 'Make all wanted observations anew, those that were refused too',
        tags,
        params: EndpointParams,
        response: status,
      },
    },
    async ({ params: { endpoint } }) => presentObservationStatus(await policies.renew(endpoint)),
  );
};

/** @throws RequestError one of them is no path */
function targetOf(paths: readonly string[], composite: boolean | undefined) {
  const canonical = [...new Set(paths.map((path) => objectPath(path.trim()).canonical))];
  return { paths: canonical, ...(composite === true || canonical.length > 1 ? { composite: true } : {}) };
}

function unknownPolicy(id: string): ProblemError {
  return new ProblemError('unknown_policy', `no observation policy has the id '${id}'`);
}
