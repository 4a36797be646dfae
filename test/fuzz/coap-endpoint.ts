/**
 * Throws generated and mutated datagrams from many peers into an endpoint that is busy: requests of its
 * own under way, observers, observations, block-wise transfers both ways, slow and silent handlers.
 * `node test/fuzz/coap-endpoint.ts [datagrams] [seed]` prints heap figures after garbage collection and
 * ends with status 1 where anything was thrown, left unhandled, or kept.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decodeMessage, encodeMessage } from '../../protocol/coap/codec.ts';
import type { DatagramHandler, DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import { EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import type { CoapStatistics, IncomingRequest, Observer } from '../../protocol/coap/exchange.ts';
import {
  type CoapMessage,
  type CoapOption,
  Code,
  MessageType,
  OptionNumber,
} from '../../protocol/coap/message.ts';
import { blockOption, pathOptions, queryOptions, uintOption } from '../../protocol/coap/options.ts';
import { RequestTarget } from '../../protocol/coap/request-target.ts';
import { DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { FakeClock } from '../support/coap/fake-clock.ts';
import { seededBytes, seededRandom } from '../support/coap/lossy-link.ts';

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** Heap samples to take on the way. */
  readonly samples?: number;
  readonly report?: (line: string) => void;
}

export interface FuzzResult {
  /** Whatever was thrown into the port, by handlers' callers, or rejected with an error that no contract names. */
  readonly faults: unknown[];
  /** Bytes of heap in use after a full collection, at each sample. */
  readonly heap: number[];
  readonly statistics: CoapStatistics;
  readonly handled: number;
  /** Requests of the endpoint itself by how they ended. */
  readonly outcomes: Record<string, number>;
}

const HOT_PEERS = 24;
const COLD_PEERS = 20_000;
const KEPT_DATAGRAMS = 256;
const MAX_OBSERVATIONS = 400;
const CODES = [...Object.values(Code), 0x20, 0xc0, 0xe1, 0x1f];
const SIZES = [16, 32, 64, 128, 256, 512, 1024] as const;
const PATHS = ['/', '/a', '/big', '/slow', '/never', '/observe', '/rd', '/3/0/9'];
const NUMBERS = [...Object.values(OptionNumber), 9, 16, 65_001, 2_048, 65_535];

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

class FuzzPort implements DatagramPort {
  readonly local: PeerAddress = 'fuzzed';
  handler: DatagramHandler = () => {};
  onSend: (data: Uint8Array, peer: PeerAddress) => void = () => {};
  send(data: Uint8Array, peer: PeerAddress): void {
    this.onSend(data, peer);
  }
  onDatagram(handler: DatagramHandler): void {
    this.handler = handler;
  }
  onError(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
}

export async function fuzzEndpoint(options: FuzzOptions): Promise<FuzzResult> {
  const { count, seed, samples = 10, report = () => {} } = options;
  const next = seededRandom(seed);
  const integer = (below: number) => Math.floor(next() * below);
  const pick = <T>(list: readonly T[]): T => list[integer(list.length)] as T;
  const chance = (probability: number) => next() < probability;
  const bytes = (length: number) => Uint8Array.from({ length }, () => integer(256));

  const clock = new FakeClock();
  const port = new FuzzPort();
  const faults: unknown[] = [];
  const outcomes: Record<string, number> = {};
  const heap: number[] = [];
  const unanswered: IncomingRequest[] = [];
  const observers: Observer[] = [];
  let handled = 0;
  const big = bytes(5_000);
  const hot = Array.from({ length: HOT_PEERS }, (_, i) => `hot-${i}`);
  const anyPeer = () => (chance(0.85) ? pick(hot) : `cold-${integer(COLD_PEERS)}`);

  const handler = (request: IncomingRequest) => {
    handled++;
    if (request.observe === 0 && chance(0.8)) {
      const observer = request.acceptObserve(() => {
        const at = observers.indexOf(observer);
        if (at >= 0) observers.splice(at, 1);
      });
      if (observers.length < 64) observers.push(observer);
      else observer.end();
    }
    const dice = next();
    if (dice < 0.1) {
      if (unanswered.length < 500) unanswered.push(request);
      return;
    }
    if (dice < 0.12) return;
    request.respond(
      dice < 0.4
        ? { code: Code.CONTENT, payload: big }
        : {
            code: pick([Code.CHANGED, Code.CONTENT, Code.NOT_FOUND, Code.CREATED]),
            payload: bytes(integer(20)),
          },
    );
  };

  const endpoint = createCoapEndpoint({
    port,
    clock,
    handler,
    random: seededBytes(seed + 1),
    onFault: (error) => faults.push(error),
    parameters: {
      maxPeers: 2_000,
      maxObservers: 1_000,
      maxBlockTransfers: 200,
      maxBlockMemory: 4 * 1024 * 1024,
    },
    resolveObservation: (token, peer, _identity, done) => {
      const found = () =>
        done(
          token.startsWith('0') && endpoint.statistics.observations < MAX_OBSERVATIONS
            ? {
                key: { token, peer, request: { code: Code.GET, options: pathOptions('/observe') } },
                onNotification: (one) =>
                  chance(0.8) ? one.accept() : chance(0.5) ? one.reject() : one.ignore(),
              }
            : pick(['unknown', 'unavailable'] as const),
        );
      if (chance(0.5)) found();
      else clock.setTimer(50, found);
    },
  });

  // ---- what the endpoint itself asks for, so that there is state to hit

  const ended = (name: string) => {
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  };
  const failed = (error: unknown) => {
    for (const kind of [TimeoutError, ResetError, DecodeError, RequestError, EndpointClosedError]) {
      if (error instanceof kind) {
        ended(kind.name);
        return;
      }
    }
    faults.push(error);
  };
  const targets = hot.map((address) => new RequestTarget(address));
  const act = () => {
    const peer = pick(hot);
    const path = pathOptions(pick(PATHS));
    const confirmable = chance(0.8);
    const dice = next();
    if (dice < 0.4)
      endpoint
        .request(chance(0.5) ? peer : pick(targets), { code: Code.GET, options: path, confirmable })
        .then(() => ended('answered'), failed);
    else if (dice < 0.6) {
      const payload = bytes(chance(0.5) ? 3_000 : 10);
      endpoint
        .request(chance(0.5) ? peer : pick(targets), {
          code: Code.PUT,
          options: path,
          payload,
          timeout: 60_000,
        })
        .then(() => ended('answered'), failed);
    } else if (dice < 0.7) {
      endpoint
        .observe(
          peer,
          { code: Code.GET, options: path },
          {
            onNotification: (one) => (chance(0.9) ? one.accept() : one.reject()),
            followPeer: chance(0.5),
          },
        )
        .then(({ observation }) => {
          ended(observation === undefined ? 'declined' : 'observing');
          if (observation !== undefined && endpoint.statistics.observations > MAX_OBSERVATIONS / 2)
            observation.forget();
          else if (chance(0.3))
            observation?.cancel({ timeout: 10_000 }).then(() => ended('cancelled'), failed);
        }, failed);
    } else if (dice < 0.75) endpoint.ping(peer, { timeout: 5_000 }).then(() => ended('ponged'), failed);
    else if (dice < 0.78) pick(targets).moveTo(pick(hot));
    else if (dice < 0.8) pick(targets).heard();
    else if (dice < 0.95 && observers.length > 0) {
      pick(observers).notify(
        { code: chance(0.95) ? Code.CONTENT : Code.NOT_FOUND, payload: chance(0.3) ? big : bytes(8) },
        { confirmable: chance(0.6), keep: chance(0.3) },
        () => ended('notified'),
      );
    } else if (unanswered.length > 0) {
      const [request] = unanswered.splice(integer(unanswered.length), 1);
      request?.respond({ code: Code.CONTENT, payload: chance(0.3) ? big : bytes(4) });
    }
  };

  // ---- what comes back, and what comes unasked

  const inbox: { readonly data: Uint8Array; readonly peer: PeerAddress }[] = [];
  const kept: Uint8Array[] = [];
  const keep = (data: Uint8Array) => {
    if (kept.length < KEPT_DATAGRAMS) kept.push(data);
    else kept[integer(KEPT_DATAGRAMS)] = data;
  };

  /** A peer's plausible answer to a message of the endpoint. */
  const answer = (message: CoapMessage): CoapMessage | undefined => {
    const { type, code, messageId, token } = message;
    if (type === MessageType.ACK || type === MessageType.RST) return undefined;
    const empty = {
      messageId,
      code: Code.EMPTY,
      token: new Uint8Array(0),
      options: [],
      payload: new Uint8Array(0),
    };
    if (chance(0.05)) return { ...empty, type: MessageType.RST };
    if (code === Code.EMPTY || code >> 5 > 0 || chance(0.1)) return { ...empty, type: MessageType.ACK };
    const all: CoapOption[] = [];
    let payload = bytes(integer(30));
    const block1 = message.options.find(({ number }) => number === OptionNumber.BLOCK1);
    const block2 = message.options.find(({ number }) => number === OptionNumber.BLOCK2);
    if (message.options.some(({ number }) => number === OptionNumber.OBSERVE) && chance(0.9)) {
      all.push(uintOption(OptionNumber.OBSERVE, integer(1 << 24)));
    }
    if (block1 !== undefined) all.push(block1);
    if (block2 !== undefined || chance(0.3)) {
      const asked = (block2?.value ?? new Uint8Array(0)).reduce((value, byte) => value * 256 + byte, 0);
      const size = SIZES[Math.min(asked & 7, 6)] ?? 16;
      const more = chance(0.7);
      payload = bytes(more ? size : integer(size));
      all.push(blockOption(OptionNumber.BLOCK2, { number: asked >>> 4, more, size }));
    }
    const isMore = block1 !== undefined && ((block1.value.at(-1) ?? 0) & 8) !== 0;
    return {
      type: chance(0.7) ? MessageType.ACK : pick([MessageType.CON, MessageType.NON]),
      code: isMore
        ? Code.CONTINUE
        : pick([Code.CONTENT, Code.CHANGED, Code.CONTENT, Code.UNAUTHORIZED, Code.NOT_FOUND]),
      messageId: chance(0.9) ? messageId : integer(65_536),
      token,
      options: all,
      payload,
    };
  };

  port.onSend = (data, peer) => {
    if (chance(0.1)) keep(data.slice());
    if (!chance(0.6) || inbox.length > 64) return;
    const reply = answer(decodeMessage(data));
    if (reply !== undefined) inbox.push({ data: encodeMessage(reply), peer });
  };

  const generated = (): Uint8Array => {
    const all: CoapOption[] = [...pathOptions(pick(PATHS))];
    if (chance(0.2)) all.push(uintOption(OptionNumber.OBSERVE, integer(chance(0.8) ? 2 : 1 << 24)));
    if (chance(0.2)) {
      const block = { number: integer(chance(0.9) ? 4 : 1 << 20), more: chance(0.6), size: pick(SIZES) };
      all.push(blockOption(chance(0.5) ? OptionNumber.BLOCK1 : OptionNumber.BLOCK2, block));
    }
    if (chance(0.1)) all.push(...queryOptions(['ep=fuzz', `n=${integer(5)}`]));
    if (chance(0.1)) all.push({ number: pick(NUMBERS), value: bytes(integer(12)) });
    const type = integer(4) as MessageType;
    const code = pick(CODES);
    if (code === Code.EMPTY) {
      return encodeMessage({
        type,
        code,
        messageId: integer(65_536),
        token: new Uint8Array(0),
        options: [],
        payload: new Uint8Array(0),
      });
    }
    return encodeMessage({
      type: chance(0.7) ? pick([MessageType.CON, MessageType.NON]) : type,
      code: chance(0.7) ? pick([Code.GET, Code.GET, Code.PUT, Code.POST, Code.FETCH]) : code,
      messageId: chance(0.5) ? integer(256) : integer(65_536),
      token: chance(0.3) ? Uint8Array.of(integer(4)) : bytes(integer(9)),
      options: all,
      payload: chance(0.3) ? bytes(pick(SIZES)) : bytes(integer(16)),
    });
  };

  const mutated = (original: Uint8Array): Uint8Array => {
    const dice = next();
    if (dice < 0.2) return original.slice(0, integer(original.length + 1));
    if (dice < 0.3) return new Uint8Array([...original, ...bytes(integer(20))]);
    if (dice < 0.4 && kept.length > 0) {
      const other = pick(kept);
      return new Uint8Array([
        ...original.subarray(0, integer(original.length)),
        ...other.subarray(integer(other.length)),
      ]);
    }
    const copy = original.slice();
    for (let i = integer(4) + 1; i > 0 && copy.length > 0; i--) copy[integer(copy.length)] = integer(256);
    return copy;
  };

  const datagram = (): { readonly data: Uint8Array; readonly peer: PeerAddress } => {
    const waiting = chance(0.4) ? inbox.shift() : undefined;
    if (waiting !== undefined) return chance(0.75) ? waiting : { ...waiting, data: mutated(waiting.data) };
    const dice = next();
    if (dice < 0.05) return { data: bytes(integer(64)), peer: anyPeer() };
    const data = dice < 0.3 && kept.length > 0 ? pick(kept) : generated();
    if (chance(0.05)) keep(data);
    return { data: chance(0.6) ? data.slice() : mutated(data), peer: anyPeer() };
  };

  const every = Math.max(1, Math.floor(count / samples));
  for (let i = 1; i <= count; i++) {
    const { data, peer } = datagram();
    try {
      port.handler(data, peer, undefined);
      if (i % 20 === 0) act();
      if (i % 10 === 0) clock.advance(integer(200));
    } catch (error) {
      faults.push(error);
    }
    // Promises, and now and then a long silence in which everything times out.
    if (i % 1_000 === 0) await clock.run(chance(0.02) ? 600_000 : 1);
    if (i % every === 0) {
      // Settled between samples: what is bounded but filling must not look like a leak.
      await clock.run(1e9, () => endpoint.statistics.outstanding === 0);
      await clock.run(600_000);
      // Twice, with a turn of the event loop between: buffers are given back after the collection.
      collect();
      await new Promise((resolve) => setImmediate(resolve));
      collect();
      heap.push(process.memoryUsage().heapUsed);
      const { peers, observers: held, observations, outstanding, blockTransfers } = endpoint.statistics;
      report(
        `${i} datagrams: heap ${(process.memoryUsage().heapUsed / 2 ** 20).toFixed(1)} MiB, external ${(process.memoryUsage().arrayBuffers / 2 ** 20).toFixed(1)} MiB, rss ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB; ${peers} peers, ${held} observers, ${observations} observations, ${outstanding} outstanding, ${blockTransfers} transfers`,
      );
    }
    if (faults.length > 10) break;
  }
  const statistics = { ...endpoint.statistics };
  await endpoint.close();
  await clock.run(1);
  return { faults, heap, statistics, handled, outcomes };
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? 1);
  let unhandled = 0;
  process.on('unhandledRejection', (error) => {
    unhandled++;
    console.error('unhandled rejection', error);
  });
  const started = performance.now();
  const result = await fuzzEndpoint({ count, seed, report: (line) => console.log(line) });
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s, ${result.handled} requests handled`);
  console.log(result.statistics, result.outcomes);
  for (const fault of result.faults) console.error(fault);
  // The first sample is taken while compiled code and pools still grow.
  const [, first = 0] = result.heap;
  const last = result.heap.at(-1) ?? 0;
  const grown = last - first > Math.max(4 * 2 ** 20, first * 0.2);
  if (grown) console.error(`the heap grew from ${first} to ${last} bytes`);
  process.exitCode = result.faults.length > 0 || unhandled > 0 || grown ? 1 : 0;
}
