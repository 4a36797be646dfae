import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CoapEndpoint,
  IncomingRequest,
  IncomingResponse,
  Observer,
} from '../../protocol/coap/exchange.ts';
import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import {
  contentFormatOption,
  locationPath,
  pathOptions,
  queryOptions,
  uintOption,
  uriPath,
} from '../../protocol/coap/options.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiEvent } from '../../server/api/schemas.ts';
import { loadConfig } from '../../server/config.ts';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import type { Stores } from '../../server/ports/stores.ts';
import { World } from './coap/world.ts';
import { ApiClient } from './server-process.ts';
import { type WatchedStores, watchStores } from './watched-stores.ts';

const SERVER = 'server:5683';
export const BOOTSTRAP_SERVER = 'server:5686';
/** Of the gateway, which is open where a file of its devices is given. */
export const GATEWAY = '192.0.2.1:6001';
/** Of DTLS. */
export const SECURED_SERVER = 'server:5684';
const METHODS = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'IPATCH'];

function startOn(world: World, stores: Stores, flags: readonly string[] = []): Promise<RunningServer> {
  return startServer(loadConfig({}, ['--http-port', '0', '--data', ':memory:', ...flags]), {
    log: createLog('silent'),
    clock: world.clock,
    port: world.link.port(SERVER),
    securedPort: world.link.port(SECURED_SERVER),
    bootstrapPort: world.link.port(BOOTSTRAP_SERVER),
    gatewayPort: world.link.port(GATEWAY),
    stores,
  });
}

/** The whole server on a simulated network and in simulated time, with real stores and a real HTTP port. */
export class ServerWorld extends World {
  stores: Stores;
  server: RunningServer;
  api: ApiClient;
  readonly #data: string;
  readonly #flags: readonly string[];
  #watched: WatchedStores;

  private constructor(
    watched: WatchedStores,
    server: RunningServer,
    world: World,
    data: string,
    flags: readonly string[],
  ) {
    super();
    this.#watched = watched;
    this.#data = data;
    this.#flags = flags;
    // The server was started on that world's time and network.
    Object.assign(this, { clock: world.clock, link: world.link });
    this.stores = watched.stores;
    this.server = server;
    this.api = new ApiClient(server.httpAddress);
  }

  /** `change` may put faults into the stores; `data` is a folder where they are to outlive the server; `flags` are settings. */
  static async open(
    change: (stores: Stores) => Stores = (stores) => stores,
    data = ':memory:',
    flags: readonly string[] = [],
  ): Promise<ServerWorld> {
    const world = new World({ delay: 2 });
    const watched = watchStores(change(await openEmbeddedStores({ path: data })));
    return new ServerWorld(watched, await startOn(world, watched.stores, flags), world, data, flags);
  }

  /** Stops the server, and starts another on what it has left in its folder. */
  async restart(): Promise<void> {
    await this.wait(this.server.close());
    this.#watched = watchStores(await openEmbeddedStores({ path: this.#data }));
    this.stores = this.#watched.stores;
    this.server = await startOn(this, this.stores, this.#flags);
    this.api = new ApiClient(this.server.httpAddress);
  }

  /** Lets simulated time and real input and output go on until the answer is there. */
  async until<T>(
    what: string,
    ask: () => Promise<T | undefined | false> | T | undefined | false,
  ): Promise<T> {
    for (let turn = 0; turn < 5_000; turn++) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      await this.clock.run(5);
      // The stores' threads live in real time: simulated time must not run away from them.
      await this.#watched.idle();
    }
    throw new Error(`waited in vain: ${what}`);
  }

  /** Lets simulated time pass, the stores answering meanwhile: after each step of so many milliseconds. */
  async pass(milliseconds: number, step = 100): Promise<void> {
    for (let left = milliseconds; left > 0; left -= step) {
      await this.clock.run(Math.min(step, left));
      await this.#watched.idle();
    }
  }

  /** What a promise gives, time going on meanwhile. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.until('a promise', () => settled);
    return promise;
  }

  /** Event types of a device, oldest first. */
  /** Of what has happened until now. */
  async eventTypes(endpoint: string): Promise<string[]> {
    // Events for which nobody waits are stored together, some milliseconds of real time after they came.
    await sleep(40);
    const { items } = await this.api.get<{ items: ApiEvent[] }>(
      `/api/devices/${encodeURIComponent(endpoint)}/events`,
    );
    return items.map(({ type }) => type).reverse();
  }

  device(address: string, name: string): ScriptedDevice {
    return new ScriptedDevice(this, address, name);
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}

/** A device of which a test decides every answer: what is not told is 4.04. */
export class ScriptedDevice {
  readonly endpoint: CoapEndpoint;
  readonly name: string;
  /** `GET /3/0` and so on, in the order in which the server asked. */
  readonly asked: string[] = [];
  /** Observers by path. */
  readonly observers = new Map<string, Observer>();
  /** Answers by method and path: `POST /42769/0/3`; none: silence. */
  readonly answers = new Map<string, (request: IncomingRequest) => void>();
  /** Paths that are read, and never observed. */
  readonly refuses = new Set<string>();
  location = '';
  /** Address of the server. */
  server: string;
  readonly #world: Pick<ServerWorld, 'endpoint' | 'wait'>;

  constructor(
    world: Pick<ServerWorld, 'endpoint' | 'wait'>,
    address: string,
    name: string,
    server: string = SERVER,
  ) {
    this.#world = world;
    this.server = server;
    this.name = name;
    this.endpoint = world.endpoint(address, { handler: (request) => this.#handle(request) });
  }

  #handle(request: IncomingRequest): void {
    const method = METHODS[request.code] ?? String(request.code);
    const path = `/${uriPath(request.options).join('/')}`;
    this.asked.push(`${request.observe === 0 ? 'OBSERVE' : method} ${path}`);
    const answer = this.answers.get(`${method} ${path}`);
    if (answer === undefined) {
      request.respond({ code: Code.NOT_FOUND });
      return;
    }
    if (request.observe === 0 && !this.refuses.has(path)) {
      const observer = request.acceptObserve(() => {
        if (this.observers.get(path) === observer) this.observers.delete(path);
      });
      this.observers.set(path, observer);
    }
    answer(request);
  }

  /** Answers a Read, or an Observe, with these values. */
  has(path: string, records: () => readonly LwM2mRecord[]): void {
    this.answers.set(`GET ${path}`, (request) => request.respond(senml(path, records())));
  }

  request(
    code: number,
    path: string,
    query: readonly string[] = [],
    payload = '',
  ): Promise<IncomingResponse> {
    return this.#world.wait(
      this.endpoint.request(this.server, {
        code,
        options: [
          ...pathOptions(path),
          ...queryOptions(query),
          ...(payload === '' ? [] : [contentFormatOption(ContentFormat.LINK_FORMAT)]),
        ],
        payload: new TextEncoder().encode(payload),
      }),
    );
  }

  async register(
    links: string,
    query: readonly string[] = ['lt=300', 'lwm2m=1.1', 'b=U'],
  ): Promise<IncomingResponse> {
    const payload = `</>;rt="oma.lwm2m";ct="110 112",${links}`;
    const response = await this.request(Code.POST, '/rd', [`ep=${this.name}`, ...query], payload);
    if (response.code === Code.CREATED) this.location = `/${locationPath(response.options).join('/')}`;
    return response;
  }

  /** Send (§6.4.6): values that nobody asked for. */
  send(format: number | undefined, payload: Uint8Array, path = '/dp'): Promise<IncomingResponse> {
    const options = [...pathOptions(path), ...(format === undefined ? [] : [contentFormatOption(format)])];
    return this.#world.wait(this.endpoint.request(this.server, { code: Code.POST, options, payload }));
  }

  /** Sends a confirmable notification; resolves with whether it was acknowledged. */
  notify(path: string, records: readonly LwM2mRecord[]): Promise<boolean> {
    const observer = this.observers.get(path);
    if (observer === undefined) throw new Error(`${path} is not observed`);
    return new Promise((resolve) => observer.notify(senml(path, records), { keep: true }, resolve));
  }
}

export function senml(path: string, records: readonly LwM2mRecord[]) {
  return {
    code: Code.CONTENT,
    options: [uintOption(OptionNumber.CONTENT_FORMAT, ContentFormat.SENML_CBOR)],
    payload: encodeContent(ContentFormat.SENML_CBOR, path, records, { resourceType: () => undefined }),
  };
}
