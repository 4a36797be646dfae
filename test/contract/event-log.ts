import { describe, expect, test } from 'vitest';
import type { StoredEvent } from '../../server/ports/event-log.ts';
import { type OpenStores, start, useStores } from './engine.ts';

function anEvent(type: string, endpoint?: string): Omit<StoredEvent, 'id'> {
  return {
    type,
    ...(endpoint === undefined ? {} : { endpoint }),
    at: start + 0.5,
    data: { type, nested: { list: [1, 'x', null] } },
  };
}

export function describeEventLog(name: string, open: OpenStores): void {
  describe(`EventLog, ${name}`, () => {
    const stores = useStores(open);

    test('an empty log has no extent', async () => {
      const { events } = stores();
      expect(await events.extent()).toEqual({ oldest: 0, newest: 0 });
      expect(await events.read({ after: 0, limit: 10 })).toEqual([]);
      expect(await events.latest({ limit: 10 })).toEqual([]);
      expect(await events.append([])).toEqual([]);
      await events.trim(0);
    });

    test('events get rising ids, and are read as they were given, oldest first', async () => {
      const { events } = stores();
      const given = [anEvent('registered', 'a'), anEvent('started'), anEvent('updated', 'b')];
      const ids = await events.append(given);
      expect(ids.toSorted((a, b) => a - b)).toEqual(ids);
      const stored = given.map((event, index) => ({ ...event, id: ids[index] }));
      expect(await events.read({ after: 0, limit: 10 })).toEqual(stored);
      expect(await events.read({ after: ids[0] as number, limit: 1 })).toEqual([stored[1]]);
      expect(await events.latest({ limit: 2 })).toEqual([stored[2], stored[1]]);
      expect(await events.extent()).toEqual({ oldest: ids[0], newest: ids[2] });
    });

    test('events of one device only', async () => {
      const { events } = stores();
      const [first, , third] = await events.append([anEvent('x', 'a'), anEvent('y', 'b'), anEvent('z', 'a')]);
      await events.append([anEvent('server')]);
      const ids = (found: readonly StoredEvent[]) => found.map(({ id }) => id);
      expect(ids(await events.read({ after: 0, endpoint: 'a', limit: 10 }))).toEqual([first, third]);
      expect(ids(await events.read({ after: first as number, endpoint: 'a', limit: 10 }))).toEqual([third]);
      expect(ids(await events.latest({ endpoint: 'a', limit: 1 }))).toEqual([third]);
      expect(await events.latest({ endpoint: 'c', limit: 1 })).toEqual([]);
    });

    test('the newest are told by types, by trouble and by what was before, together', async () => {
      const { events } = stores();
      const ids = await events.append([
        anEvent('x', 'a'),
        { ...anEvent('expired', 'a'), trouble: true },
        anEvent('y', 'b'),
        { ...anEvent('expired', 'b'), trouble: true },
        { ...anEvent('x', 'b'), trouble: true },
        anEvent('z'),
      ]);
      const latest = async (query: Partial<Parameters<typeof events.latest>[0]>) =>
        (await events.latest({ limit: 10, ...query })).map(({ id }) => ids.indexOf(id));
      expect(await latest({ types: ['x', 'y'] })).toEqual([4, 2, 0]);
      expect(await latest({ types: ['x', 'y', 'x'], limit: 2 })).toEqual([4, 2]);
      expect(await latest({ types: [] })).toEqual([]);
      expect(await latest({ trouble: true })).toEqual([4, 3, 1]);
      expect(await latest({ trouble: true, endpoint: 'b' })).toEqual([4, 3]);
      expect(await latest({ trouble: true, endpoint: 'b', types: ['expired'] })).toEqual([3]);
      expect(await latest({ before: ids[3] as number })).toEqual([2, 1, 0]);
      expect(await latest({ before: ids[4] as number, trouble: true, limit: 1 })).toEqual([3]);
      expect((await events.latest({ trouble: true, limit: 1 }))[0]?.trouble).toBe(true);
      expect((await events.latest({ limit: 1 }))[0]).not.toHaveProperty('trouble');
    });

    test('a trim keeps the newest so many, and ids are not used again', async () => {
      const { events } = stores();
      const ids = await events.append(Array.from({ length: 10 }, () => anEvent('x')));
      await events.trim(20);
      expect(await events.read({ after: 0, limit: 20 })).toHaveLength(10);
      await events.trim(3);
      expect((await events.read({ after: 0, limit: 20 })).map(({ id }) => id)).toEqual(ids.slice(7));
      expect(await events.extent()).toEqual({ oldest: ids[7], newest: ids[9] });
      await events.trim(0);
      expect(await events.read({ after: 0, limit: 20 })).toEqual([]);
      expect((await events.extent()).newest).toBe(ids[9]);
      const [next] = await events.append([anEvent('y')]);
      expect(next).toBeGreaterThan(ids[9] as number);
    });
  });
}
