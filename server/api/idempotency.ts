import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { type Clock, systemClock } from '../../protocol/clock.ts';
import { CoapResponseError, EndpointClosedError } from '../../protocol/coap/errors.ts';
import { Code } from '../../protocol/coap/message.ts';
import { NotSentError } from '../lwm2m/device-reach.ts';
import type { IdempotencyStore, KeptAnswer } from '../ports/idempotency-store.ts';
import { identityOf } from './authentication.ts';
import { inTime } from './deadlines.ts';
import { preferencesOf } from './prefer.ts';
import { ProblemError, problemOf } from './problems.ts';
import { routeOf } from './route-of.ts';

/** Keys that are kept at the most. */
const MAX_KEYS = 100_000;
/** UTF-16 units of an answer that are kept; of a longer one only how it ended. */
const MAX_ANSWER = 16_384;
/** What the store could not take, and is told when the key comes again. */
const MAX_UNSTORED = 1_000;
const keptHeaders = ['content-type', 'location', 'preference-applied', 'allow'] as const;

/** A request under a key, from when the key is its own until it is answered. */
interface Keyed {
  readonly key: string;
  /** When the key was seen first, ms since the epoch. */
  readonly since: number;
  /** Something may have reached a device. */
  acted: boolean;
  error: unknown;
}

const requests = new WeakMap<FastifyRequest, Keyed>();

/** What the request's key is, and where it was seen first: for who keeps it with what is made. */
export function keyOf(request: FastifyRequest): Pick<Keyed, 'key' | 'since'> | undefined {
  return requests.get(request);
}

/** The request has a key: it is carried out even where its caller goes away, who may ask again for the answer. */
export function isKeyed(request: FastifyRequest): boolean {
  return requests.has(request);
}

/** Something of the request goes to a device now. */
export function noteActed(request: FastifyRequest): void {
  const keyed = requests.get(request);
  if (keyed !== undefined) keyed.acted = true;
}

/** Why the request fails: whether it may be tried again under its key depends on that. */
export function noteFailure(request: FastifyRequest, error: unknown): void {
  const keyed = requests.get(request);
  if (keyed !== undefined) keyed.error = error;
}

/**
 * `config` of routes that keep the key with what they make, in one step: they can be asked again where nobody knows how a
 * request of that key ended, and find what it made.
 */
export const keepsKey = { keepsKey: true } as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    keepsKey?: boolean;
    /** What it answers is told once, and kept nowhere: a key is not heeded. */
    keepsNothing?: boolean;
  }
}

const header = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 200,
    description:
      'The request is carried out once: a repetition with the same key, for a day, gets the same answer, with the header ' +
      '`Idempotent-Replayed`. Where nothing was done, it may be tried again; another request under the same key is a 409',
  }),
);

/** The processes that carry requests out. */
export interface KeyHolders {
  /** This one; no other has, or had, this name. */
  readonly self: string;
  /** Whether one of another name is there now: what it has under way it may be at still. */
  readonly lives: (holder: string) => boolean;
}

function alone(): KeyHolders {
  return { self: randomUUID(), lives: () => false };
}

/**
 * Has every POST, PUT, PATCH and DELETE of the API carried out once under an Idempotency-Key. To be called before the routes are
 * registered.
 */
export function answerOnce(
  app: FastifyInstance,
  store: IdempotencyStore,
  clock: Clock = systemClock,
  processes: KeyHolders = alone(),
): void {
  const keys = new KeyBook(store, clock, processes);
  app.addHook('onRoute', (route: RouteOptions) => {
    if (!acts(String(route.method)) || !route.url.startsWith('/api/')) return;
    if (route.config?.keepsNothing === true) return;
    const schema = (route.schema ?? {}) as { readonly headers?: TSchema };
    const { properties = {} } = (schema.headers ?? {}) as { readonly properties?: Record<string, TSchema> };
    route.schema = { ...route.schema, headers: Type.Object({ ...properties, 'idempotency-key': header }) };
  });
  const begin = async (request: FastifyRequest, reply: FastifyReply, key: string): Promise<unknown> => {
    const { keepsKey: again = false } = routeOf(request).config;
    const held = again || preferencesOf(request).respondAsync;
    const begun = keys.begin(keyFor(request, key), fingerprintOf(request), held);
    const found = await inTime(request, begun).catch((error: unknown) => {
      // Its time was over first: when the key is its own nothing is done under it, and it may be tried again.
      void begun
        .then((late) => ('status' in late ? undefined : keys.giveBack(late)))
        .catch((fault: unknown) => {
          // What the caller is told is no second fault.
          if (fault !== error) request.log.warn({ err: fault }, 'an Idempotency-Key was not given back');
        });
      throw error;
    });
    if ('status' in found) return replay(reply, found);
    requests.set(request, found);
    return undefined;
  };
  app.addHook('preHandler', (request, reply, done) => {
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string' && isOnce(request)) return begin(request, reply, key);
    done();
    return undefined;
  });
  const end = async (
    request: FastifyRequest,
    reply: FastifyReply,
    keyed: Keyed,
    payload: unknown,
  ): Promise<unknown> => {
    requests.delete(request);
    const stored = keys
      .end(keyed, verdict(keyed), () => answerOf(reply, payload))
      .catch((error: unknown) => {
        request.log.warn({ err: error }, 'an answer was not stored under its Idempotency-Key');
      });
    // In the time of the request: a store that hangs has the key under way for longer, not its caller.
    await inTime(request, stored).catch(() => undefined);
    return payload;
  };
  app.addHook('onSend', (request, reply, payload, done) => {
    const keyed = requests.get(request);
    if (keyed !== undefined) return end(request, reply, keyed, payload);
    done(null, payload);
    return undefined;
  });
}

function acts(method: string): boolean {
  return ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
}

/** A GET that is held makes a command. */
function isOnce(request: FastifyRequest): boolean {
  // The route's URL, for the request's may be encoded in more than one way.
  const { url, config } = routeOf(request);
  if (url?.startsWith('/api/') !== true || config.keepsNothing === true) return false;
  return acts(request.method) || preferencesOf(request).respondAsync;
}

/** Keys in the store, and what this process knows of them beyond it. */
class KeyBook {
  readonly #store: IdempotencyStore;
  readonly #clock: Clock;
  readonly #processes: KeyHolders;
  readonly #underWay = new Set<string>();
  /** What became of requests while the store was out; undefined: nothing was done. */
  readonly #unstored = new Map<string, KeptAnswer | undefined>();

  constructor(store: IdempotencyStore, clock: Clock, processes: KeyHolders) {
    this.#store = store;
    this.#clock = clock;
    this.#processes = processes;
  }

  /**
   * The answer of before, or the key is the caller's now.
   * @param again it can be asked again where nobody knows how it ended
   * @throws ProblemError the key is another request's, or that is under way, or nobody can tell how it ended
   */
  async begin(key: string, fingerprint: string, again: boolean): Promise<KeptAnswer | Keyed> {
    if (this.#underWay.has(key)) throw underWay();
    this.#underWay.add(key);
    let taken = false;
    try {
      await this.#storeLate(key);
      const { self, lives } = this.#processes;
      const at = Math.floor(this.#clock.wallTime());
      const found = await this.#store.begin({ key, fingerprint, holder: self, at, limit: MAX_KEYS });
      if (found.state !== 'begun' && found.fingerprint !== fingerprint) {
        throw new ProblemError('conflict', 'this Idempotency-Key was used for another request');
      }
      if (found.state === 'answered') return found.answer;
      if (found.state === 'open') {
        // Another node carries it out.
        if (found.holder !== self && lives(found.holder)) throw underWay();
        if (!again) {
          throw new ProblemError(
            'outcome_unknown',
            'the server ended while the request with this Idempotency-Key was under way, or could not keep how it ' +
              'ended: look at what there is, and use a new key to do it again',
          );
        }
        if (!(await this.#store.takeOver(key, found.holder, self))) throw underWay();
      }
      taken = true;
      return { key, since: found.state === 'open' ? found.since : at, acted: false, error: undefined };
    } finally {
      if (!taken) this.#underWay.delete(key);
    }
  }

  /** @throws StoreUnavailableError it is told later */
  async end({ key }: Keyed, kept: 'kept' | 'free' | 'open', answer: () => KeptAnswer): Promise<void> {
    if (kept === 'open') this.#underWay.delete(key);
    else await this.#finish(key, kept === 'kept' ? answer() : undefined);
  }

  /** Nothing was done under it. @throws StoreUnavailableError it is told later */
  giveBack({ key }: Keyed): Promise<void> {
    return this.#finish(key, undefined);
  }

  async #finish(key: string, outcome: KeptAnswer | undefined): Promise<void> {
    try {
      await this.#tell(key, outcome);
    } catch (error) {
      if (this.#unstored.size < MAX_UNSTORED) this.#unstored.set(key, outcome);
      throw error;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #storeLate(key: string): Promise<void> {
    if (!this.#unstored.has(key)) return;
    await this.#tell(key, this.#unstored.get(key));
    this.#unstored.delete(key);
  }

  #tell(key: string, outcome: KeptAnswer | undefined): Promise<void> {
    const { self } = this.#processes;
    return outcome === undefined ? this.#store.release(key, self) : this.#store.finish(key, self, outcome);
  }
}

/**
 * `kept`: a repetition gets the same answer. `free`: nothing was done, so it may be tried again. `open`: nobody can tell,
 * and that is what a repetition hears.
 */
function verdict({ acted, error }: Keyed): 'kept' | 'free' | 'open' {
  if (error === undefined) return 'kept';
  if (error instanceof NotSentError) return 'free';
  if (error instanceof CoapResponseError) return refuses(error.code) ? 'free' : 'kept';
  const { code } = problemOf(error);
  if (!acted) return code === 'internal_error' ? 'kept' : 'free';
  return error instanceof EndpointClosedError || code === 'closing' ? 'open' : 'kept';
}

/** The device says that it has not done it: its 4.xx, and of its 5.xx those that say so. */
function refuses(code: number): boolean {
  return code >> 5 === 4 || code === Code.NOT_IMPLEMENTED || code === Code.SERVICE_UNAVAILABLE;
}

function underWay(): ProblemError {
  return new ProblemError('request_under_way', 'the request with this Idempotency-Key is not answered yet');
}

function answerOf(reply: FastifyReply, payload: unknown): KeptAnswer {
  const headers: Record<string, string> = {};
  for (const name of keptHeaders) {
    const value = reply.getHeader(name);
    if (typeof value === 'string') headers[name] = value;
  }
  const status = reply.statusCode;
  if (payload === null || payload === undefined) return { status, headers, body: '' };
  if (typeof payload !== 'string' || payload.length > MAX_ANSWER) return { status, headers };
  return { status, headers, body: payload };
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  if (body === undefined) {
    throw new ProblemError(
      'answer_not_kept',
      `the request was carried out, and answered with ${status}: the answer was too large to be kept`,
    );
  }
  return reply
    .code(status)
    .headers({ ...headers, 'idempotent-replayed': 'true' })
    .send(body === '' ? null : body);
}

/**
 * A key is his who gives it, in the role and the tenant that he has: nobody gets the answer that another one was given,
 * nor who may see less by now. On a server without log-in there is one for all.
 */
function keyFor(request: FastifyRequest, key: string): string {
  const principal = identityOf(request)?.principal;
  if (principal === undefined || principal.kind === 'local') return key;
  const { id, role, tenant = '' } = principal;
  return JSON.stringify([id, role, tenant, key]);
}

/** The key of a request as the queue of commands knows it, which remembers by device: the caller's own, as above. */
export function commandKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') return undefined;
  const own = keyFor(request, key);
  return own === key ? key : createHash('sha256').update(own).digest('base64url');
}

/** The same for the same request, whatever the order of members, and however its URL is encoded. */
function fingerprintOf(request: FastifyRequest): string {
  const prefer = preferencesOf(request).respondAsync ? 'respond-async' : '';
  const { url } = request.routeOptions;
  const given = [request.params, request.query, request.body].map((one) => JSON.stringify(ordered(one)));
  const parts = [request.method, url, prefer, ...given];
  return createHash('sha256').update(parts.join('\n')).digest('base64url');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, ordered(member)]),
  );
}
