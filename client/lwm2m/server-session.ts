import type { Clock, Timer } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, ObservationEnd } from '../../protocol/coap/exchange.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { AccessControl } from './access-control.ts';
import { AttributeStore } from './attributes.ts';
import type { ClientPort } from './client-port.ts';
import { registrationLinks } from './discover.ts';
import { announcedFormats, type LwM2mVersion } from './formats.ts';
import type { ObjectInstance, ObjectTree } from './object-tree.ts';
import type { ReportingDefaults } from './observation-conditions.ts';
import { longestTimer, Observations } from './observations.ts';
import { OperationError } from './operation-error.ts';
import { PackSender } from './pack-sender.ts';
import type { ProfileIds } from './profile-id.ts';
import { readTarget } from './read.ts';
import { Registration, type RegistrationState } from './registration.ts';
import {
  newAccount,
  type ServerAccount,
  type ServerActions,
  securityInstance,
  serverInstance,
} from './server-account.ts';
import type { AccessRight, ServerContext } from './server-context.ts';
import { findTarget, type Target } from './target.ts';

/** One of the client's servers, as the client is set up with it. */
export interface ServerOptions {
  /** As the Security object shows it: `coap://host:port`. */
  readonly uri: string;
  /** Asked before each Register. */
  readonly resolve: () => Promise<PeerAddress>;
  /** 1 to 65534; default 101 for the first, and so on. */
  readonly shortServerId?: number;
  /** Of its instances of the Server and of the Security object; default 0 for the first, and so on. */
  readonly instanceId?: number;
  /** The highest to speak with it; default 1.1. */
  readonly version?: LwM2mVersion;
  /** What its Server object begins with. */
  readonly account?: Partial<ServerAccount>;
  /** Seconds between Updates at most. */
  readonly updateInterval?: number;
  /** Longest wait between attempts to register, ms; default one minute. */
  readonly maxBackOff?: number;
  readonly profiles?: ProfileIds;
}

/** What all sessions of a client share. */
export interface SessionParts {
  readonly endpoint: CoapEndpoint;
  readonly port: ClientPort;
  readonly clock: Clock;
  readonly tree: ObjectTree;
  /** Endpoint client name. */
  readonly name: string;
  /** Whether observed readings go in packs. */
  readonly packs: boolean;
  /** How long a reading waits for others to share its pack, ms. */
  readonly packInterval: number;
  readonly random: () => number;
  /** Undefined with one server: it may do everything (§8.1). */
  readonly accessControl: AccessControl | undefined;
  readonly onState: (session: ServerSession, state: RegistrationState, detail: string) => void;
  readonly onSettled: (session: ServerSession, registered: boolean) => void;
  readonly onDelivered: ((path: string, readings: number) => void) | undefined;
  readonly onFault: (error: unknown) => void;
}

/** What the client has with one server: account, registration, observations, packs. */
export class ServerSession implements ServerContext {
  readonly shortServerId: number;
  readonly instanceId: number;
  readonly uri: string;
  readonly account: ServerAccount;
  readonly attributes = new AttributeStore();
  readonly observations: Observations;
  readonly registration: Registration;
  /** Readings on their way to this server. */
  readonly readings: PackSender;
  readonly #parts: SessionParts;
  #disableTimer: Timer | undefined;
  #disabled: PeerAddress | undefined;
  #paused = false;
  #lostWhileSilent = false;
  #closed = false;

  constructor(options: ServerOptions, shortServerId: number, instanceId: number, parts: SessionParts) {
    const { clock, tree } = parts;
    this.#parts = parts;
    this.shortServerId = shortServerId;
    this.instanceId = instanceId;
    this.uri = options.uri;
    this.account = newAccount(options.account);
    const minimumPeriod = (path: string): number =>
      this.attributes.effective(path, 'pmin') ?? this.account.defaultMinimumPeriod;
    const maximumPeriod = (path: string): number | undefined => {
      const seconds = this.attributes.effective(path, 'pmax') ?? this.account.defaultMaximumPeriod;
      // 0 is "none", and a maximum below the minimum is to be ignored (OMA-TS-LightweightM2M_Core §5.1.2).
      return seconds === 0 || seconds < minimumPeriod(path) ? undefined : seconds;
    };
    this.observations = new Observations({
      clock,
      attributes: this.attributes,
      defaults: () => reportingDefaults(this.account),
      valuesAt: (path) => valuesAt(tree, path),
      storing: () => this.account.notificationStoring,
    });
    this.readings = new PackSender({
      clock,
      minimumPeriod,
      maximumPeriod,
      packInterval: parts.packInterval,
      ...(parts.onDelivered === undefined ? {} : { onDelivered: parts.onDelivered }),
    });
    this.registration = new Registration({
      endpoint: parts.endpoint,
      clock,
      name: parts.name,
      resolveServer: options.resolve,
      version: options.version ?? '1.1',
      account: this.account,
      links: (version) => registrationLinks(tree, announcedFormats(version)),
      random: parts.random,
      onRegister: () => {
        this.observations.clear();
        this.readings.clear();
      },
      onState: (state, detail) => parts.onState(this, state, detail),
      onSettled: (registered) => parts.onSettled(this, registered),
      ...(options.profiles === undefined ? {} : { profiles: options.profiles }),
      ...(options.updateInterval === undefined ? {} : { updateInterval: options.updateInterval }),
      ...(options.maxBackOff === undefined ? {} : { maxBackOff: options.maxBackOff }),
    });
  }

  /** Its instances of the Security and of the Server object. */
  objects(): readonly ObjectInstance<never>[] {
    const actions: ServerActions = {
      update: () => this.registration.update(),
      disable: (seconds) => this.#disable(seconds),
      reschedule: () => this.#reschedule(),
      mute: () => {},
    };
    return [
      securityInstance(this.instanceId, this.uri, this.shortServerId),
      serverInstance(
        this.instanceId,
        this.shortServerId,
        this.account,
        () => this.version,
        actions,
        this.#parts.clock,
      ),
    ];
  }

  get version(): LwM2mVersion {
    return this.registration.version;
  }

  get packs(): PackSender | undefined {
    return this.#parts.packs ? this.readings : undefined;
  }

  /** Neither disabled nor paused with the whole client. */
  get isSpeaking(): boolean {
    return !this.#paused && this.#disabled === undefined;
  }

  authorize(right: AccessRight, target: Target): void {
    this.#parts.accessControl?.authorize(this.shortServerId, right, target);
  }

  created(instance: ObjectInstance): void {
    this.#parts.accessControl?.created(this.shortServerId, instance);
  }

  /** Lets the pack under way finish, then says nothing until `resume`. Observations stay. */
  async pause(): Promise<void> {
    this.#paused = true;
    this.registration.pause();
    this.observations.pause();
    await this.readings.pause();
  }

  /** Speaks again, with an Update first; unless the server is disabled for longer. */
  resume(): void {
    this.#paused = false;
    if (this.#disabled === undefined) this.#speak();
  }

  /**
   * A notification that nobody acknowledged makes its observation void, and the server does not know:
   * only a Register brings it back. After a RST it may be that the server has lost us altogether, which
   * an Update shows.
   */
  observationLost(reason: ObservationEnd): void {
    if (this.#closed) return;
    if (reason === 'timeout') {
      if (this.isSpeaking) this.registration.lost();
      else this.#lostWhileSilent = true;
    } else if (reason === 'reset' && this.registration.location !== undefined) {
      this.registration.update();
    }
  }

  /** Tries for so long (ms) to get rid of the last readings where it is to deregister, and ends. */
  async close(options: { readonly deregister: boolean; readonly patience: number }): Promise<void> {
    this.#closed = true;
    this.#disableTimer?.cancel();
    if (options.deregister && this.isSpeaking) await this.readings.flush(options.patience);
    this.readings.close();
    this.observations.pause();
    await this.registration.close({ deregister: options.deregister && this.#disabled === undefined });
    this.observations.clear();
    this.readings.clear();
  }

  #speak(): void {
    if (this.#lostWhileSilent) this.registration.reregister();
    this.#lostWhileSilent = false;
    this.registration.resume();
    this.observations.resume();
    this.readings.resume();
  }

  #reschedule(): void {
    this.observations.reschedule();
    this.readings.wake();
  }

  /**
   * Server object's Disable: deregistered, and then silent and deaf for the time (OMA-TS-LightweightM2M_Core
   * §E.2). A De-register ends the observations (§6.4.1).
   */
  #disable(seconds: number): void {
    const { peer } = this.registration;
    if (peer === undefined || this.#disabled !== undefined) return;
    const { clock, port, onFault } = this.#parts;
    this.#disabled = peer;
    this.observations.pause();
    const silent = Promise.all([this.readings.pause(), this.registration.suspend()]);
    silent.then(() => {
      if (this.#closed) return;
      port.ignore(peer);
      this.#disableTimer = clock.setTimer(Math.min(seconds * 1_000, longestTimer), () => {
        port.heed(peer);
        this.#disabled = undefined;
        if (!this.#paused) this.#speak();
      });
    }, onFault);
  }
}

function reportingDefaults(account: ServerAccount): ReportingDefaults {
  const { defaultMinimumPeriod, defaultMaximumPeriod, defaultNotificationMode } = account;
  return {
    minimumPeriod: defaultMinimumPeriod,
    maximumPeriod: defaultMaximumPeriod,
    ...(defaultNotificationMode === undefined ? {} : { confirmable: defaultNotificationMode === 1 }),
  };
}

/** What there is at or below a path; nothing where it is gone or cannot be read. */
function valuesAt(tree: ObjectTree, path: string): readonly LwM2mRecord[] {
  try {
    return readTarget(findTarget(tree, path.split('/').slice(1)));
  } catch (error) {
    if (error instanceof OperationError) return [];
    throw error;
  }
}
