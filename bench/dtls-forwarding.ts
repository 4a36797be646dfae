/**
 * What a record costs that reaches the wrong node of a cluster: CPU and time of CoAP exchanges over DTLS at the node that
 * has the session, and by way of another one. `node bench/dtls-forwarding.ts [--devices N] [--exchanges N]`
 */

import { parseArgs } from 'node:util';
import { Code } from '../protocol/coap/message.ts';
import { openRedisStores } from '../redis/index.ts';
import { sealCredentials } from '../server/secrets/sealed-credentials.ts';
import { createSealer } from '../server/secrets/sealer.ts';
import { enrol, SecuredDevice } from '../test/support/dtls/secured-device.ts';
import { startRedis } from '../test/support/redis.ts';
import {
  freePort,
  type ProjectProcess,
  SECRET_KEY,
  startServerProcess,
} from '../test/support/server-process.ts';
import { UdpMiddlebox } from '../test/support/udp-middlebox.ts';
import { quantiles } from './quantiles.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

/** Of a session: so many by the wrong way, and it moves (server/transport/hand-overs.ts). */
const MOST_BY_THE_WAY = 30;
const AT_ONCE = 20;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '300' },
    exchanges: { type: 'string', default: String(MOST_BY_THE_WAY) },
  },
});
const count = Number(values.devices);
const exchanges = Math.min(MOST_BY_THE_WAY, Number(values.exchanges));

interface Node {
  readonly process: ProjectProcess;
  readonly coaps: string;
  readonly http: number;
}

async function startNode(name: string, redis: string, folder: string): Promise<Node> {
  const [coapPort, coaps, http] = [await freePort(), await freePort(), await freePort()];
  const flags = [
    ...['--redis-url', redis, '--node', name, '--coaps-port', String(coaps), '--log-level', 'warn'],
    ...[
      '--coap-address',
      'coap://devices.example:5683',
      '--bootstrap-port',
      'off',
      '--bootstraps-port',
      'off',
    ],
    ...['--readings-max-bytes', '1000000'],
  ];
  const process = await startServerProcess({ data: folder, coapPort, httpPort: http, limit: 60_000, flags });
  return { process, coaps: `127.0.0.1:${coaps}`, http };
}

/** Seconds of CPU that the node has used. */
async function cpuOf({ http }: Node): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
}

async function main(): Promise<void> {
  const folder = temporaryFolder('simyard-forwarding-');
  const redis = await startRedis();
  const stores = await openRedisStores({ url: redis.url });
  const nodes: Node[] = [];
  const devices: SecuredDevice[] = [];
  let way: UdpMiddlebox | undefined;
  try {
    nodes.push(await startNode('one', redis.url, folder), await startNode('two', redis.url, folder));
    const front = await UdpMiddlebox.open(nodes.map(({ coaps }) => coaps));
    way = front;
    const credentials = sealCredentials(stores.credentials, createSealer([Buffer.from(SECRET_KEY, 'hex')]));
    const run = async (times: number): Promise<readonly number[]> => {
      const taken: number[] = [];
      const waiting = [...devices];
      const work = async (): Promise<void> => {
        for (let device = waiting.pop(); device !== undefined; device = waiting.pop()) {
          for (let time = 0; time < times; time++) {
            const begun = performance.now();
            const { code } = await device.request(Code.GET, '/.well-known/core');
            if (code !== Code.CONTENT) throw new Error(`${device.name} was answered ${code}`);
            taken.push(performance.now() - begun);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return taken;
    };
    for (let index = 0; index < count; index++) {
      const name = `device-${index}`;
      await enrol(credentials, name);
      devices.push(await SecuredDevice.open(name, front.address));
    }
    await run(1);
    const measure = async (what: string, route: number): Promise<number> => {
      front.route = () => route;
      const before = await Promise.all(nodes.map(cpuOf));
      const taken = await run(exchanges);
      const after = await Promise.all(nodes.map(cpuOf));
      const each = after.map((cpu, node) => ((cpu - (before[node] ?? 0)) * 1e6) / taken.length);
      const { p50, p99 } = quantiles([...taken]);
      const sum = each.reduce((total, one) => total + one, 0);
      process.stdout.write(
        `${what.padEnd(22)} ${each.map((one) => one.toFixed(0).padStart(6)).join(' + ')} = ${sum.toFixed(0).padStart(5)} µs of CPU each, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(1)} ms\n`,
      );
      return sum;
    };
    process.stdout.write(`${count} sessions, ${exchanges} exchanges of each; CPU of node one + node two\n`);
    await measure('to its node (warm-up)', 0);
    const direct = await measure('to its node', 0);
    const handed = await measure('by way of the other', 1);
    process.stdout.write(
      `An exchange by way of another node costs ${(handed / direct).toFixed(1)} times as much, ${(handed - direct).toFixed(0)} µs more.\n`,
    );
    if (devices.some(({ handshakes }) => handshakes.length !== 1))
      throw new Error('a device shook hands anew');
  } finally {
    await Promise.all(devices.map(({ endpoint }) => endpoint.close()));
    await way?.close();
    await Promise.all(nodes.map((node) => node.process.kill('SIGTERM')));
    await stores.close();
    await redis.close();
    removeFolder(folder);
  }
}

await main();
