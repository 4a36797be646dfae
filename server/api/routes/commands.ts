import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { UnknownDeviceError } from '../../errors.ts';
import type { Principal } from '../../people/principal.ts';
import type { Command } from '../../ports/command-queue.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { commandKeyOf, keepsKey } from '../idempotency.ts';
import { presentCommand } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { cursor, EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { type ApiCommandPage, CommandPageSchema, CommandSchema, commandStates } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';
import { statesOf } from '../states.ts';
import { parseTime } from '../times.ts';
import { visiblePage } from '../visible-pages.ts';

const tags = ['commands'];
const CommandParams = Type.Object({ id: Type.String({ minLength: 1 }) });
const state = Type.Optional(
  Type.String({ maxLength: 100, description: `Only these states, by comma: ${commandStates.join(', ')}` }),
);

const time = Type.Optional(
  Type.String({ maxLength: 40, description: 'ms since the epoch, or ISO 8601 with a zone' }),
);
const filters = {
  state,
  kind: Type.Optional(Type.Enum(['carrier-switch', 'request'] as const)),
  job: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'Id of the job that made them' }),
  ),
  from: time,
  to: time,
  limit: limit(1000, 100),
  cursor,
};

export const commandRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { commands, stores, tenancy },
) => {
  const list = async (
    principal: Principal,
    query: {
      readonly endpoint?: string;
      readonly state?: string;
      readonly kind?: string;
      readonly job?: string;
      readonly from?: string;
      readonly to?: string;
      readonly limit?: number;
      readonly cursor?: string;
    },
  ): Promise<ApiCommandPage> => {
    const wanted = {
      ...(query.endpoint === undefined ? {} : { endpoint: query.endpoint }),
      ...(query.state === undefined ? {} : { states: statesOf(query.state, commandStates) }),
      ...(query.kind === undefined ? {} : { kind: query.kind }),
      ...(query.job === undefined ? {} : { job: query.job }),
      ...(query.from === undefined ? {} : { from: parseTime(query.from, 'from') / 1000 }),
      ...(query.to === undefined ? {} : { to: parseTime(query.to, 'to') / 1000 }),
    };
    const page = await visiblePage(
      { limit: query.limit ?? 100, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) },
      (part) => commands.list({ ...wanted, ...part }),
      (found) => tenancy.visible(principal, found),
    );
    return { items: page.items.map(presentCommand), next: page.next ?? null };
  };

  /** @throws ProblemError there is none, or it is of a device of another tenant */
  const known = async (principal: Principal, id: string): Promise<Command> => {
    const command = await commands.get(id);
    const [visible] = command === undefined ? [] : await tenancy.visible(principal, [command]);
    if (visible === undefined) throw unknownCommand(id);
    return visible;
  };

  app.get(
    '/api/commands',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'listCommands',
        summary: 'Commands, newest first',
        tags,
        querystring: Type.Object(
          { endpoint: Type.Optional(Type.String({ minLength: 1 })), ...filters },
          { additionalProperties: false },
        ),
        response: { 200: ref(CommandPageSchema), ...problemResponses },
      },
    },
    ({ query, principal }) => list(principal, query),
  );

  app.get(
    '/api/devices/:endpoint/commands',
    {
      schema: {
        operationId: 'listDeviceCommands',
        summary: 'Commands of one device, newest first',
        tags,
        params: EndpointParams,
        querystring: Type.Object(filters, { additionalProperties: false }),
        response: { 200: ref(CommandPageSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query, principal }) => {
      if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
      return list(principal, { ...query, endpoint });
    },
  );

  app.get(
    '/api/commands/:id',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'getCommand',
        summary: 'One command, with each state that it was in',
        tags,
        params: CommandParams,
        response: { 200: ref(CommandSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => presentCommand(await known(principal, id)),
  );

  app.post(
    '/api/commands/:id/retry',
    {
      config: { ...keepsKey, tenants: 'own' },
      schema: {
        operationId: 'retryCommand',
        summary: 'Give a command that did not succeed once more, as a new one',
        description:
          'Of one that failed, expired, was cancelled, or ended as unknown: whoever asks for that takes it upon ' +
          'himself that the device may have carried it out. The new one has the same content, and as much time.',
        tags,
        params: CommandParams,
        response: { 202: ref(CommandSchema), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await known(request.principal, id);
      const retried = await commands.retry(id, commandKeyOf(request));
      if (retried === undefined) throw unknownCommand(id);
      return reply
        .code(202)
        .header('location', `/api/commands/${encodeURIComponent(retried.command.id)}`)
        .send(presentCommand(retried.command));
    },
  );

  app.delete(
    '/api/commands/:id',
    {
      config: { tenants: 'own' },
      schema: {
        operationId: 'cancelCommand',
        summary: 'Cancel a command that has not gone out yet',
        tags,
        params: CommandParams,
        response: { 200: ref(CommandSchema), ...problemResponses },
      },
    },
    async ({ params: { id }, principal }) => {
      await known(principal, id);
      const command = await commands.cancel(id);
      if (command === undefined) throw unknownCommand(id);
      return presentCommand(command);
    },
  );
};

function unknownCommand(id: string): ProblemError {
  return new ProblemError('unknown_command', `no command has the id '${id}'`);
}
