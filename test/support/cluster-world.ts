import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { openRedisStores } from '../../redis/index.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import type { Stores } from '../../server/ports/stores.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { ApiClient, SECRET_KEY } from './server-process.ts';
import { ScriptedDevice } from './server-world.ts';
import { until } from './until.ts';

/** One node, with what a test asks of it. */
export interface TestNode {
  readonly name: string;
  readonly server: RunningServer;
  readonly stores: Stores;
  readonly api: ApiClient;
  /** `127.0.0.1:port` */
  readonly coap: string;
  /** The same of DTLS, where it was asked for. */
  readonly coaps: string | undefined;
  /** The same of the gateway, where its devices are given by `--gateway-devices`. */
  readonly gateway: string;
  /** Ends it as `kill -9` would: without a word to the others, or to devices. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** Several nodes in this process, on a Redis of their own, in real time and on real sockets. */
export class ClusterWorld {
  readonly redis: RedisServer;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #devices = new Set<ScriptedDevice>();
  readonly #ending: Promise<void>[] = [];

  private constructor(redis: RedisServer) {
    this.redis = redis;
  }

  static async open(options: Parameters<typeof startRedis>[0] = {}): Promise<ClusterWorld> {
    return new ClusterWorld(await startRedis(options));
  }

  /** Starts a node that is ready when it resolves; port 0: any. DTLS is open where `coapsPort` is given. */
  async node(
    name: string,
    flags: readonly string[] = [],
    coapPort = 0,
    coapsPort?: number,
  ): Promise<TestNode> {
    const port = await createUdpPort({ host: '127.0.0.1', port: coapPort });
    const securedPort =
      coapsPort === undefined ? undefined : await createUdpPort({ host: '127.0.0.1', port: coapsPort });
    const gatewayPort = await createUdpPort({ host: '127.0.0.1', port: 0 });
    const stores = await openRedisStores({ url: this.redis.url });
    const config = loadConfig({}, [
      ...['--http-port', '0', '--node', name, '--redis-url', this.redis.url],
      ...(coapsPort === undefined ? [] : ['--secret-key', SECRET_KEY]),
      ...flags,
    ]);
    const log = createLog((process.env['CLUSTER_LOG'] ?? 'silent') as 'silent').child({ node: name });
    const server = await startServer(config, {
      log,
      stores,
      port,
      gatewayPort,
      ...(securedPort === undefined ? {} : { securedPort }),
      onEvicted: (reason) => log.warn({ reason }, 'evicted'),
    });
    const api = new ApiClient(server.httpAddress);
    const close = async (): Promise<void> => {
      this.#open.delete(node);
      await server.close();
      await gatewayPort.close();
    };
    const node: TestNode = {
      name,
      server,
      stores,
      api,
      coap: port.local,
      coaps: securedPort?.local,
      gateway: gatewayPort.local,
      kill: async () => {
        // Nothing that it does at its end reaches the store, another node or a device.
        await Promise.all([stores.close(), port.close(), securedPort?.close(), gatewayPort.close()]);
        this.#ending.push(close());
      },
      close,
    };
    this.#open.add(node);
    return node;
  }

  /** A device with a socket of its own, of which the test decides every answer. */
  async device(name: string, server: string): Promise<ScriptedDevice> {
    const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
    const device = new ScriptedDevice(
      {
        endpoint: (_address, options) => createCoapEndpoint({ ...options, port }),
        wait: (promise) => promise,
      },
      port.local,
      name,
      server,
    );
    this.#devices.add(device);
    return device;
  }

  /** Resolves when all of these nodes know of so many members. */
  async together(...nodes: readonly TestNode[]): Promise<void> {
    for (const { api } of nodes) {
      await until('all nodes are there', async () => {
        const { nodes: known } = await api.get<{ nodes: readonly unknown[] }>('/api/cluster');
        return known.length === nodes.length;
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#devices].map(({ endpoint }) => endpoint.close()));
    await Promise.all([...this.#ending, ...[...this.#open].map((node) => node.close())]);
    await this.redis.close();
  }
}
