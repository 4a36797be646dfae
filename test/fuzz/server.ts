/**
 * Throws generated and mutated datagrams at the whole server: registrations, updates, Sends, notifications of
 * observations that it really holds, answers to its own requests, and noise, from many peers.
 * `node test/fuzz/server.ts [datagrams] [seed]` prints heap figures after garbage collection and ends
 * with status 1 where anything was thrown, logged as a bug, or kept.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { decodeMessage, encodeMessage } from '../../protocol/coap/codec.ts';
import type { DatagramHandler, DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import {
  type CoapMessage,
  type CoapOption,
  Code,
  MessageType,
  OptionNumber,
} from '../../protocol/coap/message.ts';
import {
  contentFormatOption,
  observe,
  pathOptions,
  queryOptions,
  uintOption,
} from '../../protocol/coap/options.ts';
import { RequestError } from '../../protocol/errors.ts';
import { loadConfig } from '../../server/config.ts';
import { startServer } from '../../server/main.ts';
import { FakeClock } from '../support/coap/fake-clock.ts';
import { seededRandom } from '../support/coap/lossy-link.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const NAMES = 200;
const PEERS = 2_000;
const BATCH = 250;
/** Datagrams kept as material for mutations, and tokens of observations. */
const KEPT = 512;
const links = [
  '</>;rt="oma.lwm2m";ct="110 112",</1/0>,</3/0>,</4/0>,</42769/0>,</42770/0>',
  '</lwm2m>;rt="oma.lwm2m",</lwm2m/42770/0>,</lwm2m/42769/0>',
  '</1/0>,</9/0>;ver=1.1,</3/0>',
  '<<<,,,;;;',
];

export interface ServerFuzzResult {
  /** Bugs that the server logged, and what was thrown into the port. */
  readonly faults: string[];
  /** Bytes of heap in use after a full collection, at each sample. */
  readonly heap: number[];
  readonly sent: Record<string, number>;
}

export async function fuzzServer(options: {
  readonly count: number;
  readonly seed: number;
  readonly samples?: number;
  readonly report?: (line: string) => void;
}): Promise<ServerFuzzResult> {
  const { count, seed, samples = 10, report } = options;
  const next = seededRandom(seed);
  const integer = (below: number): number => Math.floor(next() * below);
  const pick = <T>(list: readonly T[]): T => list[integer(list.length)] as T;
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => integer(256));

  const faults: string[] = [];
  const sent: Record<string, number> = {};
  const heap: number[] = [];
  const kept: Uint8Array[] = [];
  const locations: string[] = [];
  /** Tokens that the server observes with. */
  const tokens: Uint8Array[] = [];
  /** Requests of the server that a peer could answer. */
  const asked: { readonly peer: PeerAddress; readonly message: CoapMessage }[] = [];
  const keep = <T>(list: T[], item: T): void => {
    if (list.length < KEPT) list.push(item);
    else list[integer(KEPT)] = item;
  };

  let receive: DatagramHandler = () => undefined;
  const port: DatagramPort = {
    local: 'server:5683',
    send(data, peer) {
      const message = decodeMessage(data);
      const kind = `${message.type} ${message.code >> 5}.${message.code & 31}`;
      sent[kind] = (sent[kind] ?? 0) + 1;
      if (message.code === Code.CREATED) {
        const path = message.options.filter(({ number }) => number === OptionNumber.LOCATION_PATH);
        keep(locations, `/${path.map(({ value }) => Buffer.from(value).toString()).join('/')}`);
      }
      if (message.code > 0 && message.code < 0x20) {
        keep(asked, { peer, message });
        if (observe(message.options) === 0) keep(tokens, message.token);
      }
    },
    onDatagram(handler) {
      receive = handler;
    },
    onError: () => undefined,
    close: () => Promise.resolve(),
  };
  const folder = mkdtempSync(join(tmpdir(), 'simyard-fuzz-'));
  const clock = new FakeClock();
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      faults.push(line.toString().slice(0, 1_000));
      done();
    },
  });
  const server = await startServer(loadConfig({}, ['--http-port', '0', '--data', folder]), {
    // Whatever the network sends, it is no error of ours.
    log: pino({ level: 'error' }, sink),
    clock,
    port,
  });

  const message = (
    code: number,
    options: readonly CoapOption[],
    payload: Uint8Array,
    token = bytes(integer(9)),
  ): Uint8Array =>
    encodeMessage({
      type: next() < 0.8 ? MessageType.CON : MessageType.NON,
      code,
      messageId: integer(65_536),
      token,
      options,
      payload,
    });
  const senml = (): Uint8Array => {
    const value = integer(100);
    return Buffer.from(
      `83a221682f34323737302f302f3202${value.toString(16).padStart(2, '0')}a10203a10204`.slice(
        0,
        2 * (5 + integer(24)),
      ),
      'hex',
    );
  };
  const generators: readonly (() => Uint8Array)[] = [
    () =>
      message(
        Code.POST,
        [
          ...pathOptions('/rd'),
          ...queryOptions([
            `ep=fuzz-${integer(NAMES)}`,
            `lt=${integer(4) * 20}`,
            pick(['lwm2m=1.1', 'lwm2m=1.0', 'lwm2m=1.2', 'b=UQ', 'pid=6:1234abcd', 'pid="v:a,v:b"', '=']),
          ]),
          contentFormatOption(40),
        ],
        next() < 0.9 ? Buffer.from(pick(links)) : bytes(0),
      ),
    () =>
      message(
        Code.POST,
        [...pathOptions('/dp'), contentFormatOption(pick([110, 112, 112, 112, 11544, 0, 65_535]))],
        next() < 0.5 ? senml() : bytes(integer(200)),
      ),
    () =>
      message(
        pick([Code.POST, Code.DELETE, Code.PUT]),
        pathOptions(locations.length > 0 ? pick(locations) : '/rd/x'),
        bytes(0),
      ),
    () =>
      message(
        Code.CONTENT,
        [
          uintOption(OptionNumber.OBSERVE, integer(1 << 24)),
          contentFormatOption(pick([0, 42, 110, 112, 11542, 40, 65_535])),
        ],
        next() < 0.5 ? senml() : bytes(integer(200)),
        tokens.length > 0 ? pick(tokens) : bytes(8),
      ),
    () => {
      const question = asked.length > 0 ? pick(asked).message : undefined;
      return encodeMessage({
        type: pick([MessageType.ACK, MessageType.ACK, MessageType.RST, MessageType.CON]),
        code: pick([Code.CONTENT, Code.CHANGED, Code.NOT_FOUND, Code.CONTINUE]),
        messageId: question?.messageId ?? integer(65_536),
        token: question?.token ?? bytes(8),
        options: next() < 0.5 ? [contentFormatOption(pick([0, 112, 110]))] : [],
        payload: next() < 0.5 ? senml() : bytes(integer(100)),
      });
    },
    () => bytes(integer(64)),
    () => {
      const copy = (kept.length > 0 ? pick(kept) : bytes(32)).slice();
      for (let i = 1 + integer(6); i > 0 && copy.length > 0; i--) copy[integer(copy.length)] = integer(256);
      return copy.subarray(0, next() < 0.2 ? integer(copy.length + 1) : copy.length);
    },
  ];

  for (let done = 0; done < count; ) {
    for (let i = 0; i < BATCH && done < count; i++, done++) {
      // A RST has no code, so the generator of answers may ask for what cannot be written: then noise.
      const data = generate(pick(generators)) ?? bytes(16);
      keep(kept, data);
      const owner = next() < 0.3 && asked.length > 0 ? pick(asked).peer : `peer-${integer(PEERS)}`;
      try {
        receive(data, owner, undefined);
      } catch (error) {
        faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
    clock.advance(500);
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (Math.floor(done / (count / samples)) > heap.length) {
      // What is under way is let go through, so that what is left is what is kept.
      await fetch(`${server.httpAddress}/healthz`);
      collect();
      heap.push(process.memoryUsage().heapUsed);
      report?.(
        `${done} datagrams, heap ${(heap.at(-1) as number) >> 10} KiB, resident ${process.memoryUsage().rss >> 20} MiB`,
      );
    }
  }
  await server.close();
  rmSync(folder, { recursive: true, force: true });
  return { faults, heap, sent };
}

function generate(generator: () => Uint8Array): Uint8Array | undefined {
  try {
    return generator();
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? 1);
  let unhandled = 0;
  process.on('unhandledRejection', (error) => {
    unhandled++;
    console.error('unhandled', error);
  });
  const result = await fuzzServer({ count, seed, report: console.log });
  console.log(result.sent);
  console.log(result.faults.slice(0, 10).join('\n'));
  const [first = 0] = result.heap.slice(1);
  const growth = ((result.heap.at(-1) ?? 0) - first) / first;
  console.log(
    `${result.faults.length} faults, ${unhandled} unhandled, heap grew by ${(growth * 100).toFixed(1)} % since the second sample`,
  );
  if (result.faults.length > 0 || unhandled > 0 || growth > 0.25) process.exitCode = 1;
}
