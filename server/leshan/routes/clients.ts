import { Readable } from 'node:stream';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { LeshanCall, LeshanQuery, LeshanRequest } from '../call.ts';
import { parameter } from '../call.ts';
import { observeComposite, readComposite, writeComposite } from '../composite.ts';
import { LeshanDelivery, type RegisteredDevice, timeoutOf } from '../delivery.ts';
import type { LeshanRouteOptions } from '../dependencies.ts';
import { cancel, cancelComposite, ended, observe } from '../observations.ts';
import { create, discover, execute, read, remove, write, writeAttributes } from '../operations.ts';
import { invalidPath } from '../refusals.ts';
import { presentRegistration } from '../registrations.ts';
import { respond } from '../responses.ts';

const PAGE = 500;

interface ClientRequest {
  readonly Params: { readonly endpoint: string; readonly '*': string };
  readonly Querystring: LeshanQuery;
  readonly Body: Buffer | undefined;
}

/** What a method and the parts behind the endpoint ask for. @throws LeshanRefusal */
type Choice = (
  needs: LeshanRouteOptions,
  call: LeshanCall,
  parts: readonly string[],
) => LeshanRequest | typeof ended | Promise<LeshanRequest | typeof ended>;

const choices: Readonly<Record<'GET' | 'PUT' | 'POST' | 'DELETE', Choice>> = {
  GET: (needs, call, parts) => {
    if (isComposite(parts)) return readComposite(needs, call);
    if (parts.length >= 2 && parts.at(-1) === 'discover') return discover(needs, call);
    return read(needs, call);
  },
  PUT: (needs, call, parts) => {
    if (isComposite(parts)) return writeComposite(needs, call);
    if (parts.length < 2) throw invalidPath();
    return parts.at(-1) === 'attributes' ? writeAttributes(needs, call) : write(needs, call);
  },
  POST: (needs, call, parts) => {
    if (isComposite(parts, 'observe')) return observeComposite(needs, call);
    if (parts.length >= 2 && parts.at(-1) === 'observe') return observe(needs, call);
    if (parts.length === 3) return execute(needs, call);
    if (parts.length === 1 || parts.length === 2) return create(needs, call);
    throw invalidPath();
  },
  DELETE: (needs, call, parts) => {
    if (isComposite(parts, 'observe')) return cancelComposite(needs, call);
    if (parts.length >= 2 && parts.at(-1) === 'observe') return cancel(needs, call);
    return remove(needs, call);
  },
};

function isComposite(parts: readonly string[], ...more: readonly string[]): boolean {
  return parts.join('/') === ['composite', ...more].join('/');
}

/** Clients, and everything that can be asked of one. */
export const clientRoutes: FastifyPluginAsync<LeshanRouteOptions> = async (app, needs) => {
  const { stores, clock, lookupFor } = needs;
  const delivery = new LeshanDelivery(needs);

  const present = (device: RegisteredDevice) =>
    presentRegistration(device.registration, delivery.isAwake(device));

  async function* registrations(): AsyncGenerator<string> {
    let separator = '[';
    let cursor: string | undefined;
    do {
      const page = await stores.devices.list({
        filter: { states: ['registered'] },
        now: clock.wallTime(),
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const { registration, ...device } of page.items) {
        if (registration === undefined) continue;
        yield `${separator}${JSON.stringify(present({ ...device, registration }))}`;
        separator = ',';
      }
      cursor = page.next;
    } while (cursor !== undefined);
    yield separator === '[' ? '[]' : ']';
  }

  app.get('/api/clients', async (_request, reply) =>
    reply.type('application/json').send(Readable.from(registrations(), { objectMode: false })),
  );
  app.get('/api/clients/', () => {
    throw invalidPath();
  });

  const ask = async (request: FastifyRequest<ClientRequest>, reply: FastifyReply): Promise<unknown> => {
    const { params, query, headers, body, url } = request;
    const device = await delivery.device(params.endpoint);
    const { registration } = device;
    const rest = `/${params['*'] ?? ''}`;
    const parts = rest.split('/').filter((part) => part !== '');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method === 'GET' && parts.length === 0) return present(device);
    const call: LeshanCall = {
      device,
      rest,
      query,
      search: url.includes('?') ? url.slice(url.indexOf('?') + 1) : '',
      body: { contentType: headers['content-type'], bytes: body ?? new Uint8Array() },
      registry: lookupFor(registration),
      reply,
    };
    const asked = await choices[method as keyof typeof choices](needs, call, parts);
    if (asked === ended) return reply.send();
    const { operation, path, run } = asked;
    return delivery.send(
      {
        device,
        ...(path === undefined ? {} : { path }),
        timeout: timeoutOf(parameter(query, 'timeout')),
        run: (options) => respond(operation, () => run(options)),
      },
      reply,
    );
  };
  for (const url of ['/api/clients/:endpoint', '/api/clients/:endpoint/*']) {
    app.route<ClientRequest>({ method: ['GET', 'PUT', 'POST', 'DELETE'], url, handler: ask });
  }
};
