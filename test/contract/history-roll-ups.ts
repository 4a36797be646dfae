import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  History,
  HistoryChunk,
  HistoryReading,
  HistorySeries,
  HistorySummary,
} from '../../server/ports/history.ts';
import { historySteps, stepFor } from '../../server/ports/history-steps.ts';
import { type OpenStores, useStores } from './engine.ts';
import { allBefore } from './history.ts';

const second = 1_000_000;
const minute = 60 * second;
const quarter = 15 * minute;
const hour = 60 * minute;
const day = 24 * hour;
/** µs since the epoch, the beginning of a day. */
const epoch = 20_000 * day;
const series = { endpoint: 'a', path: '/42770/0/2' };

export function aChunk(
  position: number,
  readings: readonly (readonly [number, HistoryReading['value']])[],
): HistoryChunk {
  const receivedAt = epoch + 40 * day;
  return {
    ...series,
    position,
    readings: readings.map(([takenAt, value]) => ({ takenAt, receivedAt, value })),
  };
}

/** Readings once a second with what a sine makes of their time, in packs of so many. */
export function everySecond(from: number, to: number, pack = 60): HistoryChunk[] {
  const chunks: HistoryChunk[] = [];
  for (let at = from; at < to; at += pack * second) {
    const count = Math.min(pack, Math.ceil((to - at) / second));
    const times = Array.from({ length: count }, (_, index) => at + index * second);
    chunks.push(
      aChunk(
        chunks.length + 1,
        times.map((time) => [time, wave(time)] as const),
      ),
    );
  }
  return chunks;
}

function wave(time: number): number {
  return Math.round(Math.sin(time / (3 * hour)) * 1000) / 8;
}

/** What the port promises, the plain way. `readings` in the order of the series. */
function plainly(
  readings: readonly { readonly takenAt: number; readonly value: HistoryReading['value'] }[],
  step: number,
): HistorySummary[] {
  const steps = new Map<number, number[]>();
  for (const { takenAt, value } of readings) {
    const number = typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) continue;
    const at = step === 0 ? takenAt : Math.floor(takenAt / step) * step;
    const values = steps.get(at) ?? [];
    steps.set(at, values);
    values.push(number);
  }
  return [...steps].map(([at, values]) => ({
    at,
    count: values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    mean: values.reduce((sum, value) => sum + value / values.length, 0),
    last: values.at(-1) as number,
  }));
}

function expectSeries(found: HistorySeries, step: number, expected: readonly HistorySummary[]): void {
  expect(found.step).toBe(step);
  const bare = ({ at, count, min, max, last }: HistorySummary) => ({ at, count, min, max, last });
  expect(found.items.map(bare)).toEqual(expected.map(bare));
  for (const [index, { mean, min, max }] of found.items.entries()) {
    const plain = (expected[index] as HistorySummary).mean;
    expect(Math.abs(mean - plain)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(plain)));
    expect(mean >= min && mean <= max).toBe(true);
  }
}

const within =
  (from: number, to: number) =>
  ({ takenAt }: { readonly takenAt: number }) =>
    takenAt >= from && takenAt < to;

export function describeHistoryRollUps(name: string, open: OpenStores): void {
  describe(`History's roll-ups, ${name}`, () => {
    const stores = useStores(open);

    test('a range of few readings comes as it is, with truth values as 0 and 1, and nothing for texts', async () => {
      const { history } = stores();
      expect(await history.series({ ...series, from: 0, to: epoch, points: 10 })).toEqual({
        step: 0,
        items: [],
      });
      await history.append([
        aChunk(1, [
          [epoch + 5, true],
          [epoch + 3, 7.5],
          [epoch + 4, 'text'],
          [epoch + 6, 'NaN'],
          [epoch + 7, Number.NaN],
          [epoch + 8, Number.NEGATIVE_INFINITY],
          [epoch + 9, false],
        ]),
      ]);
      const one = (at: number, value: number) => ({
        at,
        count: 1,
        min: value,
        max: value,
        mean: value,
        last: value,
      });
      const range = { ...series, from: epoch + 3, to: epoch + 9 };
      const items = [one(epoch + 3, 7.5), one(epoch + 5, 1)];
      expect(await history.series({ ...range, points: 2 })).toEqual({ step: 0, items });
      await history.rollUp(epoch + day);
      expect(await history.series({ ...range, points: 2 })).toEqual({ step: 0, items });
      expect(await history.series({ ...range, to: range.from, points: 2 })).toEqual({ step: 0, items: [] });
    });

    test('the step is the shortest that makes few enough points, before and after the roll-ups are made', async () => {
      const { history } = stores();
      await history.append(everySecond(epoch, epoch + 8 * hour));
      const all = await history.query({ ...series, limit: 100_000 });
      for (const rolledUp of [0, epoch + 5 * hour, epoch + day]) {
        await history.rollUp(rolledUp);
        for (const [from, to, points, step] of [
          [epoch, epoch + 8 * hour, 10_000, 5 * second],
          [epoch, epoch + 8 * hour, 500, minute],
          [epoch, epoch + 8 * hour, 479, 3 * minute],
          [epoch, epoch + 8 * hour, 100, 5 * minute],
          [epoch, epoch + 8 * hour, 33, quarter],
          [epoch, epoch + 8 * hour, 10, hour],
          [epoch, epoch + 8 * hour, 1, 12 * hour],
          [epoch + 2 * hour, epoch + 2 * hour + 10 * minute, 600, 0],
          [epoch + 2 * hour, epoch + 2 * hour + 10 * minute, 599, 2 * second],
        ] as const) {
          const found = await history.series({ ...series, from, to, points });
          expectSeries(found, step, plainly(all.filter(within(from, to)), step));
        }
      }
    });

    test('a range is extended to whole steps', async () => {
      const { history } = stores();
      await history.append(everySecond(epoch, epoch + 3 * hour));
      await history.rollUp(epoch + day);
      const all = await history.query({ ...series, limit: 100_000 });
      for (const [from, to, points, step] of [
        [epoch + 1, epoch + 2 * hour + 1, 130, minute],
        [epoch + 7 * minute + 1, epoch + 2 * hour - 1, 30, 5 * minute],
        [epoch + 7 * minute, epoch + 2 * hour + 8 * minute, 9, quarter],
        [epoch + second + 1, epoch + 600 * second + 1, 590, 2 * second],
      ] as const) {
        const found = await history.series({ ...series, from, to, points });
        const whole = within(Math.floor(from / step) * step, Math.ceil(to / step) * step);
        expectSeries(found, step, plainly(all.filter(whole), step));
      }
    });

    test('where nothing was taken there is no step', async () => {
      const { history } = stores();
      await history.append(everySecond(epoch, epoch + 30 * minute));
      await history.append(
        everySecond(epoch + 3 * hour, epoch + 4 * hour).map((chunk) => ({
          ...chunk,
          position: chunk.position + 100,
        })),
      );
      await history.rollUp(epoch + day);
      const { items } = await history.series({ ...series, from: epoch, to: epoch + 5 * hour, points: 20 });
      expect(items.map(({ at }) => (at - epoch) / quarter)).toEqual([0, 1, 12, 13, 14, 15]);
    });

    test('a reading that comes late is in the roll-up of its time', async () => {
      const { history } = stores();
      await history.append(everySecond(epoch, epoch + hour));
      await history.rollUp(epoch + day);
      await history.append([aChunk(1000, [[epoch + 20 * minute + 1, 1e6]])]);
      for (const rolledUp of [0, epoch + day]) {
        await history.rollUp(rolledUp);
        const { items } = await history.series({ ...series, from: epoch, to: epoch + hour, points: 4 });
        expect(items.map(({ count, max }) => [count, max === 1e6])).toEqual([
          [900, false],
          [901, true],
          [900, false],
          [900, false],
        ]);
      }
    });

    test('readings that come while their quarter is rolled up are not lost to it', async () => {
      const { history } = stores();
      let more = true;
      const rolling = (async () => {
        while (more) await history.rollUp(epoch + day);
      })();
      const count = 300;
      for (let index = 0; index < count; index++) {
        await history.append([aChunk(index + 1, [[epoch + index * second, index]])]);
      }
      more = false;
      await rolling;
      // What was said to be rolled up is told; then what is left is rolled up too.
      for (let round = 0; round < 2; round++) {
        const { items } = await history.series({ ...series, from: epoch, to: epoch + quarter, points: 1 });
        expect(items).toMatchObject([{ count, max: count - 1, last: count - 1 }]);
        await history.rollUp(epoch + day);
      }
    });

    test('roll-ups stay when the readings have gone, and take what comes after that, once', async () => {
      const { history } = stores();
      const chunks = everySecond(epoch, epoch + 6 * hour);
      await history.append(chunks);
      const all = await history.query({ ...series, limit: 100_000 });
      await history.trim({
        readingsBefore: epoch + 3 * hour + 1,
        rollUpsBefore: epoch,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      expect(await history.query({ ...series, to: epoch + 3 * hour + 1, limit: 1 })).toEqual([]);
      const whole = { ...series, from: epoch, to: epoch + 6 * hour };
      // Of what has gone only the quarters are known, however many points there might be.
      expectSeries(await history.series({ ...whole, points: 10_000 }), quarter, plainly(all, quarter));
      const kept = { from: epoch + 4 * hour, to: epoch + 6 * hour };
      expectSeries(
        await history.series({ ...series, ...kept, points: 120 }),
        minute,
        plainly(all.filter(within(kept.from, kept.to)), minute),
      );
      // Repeated, as after a crash, and late for what has gone, and repeated again.
      await history.append(chunks.slice(0, 200));
      const late = [
        aChunk(1000, [[epoch + hour + 1, -5000]]),
        aChunk(1001, [
          [epoch - hour, 1],
          [epoch + 5 * hour + 1, 2],
        ]),
      ];
      await history.append(late);
      await history.append(late);
      await history.trim({
        readingsBefore: epoch + 3 * hour + 2,
        rollUpsBefore: 0,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      await history.append([...chunks, ...late]);
      const more = [...all, ...late.flatMap(({ readings }) => readings)].sort(
        (a, b) => a.takenAt - b.takenAt,
      );
      expectSeries(
        await history.series({ ...whole, from: epoch - hour, points: 28 }),
        quarter,
        plainly(more, quarter),
      );
    });

    test('roll-ups go by their own age, and never before their readings', async () => {
      const { history } = stores();
      await history.append(everySecond(epoch, epoch + 2 * hour));
      const counts = async () =>
        (await history.series({ ...series, from: epoch, to: epoch + 2 * hour, points: 8 })).items.length;
      await history.trim({
        readingsBefore: epoch,
        rollUpsBefore: epoch + hour,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      expect(await counts()).toBe(8);
      await history.trim({
        readingsBefore: epoch + hour,
        rollUpsBefore: epoch + 46 * minute,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      expect(await counts()).toBe(5);
      await history.trim(allBefore(epoch + day));
      expect(await history.paths('a')).toEqual([]);
    });

    test('history is bounded by bytes: the oldest readings go first, then the oldest roll-ups', async () => {
      const { history } = stores();
      // A reading each minute, one to a call, for a day; more than 100 bytes each.
      for (let index = 0; index < 1440; index++) {
        await history.append([aChunk(index + 1, [[epoch + index * minute, index]])]);
      }
      const bounds = { readingsBefore: 0, rollUpsBefore: 0 };
      await history.trim({ ...bounds, maxBytes: 100_000_000 });
      expect(await history.query({ ...series, limit: 10_000 })).toHaveLength(1440);
      await history.trim({ ...bounds, maxBytes: 84_000 });
      const left = await history.query({ ...series, limit: 10_000 });
      expect(left.length).toBeGreaterThan(60);
      expect(left.length).toBeLessThan(840);
      expect(left.at(-1)?.value).toBe(1439);
      const items = async () =>
        (await history.series({ ...series, from: epoch, to: epoch + day, points: 96 })).items;
      expect(await items()).toHaveLength(96);
      // So few that roll-ups go too; what has readings keeps its own.
      await history.trim({ ...bounds, maxBytes: 5_000 });
      expect((await items()).length).toBeLessThan(60);
      expect((await items()).at(-1)?.last).toBe(1439);
      // What was removed is not counted any more: nothing else goes.
      const before = await items();
      const readings = await history.query({ ...series, limit: 10_000 });
      await history.trim({ ...bounds, maxBytes: 5_000 });
      expect(await items()).toEqual(before);
      expect(await history.query({ ...series, limit: 10_000 })).toEqual(readings);
    });

    test('a trim of a time to come removes what is there, and nothing of what comes', async () => {
      const { history } = stores();
      await history.append(everySecond(epoch, epoch + hour));
      await history.trim({
        readingsBefore: epoch + 3650 * day,
        rollUpsBefore: 0,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      expect(await history.query({ ...series, limit: 10 })).toEqual([]);
      const next = everySecond(epoch + hour, epoch + 2 * hour).map((chunk) => ({
        ...chunk,
        position: chunk.position + 60,
      }));
      await history.append(next);
      expect(await history.query({ ...series, limit: 10_000 })).toHaveLength(3600);
      const { step, items } = await history.series({
        ...series,
        from: epoch + hour,
        to: epoch + 2 * hour,
        points: 60,
      });
      expect(step).toBe(minute);
      expect(items.map(({ count }) => count)).toEqual(new Array(60).fill(60));
    });

    test('readings at the ends of what a number holds have a mean', async () => {
      const { history } = stores();
      const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE, Number.MAX_VALUE];
      await history.append([
        aChunk(
          1,
          extremes.map((value, index) => [epoch + index * 5 * minute, value] as const),
        ),
      ]);
      await history.rollUp(epoch + day);
      const { items } = await history.series({ ...series, from: epoch, to: epoch + hour, points: 1 });
      expect(items).toHaveLength(1);
      expect(items[0]).toMatchObject({ count: 4, min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
      expect(items[0]?.mean).toBeCloseTo(Number.MAX_VALUE / 2, -300);
    });

    test('texts in great number have no series', async () => {
      const { history } = stores();
      await history.append(
        Array.from({ length: 6000 }, (_, index) => aChunk(index + 1, [[epoch + index * second, 'on']])),
      );
      await history.rollUp(epoch + day);
      expect((await history.series({ ...series, from: epoch, to: epoch + day, points: 10 })).items).toEqual(
        [],
      );
    });

    test('roll-ups are what the readings come to, whatever is late, repeated, rolled up and trimmed in between', async () => {
      const { history } = stores();
      await fc.assert(
        fc.asyncProperty(fc.array(anAction(), { minLength: 1, maxLength: 25 }), async (actions) => {
          const trial = new Trial(history);
          for (const action of actions) await trial.run(action);
          await trial.check();
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('steps of history', () => {
    test.each(historySteps.slice(0, -10))('%i µs fits the longer steps that are made of it', (step) => {
      const whole = [minute, quarter, day].find((candidate) => step <= candidate) ?? day;
      expect(whole % step).toBe(0);
    });

    test('a span that is longer than all of them together has the longest', () => {
      expect(stepFor(1e18, 1)).toBe(historySteps.at(-1));
      expect(stepFor(0, 1)).toBe(1000);
      expect(stepFor(0, 1, quarter)).toBe(quarter);
    });
  });
}

type Action =
  | { readonly kind: 'append'; readonly readings: readonly (readonly [number, HistoryReading['value']])[] }
  | { readonly kind: 'repeat'; readonly back: number }
  | { readonly kind: 'rollUp'; readonly at: number }
  | { readonly kind: 'trim'; readonly at: number };

function anAction(): fc.Arbitrary<Action> {
  const time = fc.integer({ min: 0, max: 5 * 3600 }).map((seconds) => epoch + seconds * second);
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -50, max: 50 }) },
    { weight: 1, arbitrary: fc.constantFrom<HistoryReading['value']>('text', true, false, Number.NaN) },
  );
  const readings = fc.array(fc.tuple(time, value), { minLength: 1, maxLength: 12 });
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), readings }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), back: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollUp' as const), at: time }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), at: time }) },
  );
}

let trials = 0;
/** Positions rise through all trials, as those of a log do. */
let position = 0;

/** A series of its own, and all that was ever appended to it. */
class Trial {
  readonly #history: History;
  readonly #path = `/1/${trials++}`;
  readonly #chunks: HistoryChunk[] = [];
  #trimmed = epoch;

  constructor(history: History) {
    this.#history = history;
  }

  async run(action: Action): Promise<void> {
    if (action.kind === 'append') {
      const chunk = { ...aChunk(++position, action.readings), path: this.#path };
      this.#chunks.push(chunk);
      await this.#history.append([chunk]);
    } else if (action.kind === 'repeat') {
      await this.#history.append(this.#chunks.slice(-action.back - 1));
    } else if (action.kind === 'rollUp') {
      await this.#history.rollUp(action.at);
    } else {
      this.#trimmed = Math.max(this.#trimmed, action.at);
      await this.#history.trim({
        readingsBefore: action.at,
        rollUpsBefore: 0,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
    }
    if (position % 5 === 0) await this.check();
  }

  async check(): Promise<void> {
    const readings = this.#chunks
      .flatMap((chunk) => chunk.readings.map((reading) => ({ ...reading, position: chunk.position })))
      .sort((a, b) => a.takenAt - b.takenAt || a.position - b.position);
    const end = epoch + 6 * hour;
    for (const [from, points] of [
      [epoch, 24],
      [epoch, 6],
      [epoch, 1],
    ] as const) {
      const found = await this.#history.series({ endpoint: 'a', path: this.#path, from, to: end, points });
      if (found.step === 0) {
        // All of them are there: none was trimmed.
        expectSeries(found, 0, single(readings));
        continue;
      }
      expectSeries(found, stepFor(end - from, points, quarter), plainly(readings, found.step));
    }
    // Of what cannot be gone the minutes are known too.
    const from = Math.ceil(this.#trimmed / quarter) * quarter;
    const found = await this.#history.series({ endpoint: 'a', path: this.#path, from, to: end, points: 360 });
    const rest = readings.filter(within(from, end));
    expectSeries(found, found.step, found.step === 0 ? single(rest) : plainly(rest, found.step));
  }
}

/** Each reading that a chart has a place for, by itself. */
function single(readings: readonly Pick<HistoryReading, 'takenAt' | 'value'>[]): HistorySummary[] {
  return readings.flatMap((reading) => plainly([reading], 0));
}
