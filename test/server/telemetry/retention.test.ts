import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { createLog } from '../../../server/log.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { Retention } from '../../../server/telemetry/retention.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const bounds = {
  maxAge: 30 * DAY,
  maxBytes: 1e9,
  commandsMaxAge: 90 * DAY,
  commandsMaxCount: 700,
  jobsMaxAge: 90 * DAY,
  jobsMaxCount: 1,
  auditMaxAge: 86_400_000,
  auditMaxCount: 1_000,
  rollUpsMaxAge: 400 * DAY,
};
const logger = createLog('silent');

let stores: Stores;
let clock: FakeClock;

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  clock = new FakeClock();
});
afterEach(() => stores.close());

/** One entry in the log and one reading in the history, taken now. */
async function heard(): Promise<void> {
  const receivedAt = Math.round(clock.wallTime() * 1000);
  const position = await new Promise<number>((resolve, reject) => {
    const entry = { endpoint: 'a', key: `${receivedAt}`, receivedAt, body: new Uint8Array(10) };
    stores.log.append(entry, (error, at) => (error === undefined ? resolve(at) : reject(error)));
  });
  const readings = [{ takenAt: receivedAt, receivedAt, value: 1 }];
  await stores.history.append([{ endpoint: 'a', path: '/3/0/9', position, readings }]);
}

/** How many entries log and history have. */
async function kept(): Promise<{ log: number; history: number }> {
  const [entries, readings] = await Promise.all([
    stores.log.read(0, 100),
    stores.history.query({ endpoint: 'a', path: '/3/0/9', limit: 100 }),
  ]);
  return { log: entries.length, history: readings.length };
}

describe('retention', () => {
  it('removes jobs that have ended beyond their age and number', async () => {
    const retention = new Retention(stores, clock, logger, bounds);
    const { jobs } = stores;
    const job = { operation: { kind: 'forget' }, timeToLive: DAY, atOnce: 1, createdAt: clock.wallTime() };
    const left = async (): Promise<string[]> => (await jobs.list({ limit: 10 })).items.map(({ id }) => id);
    for (const [index, id] of ['first', 'second', 'open'].entries()) {
      await jobs.create({ ...job, id });
      if (id === 'open') break;
      await jobs.transition({ id, from: ['preparing'], to: 'done', at: clock.wallTime() + index });
    }
    await retention.sweep();
    expect(await left()).toEqual(['open', 'second']);
    await clock.run(91 * DAY);
    await retention.sweep();
    await retention.sweep();
    expect(await left()).toEqual(['open']);
  });

  it('removes commands that have ended beyond their age and number, however many in one sweep', async () => {
    const retention = new Retention(stores, clock, logger, bounds);
    const at = clock.wallTime();
    const command = { endpoint: 'a', kind: 'request', parameters: {}, createdAt: at, expiresAt: at + DAY };
    const given = await Promise.all(Array.from({ length: 1_800 }, () => stores.commands.enqueue(command)));
    await Promise.all(
      given
        .slice(0, -1)
        .map(({ command: { id } }, i) =>
          stores.commands.transition({ id, from: ['queued'], to: 'done', at: at + i }),
        ),
    );
    const left = async (): Promise<number> => (await stores.commands.list({ limit: 2_000 })).items.length;
    await retention.sweep();
    expect(await left()).toBe(701);
    clock.advance(91 * DAY);
    await retention.sweep();
    expect((await stores.commands.list({ limit: 2_000 })).items.map(({ state }) => state)).toEqual([
      'queued',
    ]);
  });

  it('removes what is older than its bound, and nothing else', async () => {
    const retention = new Retention(stores, clock, logger, bounds);
    await heard();
    clock.advance(20 * DAY);
    await heard();
    await retention.sweep();
    expect(await kept()).toEqual({ log: 2, history: 2 });
    clock.advance(11 * DAY);
    await retention.sweep();
    expect(await kept()).toEqual({ log: 1, history: 1 });
  });

  it('keeps roll-ups when their readings have gone, until their own age', async () => {
    const retention = new Retention(stores, clock, logger, bounds);
    const from = clock.wallTime() * 1000;
    await heard();
    const rolledUp = async () =>
      (
        await stores.history.series({
          endpoint: 'a',
          path: '/3/0/9',
          from: from - 1e9,
          to: from + 1e9,
          points: 9,
        })
      ).items;
    clock.advance(31 * DAY);
    await retention.sweep();
    expect((await kept()).history).toBe(0);
    expect(await rolledUp()).toMatchObject([{ count: 1, last: 1 }]);
    clock.advance(370 * DAY);
    await retention.sweep();
    expect(await rolledUp()).toEqual([]);
  });

  it.each([
    ['ten years ahead', 3650 * DAY],
    ['ten years back', -3650 * DAY],
  ])('removes nothing for a clock that was %s for a moment', async (_, step) => {
    const retention = new Retention(stores, clock, logger, bounds);
    await heard();
    const before = clock.wallTime();
    clock.setWallTime(before + step);
    await retention.sweep();
    clock.advance(HOUR / 6);
    clock.setWallTime(before + HOUR / 6);
    await retention.sweep();
    await retention.sweep();
    expect(await kept()).toEqual({ log: 1, history: 1 });
  });

  it('believes a step of the clock that the next sweep confirms', async () => {
    const retention = new Retention(stores, clock, logger, bounds);
    await heard();
    clock.setWallTime(clock.wallTime() + 31 * DAY);
    await retention.sweep();
    expect(await kept()).toEqual({ log: 1, history: 1 });
    clock.advance(HOUR / 6);
    await retention.sweep();
    expect(await kept()).toEqual({ log: 0, history: 0 });
  });

  it('lets the log be read before it is cut', async () => {
    const seen: number[] = [];
    const retention = new Retention(stores, clock, logger, bounds, async () => {
      seen.push((await stores.log.read(0, 100)).length);
    });
    await heard();
    clock.advance(31 * DAY);
    await retention.sweep();
    expect(seen).toEqual([1]);
    expect((await kept()).log).toBe(0);
  });

  it('leaves the log as it is while what is in it cannot be read, and bounds the rest', async () => {
    const retention = new Retention(stores, clock, logger, bounds, () =>
      Promise.reject(new Error('history is not written now')),
    );
    await heard();
    clock.advance(31 * DAY);
    await retention.sweep();
    expect(await kept()).toEqual({ log: 1, history: 0 });
  });

  it('sweeps on its own, and not after its end', async () => {
    let sweeps = 0;
    const retention = new Retention(stores, clock, logger, bounds, async () => {
      sweeps++;
    });
    retention.start();
    await clock.run(HOUR / 6);
    expect(sweeps).toBe(1);
    await retention.close();
    expect(clock.pending).toBe(0);
  });
});
