import { describe, expect, it } from 'vitest';
import type { ApiReadingSeries } from '../../../web/data/api-types.ts';
import { drawRange } from '../../../web/data/draw-range.ts';
import { type LoadedRange, type LoadSeries, RangeFeed } from '../../../web/data/range-feed.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = 20_000 * day;

const one = (at: number, mean = 0, count = 60): ApiReadingSeries['items'][number] => {
  return { at, count, min: mean - 1, max: mean + 1, mean, last: mean };
};

/** A server that answers in steps of a minute, when it is let. */
function server() {
  const asked: Parameters<LoadSeries>[0][] = [];
  const answers: (() => void)[] = [];
  const load: LoadSeries = (query) => {
    asked.push(query);
    const { from, to } = query;
    const items = [one(from), one(to - minute)];
    return new Promise((resolve) => answers.push(() => resolve({ path: '/1/0/0', step: minute, items })));
  };
  return { asked, load, answer: () => answers.shift()?.() };
}

async function loaded(following: boolean, window = { from: now - day, to: now }) {
  const { asked, load, answer } = server();
  const feed = new RangeFeed(load);
  const done = feed.load({ window, following, points: 1000, now });
  answer();
  await done;
  return { feed, asked, answer, load };
}

describe('RangeFeed', () => {
  it('loads a margin beside what is shown, in as many points as that takes', async () => {
    const held = await loaded(false);
    expect(held.asked).toEqual([{ from: now - 1.25 * day, to: now + 0.25 * day, points: 1500 }]);
    const following = await loaded(true);
    expect(following.asked).toEqual([{ from: now - 1.25 * day, to: now, points: 1250 }]);
  });

  it('has what lies within what was loaded, and not what is much finer or beyond', async () => {
    const { feed } = await loaded(false);
    const has = (from: number, to: number) => feed.has({ from: now + from, to: now + to }, false, now + day);
    expect(has(-day, 0)).toBe(true);
    expect(has(-1.2 * day, -0.2 * day)).toBe(true);
    expect(has(-0.7 * day, 0)).toBe(true);
    expect(has(-0.5 * day, 0)).toBe(false);
    expect(has(-1.3 * day, -0.3 * day)).toBe(false);
    expect(has(-0.6 * day, 0.3 * day)).toBe(false);
  });

  it('is loaded again where it follows the time, once for each step', async () => {
    const { feed } = await loaded(true);
    const has = (later: number) => feed.has({ from: now - day + later, to: now + later }, true, now + later);
    expect(has(minute - 1)).toBe(true);
    expect(has(minute)).toBe(false);
  });

  it('is loaded again after a late reading, held too, but not for the newest', async () => {
    const { feed } = await loaded(false);
    const has = (later: number) => feed.has({ from: now - day, to: now }, false, now + later);
    feed.took(now - minute + 1);
    feed.took(now + 5000);
    expect(has(3000)).toBe(true);
    feed.took(now - hour);
    expect(has(1999)).toBe(true);
    expect(has(2000)).toBe(false);
  });

  it('takes the last of the wishes made while it loads', async () => {
    const { asked, load, answer } = server();
    const feed = new RangeFeed(load);
    const wish = (from: number) => ({ window: { from, to: now }, following: true, points: 1000, now });
    const done = feed.load(wish(now - day));
    feed.load(wish(now - 3 * day));
    feed.load(wish(now - 2 * day));
    expect(feed.loading).toBe(true);
    answer();
    await Promise.resolve();
    while (asked.length < 2) await Promise.resolve();
    answer();
    await done;
    expect(asked.map(({ from }) => (now - from) / day)).toEqual([1.25, 2.5]);
    expect(feed.range?.from).toBe(now - 2.5 * day);
    expect(feed.loading).toBe(false);
  });

  it('keeps what it has when a load fails, and still knows that a reading was late', async () => {
    let broken = false;
    const { load, answer } = server();
    const feed = new RangeFeed((query) => (broken ? Promise.reject(new Error('down')) : load(query)));
    const wish = { window: { from: now - day, to: now }, following: false, points: 10, now };
    const done = feed.load(wish);
    answer();
    await done;
    const before = feed.range;
    feed.took(now - hour);
    broken = true;
    await expect(feed.load({ ...wish })).rejects.toThrow('down');
    expect(feed.range).toBe(before);
    expect(feed.has(wish.window, false, now + minute)).toBe(false);
  });
});

describe('drawRange', () => {
  const range = (step: number, items: LoadedRange['items']): LoadedRange => {
    return { from: 0, to: now, step, items, loadedAt: now };
  };
  const steps = (...at: number[]) =>
    range(
      minute,
      at.map((index) => one(index * minute, index)),
    );

  it('draws each step in its middle, with its mean and its extent, and none in the future', () => {
    const drawn = drawRange(steps(0, 1, 2), { from: 0, to: 3 * minute }, 2.2 * minute);
    expect(drawn.times).toEqual([0.5 * minute, 1.5 * minute, 2.2 * minute]);
    expect(drawn.values).toEqual([0, 1, 2]);
    expect(drawn.least).toEqual([-1, 0, 1]);
    expect(drawn.greatest).toEqual([1, 2, 3]);
    expect([drawn.minimum, drawn.maximum, drawn.count]).toEqual([-1, 3, 180]);
  });

  it('takes a step beyond each edge along, and tells of those in the window alone', () => {
    const drawn = drawRange(steps(0, 1, 2, 3, 4, 5, 6), { from: 2.5 * minute, to: 4.5 * minute }, now);
    expect(drawn.values).toEqual([1, 2, 3, 4, 5]);
    expect([drawn.minimum, drawn.maximum]).toEqual([1, 5]);
  });

  it('breaks the line where a single step of a dense series has nothing', () => {
    const drawn = drawRange(steps(0, 1, 3, 4), { from: 0, to: hour }, now);
    expect(drawn.values).toEqual([0, 1, null, 3, 4]);
    expect(drawn.least).toEqual([-1, 0, null, 2, 3]);
    expect(drawn.greatest).toEqual([1, 2, null, 4, 5]);
  });

  it('takes the time between two readings of a sparse series for no silence, and a long one for one', () => {
    const at = [0, 2, 5, 7, 9, 12, 14, 50, 52, 55, 57];
    const drawn = drawRange(
      range(
        minute,
        at.map((index) => one(index * minute, index, 1)),
      ),
      { from: 0, to: hour },
      now,
    );
    expect(drawn.values).toEqual([0, 2, 5, 7, 9, 12, 14, null, 50, 52, 55, 57]);
  });

  it('draws readings where they were taken', () => {
    const drawn = drawRange(range(0, [one(5, 1, 1), one(9, 2, 1)]), { from: 0, to: 10 }, now);
    expect(drawn.times).toEqual([5, 9]);
  });

  it('has nothing to draw of nothing', () => {
    expect(drawRange(range(minute, []), { from: 0, to: 1 }, now)).toMatchObject({ times: [], count: 0 });
  });
});
