import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { LiveEntry, LiveItem, LivePosition } from '../../../server/events.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { encodePack, type Pack } from '../../../server/telemetry/pack.ts';

let stores: Stores;
let hub: LiveHub;

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  hub = await LiveHub.open(stores.events, stores.log);
});
afterEach(() => stores.close());

let keys = 0;

async function appendPack(endpoint: string, value: number): Promise<void> {
  const pack: Pack = {
    endpoint,
    receivedAt: 1_700_000_000_000_000,
    overtaken: false,
    series: [{ path: '/3/0/9', takenAt: [1_700_000_000_000_000], values: [value] }],
  };
  await new Promise<void>((resolve, reject) => {
    const entry = { endpoint, key: `k${keys++}`, receivedAt: pack.receivedAt, body: encodePack(pack) };
    stores.log.append(entry, (error, position) => {
      if (error !== undefined) return reject(error);
      hub.publishPack(pack, position);
      resolve();
    });
  });
}

async function appendEvent(endpoint: string, type = 'registered'): Promise<void> {
  const event = { type, endpoint, at: 1, data: {} };
  const [id] = await stores.events.append([event]);
  hub.publishEvent({ ...event, id: id as number });
}

/** What a subscriber saw, in short: `e:modem`, `r:modem:5`. */
function short(item: LiveItem): string {
  if (item.kind === 'event') return `e:${item.event.endpoint}`;
  if (item.kind === 'trace') return `t:${item.endpoint}`;
  return `r:${item.readings.endpoint}:${item.readings.series[0]?.readings[0]?.value}`;
}

function collect(options: {
  after?: LivePosition;
  endpoint?: string;
  types?: ReadonlySet<string>;
  /** Asks to be held back after each item. */
  slow?: boolean;
}) {
  const seen: string[] = [];
  let position = options.after ?? hub.position();
  let gaps = 0;
  const waiters: (() => void)[] = [];
  const batches: (readonly LiveEntry[])[] = [];
  const paces: string[] = [];
  let slow = options.slow === true;
  const subscription = hub.subscribe({
    after: options.after ?? hub.position(),
    wishes: [
      {
        ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
        ...(options.types === undefined ? {} : { types: options.types }),
      },
    ],
    onPace: (pace, missed = 0) => paces.push(missed === 0 ? pace : `${pace}, ${missed} traces missed`),
    onEntries(entries) {
      batches.push(entries);
      for (const entry of entries) {
        seen.push(short(entry.item));
        position = entry.position ?? position;
      }
      for (const wake of waiters.splice(0)) wake();
      return !slow;
    },
    onGap: () => gaps++,
    onError(error) {
      throw error;
    },
  });
  return {
    seen,
    batches,
    paces,
    subscription,
    patient: () => {
      slow = false;
    },
    position: () => position,
    gaps: () => gaps,
    async until(count: number): Promise<void> {
      while (seen.length < count) await new Promise<void>((resolve) => waiters.push(resolve));
    },
  };
}

describe('the live stream', () => {
  it('gives a subscriber what comes, and nothing from before', async () => {
    await appendEvent('before');
    const subscriber = collect({});
    await appendEvent('a');
    await appendPack('a', 1);
    await subscriber.until(2);
    expect(subscriber.seen).toEqual(['e:a', 'r:a:1']);
  });

  it('replays what was missed, and goes on live without gap or repetition', async () => {
    const start = hub.position();
    for (let i = 0; i < 700; i++) await appendPack('a', i);
    await appendEvent('a');
    const subscriber = collect({ after: start });
    for (let i = 700; i < 720; i++) await appendPack('a', i);
    await subscriber.until(721);
    const readings = subscriber.seen.filter((item) => item.startsWith('r:'));
    expect(readings).toEqual(Array.from({ length: 720 }, (_, index) => `r:a:${index}`));
    expect(subscriber.seen.filter((item) => item.startsWith('e:'))).toEqual(['e:a']);
    expect(subscriber.gaps()).toBe(0);
  });

  it('shows a subscriber of one device that device only', async () => {
    const subscriber = collect({ endpoint: 'a' });
    await appendPack('b', 1);
    await appendEvent('b');
    await appendPack('a', 2);
    await appendEvent('a');
    await subscriber.until(2);
    expect(subscriber.seen).toEqual(['r:a:2', 'e:a']);
  });

  it('shows only the types that were asked for', async () => {
    const subscriber = collect({ types: new Set(['command']) });
    await appendPack('a', 1);
    await appendEvent('a', 'registered');
    await appendEvent('a', 'command');
    await subscriber.until(1);
    expect(subscriber.seen).toEqual(['e:a']);
  });

  it('holds back for a slow subscriber, who reads on from the logs and misses nothing', async () => {
    const slow = collect({ slow: true });
    const quick = collect({});
    for (let i = 0; i < 30; i++) await appendPack('a', i);
    await quick.until(30);
    expect(slow.seen.length).toBeLessThan(30);
    while (slow.seen.length < 30) {
      const had = slow.seen.length;
      slow.subscription.resume();
      await slow.until(had + 1);
    }
    expect(slow.seen).toEqual(quick.seen);
  });

  it('tells a slow subscriber that it is behind, and when it is level again, once each', async () => {
    const slow = collect({ slow: true });
    await appendPack('a', 0);
    await slow.until(1);
    expect([slow.paces, hub.slowSubscribers]).toEqual([['behind'], 1]);
    for (let i = 1; i < 100; i++) await appendPack('a', i);
    slow.patient();
    slow.subscription.resume();
    await slow.until(100);
    await vi.waitFor(() => expect(slow.paces).toEqual(['behind', 'level']));
    expect(hub.slowSubscribers).toBe(0);
    await appendPack('a', 100);
    await slow.until(101);
    expect(slow.seen).toEqual(Array.from({ length: 101 }, (_, index) => `r:a:${index}`));
  });

  it('tells a subscriber that was slow how many traces have passed it by, whether others got them or nobody did', async () => {
    const options = { endpoint: 'a', types: new Set(['trace', 'readings']) };
    const slow = collect({ ...options, slow: true });
    await appendPack('a', 0);
    await slow.until(1);
    expect(slow.paces).toEqual(['behind']);
    // Nobody is live, so nothing is collected.
    for (let i = 0; i < 3; i++) hub.publishTrace('a', { id: i });
    const quick = collect(options);
    await vi.waitFor(() => expect(hub.slowSubscribers).toBe(1));
    await appendPack('a', 1);
    await quick.until(1);
    for (let i = 0; i < 4; i++) hub.publishTrace('a', { id: i });
    await quick.until(5);
    slow.patient();
    slow.subscription.resume();
    await vi.waitFor(() => expect(slow.paces).toEqual(['behind', 'level, 7 traces missed']));
    expect(quick.paces).toEqual([]);
    hub.publishTrace('a', { id: 9 });
    await slow.until(3);
    expect(slow.seen.filter((item) => !item.startsWith('r:'))).toHaveLength(1);
  });

  it('reads the logs once for a hundred that come back at the same time', async () => {
    const start = hub.position();
    for (let i = 0; i < 900; i++) await appendPack(`d${i % 100}`, i);
    for (let i = 0; i < 20; i++) await appendEvent('a');
    const read = vi.spyOn(stores.log, 'read');
    const readEvents = vi.spyOn(stores.events, 'read');
    const back = Array.from({ length: 100 }, (_, index) =>
      collect({
        after: start,
        ...(index % 2 === 0 ? {} : { endpoint: `d${index}`, types: new Set(['readings']) }),
      }),
    );
    await Promise.all(back.map((subscriber, index) => subscriber.until(index % 2 === 0 ? 920 : 9)));
    expect(read.mock.calls.length).toBeLessThan(8);
    expect(readEvents.mock.calls.length).toBeLessThan(3);
    expect(back[1]?.seen).toEqual(Array.from({ length: 9 }, (_, index) => `r:d1:${index * 100 + 1}`));
  });

  it('hands those with equal wishes the very same entries', async () => {
    const all = [collect({}), collect({}), collect({ endpoint: 'a' })];
    for (let i = 0; i < 5; i++) await appendPack('a', i);
    await Promise.all(all.map((subscriber) => subscriber.until(5)));
    expect(all[0]?.batches.length).toBeGreaterThan(0);
    for (const [index, batch] of (all[0]?.batches ?? []).entries()) {
      expect(all[1]?.batches[index]).toBe(batch);
    }
  });

  it('gives one that joins while a batch waits nothing of it, and one that was there all of it', async () => {
    const first = collect({});
    await appendPack('a', 0);
    // Published in this turn, and not handed over yet.
    const second = collect({});
    await appendPack('a', 1);
    await Promise.all([first.until(2), second.until(1)]);
    expect([first.seen, second.seen]).toEqual([['r:a:0', 'r:a:1'], ['r:a:1']]);
  });

  it('can be taken up again from the position that came with any item', async () => {
    const first = collect({});
    for (let i = 0; i < 5; i++) await appendPack('a', i);
    await first.until(5);
    const position = first.position();
    first.subscription.close();
    await appendPack('a', 5);
    await appendEvent('a');
    const second = collect({ after: position });
    await second.until(2);
    expect(second.seen.sort()).toEqual(['e:a', 'r:a:5']);
  });

  it('says that there is a gap where the log was trimmed, or the position is of another store', async () => {
    await appendPack('a', 0);
    const start = hub.position();
    for (let i = 1; i < 10; i++) await appendPack('a', i);
    await stores.log.trim({ now: 1_700_000_000_000, maxAge: 1e12, maxBytes: 100 });
    const trimmed = collect({ after: { event: start.event, log: start.log } });
    await trimmed.until(1);
    expect(trimmed.gaps()).toBe(1);
    const foreign = collect({ after: { event: 1e9, log: 1e9 } });
    await appendPack('a', 99);
    await foreign.until(1);
    expect(foreign.gaps()).toBe(1);
    expect(foreign.seen).toEqual(['r:a:99']);
  });

  it('knows a place that is in the log and not live here yet, as another node had told it', async () => {
    const [event] = [{ type: 'updated', at: 1, data: {}, endpoint: 'a' }];
    const [first = 0, second = 0] = await stores.events.append([event, event]);
    const ahead = collect({ after: { event: second, log: hub.position().log } });
    await appendPack('a', 1);
    await ahead.until(1);
    // The feed comes level with what the subscriber has had already.
    for (const id of [first, second]) hub.publishEvent({ ...event, id });
    await appendEvent('b');
    await ahead.until(2);
    expect(ahead.seen).toEqual(['r:a:1', 'e:b']);
    expect(ahead.gaps()).toBe(0);
    expect(ahead.subscription.position().event).toBe(second + 1);
  });

  it('says that there is a gap to one that asks for all from the start, where the start is gone', async () => {
    for (let i = 0; i < 10; i++) await appendPack('a', i);
    await stores.log.trim({ now: 1_700_000_000_000, maxAge: 1e12, maxBytes: 100 });
    const subscriber = collect({ after: { event: 0, log: 0 } });
    await subscriber.until(1);
    expect(subscriber.gaps()).toBe(1);
  });

  it('tells no gap to one that did not ask for what is gone', async () => {
    await appendPack('a', 0);
    const start = hub.position();
    for (let i = 0; i < 10; i++) await appendPack('a', i);
    await stores.log.trim({ now: 1_700_000_000_000, maxAge: 1e12, maxBytes: 100 });
    const events = collect({ after: start, types: new Set(['registered']) });
    // The store answers in order: when this is in, the subscriber has asked for what it asks.
    await appendEvent('a');
    await events.until(1);
    expect(events.gaps()).toBe(0);
  });

  it('lets a subscriber of one device go on without a gap where only what was of others is gone', async () => {
    await appendPack('b', 0);
    const first = collect({ endpoint: 'a' });
    for (let i = 0; i < 10; i++) await appendPack('b', i);
    await appendEvent('a');
    await first.until(1);
    const position = first.position();
    first.subscription.close();
    await appendPack('b', 10);
    await stores.log.trim({ now: 1_700_000_000_000, maxAge: 1e12, maxBytes: 60 });
    expect((await stores.log.extent()).oldest).toBeGreaterThan(2);
    await appendPack('a', 11);
    const second = collect({ endpoint: 'a', after: position });
    await second.until(1);
    expect([second.seen, second.gaps()]).toEqual([['r:a:11'], 0]);
  });

  it('holds one back that was resumed while its first catch-up was wound up, and skips nothing', async () => {
    const announcements: (() => void)[] = [];
    for (let i = 0; i < 3; i++) {
      const event = { type: 'registered', endpoint: `d${i}`, at: 1, data: {} };
      const [id] = await stores.events.append([event]);
      announcements.push(() => hub.publishEvent({ ...event, id: id as number }));
    }
    const seen: string[] = [];
    const done = new Promise<void>((resolve, reject) => {
      const subscription = hub.subscribe({
        after: hub.position(),
        wishes: [],
        onEntries(entries) {
          const first = seen.length === 0;
          seen.push(...entries.map(({ item }) => short(item)));
          if (seen.length === 3) resolve();
          return !first;
        },
        onGap: () => reject(new Error('a gap')),
        onError: reject,
      });
      announcements[0]?.();
      announcements[1]?.();
      subscription.resume();
    });
    // The catch-up that began with the subscription ends in this turn, that of the resume does not.
    await Promise.resolve();
    await Promise.resolve();
    announcements[2]?.();
    await done;
    expect(seen).toEqual(['e:d0', 'e:d1', 'e:d2']);
  });

  it('tells a closed subscriber nothing more', async () => {
    const subscriber = collect({});
    subscriber.subscription.close();
    await appendPack('a', 1);
    expect(subscriber.seen).toEqual([]);
    expect(hub.subscribers).toBe(0);
  });
});
