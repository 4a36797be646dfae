/**
 * `npm run bench:restart`: a server that starts with a hundred thousand registrations: how long until a device that it knows
 * is answered, what the devices weigh, and how long lists and searches take.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { decodeMessage, encodeMessage } from '../protocol/coap/codec.ts';
import { type CoapMessage, Code, MessageType } from '../protocol/coap/message.ts';
import { contentFormatOption, pathOptions, queryOptions } from '../protocol/coap/options.ts';
import { ContentFormat } from '../protocol/lwm2m/content-format.ts';
import { openRedisStores } from '../redis/index.ts';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import { startRedis } from '../test/support/redis.ts';
import { fillStore } from './fill-store.ts';
import { flagsOrExit, given, oneOf, parseFlags, whole } from './flags.ts';
import { deviceOf } from './fleet.ts';
import { type Asked, ask, askInventory } from './inventory.ts';
import { type Spread, spreadOf } from './measure.ts';
import { BenchProcess } from './process.ts';
import { publish } from './publish.ts';
import { redisOrExit } from './redis-or-exit.ts';
import type { TargetReport } from './targets/report.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const usage = `A server that starts with many registrations: until it answers, what they weigh, lists and searches.

  --devices N    (100000)
  --starts N     of the server, with them and with an empty store   (5)
  --heard N      devices a second that register while lists are asked for   (0)
  --store STORE  disk or redis: a folder or a Redis of its own, which it fills   (disk)
  --write        put the tables into docs/performance.md`;

const {
  devices,
  starts,
  heard,
  store: kind,
  write,
} = flagsOrExit(usage, (args) =>
  parseFlags(args, {
    devices: whole(100_000, { from: 100, to: 10_000_000 }),
    starts: whole(5, { to: 1_000 }),
    heard: whole(0, { from: 0, to: 100_000 }),
    store: oneOf(['disk', 'redis'], 'disk'),
    write: given,
  }),
);
const isOnRedis = kind === 'redis';
if (isOnRedis) redisOrExit();

/** ms between two Updates that are sent until one is answered: finer than a device would. */
const ASKED_AGAIN = 20;
/** ms */
const PATIENCE = 60_000;

interface Ready {
  readonly port: number;
  readonly http: string;
}

function exchange(code: number, messageId: number, options: CoapMessage['options'], payload = ''): Buffer {
  const token = Uint8Array.of(messageId >> 8, messageId & 255);
  const body = new TextEncoder().encode(payload);
  return Buffer.from(
    encodeMessage({ type: MessageType.CON, code, messageId, token, options, payload: body }),
  );
}

/** A device that the server has heard before: registered for a day, and neither lost nor gone since. */
function knownDevice(turn: number, now: number): string {
  for (let index = turn * 101; ; index++) {
    const { registration, leaves } = deviceOf(index % devices, now);
    if (!leaves && registration.queueMode && registration.expiresAt > now) return registration.id;
  }
}

/** Sends an Update until it is answered. */
async function update(port: number, id: string): Promise<void> {
  const socket = createSocket('udp4');
  const data = exchange(Code.POST, 1, pathOptions(`/rd/${id}`));
  const send = (): void => socket.send(data, port, '127.0.0.1');
  const timer = setInterval(send, ASKED_AGAIN);
  try {
    send();
    for (;;) {
      const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE) });
      const { type, code } = decodeMessage(answer as Buffer);
      if (type !== MessageType.ACK) continue;
      if (code !== Code.CHANGED) throw new Error(`the Update of ${id} was answered with code ${code}`);
      return;
    }
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

interface Start {
  readonly server: BenchProcess;
  readonly http: string;
  readonly port: number;
  /** ms since the process was started: its ports are open. */
  readonly open: number;
}

async function started(place: string): Promise<Start> {
  const begun = performance.now();
  const server = new BenchProcess('./targets/simyard.ts', [place]);
  const { port, http } = await server.next<Ready>();
  return { server, http, port, open: performance.now() - begun };
}

/** Bytes in RAM. */
function resident(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

interface Weight {
  /** Bytes: heap and buffers of the main thread after garbage collection; and all that the process has in RAM. */
  readonly heap: number;
  readonly resident: number;
}

async function weight({ server }: Start): Promise<Weight> {
  const { memory } = await server.ask<TargetReport>('memory');
  return { heap: memory, resident: resident(server.pid) };
}

/** Registers devices that are there already, `heard` a second, until it is called off. */
function registerMeanwhile(port: number): () => void {
  const socket = createSocket('udp4');
  let sent = 0;
  const timer = setInterval(() => {
    for (let index = 0; index < heard / 20; index++) {
      const options = [
        ...pathOptions('/rd'),
        contentFormatOption(ContentFormat.LINK_FORMAT),
        ...queryOptions([`ep=heard-${sent % 20_000}`, 'lt=3600', 'lwm2m=1.1', 'b=U']),
      ];
      socket.send(exchange(Code.POST, sent++ & 0xffff, options, '</1/0>,</3/0>'), port, '127.0.0.1');
    }
  }, 50);
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

interface Measured {
  readonly empty: Spread;
  readonly open: Spread;
  readonly updated: Spread;
  readonly firstList: number;
  readonly registered: number;
  readonly known: number;
  readonly base: Weight;
  readonly filled: Weight;
  /** Bytes of Redis for a device, its last values included; where there is one. */
  readonly redis: number | undefined;
  readonly asked: readonly Asked[];
}

/** A store of its own. */
interface Store {
  /** As the server is told of it. */
  readonly place: string;
  /** Bytes that Redis takes; undefined where there is none. */
  memory(): Promise<number | undefined>;
  remove(): Promise<void>;
}

async function newStore(): Promise<Store> {
  if (isOnRedis) {
    const redis = await startRedis();
    const memory = async (): Promise<number> =>
      Number(/^used_memory:(\d+)/m.exec(await redis.cli('info', 'memory'))?.[1]);
    return { place: redis.url, memory, remove: () => redis.close() };
  }
  const place = temporaryFolder('simyard-restart-');
  return {
    place,
    memory: async () => undefined,
    remove: async () => removeFolder(place),
  };
}

/** Puts the devices into it; resolves to the bytes that each takes of a Redis. */
async function fill({ place, memory }: Store, now: number): Promise<number | undefined> {
  const before = await memory();
  // A power cut while it is filled costs nothing but another run.
  const stores = isOnRedis
    ? await openRedisStores({ url: place })
    : await openEmbeddedStores({ path: place, durable: false });
  await fillStore(stores, devices, now);
  await stores.close();
  const after = await memory();
  return before === undefined || after === undefined ? undefined : (after - before) / devices;
}

async function measure({ place }: Store, now: number, redis: number | undefined): Promise<Measured> {
  const [empty, open, updated]: number[][] = [[], [], []];
  let base: Weight | undefined;
  for (let turn = 0; turn < starts; turn++) {
    const nothing = await newStore();
    const start = await started(nothing.place);
    empty?.push(start.open);
    base = await weight(start);
    await start.server.stop();
    await nothing.remove();
    const begun = performance.now();
    const full = await started(place);
    await update(full.port, knownDevice(turn, now));
    updated?.push(performance.now() - begun);
    open?.push(full.open);
    // As by a power cut: what was written before it must be there.
    await full.server.stop();
  }
  const last = await started(place);
  try {
    const { ms: firstList, body } = await ask(last.http, '/api/devices?limit=100');
    const { body: registeredBody } = await ask(last.http, '/api/devices?limit=1&state=registered');
    const filled = await weight(last);
    const callOff = registerMeanwhile(last.port);
    const asked = await askInventory(last.http);
    callOff();
    if (base === undefined) throw new RangeError('--starts is at least 1');
    return {
      ...{ empty: spreadOf(empty ?? []), open: spreadOf(open ?? []), updated: spreadOf(updated ?? []) },
      ...{ firstList, base, filled, redis, asked },
      known: Number(body['total']),
      registered: Number(registeredBody['total']),
    };
  } finally {
    await last.server.stop();
  }
}

const rounded = (value: number): string => Math.round(value).toLocaleString('en');
const spread = ({ median, least, most }: Spread): string =>
  `${rounded(median)} (${rounded(least)}–${rounded(most)})`;

function report(measured: Measured): string {
  const { empty, open, updated, firstList, known, registered, base, filled, redis, asked } = measured;
  const each = (of: (one: Weight) => number): string => rounded((of(filled) - of(base)) / known);
  const lines = [
    '| | ms (least–most) |',
    '|---|--:|',
    `| empty store: from the start of the process until its ports are open | ${spread(empty)} |`,
    `| ${rounded(known)} devices, ${rounded(registered)} of them registered: until its ports are open | ${spread(open)} |`,
    `| until the first Update of a device that it knows is answered | ${spread(updated)} |`,
    `| the first list of devices after that, which reads the inventory into memory | ${rounded(firstList)} |`,
    '',
    `An idle device of these takes ${each(({ heap }) => heap)} bytes of heap and buffers of the main thread after garbage collection, and ${each((one) => one.resident)} bytes of all that the process has in RAM (with the index of the inventory and the pages of the database that it has read); an empty server has ${rounded(base.resident / 2 ** 20)} MiB in RAM, this one ${rounded(filled.resident / 2 ** 20)}.${redis === undefined ? '' : ` In Redis it takes ${rounded(redis)} bytes, its last values included.`}`,
    '',
    '| asked over HTTP | median ms | 95 of 100 | worst | devices that match |',
    '|---|--:|--:|--:|--:|',
    ...asked.map(
      ({ question, median, p95, worst, matching }) =>
        `| ${question} | ${median.toFixed(1)} | ${p95.toFixed(1)} | ${worst.toFixed(1)} | ${matching === undefined ? '' : rounded(matching)} |`,
    ),
    '',
    `${starts} starts, each after the process before was killed; ${heard} registrations a second while lists were asked for; server and client share ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}; load average ${loadavg()[0]?.toFixed(1)} at the end.`,
  ];
  return lines.join('\n');
}

const store = await newStore();
try {
  const now = Date.now();
  const redis = await fill(store, now);
  const text = report(await measure(store, now, redis));
  publish(isOnRedis ? 'restart-redis' : 'restart', text, { write });
} finally {
  await store.remove();
}
