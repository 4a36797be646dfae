import { describe, expect, test } from 'vitest';
import { lifetimesOf } from '../../../protocol/coap/lifetimes.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOf, uintOption } from '../../../protocol/coap/options.ts';
import { type CoapParameters, defaultParameters } from '../../../protocol/coap/parameters.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import type { LinkQuality } from '../../support/coap/lossy-link.ts';
import { World } from '../../support/coap/world.ts';

const BAD: LinkQuality = { loss: 0.2, duplicate: 0.1, reorder: 0.2, delay: 20, jitter: 3_000, seed: 7 };
const EXCHANGES = 1000;
const TRANSFERS = 100;
const BODY = 64 * 1024;

/** What a patient sender needs beside MAX_RETRANSMIT: whoever waits for it must be as patient. */
function patient(): Partial<CoapParameters> {
  const maxRetransmit = 12;
  const { maxTransmitWait, exchangeLifetime } = lifetimesOf({ ...defaultParameters, maxRetransmit });
  return { maxRetransmit, separateResponseTimeout: maxTransmitWait, blockTimeout: exchangeLifetime };
}

interface Tally {
  readonly completed: number;
  readonly timedOut: number;
}

async function tally(world: World, all: readonly Promise<unknown>[]): Promise<Tally> {
  let completed = 0;
  let timedOut = 0;
  const others: unknown[] = [];
  await world.settle(
    Promise.all(
      all.map((one) =>
        one.then(
          () => completed++,
          (error: unknown) => {
            if (error instanceof TimeoutError) timedOut++;
            else others.push(error);
          },
        ),
      ),
    ),
    1e12,
  );
  expect(others).toEqual([]);
  expect(world.faults).toEqual([]);
  return { completed, timedOut };
}

const NUMBER = OptionNumber.SIZE1;

/** 1000 POSTs, numbered; some handlers take longer than the ACK waits. Counts how often each ran. */
async function exchanges(
  parameters: Partial<CoapParameters>,
): Promise<Tally & { runs: Map<number, number> }> {
  const world = new World(BAD);
  const runs = new Map<number, number>();
  world.endpoint('server', {
    parameters,
    handler: (request) => {
      const number = uintOf(request.options, NUMBER) ?? -1;
      runs.set(number, (runs.get(number) ?? 0) + 1);
      const answer = () => request.respond({ code: Code.CHANGED, options: [uintOption(NUMBER, number)] });
      // Every third is answered late: a separate response.
      if (number % 3 === 0) world.clock.setTimer(number % 2 === 0 ? 1_500 : 5_000, answer);
      else answer();
    },
  });
  const client = world.endpoint('client', { parameters: { ...parameters, maxQueuedPerPeer: EXCHANGES } });
  const all = Array.from({ length: EXCHANGES }, async (_, number) => {
    const response = await client.request('server', {
      code: Code.POST,
      options: [...pathOptions('/count'), uintOption(NUMBER, number)],
    });
    expect(uintOf(response.options, NUMBER)).toBe(number);
  });
  return { ...(await tally(world, all)), runs };
}

/** 100 bodies of 64 KB, up and down in turn. */
async function transfers(
  parameters: Partial<CoapParameters>,
): Promise<Tally & { runs: Map<number, number> }> {
  const world = new World(BAD);
  const runs = new Map<number, number>();
  const body = (number: number) =>
    Uint8Array.from({ length: BODY }, (_, i) => (i * 7 + (i >> 8) * 13 + number) & 0xff);
  world.endpoint('server', {
    parameters,
    handler: (request) => {
      const number =
        request.options.find((option) => option.number === OptionNumber.URI_QUERY)?.value[0] ?? -1;
      runs.set(number, (runs.get(number) ?? 0) + 1);
      if (request.code === Code.GET) request.respond({ code: Code.CONTENT, payload: body(number) });
      else {
        expect(Buffer.compare(request.payload, body(number))).toBe(0);
        request.respond({ code: Code.CHANGED });
      }
    },
  });
  const client = world.endpoint('client', { parameters });
  const all = Array.from({ length: TRANSFERS }, async (_, number) => {
    const options = [
      ...pathOptions('/body'),
      { number: OptionNumber.URI_QUERY, value: Uint8Array.of(number) },
    ];
    if (number % 2 === 0) {
      const response = await client.request('server', { code: Code.GET, options });
      expect(Buffer.compare(response.payload, body(number))).toBe(0);
    } else {
      const response = await client.request('server', { code: Code.PUT, options, payload: body(number) });
      expect(response.code).toBe(Code.CHANGED);
    }
  });
  return { ...(await tally(world, all)), runs };
}

describe('on a link that loses 20 %, doubles 10 % and reorders 20 % each way', () => {
  test('1000 confirmable exchanges each end completed or with TimeoutError, no handler runs twice', async () => {
    const { completed, timedOut, runs } = await exchanges({});
    expect(completed + timedOut).toBe(EXCHANGES);
    expect(completed).toBeGreaterThan(EXCHANGES * 0.9);
    expect(Math.max(...runs.values())).toBe(1);
  });

  test('with MAX_RETRANSMIT 12 all of them complete, and each handler runs once', async () => {
    const { completed, runs } = await exchanges(patient());
    expect(completed).toBe(EXCHANGES);
    expect(runs.size).toBe(EXCHANGES);
    expect(Math.max(...runs.values())).toBe(1);
  });

  test('100 transfers of 64 KB each end completed or with TimeoutError, no handler runs twice', async () => {
    const { completed, timedOut, runs } = await transfers({});
    expect(completed + timedOut).toBe(TRANSFERS);
    expect(Math.max(...runs.values())).toBe(1);
  });

  test('with MAX_RETRANSMIT 12 all transfers complete, and each handler runs once', async () => {
    const { completed, runs } = await transfers(patient());
    expect(completed).toBe(TRANSFERS);
    expect(runs.size).toBe(TRANSFERS);
    expect(Math.max(...runs.values())).toBe(1);
  });

  test('confirmable notifications that are kept all arrive, once and in order', async () => {
    const world = new World(BAD);
    const delivered: boolean[] = [];
    const COUNT = 300;
    const server = world.endpoint('server', {
      parameters: { ...patient(), maxQueuedPerPeer: COUNT },
      handler: (request) => {
        const observer = request.acceptObserve(() => {});
        request.respond({ code: Code.CONTENT });
        for (let i = 0; i < COUNT; i++) {
          // Some are block-wise.
          const payload = new Uint8Array(i % 10 === 0 ? 3_000 : 4).fill(i);
          observer.notify({ code: Code.CONTENT, payload }, { keep: true }, (done) => delivered.push(done));
        }
      },
    });
    const client = world.endpoint('client', { parameters: patient() });
    const seen: number[] = [];
    await world.settle(
      client.observe(
        'server',
        { code: Code.GET, options: pathOptions('/log') },
        {
          onNotification: (one) => {
            seen.push(one.payload[0] as number);
            one.accept();
          },
        },
      ),
      1e12,
    );
    await world.clock.run(1e12, () => delivered.length === COUNT);
    expect(delivered).toEqual(Array.from({ length: COUNT }, () => true));
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, i) => i & 0xff));
    expect(server.statistics.retransmissions).toBeGreaterThan(0);
  });
});
