import { describe, expect, test } from 'vitest';
import type { Observer } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { pathOptions } from '../../../protocol/coap/options.ts';
import { bytes, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

/** The whole of a large representation speaks of one moment: "12 12 12 …". */
function representation(moment: number, length: number): Uint8Array {
  return bytes(`${moment} `.repeat(Math.ceil(length / `${moment} `.length)).slice(0, length));
}

function momentOf(payload: Uint8Array): number {
  const [first = ''] = text(payload).split(' ');
  expect(payload).toEqual(representation(Number(first), payload.length));
  return Number(first);
}

/** Patient enough that no message is given up by chance: that is told of elsewhere. */
const patient = { ackTimeout: 200, maxRetransmit: 9 };
/** MAX_TRANSMIT_SPAN (RFC 7252 §4.8.2): what one unlucky message may take. */
const ordinarySpan = patient.ackTimeout * 1.5 * (2 ** patient.maxRetransmit - 1);

interface Course {
  readonly blockSize: number;
  readonly loss: number;
  readonly every: number;
  readonly keep: boolean;
  readonly seed: number;
}

/** A large and a small resource that change all the time, both observed, for so long. */
async function observed({ blockSize, loss, every, keep, seed }: Course, milliseconds: number) {
  const world = new World({ loss, delay: 5, seed });
  const { clock } = world;
  const ends: string[] = [];
  /** As a device does it: the next state once the one before has arrived. */
  const feed = (observer: Observer, read: () => Uint8Array) => {
    const next = (): void => {
      observer.notify({ code: Code.CONTENT, payload: read() }, { confirmable: true, keep }, (delivered) => {
        if (delivered) clock.setTimer(every, next);
      });
    };
    next();
  };
  const moment = () => Math.floor(clock.now() / every);
  world.endpoint('device', {
    parameters: { ...patient, preferredBlockSize: blockSize },
    handler: (request) => {
      const isLarge =
        text(request.options.find(({ number }) => number === 11)?.value ?? bytes('')) === 'large';
      const read = () => representation(moment(), isLarge ? 1_600 : 10);
      const observer =
        request.observe === 0 ? request.acceptObserve((reason) => ends.push(reason)) : undefined;
      request.respond({ code: Code.CONTENT, payload: read() });
      if (observer !== undefined) feed(observer, read);
    },
  });
  const server = world.endpoint('server', { parameters: { ...patient, preferredBlockSize: blockSize } });
  const arrivals = { large: [] as number[], small: [] as number[] };
  const follow = (name: 'large' | 'small') =>
    server.observe(
      'device',
      { code: Code.GET, options: pathOptions(`/${name}`) },
      {
        onNotification: (one) => {
          expect(clock.now() - momentOf(one.payload) * every).toBeLessThan(150_000);
          arrivals[name].push(clock.now());
          one.accept();
        },
      },
    );
  const answers = await world.settle(Promise.all([follow('large'), follow('small')]), 500_000);
  for (const { response } of answers) momentOf(response.payload);
  const begun = clock.now();
  await clock.run(milliseconds);
  const longestGap = (times: readonly number[]) =>
    [...times, clock.now()].reduce((most, at, i) => Math.max(most, at - (times[i - 1] ?? begun)), 0);
  return {
    ends,
    faults: world.faults,
    large: arrivals.large.length,
    small: arrivals.small.length,
    largeGap: longestGap(arrivals.large),
    smallGap: longestGap(arrivals.small),
  };
}

describe('a large resource that changes every 10 to 20 ms', () => {
  test('is told whole again and again over a good link, from the first answer on', async () => {
    for (const blockSize of [64, 1_024]) {
      for (const every of [10, 20]) {
        const result = await observed({ blockSize, loss: 0, every, keep: true, seed: 1 }, 20_000);
        expect([result.ends, result.faults]).toEqual([[], []]);
        expect(result.largeGap).toBeLessThan(1_000);
        expect(result.smallGap).toBeLessThan(1_000);
      }
    }
  });

  test('goes on over a link that loses every fifth datagram, and what is small beside it flows', async () => {
    for (const keep of [true, false]) {
      for (let seed = 1; seed <= 4; seed++) {
        const result = await observed({ blockSize: 1_024, loss: 0.2, every: 10, keep, seed }, 300_000);
        expect([result.ends, result.faults]).toEqual([[], []]);
        expect(result.largeGap).toBeLessThan(ordinarySpan);
        expect(result.smallGap).toBeLessThan(ordinarySpan);
        expect([result.large, result.small].map((count) => count > 40)).toEqual([true, true]);
      }
    }
  });

  test('goes on in blocks of 64 bytes over such a link, and what is small does not wait for it', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const result = await observed({ blockSize: 64, loss: 0.2, every: 20, keep: true, seed }, 600_000);
      expect([result.ends, result.faults]).toEqual([[], []]);
      expect(result.large).toBeGreaterThan(5);
      expect(result.smallGap).toBeLessThan(ordinarySpan);
      expect(result.small).toBeGreaterThan(result.large * 4);
    }
  });
});
