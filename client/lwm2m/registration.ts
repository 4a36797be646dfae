import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { locationPath, maxAge, pathOptions } from '../../protocol/coap/options.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import {
  type Announcement,
  announce,
  highestVersion,
  lowerVersion,
  registerRequest,
  updateRequest,
} from './announcement.ts';
import type { LwM2mVersion } from './formats.ts';
import { describeAnswer, isNetworkError } from './network-error.ts';
import { longestTimer } from './observations.ts';
import type { ProfileIds } from './profile-id.ts';
import { RetryPacing, spread } from './retry-pacing.ts';
import { defaultLifetime, type ServerAccount } from './server-account.ts';

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
  readonly account: ServerAccount;
  readonly links: (version: LwM2mVersion) => readonly Link[];
  /** Profile ids that stand for the objects, from 1.2 on (§6.2.1); none: the objects are always listed. */
  readonly profiles?: ProfileIds;
  /** Seconds between Updates at most, so that a NAT on the way keeps our port. Default: by the lifetime alone. */
  readonly updateInterval?: number;
  /** Longest wait between attempts, ms. */
  readonly maxBackOff?: number;
  /** 0 to 1. */
  readonly random: () => number;
  /** A Register is about to go out: observations of the registration before it are void. */
  readonly onRegister: () => void;
  readonly onState?: (state: RegistrationState, detail: string) => void;
  /** Registering has come to an end for now: others in the order may go on. */
  readonly onSettled?: (registered: boolean) => void;
}

/** A server that has not answered within this is tried anew, ms: retransmissions come more and more seldom. */
const attemptTimeout = 15_000;
const defaultMaxBackOff = 60_000;
/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, s: an Update may take so long to be told lost. */
const updateMargin = 93;
const deregisterTimeout = 5_000;
/** A registration that is lost sooner than this after it was made was hardly worth making, ms. */
const shortLife = 30_000;

/** 4.xx (RFC 7252 §5.9.2). */
const clientErrorClass = 4;
/** The Client Registration interface, OMA-TS-LightweightM2M_Core §6.2, as a loop that runs until `close`. */
export class Registration {
  readonly #options: RegistrationOptions;
  #state: RegistrationState = 'idle';
  #version: LwM2mVersion;
  #peer: PeerAddress | undefined;
  #location: string | undefined;
  /** What the server knows of us. */
  #told: Announcement | undefined;
  #lastContact = 0;
  #updateWanted = false;
  readonly #pacing: RetryPacing;
  /** What is sent instead of the objects with the next Register; after a refusal they go with it. */
  #profileRefused = false;
  /** Seconds, that a server has taken. */
  #acceptedLifetime = defaultLifetime;
  /** With this one the last Register was declined. */
  #refusedLifetime: number | undefined;
  /** Others register first. */
  #held = false;
  #registeredAt = 0;
  /** Registrations in a row that were lost soon after they were made. */
  #shortLived = 0;
  /** Why there is a pause before the next Register; empty: there is none. */
  #heldBack = '';
  #warned = false;
  #paused = false;
  #closing = false;
  #awaiting: (() => void)[] = [];
  #wake: () => void = () => {};
  #abort = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#version = options.version;
    this.#pacing = new RetryPacing({
      account: options.account,
      maxBackOff: options.maxBackOff ?? defaultMaxBackOff,
      random: options.random,
    });
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** The version that is spoken with this server: the one asked for until it has declined it. */
  get version(): LwM2mVersion {
    return this.#version;
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

  /** Does not register before `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#wake();
  }

  /** Resolves when there is a registration; never where there will be none. */
  registered(): Promise<void> {
    if (this.#location !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#awaiting.push(resolve));
  }

  /** Sends an Update as soon as possible, with links and lifetime where they have changed. */
  update(): void {
    this.#updateWanted = true;
    this.#wake();
  }

  /** Registers anew, at once: what the server remembers of us may be wrong. */
  reregister(): void {
    this.#location = undefined;
    this.#pacing.reset();
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
    this.#pacing.reset();
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
    this.#pacing.reset();
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
        if (this.#held) await this.#sleep(Number.POSITIVE_INFINITY);
        else if (this.#heldBack === '') await this.#register();
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
    const lifetime = this.#told?.lifetime ?? 0;
    const renewal = lifetime > 2 * updateMargin ? lifetime - updateMargin : lifetime / 2;
    const interval = Math.min(
      lifetime === 0 ? Number.POSITIVE_INFINITY : renewal,
      this.#options.updateInterval ?? Number.POSITIVE_INFINITY,
    );
    return this.#lastContact + interval * 1_000 - this.#options.clock.now();
  }

  async #register(): Promise<void> {
    const { name, onRegister } = this.#options;
    this.#enter('registering', '');
    this.#updateWanted = false;
    let told: Announcement | undefined;
    let response: IncomingResponse | undefined;
    let failure = '';
    try {
      const peer = await this.#options.resolveServer();
      // Another server may speak a version that the former did not.
      if (peer !== this.#peer) this.#version = this.#highestVersion();
      this.#peer = peer;
      onRegister();
      told = this.#announcement();
      const listed = told.profile === '' || this.#profileRefused;
      response = await this.#request(peer, {
        ...registerRequest(name, this.#version, told, listed),
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
      this.#told = told;
      this.#acceptLifetime(told);
      this.#lastContact = this.#options.clock.now();
      this.#registeredAt = this.#lastContact;
      this.#pacing.reset();
      // The server may have learnt the profile id from the list beside it.
      this.#profileRefused = false;
      this.#enter('registered', this.#location);
      this.#options.onSettled?.(true);
      for (const resolve of this.#awaiting.splice(0)) resolve();
      return;
    }
    if (response?.code === Code.PRECONDITION_FAILED) {
      const lower = lowerVersion[this.#version];
      // What it has said it speaks was not so.
      this.#version = lower ?? this.#options.version;
      if (lower !== undefined) return;
    } else if (
      response !== undefined &&
      told?.profile !== '' &&
      !this.#profileRefused &&
      response.code >> 5 === clientErrorClass
    ) {
      // §6.2.1: the server does not know what the profile id stands for.
      this.#profileRefused = true;
      return;
    } else if (response?.code === Code.BAD_REQUEST && this.#refuseLifetime(told)) {
      return;
    }
    await this.#backOff(response === undefined ? failure : describeAnswer(response), response);
  }

  async #update(): Promise<void> {
    const peer = this.#peer;
    const location = this.#location;
    if (peer === undefined || location === undefined) return;
    this.#enter('updating', '');
    this.#updateWanted = false;
    const told = this.#announcement();
    let response: IncomingResponse | undefined;
    try {
      response = await this.#request(peer, updateRequest(location, told, this.#told));
    } catch (error) {
      if (!isNetworkError(error)) throw error;
    }
    if (this.#closing || this.#paused || this.#location !== location) return;
    if (response?.code === Code.CHANGED) {
      this.#told = told;
      this.#acceptLifetime(told);
      this.#lastContact = this.#options.clock.now();
      this.#pacing.reset();
      this.#enter('registered', location);
    } else if (response?.code === Code.SERVICE_UNAVAILABLE) {
      this.#updateWanted = true;
      await this.#backOff(describeAnswer(response), response);
    } else {
      // 4.04: it knows us no more. No answer: it may have lost us. Either way a whole Register is next.
      this.lost();
    }
  }

  #highestVersion(): LwM2mVersion {
    const { version, account } = this.#options;
    return highestVersion(version, account.supportedServerVersions);
  }

  #announcement(): Announcement {
    const { account, links, profiles } = this.#options;
    const told = announce(this.#version, account, links(this.#version), profiles);
    return told.lifetime === this.#refusedLifetime ? { ...told, lifetime: this.#acceptedLifetime } : told;
  }

  /** True where the lifetime may be why a Register was declined: then the one before it goes with the next. */
  #refuseLifetime(told: Announcement | undefined): boolean {
    const { account } = this.#options;
    // In vain: it was not the lifetime, and the next attempt is with what is written again.
    if (this.#refusedLifetime !== undefined) this.#refusedLifetime = undefined;
    else if (told !== undefined && told.lifetime !== this.#acceptedLifetime) {
      this.#refusedLifetime = account.lifetime;
    }
    return this.#refusedLifetime !== undefined;
  }

  #acceptLifetime(told: Announcement | undefined): void {
    const { account } = this.#options;
    if (told === undefined) return;
    // What the server reads is what holds.
    if (account.lifetime === this.#refusedLifetime) account.lifetime = told.lifetime;
    this.#refusedLifetime = undefined;
    this.#acceptedLifetime = told.lifetime;
  }

  #request(peer: PeerAddress, request: OutgoingRequest): Promise<IncomingResponse> {
    return this.#options.endpoint.request(peer, { ...request, signal: this.#abort.signal });
  }

  /** Waits as the pacing says; Max-Age is respected. */
  async #backOff(reason: string, response: IncomingResponse | undefined): Promise<void> {
    const delay = this.#pacing.next();
    const asked = response?.code === Code.SERVICE_UNAVAILABLE ? (maxAge(response.options) ?? 60) * 1_000 : 0;
    const wait = asked > 0 ? asked + Math.min(delay * 0.1, asked) : delay;
    const again =
      wait === Number.POSITIVE_INFINITY ? 'not tried again' : `again in ${(wait / 1_000).toFixed(1)} s`;
    this.#enter('waiting', `${reason}; ${again}`);
    if (this.#pacing.failed && this.#location === undefined) this.#options.onSettled?.(false);
    await this.#sleep(wait);
  }

  /** The pause before a registration is made anew of which several were lost soon. */
  async #holdBack(): Promise<void> {
    const hint = this.#warned ? '' : '; another device may use this endpoint name';
    const { maxBackOff = defaultMaxBackOff, random } = this.#options;
    const wait = spread(maxBackOff, this.#shortLived - 2, random);
    this.#enter('waiting', `${this.#heldBack}${hint}; again in ${(wait / 1_000).toFixed(1)} s`);
    this.#heldBack = '';
    this.#warned = true;
    await this.#sleep(wait);
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
