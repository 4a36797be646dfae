import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code, formatCode } from '../../protocol/coap/message.ts';
import {
  contentFormatOption,
  locationPath,
  maxAge,
  pathOptions,
  queryOptions,
} from '../../protocol/coap/options.ts';
import { DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { formatLinks, type Link } from '../../protocol/lwm2m/link-format.ts';
import type { LwM2mVersion } from './formats.ts';
import { longestTimer } from './observations.ts';

/** `waiting`: the server could not be registered with, and it is tried again after a while. */
export type RegistrationState =
  | 'idle'
  | 'registering'
  | 'registered'
  | 'updating'
  | 'waiting'
  | 'paused'
  | 'deregistering'
  | 'closed';

export interface RegistrationOptions {
  readonly endpoint: CoapEndpoint;
  readonly clock: Clock;
  /** Endpoint client name. */
  readonly name: string;
  /** Asked for before each Register, so that a server that moves is found. May throw what a resolver throws. */
  readonly resolveServer: () => Promise<PeerAddress>;
  /** The highest version to speak; after 4.12 lower ones are tried (OMA-TS-LightweightM2M_Core §6.2.1). */
  readonly version: LwM2mVersion;
  /** Seconds. */
  readonly lifetime: () => number;
  readonly links: () => readonly Link[];
  /** Seconds between Updates at most, so that a NAT on the way keeps our port. Default: by the lifetime alone. */
  readonly updateInterval?: number;
  /** Longest wait between attempts, ms. */
  readonly maxBackOff?: number;
  /** 0 to 1. */
  readonly random: () => number;
  /** A Register is about to go out: observations of the registration before it are void. */
  readonly onRegister: () => void;
  readonly onState?: (state: RegistrationState, detail: string) => void;
}

/** A server that has not answered within this is tried anew, ms: retransmissions come more and more seldom. */
const attemptTimeout = 15_000;
const firstBackOff = 2_000;
/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, s: an Update may take so long to be told lost. */
const updateMargin = 93;
const deregisterTimeout = 5_000;
/** A registration that is lost sooner than this after it was made was hardly worth making, ms. */
const shortLife = 30_000;

/** The Client Registration interface, OMA-TS-LightweightM2M_Core §6.2, as a loop that runs until `close`. */
export class Registration {
  readonly #options: RegistrationOptions;
  #state: RegistrationState = 'idle';
  #version: LwM2mVersion;
  #peer: PeerAddress | undefined;
  #location: string | undefined;
  #registeredLifetime = 0;
  #registeredLinks = '';
  #lastContact = 0;
  #updateWanted = false;
  #failures = 0;
  #registeredAt = 0;
  /** Registrations in a row that were lost soon after they were made. */
  #shortLived = 0;
  /** Why there is a pause before the next Register; empty: there is none. */
  #heldBack = '';
  #warned = false;
  #paused = false;
  #closing = false;
  #wake: () => void = () => {};
  #abort = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#version = options.version;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Where the server is; undefined before the first attempt. */
  get peer(): PeerAddress | undefined {
    return this.#peer;
  }

  /** `/rd/5a3f`, while registered. */
  get location(): string | undefined {
    return this.#location;
  }

  /** Registers, and stays registered. Idempotent. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Sends an Update as soon as possible, with links and lifetime where they have changed. */
  update(): void {
    this.#updateWanted = true;
    this.#wake();
  }

  /** Registers anew, at once: what the server remembers of us may be wrong. */
  reregister(): void {
    this.#location = undefined;
    this.#failures = 0;
    this.#heldBack = '';
    this.#wake();
  }

  /**
   * The server has lost the registration: it is made anew, at once, unless the ones before it were lost
   * soon as well. Then with longer and longer pauses: two devices of one endpoint name take it from each
   * other for ever, and would do so many times a second.
   */
  lost(): void {
    if (this.#location === undefined) return;
    this.#location = undefined;
    this.#failures = 0;
    const age = this.#options.clock.now() - this.#registeredAt;
    this.#shortLived = age < shortLife ? this.#shortLived + 1 : 0;
    if (this.#shortLived > 1) {
      this.#heldBack = `the registration was lost again, ${(age / 1_000).toFixed(1)} s after it was made`;
    }
    this.#wake();
  }

  /** Says nothing to the server until `resume`; what is under way is given up. */
  pause(): void {
    this.#paused = true;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#wake();
  }

  /** Goes on with an Update, or with a Register where there was no registration. */
  resume(): void {
    this.#paused = false;
    this.#updateWanted = true;
    this.#failures = 0;
    this.#wake();
  }

  /** Stops; tells the server with a De-register where it is told to and there is a registration. Idempotent. */
  async close(options: { readonly deregister: boolean }): Promise<void> {
    if (this.#closing) return this.#loop;
    this.#closing = true;
    this.#abort.abort();
    this.#wake();
    await this.#loop;
    if (options.deregister && !this.#paused) await this.#deregister();
    this.#enter('closed', '');
  }

  /** Deregisters, and then says nothing until `resume`. */
  async suspend(): Promise<void> {
    this.pause();
    await this.#deregister();
  }

  async #deregister(): Promise<void> {
    const location = this.#location;
    const peer = this.#peer;
    this.#location = undefined;
    if (location === undefined || peer === undefined) return;
    this.#enter('deregistering', '');
    try {
      await this.#options.endpoint.request(peer, {
        code: Code.DELETE,
        options: pathOptions(location),
        timeout: deregisterTimeout,
      });
    } catch (error) {
      // The server learns of it when the lifetime ends; a modem that is switched off does not wait.
      if (!isNetworkError(error)) throw error;
    }
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      if (this.#paused) {
        this.#enter('paused', '');
        await this.#sleep(Number.POSITIVE_INFINITY);
      } else if (this.#location === undefined) {
        if (this.#heldBack === '') await this.#register();
        else await this.#holdBack();
      } else if (this.#updateWanted || this.#updateDue() <= 0) {
        await this.#update();
      } else {
        await this.#sleep(this.#updateDue());
      }
    }
  }

  /** Milliseconds until the next Update has to go out. */
  #updateDue(): number {
    const lifetime = this.#registeredLifetime;
    const interval = Math.min(
      lifetime > 2 * updateMargin ? lifetime - updateMargin : lifetime / 2,
      this.#options.updateInterval ?? Number.POSITIVE_INFINITY,
    );
    return this.#lastContact + interval * 1_000 - this.#options.clock.now();
  }

  async #register(): Promise<void> {
    const { name, lifetime, links, onRegister } = this.#options;
    this.#enter('registering', '');
    this.#updateWanted = false;
    const seconds = lifetime();
    const list = formatLinks(links());
    let response: IncomingResponse | undefined;
    let failure = '';
    try {
      const peer = await this.#options.resolveServer();
      this.#peer = peer;
      onRegister();
      response = await this.#request(peer, {
        code: Code.POST,
        options: [
          ...pathOptions('/rd'),
          contentFormatOption(ContentFormat.LINK_FORMAT),
          ...queryOptions([`ep=${name}`, `lt=${seconds}`, `lwm2m=${this.#version}`, 'b=U']),
        ],
        payload: new TextEncoder().encode(list),
        timeout: attemptTimeout,
      });
    } catch (error) {
      if (!isNetworkError(error)) throw error;
      failure = error.message;
    }
    if (this.#closing || this.#paused) return;
    const location = response === undefined ? [] : locationPath(response.options);
    if (response?.code === Code.CREATED && location.length > 0) {
      this.#location = `/${location.join('/')}`;
      this.#registeredLifetime = seconds;
      this.#registeredLinks = list;
      this.#lastContact = this.#options.clock.now();
      this.#registeredAt = this.#lastContact;
      this.#failures = 0;
      this.#enter('registered', this.#location);
      return;
    }
    if (response?.code === Code.PRECONDITION_FAILED && this.#version !== '1.0') {
      this.#version = this.#version === '1.2' ? '1.1' : '1.0';
      return;
    }
    await this.#backOff(response === undefined ? failure : describe(response), response);
  }

  async #update(): Promise<void> {
    const peer = this.#peer;
    const location = this.#location;
    if (peer === undefined || location === undefined) return;
    this.#enter('updating', '');
    this.#updateWanted = false;
    const seconds = this.#options.lifetime();
    const list = formatLinks(this.#options.links());
    const newLinks = list !== this.#registeredLinks;
    let response: IncomingResponse | undefined;
    try {
      response = await this.#request(peer, {
        code: Code.POST,
        options: [
          ...pathOptions(location),
          ...(newLinks ? [contentFormatOption(ContentFormat.LINK_FORMAT)] : []),
          ...queryOptions(seconds === this.#registeredLifetime ? [] : [`lt=${seconds}`]),
        ],
        ...(newLinks ? { payload: new TextEncoder().encode(list) } : {}),
      });
    } catch (error) {
      if (!isNetworkError(error)) throw error;
    }
    if (this.#closing || this.#paused || this.#location !== location) return;
    if (response?.code === Code.CHANGED) {
      this.#registeredLifetime = seconds;
      this.#registeredLinks = list;
      this.#lastContact = this.#options.clock.now();
      this.#failures = 0;
      this.#enter('registered', location);
    } else if (response?.code === Code.SERVICE_UNAVAILABLE) {
      this.#updateWanted = true;
      await this.#backOff(describe(response), response);
    } else {
      // 4.04: it knows us no more. No answer: it may have lost us. Either way a whole Register is next.
      this.lost();
    }
  }

  #request(peer: PeerAddress, request: OutgoingRequest): Promise<IncomingResponse> {
    return this.#options.endpoint.request(peer, { ...request, signal: this.#abort.signal });
  }

  /** Waits longer with each failure, spread so that a fleet does not come back at once; Max-Age is respected. */
  async #backOff(reason: string, response: IncomingResponse | undefined): Promise<void> {
    const delay = this.#delay(this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    const asked = response?.code === Code.SERVICE_UNAVAILABLE ? (maxAge(response.options) ?? 60) * 1_000 : 0;
    const wait = asked > 0 ? asked + delay * 0.1 : delay;
    this.#enter('waiting', `${reason}; again in ${(wait / 1_000).toFixed(1)} s`);
    await this.#sleep(wait);
  }

  /** The pause before a registration is made anew of which several were lost soon. */
  async #holdBack(): Promise<void> {
    const hint = this.#warned ? '' : '; another device may use this endpoint name';
    const wait = this.#delay(Math.min(this.#shortLived - 2, 30));
    this.#enter('waiting', `${this.#heldBack}${hint}; again in ${(wait / 1_000).toFixed(1)} s`);
    this.#heldBack = '';
    this.#warned = true;
    await this.#sleep(wait);
  }

  /** Longer with each of `before`, ms. */
  #delay(before: number): number {
    const longest = this.#options.maxBackOff ?? 60_000;
    return Math.min(longest, firstBackOff * 2 ** before) * (0.5 + this.#options.random());
  }

  /** Until the time is over, or something wants attention. */
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer =
        milliseconds === Number.POSITIVE_INFINITY
          ? undefined
          : this.#options.clock.setTimer(Math.min(Math.max(1, milliseconds), longestTimer), () =>
              this.#wake(),
            );
      this.#wake = () => {
        timer?.cancel();
        this.#wake = () => {};
        resolve();
      };
    });
  }

  #enter(state: RegistrationState, detail: string): void {
    if (state === this.#state && detail === '') return;
    this.#state = state;
    this.#options.onState?.(state, detail);
  }
}

function describe(response: IncomingResponse): string {
  const diagnostic = new TextDecoder().decode(response.payload.subarray(0, 200));
  return `the server answered ${formatCode(response.code)}${diagnostic === '' ? '' : ` ${diagnostic}`}`;
}

/** What a network, a peer or a name service can do to a request; all else is a bug of ours. */
function isNetworkError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    error instanceof TimeoutError ||
    error instanceof ResetError ||
    error instanceof DecodeError ||
    error instanceof RequestError ||
    error instanceof EndpointClosedError ||
    error.name === 'AbortError' ||
    ('syscall' in error && error.syscall === 'getaddrinfo')
  );
}
