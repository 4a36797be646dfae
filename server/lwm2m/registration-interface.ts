import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress, PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { IncomingRequest, OutgoingResponse } from '../../protocol/coap/exchange.ts';
import { type CoapOption, Code, OptionNumber } from '../../protocol/coap/message.ts';
import { contentFormat, stringOption, uintOption, uriPath, uriQuery } from '../../protocol/coap/options.ts';
import { RandomPool } from '../../protocol/coap/random-pool.ts';
import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { type EndpointBinding, EndpointRefusedError } from '../enrolment/endpoint-binding.ts';
import { bucketDigits, bucketOf } from '../ports/bucket.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type {
  ReachedIdentity,
  Registration,
  RegistrationStore,
  RegistrationUpdate,
} from '../ports/registration-store.ts';
import { warnRepeated } from '../repeated-log.ts';
import { NewestTurns } from './newest-turns.ts';
import { type Profiles, UnknownProfileError } from './profiles.ts';
import {
  type ListedObjects,
  lifetimeOf,
  parseObjects,
  parseParameters,
  type RegistrationParameters,
  requireEndpoint,
  requireVersion,
  UnsupportedVersionError,
} from './registration-request.ts';

/** What a device waits before it asks again while the store is down. Seconds. */
const RETRY_AFTER = 30;
/** The same where a newer request of the same device was served in its place. Seconds. */
const RETRY_SUPERSEDED = 5;
/** Requests that are served or wait at the same time, of all devices: what is beyond is told to come back. */
const MAX_OPEN = 32_768;
/** Registers of one endpoint that wait for the one under way: the newest says where the device is. */
const WAITING_REGISTERS = 1;
/** Updates and De-registers of one registration that wait. */
const WAITING_UPDATES = 4;
/** After which nobody waits for the answer any more: MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms. */
const PATIENCE = 93_000;

const text = new TextEncoder();

/** What happens with registrations, after it is in the store and before nothing but the answer. */
export interface RegistrationListener {
  /** `replaced` is the registration of the same endpoint that this one took the place of. */
  registered(registration: Registration, replaced: Registration | undefined): void;
  updated(registration: Registration, previous: Registration, update: RegistrationUpdate): void;
  deregistered(registration: Registration): void;
  /** Another device spoke from `address`, which this one has lost: told before anything else of that. */
  displaced(registration: Pick<Registration, 'id' | 'endpoint'>, address: PeerAddress): void;
}

export interface RegistrationInterfaceOptions {
  readonly registrations: RegistrationStore;
  readonly profiles: Profiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: string;
  /** ms that a registration outlives its lifetime. */
  readonly grace: number;
  /** Where a session is reached now, for people to see. */
  readonly transportAddress?: (peer: PeerAddress) => PeerAddress;
  readonly listener: RegistrationListener;
  /** Which names may be registered by whom. */
  readonly binding: Pick<EndpointBinding, 'admit' | 'confirm'>;
  /** Hears of who wanted a name that is another one's. */
  readonly onRefused: (
    refusal: EndpointRefusedError,
    peer: PeerAddress,
    identity: PeerIdentity | undefined,
  ) => void;
  /** Hears of each answer, and how long it took, ms. */
  readonly onAnswered?: (code: Code, duration: number) => void;
}

/** Requests that were told to come back, since the start. */
export interface RegistrationRefusals {
  /** A newer one of the same device took their place, or they waited for too long. */
  superseded: number;
  /** Too many were under way, of all devices. */
  overloaded: number;
}

/** Whoever asked is not served: a newer request of the same device is, or nobody waits for the answer any more. */
class SupersededError extends Error {}

/** An answer, and what follows once it is on its way: requests to the device must not overtake it. */
interface Answer extends OutgoingResponse {
  readonly after?: () => void;
}

/**
 * The registration interface of OMA-TS-LightweightM2M_Core §6.2 as a CoAP request handler: Register,
 * Update and De-register under `/rd`, and `/.well-known/core` that says so.
 */
export class RegistrationInterface {
  readonly refusals: RegistrationRefusals = { superseded: 0, overloaded: 0 };
  readonly #options: RegistrationInterfaceOptions;
  /** By endpoint. */
  readonly #registering = new NewestTurns(WAITING_REGISTERS);
  /** Updates and De-registers, by registration id. */
  readonly #updating = new NewestTurns(WAITING_UPDATES);
  readonly #tellOutage: (error: Error) => void;
  #open = 0;

  constructor(options: RegistrationInterfaceOptions) {
    this.#options = options;
    const { log, clock } = options;
    this.#tellOutage = warnRepeated(log, clock, 'the store does not answer; devices are told to come back');
  }

  handle(request: IncomingRequest): void {
    if (this.#open >= MAX_OPEN) {
      this.refusals.overloaded++;
      request.respond(comeBack(RETRY_AFTER));
      return;
    }
    this.#open++;
    this.#serve(request).catch((error: unknown) => {
      this.#options.log.error({ error, peer: request.peer }, 'what follows a registration request met a bug');
    });
  }

  async #serve(request: IncomingRequest): Promise<void> {
    const { clock, onAnswered } = this.#options;
    const begun = clock.now();
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      answer = this.#refusal(request, error);
    }
    this.#open--;
    request.respond(answer);
    onAnswered?.(answer.code, clock.now() - begun);
    answer.after?.();
  }

  #answer(request: IncomingRequest): Answer | Promise<Answer> {
    const path = uriPath(request.options);
    if (path.length > 2) return { code: Code.NOT_FOUND };
    const first = path[0];
    const second = path[1];
    if (first === '.well-known' && second === 'core') return wellKnownCore(request);
    if (first !== 'rd') return { code: Code.NOT_FOUND };
    // `/rd/` of a client that adds a slash is `/rd`.
    if (second === undefined || second === '') {
      return request.code === Code.POST ? this.#register(request) : { code: Code.METHOD_NOT_ALLOWED };
    }
    // 1.0 drafts updated with PUT, and clients of that age are still out there.
    if (request.code === Code.POST || request.code === Code.PUT) return this.#update(request, second);
    if (request.code === Code.DELETE) return this.#deregister(request, second);
    return { code: Code.METHOD_NOT_ALLOWED };
  }

  async #register(request: IncomingRequest): Promise<Answer> {
    const parameters = parseParameters(uriQuery(request.options));
    const admitted = await this.#options.binding.admit(parameters.endpoint, request.identity);
    const endpoint = requireEndpoint(admitted);
    const version = requireVersion(parameters);
    const objects = await this.#objects(request, endpoint, version, parameters.profiles);
    if (objects === undefined) return { code: Code.UNSUPPORTED_CONTENT_FORMAT };
    const turn = this.#turn(this.#registering, endpoint);
    if (turn !== undefined) await turn;
    try {
      return await this.#store(request, parameters, admitted.tenant, endpoint, version, objects);
    } finally {
      this.#registering.leave(endpoint);
    }
  }

  /**
   * Resolves when the turn of a request has come; undefined: it has. Whoever has it leaves when it is done.
   * @throws SupersededError it did not come, or came too late
   */
  #turn(turns: NewestTurns, key: string): Promise<void> | undefined {
    const turn = turns.enter(key);
    return turn === undefined ? undefined : this.#await(turn, turns, key);
  }

  async #await(turn: Promise<boolean>, turns: NewestTurns, key: string): Promise<void> {
    const { clock } = this.#options;
    const begun = clock.now();
    if (!(await turn)) throw new SupersededError();
    if (clock.now() - begun < PATIENCE) return;
    turns.leave(key);
    throw new SupersededError();
  }

  /** What a Register asks for, when it is its turn. */
  async #store(
    request: IncomingRequest,
    parameters: RegistrationParameters,
    tenant: string | undefined,
    endpoint: string,
    version: string,
    objects: ListedObjects,
  ): Promise<Answer> {
    const { registrations, node, grace, listener } = this.#options;
    const now = Math.floor(this.#options.clock.wallTime());
    const lifetime = lifetimeOf(parameters);
    const registration: { -readonly [Member in keyof Registration]: Registration[Member] } = {
      id: newRegistrationId(endpoint),
      endpoint,
      address: request.peer,
      lifetime,
      version,
      binding: parameters.binding ?? 'U',
      queueMode: parameters.queueMode ?? false,
      rootPath: objects.rootPath,
      links: objects.links,
      contentFormats: objects.contentFormats,
      additional: parameters.additional,
      message: `${request.messageId} ${Buffer.from(request.token).toString('hex')}`,
      registeredAt: now,
      updatedAt: now,
      expiresAt: now + lifetime * 1000 + grace,
      node,
    };
    if (request.identity !== undefined) registration.identity = this.#reached(request.peer, request.identity);
    if (parameters.smsNumber !== undefined) registration.smsNumber = parameters.smsNumber;
    if (parameters.profiles !== undefined) registration.profiles = parameters.profiles;
    const { replaced, repeated, fence, displaced } = await registrations.register(registration, tenant);
    if (repeated !== undefined) {
      // Another node was faster with the same message: the device goes by its answer, or by this one.
      return { code: Code.CREATED, options: locationOf(repeated.id) };
    }
    if (displaced !== undefined) listener.displaced(displaced, registration.address);
    return {
      code: Code.CREATED,
      options: locationOf(registration.id),
      after: () => {
        registration.fence = fence;
        listener.registered(registration, replaced);
      },
    };
  }

  async #update(request: IncomingRequest, id: string): Promise<Answer> {
    const { registrations, node, clock, listener, binding } = this.#options;
    const confirming = binding.confirm(request.identity);
    if (confirming !== undefined) await confirming;
    const turn = this.#turn(this.#updating, id);
    if (turn !== undefined) await turn;
    try {
      const parameters = parseParameters(uriQuery(request.options));
      // §6.2.2 allows an Update without a payload, which then leaves the objects as they were.
      let listed = request.payload.length === 0 ? undefined : this.#listed(request);
      if (listed === undefined && request.payload.length > 0)
        return { code: Code.UNSUPPORTED_CONTENT_FORMAT };
      if (parameters.profiles !== undefined) {
        const before = await registrations.byId(id);
        if (before === undefined) return { code: Code.NOT_FOUND };
        listed = await this.#options.profiles.resolve(before.endpoint, parameters.profiles, listed);
      }
      const updatedAt = Math.floor(clock.wallTime());
      // Member by member: most Updates have none of the others, and a spread costs each of them an object.
      const update: { -readonly [Member in keyof RegistrationUpdate]: RegistrationUpdate[Member] } = {
        id,
        address: request.peer,
        updatedAt,
        node,
      };
      if (request.identity !== undefined) update.identity = this.#reached(request.peer, request.identity);
      if (parameters.lifetime !== undefined) update.lifetime = parameters.lifetime;
      if (parameters.binding !== undefined || parameters.queueMode !== undefined) {
        Object.assign(update, bindingOf(parameters));
      }
      if (parameters.smsNumber !== undefined) update.smsNumber = parameters.smsNumber;
      if (listed !== undefined) Object.assign(update, changedObjects(listed));
      if (parameters.profiles !== undefined) update.profiles = parameters.profiles;
      const result = await registrations.update(update, request.identity ?? null);
      if (result === undefined) return { code: Code.NOT_FOUND };
      if (result.displaced !== undefined) listener.displaced(result.displaced, request.peer);
      return {
        code: Code.CHANGED,
        after: () => listener.updated(result.registration, result.previous, update),
      };
    } finally {
      this.#updating.leave(id);
    }
  }

  async #deregister(request: IncomingRequest, id: string): Promise<Answer> {
    const turn = this.#turn(this.#updating, id);
    if (turn !== undefined) await turn;
    try {
      const registration = await this.#options.registrations.deregister(id, request.identity ?? null);
      if (registration === undefined) return { code: Code.NOT_FOUND };
      return { code: Code.DELETED, after: () => this.#options.listener.deregistered(registration) };
    } finally {
      this.#updating.leave(id);
    }
  }

  #reached(peer: PeerAddress, identity: PeerIdentity): ReachedIdentity {
    const { transportAddress } = this.#options;
    return transportAddress === undefined
      ? identity
      : { ...identity, transportAddress: transportAddress(peer) };
  }

  /** The objects of a Register; undefined as for `#listed`. */
  async #objects(
    request: IncomingRequest,
    endpoint: string,
    version: string,
    profiles: readonly string[] | undefined,
  ): Promise<ListedObjects | undefined> {
    const empty = request.payload.length === 0;
    if (profiles !== undefined) {
      const listed = empty ? undefined : this.#listed(request);
      if (listed === undefined && !empty) return undefined;
      return this.#options.profiles.resolve(endpoint, profiles, listed);
    }
    // §6.2.1 of 1.2; older clients are known to list nothing, and are none the worse for it.
    if (empty && version === '1.2') throw new UnknownProfileError('neither objects nor a profile id (pid)');
    return this.#listed(request);
  }

  /** Undefined for a Content-Format other than link format; a client may leave it out. */
  #listed(request: IncomingRequest): ListedObjects | undefined {
    const format = contentFormat(request.options);
    if (format !== undefined && format !== ContentFormat.LINK_FORMAT) return undefined;
    return parseObjects(request.payload);
  }

  #refusal(request: IncomingRequest, error: unknown): OutgoingResponse {
    if (error instanceof EndpointRefusedError) {
      this.#options.onRefused(error, request.peer, request.identity);
      return { code: Code.FORBIDDEN };
    }
    if (error instanceof UnsupportedVersionError) {
      return { code: Code.PRECONDITION_FAILED, payload: text.encode(error.message) };
    }
    if (error instanceof UnknownProfileError) {
      this.#options.log.debug({ peer: request.peer, reason: error.message }, 'registration request refused');
      return { code: Code.CONFLICT, payload: text.encode(error.message) };
    }
    if (error instanceof RequestError || error instanceof DecodeError) {
      this.#options.log.debug({ peer: request.peer, reason: error.message }, 'registration request refused');
      return { code: Code.BAD_REQUEST, payload: text.encode(error.message) };
    }
    if (error instanceof SupersededError) {
      this.refusals.superseded++;
      return comeBack(RETRY_SUPERSEDED);
    }
    if (error instanceof StoreUnavailableError) {
      this.#tellOutage(error);
      return comeBack(RETRY_AFTER);
    }
    this.#options.log.error({ error, peer: request.peer }, 'a registration request met a bug');
    return { code: Code.INTERNAL_SERVER_ERROR };
  }
}

/** @param after seconds */
function comeBack(after: number): OutgoingResponse {
  return { code: Code.SERVICE_UNAVAILABLE, options: [uintOption(OptionNumber.MAX_AGE, after)] };
}

/** Who says its binding says with it whether there is queue mode: `Q` is a flag, and cannot be taken back by itself. */
function bindingOf({ binding, queueMode }: RegistrationParameters): Partial<RegistrationUpdate> {
  if (binding !== undefined) return { binding, queueMode: queueMode ?? false };
  return queueMode === undefined ? {} : { queueMode };
}

/** An Update that lists objects without a root link keeps root path and content formats (§6.2.2). */
function changedObjects(listed: ListedObjects): Partial<RegistrationUpdate> {
  if (listed.rootPath === '/' && listed.contentFormats.length === 0) return { links: listed.links };
  return listed;
}

function wellKnownCore(request: IncomingRequest): OutgoingResponse {
  if (request.code !== Code.GET) return { code: Code.METHOD_NOT_ALLOWED };
  return {
    code: Code.CONTENT,
    options: [uintOption(OptionNumber.CONTENT_FORMAT, ContentFormat.LINK_FORMAT)],
    payload: text.encode('</rd>;rt="core.rd"'),
  };
}

const rd = stringOption(OptionNumber.LOCATION_PATH, 'rd');

/** `/rd/<id>`; an id is of ASCII. */
function locationOf(id: string): readonly CoapOption[] {
  return [rd, { number: OptionNumber.LOCATION_PATH, value: Buffer.from(id, 'latin1') }];
}

const random = new RandomPool(randomBytes);

/** Names its bucket, and holds 96 random bits: who does not know it cannot update or end the registration. */
export function newRegistrationId(endpoint: string): string {
  const secret = Buffer.allocUnsafe(12);
  random.fill(secret);
  return `${bucketDigits(bucketOf(endpoint))}${secret.toString('base64url')}`;
}
