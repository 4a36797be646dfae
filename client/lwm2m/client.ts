import type { Clock, Timer } from '../../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import type { CoapEndpoint, ObservationEnd } from '../../protocol/coap/exchange.ts';
import type { Code } from '../../protocol/coap/message.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { AttributeStore } from './attributes.ts';
import { registrationLinks } from './discover.ts';
import { announcedFormats, type LwM2mVersion } from './formats.ts';
import { ObjectTree } from './object-tree.ts';
import { longestTimer, Observations } from './observations.ts';
import { PackSender, type PackStatistics, type ReadingStream } from './pack-sender.ts';
import { Registration, type RegistrationState } from './registration.ts';
import { RequestHandler } from './request-handler.ts';
import { type ServerAccount, securityInstance, serverInstance, shortServerId } from './server-account.ts';
import type { ServerContext } from './server-context.ts';

/** What a client tells of itself, for people and for tests. */
export interface ClientEvents {
  readonly onState?: (state: RegistrationState, detail: string) => void;
  readonly onOperation?: (operation: string, path: string, code: Code, diagnostic: string) => void;
  readonly onObserve?: (path: string, packs: boolean) => void;
  readonly onDelivered?: (path: string, readings: number) => void;
  /** A bug in a handler; the server got 5.00. */
  readonly onFault: (error: unknown) => void;
}

export interface Lwm2mClientOptions {
  /** The client's one socket; it belongs to the client from then on. */
  readonly port: DatagramPort;
  readonly clock: Clock;
  /** Endpoint client name. */
  readonly name: string;
  /** As the Security object shows it: `coap://host:port`. */
  readonly serverUri: string;
  /** Asked before each Register. */
  readonly resolveServer: () => Promise<PeerAddress>;
  /** The types of the objects in the tree. */
  readonly lookup: ResourceTypeLookup;
  /** Default 1.1. */
  readonly version?: LwM2mVersion;
  /** Seconds; default 300. */
  readonly lifetime?: number;
  /** Seconds between Updates at most. */
  readonly updateInterval?: number;
  /** Longest wait between attempts to register, ms; default one minute. */
  readonly maxBackOff?: number;
  /** Whether observed readings go in packs; default true. */
  readonly packs?: boolean;
  /** How long a reading waits for others to share its pack, ms; default 250. */
  readonly packInterval?: number;
  /** 0 to 1; default Math.random. */
  readonly random?: () => number;
  readonly events: ClientEvents;
}

const defaultLifetime = 300;
/** How long a client that closes tries to get rid of its last readings, ms. */
const flushPatience = 2_000;

/** An LwM2M client for one server: registration, object tree, notifications. Objects are added to `tree`. */
export class Lwm2mClient {
  readonly tree = new ObjectTree();
  readonly endpoint: CoapEndpoint;
  readonly registration: Registration;
  readonly account: ServerAccount;
  readonly #options: Lwm2mClientOptions;
  readonly #attributes = new AttributeStore();
  readonly #observations: Observations;
  readonly #packs: PackSender;
  #disableTimer: Timer | undefined;
  #silent = false;
  #lostWhileSilent = false;
  #closing: Promise<void> | undefined;

  constructor(options: Lwm2mClientOptions) {
    this.#options = options;
    const { clock, events } = options;
    const version = options.version ?? '1.1';
    this.account = {
      lifetime: options.lifetime ?? defaultLifetime,
      defaultMinimumPeriod: 0,
      defaultMaximumPeriod: 0,
      disableTimeout: 86_400,
    };
    const minimumPeriod = (path: string): number =>
      this.#attributes.effective(path, 'pmin') ?? this.account.defaultMinimumPeriod;
    const maximumPeriod = (path: string): number | undefined => {
      const seconds = this.#attributes.effective(path, 'pmax') ?? this.account.defaultMaximumPeriod;
      // 0 is "none", and a maximum below the minimum is to be ignored (OMA-TS-LightweightM2M_Core §5.1.2).
      return seconds === 0 || seconds < minimumPeriod(path) ? undefined : seconds;
    };
    this.#observations = new Observations({ clock, minimumPeriod, maximumPeriod });
    this.#packs = new PackSender({
      clock,
      minimumPeriod,
      maximumPeriod,
      packInterval: options.packInterval ?? 250,
      ...(events.onDelivered === undefined ? {} : { onDelivered: events.onDelivered }),
    });
    const server: ServerContext = {
      shortServerId,
      account: this.account,
      attributes: this.#attributes,
      observations: this.#observations,
      packs: options.packs === false ? undefined : this.#packs,
      version,
      // A client's only server may do everything (OMA-TS-LightweightM2M_Core §8.1).
      authorize: () => undefined,
      created: () => undefined,
    };
    const handler = new RequestHandler({
      tree: this.tree,
      lookup: options.lookup,
      serverOf: (peer) => (peer === this.registration.peer ? server : undefined),
      onLost: (_server, reason) => this.#observationLost(reason),
      ...(events.onOperation === undefined ? {} : { onOperation: events.onOperation }),
      ...(events.onObserve === undefined ? {} : { onObserve: events.onObserve }),
    });
    this.endpoint = createCoapEndpoint({
      port: options.port,
      clock,
      handler: (request) => handler.handle(request),
      onFault: events.onFault,
    });
    this.registration = new Registration({
      endpoint: this.endpoint,
      clock,
      name: options.name,
      resolveServer: options.resolveServer,
      version,
      lifetime: () => this.account.lifetime,
      links: () => registrationLinks(this.tree, announcedFormats(version)),
      random: options.random ?? Math.random,
      onRegister: () => {
        this.#observations.clear();
        this.#packs.clear();
      },
      ...(options.updateInterval === undefined ? {} : { updateInterval: options.updateInterval }),
      ...(options.maxBackOff === undefined ? {} : { maxBackOff: options.maxBackOff }),
      ...(events.onState === undefined ? {} : { onState: events.onState }),
    });
    this.tree.listen({
      onChange: (paths) => this.#observations.changed(paths),
      onInstancesChange: () => {
        if (this.registration.location !== undefined) this.registration.update();
      },
    });
    this.tree.add(securityInstance(options.serverUri));
    this.tree.add(
      serverInstance(
        this.account,
        {
          update: () => this.registration.update(),
          disable: (seconds) => this.#disable(seconds),
          reschedule: () => {
            this.#observations.reschedule();
            this.#packs.wake();
          },
        },
        clock,
      ),
    );
  }

  /** Readings of this path are kept, and sent in packs while it is observed. */
  addStream(stream: ReadingStream): void {
    this.#packs.add(stream);
  }

  /** There are new readings in the queues. */
  readingsAdded(): void {
    this.#packs.wake();
  }

  /** Packs and readings sent so far; readings that wait, and those lost to a full queue. */
  get readings(): PackStatistics & { readonly pending: number; readonly dropped: number } {
    return { ...this.#packs.statistics, pending: this.#packs.pending, dropped: this.#packs.dropped };
  }

  get observations(): number {
    return this.endpoint.statistics.observers;
  }

  start(): void {
    this.registration.start();
  }

  /**
   * Sends the present state of what is observed at `path`, without regard to pmin. Resolves with true
   * when every observer has acknowledged it, with false where nobody observes or one did not.
   */
  deliver(path: string): Promise<boolean> {
    return this.#observations.deliver(path);
  }

  /** Falls silent: lets the pack under way finish, then sends nothing until `resume`. Observations stay. */
  async pause(): Promise<void> {
    this.#silent = true;
    this.registration.pause();
    this.#observations.pause();
    await this.#packs.pause();
  }

  /** Speaks again: with an Update first. */
  resume(): void {
    this.#silent = false;
    if (this.#lostWhileSilent) this.registration.reregister();
    this.#lostWhileSilent = false;
    this.registration.resume();
    this.#observations.resume();
    this.#packs.resume();
  }

  /** Deregisters where told to, and releases the socket. Idempotent. */
  close(options: { readonly deregister: boolean } = { deregister: true }): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close(options: { readonly deregister: boolean }): Promise<void> {
    this.#disableTimer?.cancel();
    if (options.deregister && !this.#silent) await this.#packs.flush(flushPatience);
    this.#packs.close();
    this.#observations.pause();
    await this.registration.close(options);
    this.#observations.clear();
    this.#packs.clear();
    await this.endpoint.close();
  }

  /**
   * A notification that nobody acknowledged makes its observation void, and the server does not know:
   * only a Register brings it back. After a RST it may be that the server has lost us altogether, which
   * an Update shows.
   */
  #observationLost(reason: ObservationEnd): void {
    if (this.#closing !== undefined) return;
    if (reason === 'timeout') {
      if (this.#silent) this.#lostWhileSilent = true;
      else this.registration.lost();
    } else if (reason === 'reset' && this.registration.location !== undefined) {
      this.registration.update();
    }
  }

  /** Server object's Disable: deregistered and silent for the time (OMA-TS-LightweightM2M_Core §E.2). */
  #disable(seconds: number): void {
    this.#silent = true;
    this.#observations.pause();
    const silent = Promise.all([this.#packs.pause(), this.registration.suspend()]);
    silent.then(() => {
      this.#disableTimer = this.#options.clock.setTimer(Math.min(seconds * 1_000, longestTimer), () =>
        this.resume(),
      );
    }, this.#options.events.onFault);
  }
}
