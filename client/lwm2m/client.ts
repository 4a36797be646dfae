import type { Clock, Timer } from '../../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../protocol/coap/exchange.ts';
import type { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { AccessControl, keepGivenAccess, rightBits } from './access-control.ts';
import type { GivenAccess } from './accounts.ts';
import type { BootstrapState } from './bootstrap.ts';
import { type BootstrapClientOptions, Bootstrapping } from './bootstrapping.ts';
import { ClientPort } from './client-port.ts';
import { type ClientSettings, volatileClientSettings } from './client-settings.ts';
import { ObjectTree } from './object-tree.ts';
import type { PackJournal } from './pack-journal.ts';
import type { PackStatistics } from './pack-sender.ts';
import type { ReadingStream } from './pack-stream.ts';
import type { Registration, RegistrationState } from './registration.ts';
import { RegistrationOrder } from './registration-order.ts';
import { RequestHandler } from './request-handler.ts';
import type { SendOutcome } from './send.ts';
import { firstShortServerId, type ServerAccount } from './server-account.ts';
import { type ServerOptions, ServerSession, type SessionParts } from './server-session.ts';

/** What a client tells of itself, for people and for tests. */
export interface ClientEvents {
  readonly onState?: (state: RegistrationState, detail: string, shortServerId: number) => void;
  readonly onBootstrap?: (state: BootstrapState, detail: string) => void;
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
  /**
   * One or more, or none where they come from a bootstrap. With several there is access control (§8): the first owns
   * what the client is made with.
   */
  readonly servers: readonly ServerOptions[];
  /** Where accounts come from. */
  readonly bootstrap?: BootstrapClientOptions;
  /** With several servers: rights of the others on what the first owns, as the bits of an ACL; default Read. */
  readonly sharedRights?: number;
  /** The types of the objects in the tree. */
  readonly lookup: ResourceTypeLookup;
  /** Where its objects are, as in `/lwm2m`; default `/`. */
  readonly rootPath?: string;
  /** Whether observed readings go in packs; default true. */
  readonly packs?: boolean;
  /** Readings go out to who observes them (default); `send`: by Send where nobody does. */
  readonly report?: 'observe' | 'send';
  /** How long a reading waits for others to share its pack, ms; default 250. */
  readonly packInterval?: number;
  /** A path of which servers are told before anything else that waits for its turn: somebody waits for it. */
  readonly first?: string;
  /** Keeps what servers wrote: their Server objects, and the rights on instances. */
  readonly settings?: ClientSettings;
  /** Keeps readings that wait beyond the process; it belongs to the client from then on. */
  readonly journal?: PackJournal;
  /** In queue mode: how long it stays awake after the last datagram, ms; default MAX_TRANSMIT_WAIT. */
  readonly awakeTime?: number;
  /** 0 to 1; default Math.random. */
  readonly random?: () => number;
  readonly events: ClientEvents;
}

/** After one server was told of something that cannot wait, the others have so long to acknowledge it, ms. */
const othersPatience = 5_000;
/** How long a client that closes tries to get rid of its last readings, ms. */
const flushPatience = 2_000;
/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms: what §6.5 of the transport bindings recommends. */
const defaultAwakeTime = 93_000;

/** An LwM2M client: object tree, and a session with each of its servers. Objects are added to `tree`. */
export class Lwm2mClient {
  readonly tree = new ObjectTree();
  readonly endpoint: CoapEndpoint;
  readonly #clock: Clock;
  readonly #port: ClientPort;
  readonly #options: Lwm2mClientOptions;
  readonly #settings: ClientSettings;
  readonly #sessionParts: SessionParts;
  readonly #bootstrapping: Bootstrapping | undefined;
  #sessions: readonly ServerSession[] = [];
  #order: RegistrationOrder;
  #accessControl: AccessControl | undefined;
  /** Accounts that take the place of others do so one after the other. */
  #replacing: Promise<void> = Promise.resolve();
  /** Of servers that are none any more. */
  readonly #former: PackStatistics = noPacks();
  #started = false;
  #paused = false;
  readonly #streams: ReadingStream[] = [];
  /** Where each server was found last, by its short id. */
  readonly #addresses = new Map<PeerAddress, number>();
  readonly #journal: PackJournal | undefined;
  #closing: Promise<void> | undefined;

  /** @throws TypeError no server, or two with one id; what reading kept accounts throws */
  constructor(options: Lwm2mClientOptions) {
    const { clock, events } = options;
    this.#options = options;
    this.#clock = clock;
    this.#settings = options.settings ?? volatileClientSettings();
    const rootPath = checkedRootPath(options.rootPath ?? '/');
    this.#journal = options.journal;
    const awakeTime = options.awakeTime ?? defaultAwakeTime;
    this.#port = new ClientPort({
      port: options.port,
      clock,
      // One radio for all: it sleeps only where every server knows that it may.
      awakeTime: () =>
        this.sessions.length > 0 && this.sessions.every(({ account }) => account.queueMode)
          ? awakeTime
          : undefined,
      busy: () => this.endpoint.statistics.outstanding > 0,
    });
    const handler = new RequestHandler({
      tree: this.tree,
      lookup: options.lookup,
      rootPath,
      serverOf: (peer) => this.#sessionAt(peer),
      bootstrap: (request) =>
        this.#bootstrapping?.bootstrap.serves(request) === true
          ? this.#bootstrapping.bootstrap.operation(request)
          : undefined,
      onLost: (server, reason) =>
        this.sessions.find((session) => session === server)?.observationLost(reason),
      onFault: events.onFault,
      ...(events.onOperation === undefined ? {} : { onOperation: events.onOperation }),
      ...(events.onObserve === undefined ? {} : { onObserve: events.onObserve }),
    });
    this.endpoint = createCoapEndpoint({
      port: this.#port,
      clock,
      handler: (request) => handler.handle(request),
      onFault: events.onFault,
    });
    this.#bootstrapping = options.bootstrap && this.#bootstrappingOf(options.bootstrap);
    this.#sessionParts = {
      endpoint: this.endpoint,
      port: this.#port,
      clock,
      tree: this.tree,
      name: options.name,
      packs: options.packs ?? true,
      report: options.report ?? 'observe',
      packInterval: options.packInterval ?? 250,
      first: options.first,
      lookup: options.lookup,
      rootPath,
      random: options.random ?? Math.random,
      accessControl: () => this.#accessControl,
      bootstrap:
        options.bootstrap === undefined
          ? undefined
          : (shortServerId) => this.#bootstrapping?.triggered(shortServerId),
      onState: (session, state, detail) => events.onState?.(state, detail, session.shortServerId),
      onSettled: (session, registered) => {
        this.#order.settled(session, registered);
        this.#bootstrapping?.settled(session, registered);
      },
      journal: options.journal,
      settings: options.settings,
      onDelivered: events.onDelivered,
      onFault: events.onFault,
    };
    const servers = identified(this.#bootstrapping?.servers ?? options.servers);
    if (servers.length === 0 && options.bootstrap === undefined) {
      throw new TypeError('a client has a server at least');
    }
    this.#accessControl = this.#accessControlOf(servers);
    this.#sessions = servers.map((server) => this.#session(server));
    this.#order = new RegistrationOrder(this.sessions, clock);
    this.tree.listen({
      onChange: (paths) => {
        for (const { observations } of this.sessions) observations.changed(paths);
      },
      onInstancesChange: () => this.#instancesChanged(),
      onRemoved: (path) => {
        for (const { attributes } of this.sessions) attributes.forget(path);
      },
      isObserved: () => this.sessions.some(({ observations }) => observations.size > 0),
    });
    for (const session of this.sessions) for (const each of session.objects()) this.tree.add(each);
    this.#settings.onClear(() => this.#bootstrapping?.reset());
  }

  /** One for each server that it has now. */
  get sessions(): readonly ServerSession[] {
    return this.#sessions;
  }

  /** With the first server. */
  get registration(): Registration {
    return this.#first.registration;
  }

  /** Of the first server. */
  get account(): ServerAccount {
    return this.#first.account;
  }

  /** Readings of this path are kept, and sent in packs to each server that observes it. */
  addStream(stream: ReadingStream): void {
    this.#streams.push(stream);
    this.#journal?.follow(stream.path, stream.queue);
    for (const { readings } of this.sessions) readings.add(stream);
  }

  /** There are new readings in the queues. */
  readingsAdded(): void {
    this.#journal?.flush();
    for (const { readings } of this.sessions) readings.wake();
  }

  /** Packs and readings sent so far; readings that wait, for any server; and those lost to a full queue. */
  get readings(): PackStatistics & { readonly pending: number; readonly dropped: number } {
    const sum = { ...this.#former };
    for (const { readings } of this.sessions) {
      for (const name of packCounters) sum[name] += readings.statistics[name];
    }
    let pending = 0;
    let dropped = 0;
    for (const { path, queue } of this.#streams) {
      pending += Math.max(0, ...this.sessions.map(({ readings }) => readings.pending(path)));
      dropped += queue.dropped;
    }
    return { ...sum, pending, dropped };
  }

  get observations(): number {
    return this.endpoint.statistics.observers;
  }

  /** Whether it hears what is sent to it; in queue mode it does not while it sleeps. */
  get isAwake(): boolean {
    return this.#port.isAwake;
  }

  start(): void {
    this.#started = true;
    for (const { registration } of this.sessions) registration.start();
    this.#bootstrapping?.start();
  }

  /**
   * Sends the present state of what is observed at `path`, without regard to pmin. Resolves with true when all
   * observers of one server at least have acknowledged it; those of the others have a few seconds more.
   */
  deliver(path: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const deliveries = this.sessions.map(async ({ observations }) => {
        if (await observations.deliver(path)) {
          timer ??= this.#clock.setTimer(othersPatience, () => resolve(true));
        }
      });
      Promise.all(deliveries).then(() => {
        timer?.cancel();
        resolve(timer !== undefined);
      }, reject);
    });
  }

  /**
   * Sends what is at or below these paths now to each server, as far as it may read it (Send,
   * OMA-TS-LightweightM2M_Core §6.4.6). One outcome for each server.
   * @throws RequestError the format cannot carry the values
   */
  send(paths: readonly string[], contentFormat?: number): Promise<readonly SendOutcome[]> {
    return Promise.all(this.sessions.map((session) => session.sendPaths(paths, contentFormat)));
  }

  /** Registers anew everywhere: what the servers remember of us may be wrong. */
  reregister(): void {
    for (const { registration } of this.sessions) registration.reregister();
  }

  /** Falls silent: lets the packs under way finish, then sends nothing until `resume`. Observations stay. */
  async pause(): Promise<void> {
    this.#paused = true;
    this.#bootstrapping?.bootstrap.pause();
    await Promise.all(this.sessions.map((session) => session.pause()));
  }

  /** Speaks again: with an Update first. */
  resume(): void {
    this.#paused = false;
    this.#bootstrapping?.bootstrap.resume();
    for (const session of this.sessions) session.resume();
  }

  /** Deregisters where told to, and releases the socket. Idempotent. */
  close(options: { readonly deregister: boolean } = { deregister: true }): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close({ deregister }: { readonly deregister: boolean }): Promise<void> {
    this.#order.close();
    this.#bootstrapping?.close();
    await Promise.all(this.sessions.map((session) => session.close({ deregister, patience: flushPatience })));
    await this.endpoint.close();
    this.#journal?.close();
  }

  get #first(): ServerSession {
    const [first] = this.sessions;
    if (first === undefined) throw new Error('the client has no server yet');
    return first;
  }

  #bootstrappingOf(bootstrap: BootstrapClientOptions): Bootstrapping {
    const { clock, name, lookup, random, events } = this.#options;
    return new Bootstrapping(bootstrap, {
      endpoint: this.endpoint,
      clock,
      name,
      tree: this.tree,
      lookup,
      random: random ?? Math.random,
      sessions: () => this.sessions,
      replace: (servers, access) => {
        this.#replacing = this.#replacing.then(() => this.#replace(identified(servers), access));
        this.#replacing.catch(events.onFault);
      },
      onState: (state, detail) => events.onBootstrap?.(state, detail),
    });
  }

  /** With several servers each may do what the ACLs say (§8). */
  #accessControlOf(servers: readonly IdentifiedServer[]): AccessControl | undefined {
    const [first, ...others] = servers;
    if (first === undefined || others.length === 0) return undefined;
    return new AccessControl({
      tree: this.tree,
      owner: first.shortServerId,
      defaultRights: this.#options.sharedRights ?? rightBits.read,
      settings: this.#settings,
      serverOf: (instanceId) => servers.find((each) => each.instanceId === instanceId)?.shortServerId,
    });
  }

  #session(server: IdentifiedServer): ServerSession {
    const { shortServerId, instanceId } = server;
    const resolve = () => this.#resolve(server, shortServerId);
    const session = new ServerSession({ ...server, resolve }, shortServerId, instanceId, this.#sessionParts);
    for (const stream of this.#streams) session.readings.add(stream);
    return session;
  }

  /** A bootstrap gave the client other accounts: servers that it had and has go on with their readings. */
  async #replace(servers: readonly IdentifiedServer[], access: readonly GivenAccess[]): Promise<void> {
    if (this.#closing !== undefined) return;
    this.#order.close();
    this.#addresses.clear();
    const former = this.sessions;
    const staying = former.filter((session) =>
      servers.some(({ shortServerId }) => shortServerId === session.shortServerId),
    );
    await Promise.all(
      former.map(async (session) => {
        const server = servers.find(({ shortServerId }) => shortServerId === session.shortServerId);
        if (server !== undefined) {
          const resolve = () => this.#resolve(server, server.shortServerId);
          return session.renew({ ...server, resolve }, server.instanceId);
        }
        await session.close({ deregister: true, patience: flushPatience });
        session.forget();
        for (const name of packCounters) this.#former[name] += session.readings.statistics[name];
      }),
    );
    if (this.#closing !== undefined) return;
    for (const objectId of [0, 1]) {
      for (const id of [...(this.tree.object(objectId)?.instances.keys() ?? [])])
        this.tree.remove(objectId, id);
    }
    this.#accessControl?.close();
    keepGivenAccess(this.#settings, servers.length > 1 ? access : []);
    this.#accessControl = this.#accessControlOf(servers);
    this.#sessions = servers.map(
      (server) =>
        staying.find(({ shortServerId }) => shortServerId === server.shortServerId) ?? this.#session(server),
    );
    for (const session of this.sessions) for (const each of session.objects()) this.tree.add(each);
    this.#accessControl?.sync();
    this.#order = new RegistrationOrder(this.sessions, this.#clock);
    if (!this.#started) return;
    for (const session of this.sessions) {
      if (this.#paused) await session.pause();
      session.begin();
    }
  }

  /** @throws RequestError another server is there: their messages could not be told apart */
  async #resolve({ uri, resolve }: ServerOptions, shortServerId: number): Promise<PeerAddress> {
    const address = await resolve();
    const other = this.#addresses.get(address);
    if (other !== undefined && other !== shortServerId) {
      throw new RequestError(`${uri} is ${address}, and so is server ${other}`);
    }
    for (const [former, server] of this.#addresses) {
      if (server === shortServerId) this.#addresses.delete(former);
    }
    this.#addresses.set(address, shortServerId);
    return address;
  }

  #sessionAt(peer: PeerAddress): ServerSession | undefined {
    return this.sessions.find(({ registration }) => registration.peer === peer);
  }

  #instancesChanged(): void {
    this.#accessControl?.sync();
    for (const { registration } of this.sessions) {
      if (registration.location !== undefined) registration.update();
    }
  }
}

/** @throws TypeError */
function checkedRootPath(path: string): string {
  if (path !== '/' && !/^(\/[A-Za-z0-9._~-]+)+$/.test(path)) throw new TypeError(`${path} is no root path`);
  return path;
}

/** A server with its ids. */
type IdentifiedServer = ServerOptions & { readonly shortServerId: number; readonly instanceId: number };

/** @throws TypeError two have the same */
function identified(servers: readonly ServerOptions[]): readonly IdentifiedServer[] {
  const all = servers.map((server, index) => ({
    ...server,
    shortServerId: server.shortServerId ?? firstShortServerId + index,
    instanceId: server.instanceId ?? index,
  }));
  for (const [key, what] of [
    ['shortServerId', 'short server id'],
    ['instanceId', 'instance id'],
  ] as const) {
    const ids = all.map((server) => server[key]);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) throw new TypeError(`two servers have ${what} ${twice}`);
  }
  return all;
}

const packCounters = ['packsDelivered', 'readingsDelivered', 'packsReturned', 'packsRefused'] as const;

function noPacks(): PackStatistics {
  return { packsDelivered: 0, readingsDelivered: 0, packsReturned: 0, packsRefused: 0 };
}
