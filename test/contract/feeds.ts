import { describe, expect, test } from 'vitest';
import type { ClusterPorts, Feeds } from '../../server/ports/cluster-ports.ts';
import type { StoredEvent } from '../../server/ports/event-log.ts';
import type { LogEntry } from '../../server/ports/telemetry-log.ts';
import { type OpenStores, useStores } from './engine.ts';
import { append, readAll } from './telemetry-log.ts';

const entry = (index: number) => ({
  endpoint: `ü${index}`,
  key: `k${index}`,
  receivedAt: index + 0.5,
  body: Uint8Array.of(index, 0, 255),
});

const anEvent = (index: number): Omit<StoredEvent, 'id'> => ({
  type: 'x',
  ...(index % 2 === 0 && { endpoint: 'ü' }),
  at: index,
  data: { index, text: 'ü' },
  ...(index % 3 === 0 && { trouble: true }),
});

/** Gathers what is handed out; `reach` resolves when it has so many. */
export function gather<T>(): {
  readonly got: T[];
  readonly take: (some: readonly T[]) => void;
  reach(count: number): Promise<readonly T[]>;
} {
  const got: T[] = [];
  let look = (): void => undefined;
  return {
    got,
    take: (some) => {
      got.push(...some);
      look();
    },
    reach: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (got.length >= count) resolve(got);
        };
        look();
      }),
  };
}

/** Of an engine that several nodes share. */
export function describeFeeds(name: string, open: OpenStores): void {
  describe(`Feeds, ${name}`, () => {
    const stores = useStores(open);
    const feeds = (): Feeds => (stores().cluster as ClusterPorts).feeds;

    test('what is in the log behind a place, and then what comes, is handed out in order and once', async () => {
      const { log } = stores();
      for (let index = 0; index < 5; index++) await append(log, entry(index));
      const all = await readAll(log, 0, 10);
      const [first, second] = [gather<LogEntry>(), gather<LogEntry>()];
      const followings = [feeds().log(0, first.take), feeds().log(all[2]?.position as number, second.take)];
      await first.reach(5);
      await Promise.all(Array.from({ length: 500 }, (_, index) => append(log, entry(5 + index))));
      await Promise.all([first.reach(505), second.reach(502)]);
      const everything = await readAll(log, 0, 1000);
      expect(first.got).toEqual(everything);
      expect(second.got).toEqual(everything.slice(3));
      for (const following of followings) await following.close();
    });

    test('events are handed out as they were given', async () => {
      const { events } = stores();
      const given = Array.from({ length: 7 }, (_, index) => anEvent(index));
      const [id] = await events.append(given.slice(0, 1));
      const later = gather<StoredEvent>();
      const following = feeds().events(id as number, later.take);
      await events.append(given.slice(1, 3));
      await events.append(given.slice(3));
      expect(await later.reach(6)).toEqual(await events.read({ after: id as number, limit: 10 }));
      await following.close();
    });

    test('a listener that takes its time is not called again before, and misses nothing', async () => {
      const { log } = stores();
      const all = gather<LogEntry>();
      let inside = 0;
      let most = 0;
      let free = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        free = resolve;
      });
      const following = feeds().log(0, async (entries) => {
        most = Math.max(most, ++inside);
        await held;
        all.take(entries);
        inside -= 1;
      });
      for (let index = 0; index < 50; index++) await append(log, entry(index));
      free();
      expect(await all.reach(50)).toEqual(await readAll(log, 0, 100));
      expect(most).toBe(1);
      await following.close();
    });

    test('nothing is handed out once it is closed, and closing twice is closing once', async () => {
      const { log } = stores();
      const [closed, open] = [gather<LogEntry>(), gather<LogEntry>()];
      const following = feeds().log(0, closed.take);
      const other = feeds().log(0, open.take);
      await append(log, entry(0));
      await closed.reach(1);
      await Promise.all([following.close(), following.close()]);
      await append(log, entry(1));
      await open.reach(2);
      expect(closed.got).toHaveLength(1);
      await other.close();
    });
  });
}
