import { volatileJournal } from '../../client/modem/command-journal.ts';
import { Modem } from '../../client/modem/modem.ts';
import { volatileCardMemory } from '../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../client/sim/virtual-card/virtual-card.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { openRedisStores } from '../../redis/index.ts';
import type { SchemaStep } from '../../redis/schema.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import { compareWithLog, logReadings } from './log-readings.ts';
import { RecordingPort } from './recording-port.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { ApiClient, freePort, ProjectProcess } from './server-process.ts';

/** How long a process may take to come up, ms. */
const LIMIT = 60_000;

/** A modem in this process, on a socket of its own, with what the server has acknowledged to it. */
export interface ModemOnPort {
  readonly name: string;
  readonly serial: string;
  readonly modem: Modem;
  readonly port: RecordingPort;
  registrations: number;
}

/** Servers that share a UDP and a TCP port of this machine and a Redis, and modems that speak to them. */
export class PortSharers {
  readonly coapPort: number;
  readonly httpPort: number;
  readonly redis: RedisServer;
  readonly api: ApiClient;
  readonly servers: ProjectProcess[] = [];
  readonly nodes: RunningServer[] = [];
  readonly modems: ModemOnPort[] = [];

  private constructor(redis: RedisServer, coapPort: number, httpPort: number) {
    this.redis = redis;
    this.coapPort = coapPort;
    this.httpPort = httpPort;
    this.api = new ApiClient(httpPort);
  }

  static async open(): Promise<PortSharers> {
    const [coapPort, httpPort] = [await freePort(), await freePort()];
    return new PortSharers(await startRedis({ durable: true }), coapPort, httpPort);
  }

  /** A server process; resolves once it, or all its workers, are ready. */
  async startServer(...flags: readonly string[]): Promise<ProjectProcess> {
    const server = new ProjectProcess('server/main.ts', [
      ...['--redis-url', this.redis.url],
      ...['--coap-port', String(this.coapPort), '--http-port', String(this.httpPort)],
      ...['--bootstrap-port', 'off'],
      ...flags,
    ]);
    this.servers.push(server);
    await server.printed(flags.includes('--workers') ? /all workers are ready/ : /"msg":"ready"/, LIMIT);
    return server;
  }

  /** A node in this process, with a TCP port of its own, as a program would be whose store had these steps. */
  async startNode(name: string, schemaSteps: readonly SchemaStep[]): Promise<RunningServer> {
    const stores = await openRedisStores({ url: this.redis.url, schemaSteps });
    const config = loadConfig({}, [
      ...['--redis-url', this.redis.url, '--reuse-port', 'true', '--node', name],
      ...['--coap-port', String(this.coapPort), '--http-port', '0'],
      ...['--bootstrap-port', 'off'],
    ]);
    const node = await startServer(config, { log: createLog('silent'), stores });
    this.nodes.push(node);
    return node;
  }

  /** What the servers, those that have ended too, log as errors. */
  faults(): readonly string[] {
    return this.servers
      .flatMap(({ output }) => output.split('\n'))
      .filter((line) => /"level":"(?:error|fatal)"/.test(line) || !/^(?:\{|$)/.test(line));
  }

  /** @param to `host:port`; the shared port unless told */
  async startModem(to = `127.0.0.1:${this.coapPort}`): Promise<ModemOnPort> {
    const index = this.modems.length;
    const port = new RecordingPort(await createUdpPort({ host: '127.0.0.1', port: 0 }));
    const serial = String(1_000 + index);
    const running: ModemOnPort = {
      serial,
      name: `modem-${index}`,
      port,
      registrations: 0,
      modem: new Modem({
        port,
        card: new VirtualCard({ serial: index, memory: volatileCardMemory() }),
        journal: volatileJournal(),
        clock: systemClock,
        name: `modem-${index}`,
        servers: [{ uri: `coap://${to}`, resolve: async () => to }],
        rates: { imu: 10, gyro: 0, temperature: 2 },
        packInterval: 500,
        attachTime: 20,
        seed: index,
        serial,
        firmware: '0',
        events: {
          onState: (state) => {
            if (state === 'registering') running.registrations++;
          },
          onFault: (error) => {
            throw error;
          },
        },
      }),
    };
    this.modems.push(running);
    await running.modem.start();
    return running;
  }

  /** Of each modem: what was acknowledged and is not in the log, and what is there twice. The modems stop for it. */
  async discrepancies(): Promise<
    readonly { name: string; missing: readonly string[]; twice: readonly string[] }[]
  > {
    await this.#stopModems();
    const stores = await openRedisStores({ url: this.redis.url });
    try {
      const log = await logReadings(stores.log);
      return this.modems
        .map(({ name, port }) => ({ name, ...compareWithLog(port.acknowledged, log.get(name)) }))
        .filter(({ missing, twice }) => missing.length > 0 || twice.length > 0);
    } finally {
      await stores.close();
    }
  }

  async close(): Promise<void> {
    await this.#stopModems();
    await Promise.all([
      ...this.servers.map((server) => server.kill('SIGKILL')),
      ...this.nodes.map((node) => node.close()),
    ]);
    await this.redis.close();
  }

  async #stopModems(): Promise<void> {
    await Promise.all(this.modems.map(({ modem }) => modem.close({ deregister: false })));
  }
}
