import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RequestError } from '../../../protocol/errors.ts';
import { UnknownDeviceError } from '../../errors.ts';
import type { CommandState } from '../../ports/command-queue.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentCommand } from '../presenters.ts';
import { ProblemError } from '../problems.ts';
import { cursor, EndpointParams, limit, problemResponses } from '../route-schemas.ts';
import { type ApiCommandPage, CommandPageSchema, CommandSchema, commandStates } from '../schemas.ts';
import { ref } from '../shared-schemas.ts';

const tags = ['commands'];
const CommandParams = Type.Object({ id: Type.String({ minLength: 1 }) });
const state = Type.Optional(
  Type.String({ maxLength: 100, description: `Only these states, by comma: ${commandStates.join(', ')}` }),
);

export const commandRoutes: FastifyPluginAsyncTypebox<ApiDependencies> = async (
  app,
  { commands, stores },
) => {
  const list = async (query: {
    readonly endpoint?: string;
    readonly state?: string;
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<ApiCommandPage> => {
    const page = await commands.list({
      limit: query.limit ?? 100,
      ...(query.endpoint === undefined ? {} : { endpoint: query.endpoint }),
      ...(query.state === undefined ? {} : { states: parseStates(query.state) }),
      ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    });
    return { items: page.items.map(presentCommand), next: page.next ?? null };
  };

  app.get(
    '/api/commands',
    {
      schema: {
        operationId: 'listCommands',
        summary: 'Commands, newest first',
        tags,
        querystring: Type.Object(
          { endpoint: Type.Optional(Type.String({ minLength: 1 })), state, limit: limit(1000, 100), cursor },
          { additionalProperties: false },
        ),
        response: { 200: ref(CommandPageSchema), ...problemResponses },
      },
    },
    ({ query }) => list(query),
  );

  app.get(
    '/api/devices/:endpoint/commands',
    {
      schema: {
        operationId: 'listDeviceCommands',
        summary: 'Commands of one device, newest first',
        tags,
        params: EndpointParams,
        querystring: Type.Object({ state, limit: limit(1000, 100), cursor }, { additionalProperties: false }),
        response: { 200: ref(CommandPageSchema), ...problemResponses },
      },
    },
    async ({ params: { endpoint }, query }) => {
      if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
      return list({ ...query, endpoint });
    },
  );

  app.get(
    '/api/commands/:id',
    {
      schema: {
        operationId: 'getCommand',
        summary: 'One command, with each state that it was in',
        tags,
        params: CommandParams,
        response: { 200: ref(CommandSchema), ...problemResponses },
      },
    },
    async ({ params: { id } }) => {
      const command = await commands.get(id);
      if (command === undefined) throw unknownCommand(id);
      return presentCommand(command);
    },
  );

  app.delete(
    '/api/commands/:id',
    {
      schema: {
        operationId: 'cancelCommand',
        summary: 'Cancel a command that has not gone out yet',
        tags,
        params: CommandParams,
        response: { 200: ref(CommandSchema), ...problemResponses },
      },
    },
    async ({ params: { id } }) => {
      const command = await commands.cancel(id);
      if (command === undefined) throw unknownCommand(id);
      return presentCommand(command);
    },
  );
};

function unknownCommand(id: string): ProblemError {
  return new ProblemError('unknown_command', `no command has the id '${id}'`);
}

/** @throws RequestError */
function parseStates(text: string): CommandState[] {
  return text.split(',').map((name) => {
    const known = commandStates.find((candidate) => candidate === name);
    if (known === undefined) throw new RequestError(`'${name}' is no state: ${commandStates.join(', ')}`);
    return known;
  });
}
