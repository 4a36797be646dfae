import type { Clock, Timer } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, ObservationEnd } from '../../protocol/coap/exchange.ts';
import { RequestError } from '../../protocol/errors.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { AccessControl } from './access-control.ts';
import { AttributeStore } from './attributes.ts';
import type { ClientPort } from './client-port.ts';
import type { ClientSettings } from './client-settings.ts';
import { registrationLinks } from './discover.ts';
import { announcedFormats, type LwM2mVersion } from './formats.ts';
import type { ObjectInstance, ObjectTree } from './object-tree.ts';
import type { ReportingDefaults } from './observation-conditions.ts';
import { longestTimer, Observations } from './observations.ts';
import type { PackJournal } from './pack-journal.ts';
import { PackSender } from './pack-sender.ts';
import type { ProfileIds } from './profile-id.ts';
import { readPaths } from './read.ts';
import { Registration, type RegistrationState } from './registration.ts';
import { PackSend, postData, type SendAnswer, type SendOutcome } from './send.ts';
import { newAccount, parseAccount, type ServerAccount, type WritableName } from './server-account.ts';
import type { AccessRight, ServerContext } from './server-context.ts';
import { type ServerActions, securityInstance, serverInstance } from './server-objects.ts';
import type { Target } from './target.ts';

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
  /** Of its instance of the Security object; default NoSec. */
  readonly securityMode?: number;
  /** Of its instance of the Security object; default the same as of the Server object. */
  readonly securityInstanceId?: number;
  /** What its Server object holds, whatever a server wrote since. */
  readonly account?: Partial<ServerAccount>;
  /** What its Server object begins with: what a server wrote since comes before. */
  readonly initial?: Partial<ServerAccount>;
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
  /** Readings go out to who observes them; `send`: by Send where nobody does, but with 1.0. */
  readonly report: 'observe' | 'send';
  /** How long a reading waits for others to share its pack, ms. */
  readonly packInterval: number;
  /** A path of which every server is told before anything else. */
  readonly first: string | undefined;
  readonly lookup: ResourceTypeLookup;
  /** Where the client's objects are: `/`, or as in `/lwm2m`. */
  readonly rootPath: string;
  readonly random: () => number;
  /** Undefined with one server: it may do everything (§8.1). */
  readonly accessControl: () => AccessControl | undefined;
  /** A server asks the client to be bootstrapped anew; undefined: there is no bootstrap server. */
  readonly bootstrap: ((shortServerId: number) => void) | undefined;
  readonly onState: (session: ServerSession, state: RegistrationState, detail: string) => void;
  readonly onSettled: (session: ServerSession, registered: boolean) => void;
  /** Where readings that wait are kept beyond the process. */
  readonly journal: PackJournal | undefined;
  /** Where what servers wrote is kept beyond the process. */
  readonly settings: ClientSettings | undefined;
  readonly onDelivered: ((path: string, readings: number) => void) | undefined;
  readonly onFault: (error: unknown) => void;
}

/** What the client has with one server: account, registration, observations, packs. */
export class ServerSession implements ServerContext {
  readonly shortServerId: number;
  readonly account: ServerAccount;
  readonly attributes = new AttributeStore();
  readonly observations: Observations;
  readonly registration: Registration;
  /** Readings on their way to this server. */
  readonly readings: PackSender;
  readonly #parts: SessionParts;
  #options: ServerOptions;
  #instanceId: number;
  /** Of the settings. */
  readonly #section: string;
  readonly #packSend: PackSend;
  #disableTimer: Timer | undefined;
  #disabled: PeerAddress | undefined;
  #paused = false;
  #lostWhileSilent = false;
  #closed = false;

  constructor(options: ServerOptions, shortServerId: number, instanceId: number, parts: SessionParts) {
    const { clock, tree } = parts;
    this.#parts = parts;
    this.shortServerId = shortServerId;
    this.#instanceId = instanceId;
    this.#options = options;
    this.#section = `server ${shortServerId}`;
    const { settings } = parts;
    const kept = settings?.read(this.#section, parseAccount);
    // What the client is set up with expressly comes before what the server wrote once.
    this.account = newAccount({ ...options.initial, ...kept, ...options.account });
    settings?.onClear(() => {
      const { initial, account } = this.#options;
      Object.assign(this.account, newAccount({ ...initial, ...account }));
      if (this.registration.location !== undefined) this.registration.update();
    });
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
      defaults: () => reportingDefaults(this.account, this.version),
      valuesAt: (path) => readPaths(tree, [path]),
      storing: () => this.account.notificationStoring,
      mayRead: (path) => this.#mayReadAny(path),
      first: parts.first,
    });
    this.readings = new PackSender({
      clock,
      minimumPeriod,
      maximumPeriod,
      packInterval: parts.packInterval,
      rootPath: parts.rootPath,
      mayRead: (path) => this.#mayRead(path),
      ...(parts.onDelivered === undefined ? {} : { onDelivered: parts.onDelivered }),
      ...(parts.journal === undefined ? {} : { journal: { journal: parts.journal, shortServerId } }),
    });
    this.#packSend = new PackSend(
      (pack) => this.#post(pack.contentFormat, pack.payload),
      () => {
        if (this.registration.location !== undefined) this.registration.update();
      },
      parts.onFault,
    );
    this.registration = new Registration({
      endpoint: parts.endpoint,
      clock,
      name: parts.name,
      resolveServer: () => this.#options.resolve(),
      version: options.version ?? '1.1',
      account: this.account,
      links: (version) =>
        registrationLinks(tree, announcedFormats(version), { rootPath: parts.rootPath, version }),
      random: parts.random,
      onRegister: () => {
        this.observations.clear();
        this.readings.clear();
      },
      onState: (state, detail) => {
        if (state === 'registered') {
          this.readings.known();
          this.#sendReadings();
        }
        parts.onState(this, state, detail);
      },
      onSettled: (registered) => parts.onSettled(this, registered),
      ...(options.profiles === undefined ? {} : { profiles: options.profiles }),
      ...(options.updateInterval === undefined ? {} : { updateInterval: options.updateInterval }),
      ...(options.maxBackOff === undefined ? {} : { maxBackOff: options.maxBackOff }),
    });
  }

  /** Its instances of the Security and of the Server object. */
  objects(): readonly ObjectInstance<never>[] {
    const { bootstrap } = this.#parts;
    const { securityMode, securityInstanceId } = this.#options;
    const actions: ServerActions = {
      update: () => this.registration.update(),
      disable: (seconds) => this.#disable(seconds),
      bootstrap: bootstrap === undefined ? undefined : () => bootstrap(this.shortServerId),
      reschedule: () => this.#reschedule(),
      keep: (name, value) => this.#keep(name, value),
      mute: () => {
        if (this.account.muteSend) this.readings.sendBy(undefined);
        else this.#sendReadings();
      },
    };
    return [
      securityInstance(securityInstanceId ?? this.instanceId, this.uri, this.shortServerId, securityMode),
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

  get uri(): string {
    return this.#options.uri;
  }

  /** Of its instance of the Server object. */
  get instanceId(): number {
    return this.#instanceId;
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
    this.#parts.accessControl()?.authorize(this.shortServerId, right, target);
  }

  created(instance: ObjectInstance): void {
    this.#parts.accessControl()?.created(this.shortServerId, instance);
  }

  /**
   * Sends values by itself (§6.4.6), those that this server may read. In SenML CBOR unless told; LwM2M CBOR only from 1.2 on.
   * @throws RequestError the format cannot carry them
   */
  async send(
    records: readonly LwM2mRecord[],
    contentFormat: number = ContentFormat.SENML_CBOR,
  ): Promise<SendOutcome> {
    const { shortServerId } = this;
    const outcome = (result: SendOutcome['result'], detail = ''): SendOutcome => ({
      shortServerId,
      result,
      detail,
    });
    if (this.registration.location === undefined || !this.isSpeaking) {
      return outcome('unregistered', 'not registered');
    }
    if (this.version === '1.0') return outcome('unsupported', 'LwM2M 1.0 has no Send');
    if (this.account.muteSend) return outcome('muted', 'the server has muted Send');
    const allowed = records.filter(({ path }) => this.#mayRead(path));
    if (allowed.length === 0 && records.length > 0) return outcome('forbidden', 'no right to read it');
    if (!sendFormats(this.version).includes(contentFormat)) {
      throw new RequestError(`content format ${contentFormat} is none of a Send in ${this.version}`);
    }
    const payload = encodeContent(contentFormat, '/', allowed, this.#parts.lookup, this.#parts.rootPath);
    const answer = await this.#post(contentFormat, payload);
    return outcome(answer.result, answer.result === 'accepted' ? '' : answer.detail);
  }

  /** As `send`, with what is at or below these paths now and this server may read. */
  sendPaths(paths: readonly string[], contentFormat?: number): Promise<SendOutcome> {
    return this.send(readPaths(this.#parts.tree, paths, this), contentFormat);
  }

  /** Lets the pack under way finish, within a bound, then says nothing until `resume`. Observations stay. */
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

  /**
   * Leaves the server as it was reached until now, and takes another account of it: what it observed is void, and what
   * it wrote into the former account. Readings that wait for it stay. It says nothing until `begin`.
   */
  async renew(options: ServerOptions, instanceId: number): Promise<void> {
    const { port, settings } = this.#parts;
    this.#disableTimer?.cancel();
    if (this.#disabled !== undefined) port.heed(this.#disabled);
    this.#disabled = undefined;
    this.observations.pause();
    await Promise.all([this.readings.pause(), this.registration.suspend()]);
    this.#options = options;
    this.#instanceId = instanceId;
    if (settings?.read(this.#section, parseAccount) !== undefined) settings.write(this.#section, {});
    Object.assign(this.account, newAccount({ ...options.initial, ...options.account }));
    this.#lostWhileSilent = false;
  }

  /** Registers; unless the client is paused, it does so then. */
  begin(): void {
    if (this.registration.state === 'idle') this.registration.start();
    else if (!this.#closed && this.isSpeaking) this.#speak();
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

  /** After `close`: readings are kept for this server no longer. */
  forget(): void {
    this.readings.forgetReadings();
  }

  /** As the access control has it for the instance; one that is not there may be read by nobody. */
  #mayRead(path: string): boolean {
    const { tree } = this.#parts;
    const accessControl = this.#parts.accessControl();
    if (accessControl === undefined) return true;
    const [objectId = -1, instanceId = -1] = pathIds(path) ?? [];
    const object = tree.object(objectId);
    const instance = object?.instances.get(instanceId);
    if (object === undefined || instance === undefined) return false;
    return accessControl.allows(this.shortServerId, 'read', { path, object, instance });
  }

  /** As `#mayRead`; of an object, whether there is an instance that may be read. */
  #mayReadAny(path: string): boolean {
    if (this.#parts.accessControl() === undefined) return true;
    const [objectId = -1, instanceId] = pathIds(path) ?? [];
    if (instanceId !== undefined) return this.#mayRead(path);
    const instances = this.#parts.tree.object(objectId)?.instances.keys() ?? [];
    return [...instances].some((id) => this.#mayRead(`/${objectId}/${id}`));
  }

  async #post(contentFormat: number, payload: Uint8Array): Promise<SendAnswer> {
    const { peer, location } = this.registration;
    if (peer === undefined || location === undefined) {
      return { result: 'unreachable', detail: 'not registered' };
    }
    return postData(this.#parts.endpoint, peer, contentFormat, payload);
  }

  /** Readings that nobody observes go by Send, where that is wanted and possible. */
  #sendReadings(): void {
    if (this.#parts.report !== 'send' || this.version === '1.0') return;
    if (this.account.muteSend || this.registration.location === undefined) return;
    this.readings.sendBy(this.#packSend.transmit);
  }

  #speak(): void {
    if (this.#lostWhileSilent) this.registration.reregister();
    this.#lostWhileSilent = false;
    if (this.registration.location === undefined) {
      // What was observed before a De-register is not any more; what is stored waits for who observes it next.
      this.observations.clear();
      this.readings.clear();
    }
    this.registration.resume();
    this.observations.resume();
    this.readings.resume();
  }

  #keep<Name extends WritableName>(name: Name, value: ServerAccount[Name]): void {
    const { settings } = this.#parts;
    if (settings === undefined) return;
    const { [name]: _former, ...others } = settings.read(this.#section, parseAccount) ?? {};
    settings.write(this.#section, value === undefined ? others : { ...others, [name]: value });
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

/** Values of each path that are stored for a server that is away, where hqmax cannot say how many. */
const storedValues = 20;

/** What a Send may be in (§6.4.6). */
function sendFormats(version: LwM2mVersion): readonly number[] {
  const { SENML_CBOR, SENML_JSON, LWM2M_CBOR } = ContentFormat;
  return version === '1.2' ? [SENML_CBOR, SENML_JSON, LWM2M_CBOR] : [SENML_CBOR, SENML_JSON];
}

function reportingDefaults(account: ServerAccount, version: LwM2mVersion): ReportingDefaults {
  const { defaultMinimumPeriod, defaultMaximumPeriod, defaultNotificationMode } = account;
  return {
    minimumPeriod: defaultMinimumPeriod,
    maximumPeriod: defaultMaximumPeriod,
    // Before 1.2 there is no hqmax: what falls due is stored, as much of it as the client likes (§E.2, resource 6).
    ...(version === '1.2' ? {} : { historyLength: storedValues }),
    ...(defaultNotificationMode === undefined ? {} : { confirmable: defaultNotificationMode === 1 }),
  };
}
