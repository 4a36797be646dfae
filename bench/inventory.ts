/**
 * The inventory over HTTP, from the server as it ships on a data folder or a Redis that seed-fleet.ts has filled: how long
 * lists, searches, filters, facets and counts take, in milliseconds of a client on this machine.
 * `node bench/inventory.ts [folder or redis://…=./data] [heard=0]`; `heard`: so many devices are heard each second meanwhile.
 */
import { createSocket } from 'node:dgram';
import { BenchProcess } from './process.ts';
import type { TargetReport } from './targets/report.ts';

const [folder = './data', heardText = '0'] = process.argv.slice(2);
const heard = Number(heardText);
/** Times that each question is asked. */
const TIMES = 30;

interface Report {
  readonly port: number;
  readonly http: string;
}

const begun = performance.now();
const server = new BenchProcess('./targets/simyard.ts', [folder]);
const { port, http } = await server.next<Report>();
console.log(`ready after ${(performance.now() - begun).toFixed(0)} ms`);
const socket = createSocket('udp4');
let sent = 0;
const timer = setInterval(() => {
  // Registers anew, of devices that are there: what an Update of each would do, without its unguessable location.
  for (let index = 0; index < heard / 20; index++) {
    sent += 1;
    socket.send(register(sent), port, '127.0.0.1');
  }
}, 50);

/** POST /rd?ep=…&lt=3600&lwm2m=1.1&b=U, non-confirmable. */
function register(index: number): Buffer {
  const option = (delta: number, text: string): Buffer => {
    const value = Buffer.from(text);
    const long = value.length > 12;
    return Buffer.concat([
      Buffer.from(long ? [(delta << 4) | 13, value.length - 13] : [(delta << 4) | value.length]),
      value,
    ]);
  };
  return Buffer.concat([
    Buffer.from([0x52, 0x02, (index >> 8) & 255, index & 255, index & 255, 7]),
    option(11, 'rd'),
    option(4, `ep=heard-${index % 20_000}`),
    option(0, 'lt=3600'),
    option(0, 'lwm2m=1.1'),
    option(0, 'b=U'),
    Buffer.from([0xff]),
    Buffer.from('</1/0>,</3/0>'),
  ]);
}

async function ask(path: string): Promise<{ readonly ms: number; readonly body: Record<string, unknown> }> {
  const start = performance.now();
  const response = await fetch(`${http}${path}`);
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return { ms: performance.now() - start, body };
}

/** What the devices take in the node: its memory less that of a node that knows none. */
async function tellMemory(devices: number): Promise<void> {
  const empty = new BenchProcess('./targets/simyard.ts');
  await empty.next<Report>();
  const [{ memory: base }, { memory }] = await Promise.all([
    empty.ask<TargetReport>('memory'),
    server.ask<TargetReport>('memory'),
  ]);
  await empty.stop();
  const each = Math.round((memory - base) / devices);
  console.log(`memory of the node: ${(memory / 2 ** 20).toFixed(0)} MiB, ${each} bytes for each device\n`);
}

async function measure(name: string, paths: readonly string[]): Promise<void> {
  const times: number[] = [];
  let matching: unknown;
  for (let turn = 0; turn < TIMES; turn++) {
    const { ms, body } = await ask(paths[turn % paths.length] as string);
    times.push(ms);
    matching = body['total'] ?? '';
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] as number).toFixed(1).padStart(7);
  console.log(`${name.padEnd(44)}${at(0.5)} ms   p95 ${at(0.95)} ms   worst ${at(1)} ms   ${matching}`);
}

const first = await ask('/api/devices?limit=100');
console.log(
  `the first list after the start: ${first.ms.toFixed(0)} ms, ${first.body['total']} devices${heard > 0 ? `, ${heard} registrations a second` : ''}\n`,
);
await tellMemory(Number(first.body['total']));
const page = '/api/devices?limit=100';
await measure('first page of 100', [page]);
for (const sort of ['lastSeen', 'firstSeen', 'model', 'carrier', 'signal', 'firmware']) {
  await measure(`by ${sort}, either way`, [`${page}&sort=${sort}`, `${page}&sort=-${sort}`]);
}
const jumps = [0.9, 0.5, 0.1, 0.75].map((share) => Math.floor((first.body['total'] as number) * share));
await measure(
  'jumps, by endpoint',
  jumps.map((offset) => `${page}&offset=${offset}`),
);
await measure(
  'jumps, by last contact, of one carrier',
  jumps.map((offset) => `${page}&sort=-lastSeen&carrier=AT%26T&offset=${Math.floor(offset / 3)}`),
);
const { next } = (await ask(`${page}&sort=-model&offset=${jumps[1]}`)).body;
await measure('goes on by cursor, by model', [`${page}&cursor=${next}`]);
await measure('search, a part of few endpoints', [`${page}&q=99877`, `${page}&q=METER-1`]);
await measure('search, a part of most endpoints', [`${page}&q=imei:35`]);
await measure('search, nothing found', [`${page}&q=zzzzz`]);
await measure('search, the start of an IMSI or ICCID', [
  `${page}&q=31041000012`,
  `${page}&q=890141032100000`,
]);
await measure('search, the start of all ICCIDs', [`${page}&q=8901`]);
await measure('states', [`${page}&state=asleep`, `${page}&state=lost,left`, `${page}&state=awake`]);
await measure('carrier, model and signal, by signal', [
  `${page}&carrier=T-Mobile&model=BG77,SARA-R422&signalMax=-90&sort=signal`,
]);
await measure('all facets', ['/api/devices/facets?by=state,carrier,manufacturer,model,firmware,node']);
await measure('all facets of a search', [
  '/api/devices/facets?by=state,carrier,manufacturer,model,firmware,node&q=imei&state=registered',
]);
await measure('a page of 1000', ['/api/devices?limit=1000']);
clearInterval(timer);
socket.close();
await server.stop();
