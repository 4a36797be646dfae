import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { createLog } from '../../../server/log.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { StatisticsStore } from '../../../server/ports/statistics-store.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { FleetStatistics } from '../../../server/statistics/fleet-statistics.ts';
import { type Counters, counterNames } from '../../../server/statistics/metrics.ts';
import { StatisticsSampler } from '../../../server/statistics/sampler.ts';
import { SwitchCounter } from '../../../server/statistics/switch-counter.ts';
import { aRegistration } from '../../contract/engine.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** A midnight. */
const origin = 1_767_225_600_000;

let stores: Stores;
let clock: ManualClock;
let counters: Counters;
let sampler: StatisticsSampler;
let statistics: FleetStatistics;

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  clock = new ManualClock(origin);
  counters = Object.fromEntries(counterNames.map((name) => [name, 0])) as Counters;
  sampler = samplerOn(stores.statistics);
  statistics = new FleetStatistics(stores, sampler, clock);
});
afterEach(() => stores.close());

function samplerOn(store: StatisticsStore): StatisticsSampler {
  return new StatisticsSampler({
    store,
    devices: stores.devices,
    counters: () => counters,
    clock,
    log: createLog('silent'),
  });
}

/** Time passes, with a look every five seconds. */
async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 5000) {
    clock.advance(5000);
    await sampler.look();
  }
}

const minutes = (from = 0, to = Number.MAX_SAFE_INTEGER) =>
  stores.statistics.read({ step: 'minute', from, to });

test('each minute is written down when it is over: what there was at its end, and what happened in it', async () => {
  await stores.registrations.register(aRegistration('a'));
  await sampler.look();
  counters.readings += 30;
  await pass(50_000);
  expect(await minutes()).toEqual([]);
  await stores.registrations.register(aRegistration('b'));
  counters.readings += 12;
  await pass(10_000);
  counters.readings += 5;
  await pass(MINUTE);
  expect(await minutes()).toMatchObject([
    { at: origin, gauges: { registered: 2 }, counters: { readings: 42, events: 0 } },
    { at: origin + MINUTE, gauges: { registered: 2 }, counters: { readings: 5 } },
  ]);
});

test('what was counted when the server closes is written down, and goes on after its start', async () => {
  await sampler.look();
  counters.readings += 3;
  await sampler.close();
  await sampler.close();
  counters.readings = 0;
  sampler = samplerOn(stores.statistics);
  await pass(10_000);
  counters.readings += 4;
  await pass(MINUTE);
  expect(await minutes()).toMatchObject([{ at: origin, counters: { readings: 7 } }]);
});

test('while the store is out minutes wait for it, and those of a server that did not run are not there', async () => {
  let out = true;
  sampler = samplerOn({
    ...stores.statistics,
    add: (sample) =>
      out ? Promise.reject(new StoreUnavailableError('the disk is full')) : stores.statistics.add(sample),
  });
  counters.readings += 1;
  await pass(2 * MINUTE);
  expect(await minutes()).toEqual([]);
  out = false;
  await pass(MINUTE);
  expect((await minutes()).map(({ at }) => (at - origin) / MINUTE)).toEqual([0, 1, 2]);
  clock.advance(10 * MINUTE);
  sampler = samplerOn(stores.statistics);
  await pass(MINUTE);
  expect((await minutes()).map(({ at }) => (at - origin) / MINUTE)).toEqual([0, 1, 2, 13]);
});

test('what is too old goes, minutes before hours', async () => {
  for (const at of [origin - 400 * DAY, origin - 20 * DAY, origin - 10 * DAY]) {
    await stores.statistics.add({ at, gauges: {}, counters: {} });
  }
  await sampler.look();
  expect((await minutes()).map(({ at }) => at)).toEqual([origin - 10 * DAY]);
  const hours = await stores.statistics.read({ step: 'hour', from: 0, to: origin });
  expect(hours.map(({ at }) => at)).toEqual([origin - 20 * DAY, origin - 10 * DAY]);
});

test('the overview tells what is now, with what is not written down yet', async () => {
  await stores.registrations.register(aRegistration('a'));
  await stores.registrations.register(aRegistration('b', { queueMode: true, updatedAt: origin - DAY }));
  await stores.devices.setAttributes('a', { carrier: 'AT&T' });
  await sampler.look();
  counters['switches-ack'] += 2;
  counters.readings += 100;
  await pass(MINUTE);
  counters['switches-nack'] += 1;
  counters.readings += 50;
  clock.advance(5000);
  await sampler.look();
  const command = { endpoint: 'a', parameters: {}, createdAt: origin, expiresAt: origin + DAY };
  await stores.commands.enqueue({ ...command, kind: 'carrier-switch' });
  await stores.commands.enqueue({ ...command, kind: 'request' });
  expect(await statistics.overview(origin)).toEqual({
    now: origin + MINUTE + 5000,
    devices: { known: 2, registered: 2, awake: 1, asleep: 1, lost: 0, left: 0 },
    carriers: [
      { value: null, count: 1 },
      { value: 'AT&T', count: 1 },
    ],
    switches: { ack: 2, nack: 1, other: 0, pending: 1 },
    readingsPerSecond: 10,
    notificationsPerSecond: 0,
    comparison: {
      at: origin + MINUTE + 5000 - WEEK,
      devices: null,
      switches: null,
      readingsPerSecond: null,
    },
  });
  expect((await statistics.overview(origin + MINUTE)).switches).toMatchObject({ ack: 0, nack: 1 });
});

test('it is compared with the same moment a week before, where enough of that was kept', async () => {
  const gauges = { known: 9, registered: 8, awake: 5, asleep: 3, lost: 1, left: 0 };
  const add = (minute: number, change: Record<string, number> = {}) =>
    stores.statistics.add({
      at: origin - WEEK + minute * MINUTE,
      gauges: { ...gauges, known: minute },
      counters: { readings: 120, 'switches-ack': 1, 'switches-nack': 0, 'switches-other': 0, ...change },
    });
  for (let minute = 0; minute <= 19; minute++) await add(minute);
  clock.advance(20 * MINUTE);
  const { comparison } = await statistics.overview(origin);
  expect(comparison).toEqual({
    at: origin - WEEK + 20 * MINUTE,
    devices: { ...gauges, known: 19 },
    switches: { ack: 20, nack: 0, other: 0 },
    readingsPerSecond: 2,
  });
  // Of the half hour before nothing is known: its sum would be a lie.
  const half = (await statistics.overview(origin - 30 * MINUTE)).comparison;
  expect([half.switches, half.devices?.known]).toEqual([null, 19]);
  clock.advance(5 * MINUTE);
  expect((await statistics.overview(origin)).comparison).toMatchObject({
    devices: null,
    switches: null,
    readingsPerSecond: null,
  });
});

test('a series tells gauges by their last and counters by their sum, and nothing where nothing was kept', async () => {
  for (const minute of [0, 1, 4, 5, 14]) {
    await stores.statistics.add({
      at: origin + minute * MINUTE,
      gauges: { awake: minute },
      counters: { readings: 10 },
    });
  }
  clock.advance(HOUR);
  const { step, series } = await statistics.series(
    ['awake', 'readings', 'events'],
    origin,
    origin + HOUR,
    12,
  );
  expect(step).toBe(5 * MINUTE);
  expect(series).toEqual({
    awake: [
      [origin, 4],
      [origin + 5 * MINUTE, 5],
      [origin + 10 * MINUTE, 14],
    ],
    readings: [
      [origin, 30],
      [origin + 5 * MINUTE, 10],
      [origin + 10 * MINUTE, 10],
    ],
    events: [],
  });
});

test('a series of long ago is made of hours', async () => {
  await stores.statistics.add({ at: origin - 30 * DAY, gauges: { awake: 1 }, counters: {} });
  await sampler.look();
  const { step, series } = await statistics.series(
    ['awake'],
    origin - 30 * DAY,
    origin - 30 * DAY + HOUR,
    60,
  );
  expect(step).toBe(HOUR);
  expect(series.awake).toEqual([[origin - 30 * DAY, 1]]);
  expect((await statistics.series(['awake'], 0, origin, 10)).series.awake).toHaveLength(1);
});

test('carrier switches are counted when they end, by what the card said', () => {
  const counter = new SwitchCounter();
  const command = {
    id: 'c',
    endpoint: 'a',
    number: 1,
    kind: 'carrier-switch',
    parameters: {},
    attempts: 1,
    createdAt: 0,
    updatedAt: 0,
    expiresAt: 0,
    history: [],
  };
  for (const state of ['queued', 'sent', 'accepted', 'expired', 'unknown'] as const) {
    counter.step({ ...command, state });
  }
  counter.step({ ...command, state: 'done', result: { answer: 'ACK' } });
  counter.step({ ...command, state: 'failed', result: { answer: 'NACK' } });
  counter.step({ ...command, state: 'failed', reason: 'the device refused: 4.05' });
  counter.step({ ...command, kind: 'request', state: 'done' });
  expect(counter.counts).toEqual({ ack: 1, nack: 1, other: 3 });
});
