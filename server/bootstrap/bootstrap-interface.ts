import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress, PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import { CoapResponseError, EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import type { CoapEndpoint, IncomingRequest, OutgoingResponse } from '../../protocol/coap/exchange.ts';
import { Code, formatCode, OptionNumber } from '../../protocol/coap/message.ts';
import { accept, contentFormatOption, uintOption, uriPath } from '../../protocol/coap/options.ts';
import { DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { EndpointRefusedError } from '../enrolment/endpoint-binding.ts';
import type { EventPublisher } from '../live/publisher.ts';
import { FailureLog } from '../lwm2m/failure-log.ts';
import type { BootstrapProfile, BootstrapSession, BootstrapStore } from '../ports/bootstrap-store.ts';
import { bucketDigits, bucketOf } from '../ports/bucket.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import { planBootstrap, type ReadyAccount } from './bootstrap-plan.ts';
import { BootstrapProgress, ReplacedError } from './bootstrap-progress.ts';
import { parseBootstrapRequest } from './bootstrap-request.ts';
import { bootstrapFormats, runBootstrap } from './bootstrap-run.ts';
import type { BootstrapService } from './bootstrap-service.ts';
import { unknownContents } from './device-contents.ts';

/** Bootstraps under way at a time at one node; a device that comes meanwhile is told to come back. */
const mostRuns = 1_000;
/** What it waits, s. */
const retryAfter = 30;
/** Sessions that stay in the store. */
const bounds = { ofDevice: 10, ofBucket: 100 };
/** Formats of a Bootstrap-Pack (§6.1.7.7), the first where none is asked for. */
const packFormats: readonly number[] = [
  ContentFormat.SENML_CBOR,
  ContentFormat.SENML_JSON,
  ContentFormat.LWM2M_CBOR,
];

const text = new TextEncoder();

/** The device is not who it says, or gets nothing: it is told as little as that (§6.1.7.1). */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** Where it is not who it says, or does not show it. */
  readonly refusal: EndpointRefusedError | undefined;

  constructor(message: string, refusal?: EndpointRefusedError) {
    super(message);
    this.refusal = refusal;
  }
}

/** What a bootstrap makes for one device. */
export interface AccountMaker {
  /**
   * @throws RefusedError the device has to prove who it is, and has not
   */
  admit(endpoint: string, identity: IncomingRequest['identity']): Promise<void>;
  /** Keys and addresses for the accounts of a profile; keys are enrolled when it resolves. */
  prepare(
    session: Pick<BootstrapSession, 'id' | 'endpoint'>,
    profile: BootstrapProfile,
    progress: BootstrapProgress,
  ): Promise<readonly ReadyAccount[]>;
}

export interface BootstrapInterfaceOptions {
  readonly service: BootstrapService;
  readonly store: BootstrapStore;
  readonly accounts: AccountMaker;
  readonly registry: ObjectRegistry;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: string;
  /** A device was not let in: it is not who it says, or does not show it. */
  readonly onRefused: (
    refusal: EndpointRefusedError,
    address: PeerAddress,
    identity: PeerIdentity | undefined,
  ) => void;
  /** Where a peer that is a session is reached now. */
  readonly transportAddress: (peer: PeerAddress) => PeerAddress | undefined;
  /** How long a bootstrap may take, ms. */
  readonly longest: number;
}

/** An answer, and what follows once it is on its way: requests to the device must not overtake it. */
interface Answer extends OutgoingResponse {
  readonly after?: () => void;
}

interface Run {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** The bootstrap interface of OMA-TS-LightweightM2M_Core §6.1 as a CoAP request handler: `/bs` and `/bspack`. */
export class BootstrapInterface {
  readonly #options: BootstrapInterfaceOptions;
  readonly #failures: FailureLog;
  /** Under way here, by endpoint: one of each device. */
  readonly #runs = new Map<string, Run>();
  #endpoint: CoapEndpoint | undefined;
  #closed = false;

  constructor(options: BootstrapInterfaceOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, options.clock, 'a bootstrap came to nothing');
  }

  /** What requests to devices go out by. */
  attach(endpoint: CoapEndpoint): void {
    this.#endpoint = endpoint;
  }

  /** Bootstraps under way here. */
  get underWay(): number {
    return this.#runs.size;
  }

  readonly handle = (request: IncomingRequest): void => {
    this.#answer(request)
      .catch((error: unknown): Answer => this.#refusal(request, error))
      .then(({ after, ...response }) => {
        request.respond(response);
        after?.();
      })
      .catch((error: unknown) => {
        this.#options.log.error({ error, peer: request.peer }, 'a bootstrap request met a bug');
      });
  };

  /** Idempotent. What is under way is broken off: the devices begin anew, at another node or when this one is back. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { abort } of this.#runs.values())
      abort.abort(new EndpointClosedError('the server is closing'));
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  async #answer(request: IncomingRequest): Promise<Answer> {
    const [first, second, ...more] = uriPath(request.options);
    if (first === '.well-known' && second === 'core' && more.length === 0) {
      if (request.code !== Code.GET) return { code: Code.METHOD_NOT_ALLOWED };
      return {
        code: Code.CONTENT,
        options: [contentFormatOption(ContentFormat.LINK_FORMAT)],
        payload: text.encode('</bs>,</bspack>'),
      };
    }
    if (second !== undefined && second !== '') return { code: Code.NOT_FOUND };
    if (first === 'bs') {
      return request.code === Code.POST ? this.#begin(request) : { code: Code.METHOD_NOT_ALLOWED };
    }
    if (first === 'bspack') {
      return request.code === Code.GET ? this.#pack(request) : { code: Code.METHOD_NOT_ALLOWED };
    }
    return { code: Code.NOT_FOUND };
  }

  /** Bootstrap-Request: answered at once, and then the requests of the bootstrap follow. */
  async #begin(request: IncomingRequest): Promise<Answer> {
    const { endpoint, contentFormat } = parseBootstrapRequest(request);
    if (contentFormat !== undefined && !bootstrapFormats.includes(contentFormat)) {
      return {
        code: Code.UNSUPPORTED_CONTENT_FORMAT,
        payload: text.encode(`content format ${contentFormat} is none of ${bootstrapFormats.join(', ')}`),
      };
    }
    if (this.#closed || (this.#runs.size >= mostRuns && !this.#runs.has(endpoint))) return busy();
    const { profile, progress } = await this.#open(request, endpoint, 'requests', Code.CHANGED);
    return { code: Code.CHANGED, after: () => this.#run(request, profile, contentFormat, progress) };
  }

  /** Bootstrap-Pack-Request (1.2): all of it in the answer. */
  async #pack(request: IncomingRequest): Promise<Answer> {
    const { accounts, registry, log } = this.#options;
    const { endpoint } = parseBootstrapRequest(request);
    const format = accept(request.options) ?? (packFormats[0] as number);
    if (!packFormats.includes(format)) return { code: Code.NOT_ACCEPTABLE };
    if (this.#closed) return busy();
    const { profile, progress } = await this.#open(request, endpoint, 'pack', Code.CONTENT);
    this.#letGo(endpoint);
    let payload: Uint8Array;
    try {
      const ready = await accounts.prepare(progress.session, profile, progress);
      const { writes } = planBootstrap({ ...profile, remove: ['/'] }, ready, unknownContents, registry);
      const records = writes.flatMap((write) => write.records);
      payload = encodeContent(format, '/', records, registry);
      await progress.step('pack', undefined, async () => ({
        code: formatCode(Code.CONTENT),
        detail: `${records.length} values, ${payload.length} bytes`,
      }));
    } catch (error) {
      await this.#fail(progress, error);
      throw error;
    }
    await progress.end('finished');
    log.info({ endpoint, profile: profile.id }, 'a bootstrap pack was given out');
    return { code: Code.CONTENT, options: [contentFormatOption(format)], payload };
  }

  /** Enters a bootstrap that begins. @throws RefusedError */
  async #open(
    request: IncomingRequest,
    endpoint: string,
    kind: BootstrapSession['kind'],
    code: Code,
  ): Promise<{ readonly profile: BootstrapProfile; readonly progress: BootstrapProgress }> {
    const { accounts, service, store, events, clock, node, transportAddress } = this.#options;
    await accounts.admit(endpoint, request.identity);
    const choice = await service.chosen(endpoint);
    if (choice.profile === undefined) throw new RefusedError(`'${endpoint}': ${choice.reason}`);
    const { profile } = choice;
    const now = Math.floor(clock.wallTime());
    const session: BootstrapSession = {
      id: `${bucketDigits(bucketOf(endpoint))}${randomBytes(9).toString('base64url')}`,
      endpoint,
      address: transportAddress(request.peer) ?? request.peer,
      ...(request.identity === undefined ? {} : { identity: request.identity }),
      node,
      kind,
      profile: { id: profile.id, name: profile.name },
      state: 'running',
      startedAt: now,
      updatedAt: now,
      steps: [
        {
          operation: 'request',
          path: kind === 'pack' ? '/bspack' : '/bs',
          startedAt: now,
          endedAt: now,
          code: formatCode(code),
        },
      ],
    };
    const replaced = await store.begin(session, bounds);
    if (replaced !== undefined) {
      events.publish('bootstrap', endpoint, now, {
        change: 'replaced',
        session: replaced.id,
        kind: replaced.kind,
      });
    }
    const progress = new BootstrapProgress(session, { store, events, clock });
    progress.begun();
    return { profile, progress };
  }

  #run(
    { peer }: IncomingRequest,
    profile: BootstrapProfile,
    contentFormat: number | undefined,
    progress: BootstrapProgress,
  ): void {
    const { accounts, registry, clock, log, longest } = this.#options;
    const endpoint = this.#endpoint;
    if (endpoint === undefined) throw new Error('the bootstrap interface is attached to no endpoint');
    const { session } = progress;
    this.#letGo(session.endpoint);
    const abort = new AbortController();
    if (this.#closed) abort.abort(new EndpointClosedError('the server is closing'));
    const timer = clock.setTimer(longest, () => {
      abort.abort(new TimeoutError(`it took longer than ${longest / 1_000} s`));
    });
    const ended = runBootstrap({
      endpoint,
      peer,
      profile,
      contentFormat,
      registry,
      progress,
      prepare: () => accounts.prepare(session, profile, progress),
      signal: abort.signal,
    })
      .then(() => progress.end('finished'))
      .then(() => log.info({ endpoint: session.endpoint, profile: profile.id }, 'a device was bootstrapped'))
      .catch((error: unknown) => this.#fail(progress, error))
      .catch((error: unknown) => {
        log.error({ error, endpoint: session.endpoint }, 'a bootstrap met a bug');
      })
      .finally(() => {
        timer.cancel();
        if (this.#runs.get(session.endpoint)?.abort === abort) this.#runs.delete(session.endpoint);
      });
    this.#runs.set(session.endpoint, { abort, ended });
  }

  /** The device has begun anew: what is under way to it is broken off. */
  #letGo(endpoint: string): void {
    this.#runs.get(endpoint)?.abort.abort(new ReplacedError(`'${endpoint}' has begun anew`));
  }

  /** Notes why it failed. @throws what is a bug, once it is noted */
  async #fail(progress: BootstrapProgress, error: unknown): Promise<void> {
    const { endpoint } = progress.session;
    this.#failures.tell(endpoint, error);
    if (error instanceof ReplacedError) return;
    const expected = isExpected(error);
    try {
      await progress.end('failed', expected ? (error as Error).message : 'the server has a fault');
    } catch (failure) {
      // Another one has begun, or the store is away: then the time says that it is over.
      if (!(failure instanceof ReplacedError || failure instanceof StoreUnavailableError)) throw failure;
    }
    if (!expected) throw error;
  }

  #refusal(request: IncomingRequest, error: unknown): OutgoingResponse {
    const { log } = this.#options;
    if (error instanceof RefusedError) {
      const { refusal } = error;
      const { onRefused, transportAddress } = this.#options;
      if (refusal === undefined) this.#failures.tell(request.peer, error);
      else onRefused(refusal, transportAddress(request.peer) ?? request.peer, request.identity);
      return { code: Code.BAD_REQUEST };
    }
    if (error instanceof RequestError || error instanceof DecodeError) {
      log.debug({ peer: request.peer, reason: error.message }, 'bootstrap request refused');
      return { code: Code.BAD_REQUEST, payload: text.encode(error.message) };
    }
    if (error instanceof StoreUnavailableError || error instanceof ReplacedError) return busy();
    log.error({ error, peer: request.peer }, 'a bootstrap request met a bug');
    return { code: Code.INTERNAL_SERVER_ERROR };
  }
}

/** What may go wrong with a device or a store; all else is a bug. */
function isExpected(error: unknown): boolean {
  return [
    CoapResponseError,
    TimeoutError,
    ResetError,
    DecodeError,
    RequestError,
    EndpointClosedError,
    StoreUnavailableError,
  ].some((kind) => error instanceof kind);
}

function busy(): OutgoingResponse {
  return { code: Code.SERVICE_UNAVAILABLE, options: [uintOption(OptionNumber.MAX_AGE, retryAfter)] };
}
