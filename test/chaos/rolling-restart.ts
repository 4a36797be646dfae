import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '../../protocol/coap/message.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { openRedisStores } from '../../redis/index.ts';
import { sealCredentials } from '../../server/secrets/sealed-credentials.ts';
import { createSealer } from '../../server/secrets/sealer.ts';
import { enrol, SecuredDevice } from '../support/dtls/secured-device.ts';
import { compareWithLog, logReadings } from '../support/log-readings.ts';
import { startRedis } from '../support/redis.ts';
import { freePort, type ProjectProcess, SECRET_KEY, startServerProcess } from '../support/server-process.ts';
import { UdpMiddlebox } from '../support/udp-middlebox.ts';

const NODES = 3;
const PATH = '/3303/0/5700';
/** Modems that come at once. */
const COMING = 50;
/** What devices know of the nodes: one address, which the balancer has. */
const ADDRESS = 'coap://devices.example:5683';

export interface RollingSettings {
  readonly modems: number;
  /** ms between two Sends of a modem. */
  readonly interval: number;
  /** ms of traffic before, between and after restarts. */
  readonly pause: number;
  /** ms between two changes of all addresses; 0: none. */
  readonly rebind: number;
  /** SIGTERM, as a rolling update does, or SIGKILL. */
  readonly signal: 'SIGTERM' | 'SIGKILL';
}

export interface RollingOutcome {
  /** Of all modems, from their first one on. */
  readonly handshakes: number;
  /** Sessions that the servers ended by an alert. */
  readonly closed: number;
  readonly acknowledged: number;
  /** Sends that were not answered 2.04. */
  readonly failed: number;
  /** Acknowledged, and not in the log. */
  readonly missing: number;
  readonly twice: number;
  /** ms that each Send took to be acknowledged. */
  readonly latencies: readonly number[];
}

/** A modem that sends readings, one after the other, and knows which were acknowledged. */
class Sender {
  readonly device: SecuredDevice;
  readonly acknowledged: { readonly path: string; readonly takenAt: number }[] = [];
  readonly latencies: number[] = [];
  failed = 0;
  readonly failures: string[] = [];
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(device: SecuredDevice) {
    this.device = device;
  }

  start(interval: number): void {
    this.#running = this.#run(interval);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(interval: number): Promise<void> {
    // Not all at the same moment.
    await sleep(Math.random() * interval);
    for (let value = 0; !this.#stopping; value++) {
      const taken = Math.floor(Date.now());
      const records = [{ path: PATH, value, time: taken / 1_000 }];
      const payload = encodeContent(ContentFormat.SENML_CBOR, '/', records, {
        resourceType: () => undefined,
      });
      const begun = performance.now();
      const code = await this.device.send(ContentFormat.SENML_CBOR, payload).then(
        (response) => response.code,
        () => undefined,
      );
      if (code === Code.CHANGED) {
        this.acknowledged.push({ path: PATH, takenAt: taken * 1_000 });
        this.latencies.push(performance.now() - begun);
      } else {
        this.failed++;
        this.failures.push(`${this.device.name} ${new Date(taken).toISOString()} ${code}`);
      }
      await sleep(interval);
    }
  }
}

/**
 * Three server processes over one Redis, behind a balancer that keeps addresses, and DTLS modems that send readings all
 * the while: the nodes are restarted one after the other, each when the one before is back.
 */
export async function runRollingRestart(
  settings: RollingSettings,
  print: (line: string) => void,
): Promise<RollingOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'simyard-rolling-'));
  const redis = await startRedis({ durable: true });
  const stores = await openRedisStores({ url: redis.url });
  const senders: Sender[] = [];
  const processes: (ProjectProcess | undefined)[] = [];
  /** What nodes that have ended have printed. */
  const said: string[] = [];
  let balancer: UdpMiddlebox | undefined;
  try {
    const ports = await Promise.all(
      Array.from(
        { length: NODES },
        async () => [await freePort(), await freePort(), await freePort()] as const,
      ),
    );
    const start = async (node: number): Promise<void> => {
      const [coapPort, coapsPort, httpPort] = ports[node] as readonly [number, number, number];
      processes[node] = await startServerProcess({
        data: join(folder, `node-${node}`),
        coapPort,
        httpPort,
        limit: 120_000,
        flags: [
          ...['--redis-url', redis.url, '--node', `node-${node}`, '--coaps-port', String(coapsPort)],
          ...['--coap-address', ADDRESS, '--bootstrap-port', 'off', '--bootstraps-port', 'off'],
          ...['--log-level', process.env['NODE_LOG'] ?? 'warn'],
        ],
      });
    };
    for (let node = 0; node < NODES; node++) await start(node);
    const front = await UdpMiddlebox.open(ports.map(([, coapsPort]) => `127.0.0.1:${coapsPort}`));
    balancer = front;
    const up = new Set(ports.keys());
    front.route = (device) => {
      const there = [...up];
      return there[Number(device.split(':')[1]) % there.length] as number;
    };

    const credentials = sealCredentials(stores.credentials, createSealer([Buffer.from(SECRET_KEY, 'hex')]));
    for (let first = 0; first < settings.modems; first += COMING) {
      const count = Math.min(COMING, settings.modems - first);
      await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const name = `modem-${first + index}`;
          await enrol(credentials, name);
          const device = await SecuredDevice.open(name, front.address);
          const sender = new Sender(device);
          senders.push(sender);
          const { code } = await device.register('</3303/0>', ['lt=3600', 'lwm2m=1.1', 'b=U']);
          if (code !== Code.CREATED) throw new Error(`${name} was answered ${code}`);
        }),
      );
    }
    print(`${senders.length} modems are registered by DTLS`);
    for (const sender of senders) sender.start(settings.interval);
    const rebinding = settings.rebind === 0 ? undefined : setInterval(() => front.rebind(), settings.rebind);
    try {
      await sleep(settings.pause);
      for (let node = 0; node < NODES; node++) {
        up.delete(node);
        const begun = performance.now();
        const ending = processes[node];
        await ending?.kill(settings.signal);
        said.push(ending?.output ?? '');
        const ended = performance.now();
        await start(node);
        const ready = performance.now();
        up.add(node);
        print(
          `node-${node}: ended in ${(ended - begun).toFixed(0)} ms, ready again ${(ready - ended).toFixed(0)} ms later`,
        );
        await sleep(settings.pause);
      }
    } finally {
      clearInterval(rebinding);
    }
    await Promise.all(senders.map((sender) => sender.stop()));
    for (const { failures } of senders) for (const failure of failures) print(failure);
    const log = await logReadings(stores.log);
    const compared = senders.map((sender) =>
      compareWithLog(sender.acknowledged, log.get(sender.device.name)),
    );
    const sum = (count: (sender: Sender) => number): number =>
      senders.reduce((total, sender) => total + count(sender), 0);
    return {
      handshakes: sum(({ device }) => device.handshakes.length),
      closed: sum(({ device }) => device.closed.length),
      acknowledged: sum(({ acknowledged }) => acknowledged.length),
      failed: sum(({ failed }) => failed),
      missing: compared.reduce((total, { missing }) => total + missing.length, 0),
      twice: compared.reduce((total, { twice }) => total + twice.length, 0),
      latencies: senders.flatMap(({ latencies }) => latencies),
    };
  } finally {
    await Promise.all(senders.map(({ device }) => device.endpoint.close()));
    await balancer?.close();
    const ended = await Promise.all(processes.map((process) => process?.kill('SIGTERM')));
    said.push(...processes.map((process) => process?.output ?? ''));
    const lines = said.filter((output) => output.trim() !== '');
    if (lines.length > 0) print(`what the nodes said (${ended.join(', ')}):\n${lines.join('\n')}`);
    await stores.close();
    await redis.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
