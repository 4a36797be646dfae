import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import type { HistoryBounds, HistoryChunk, HistoryReading } from '../../server/ports/history.ts';
import { type OpenStores, useStores } from './engine.ts';

const minute = 60_000_000;
const hour = 60 * minute;
/** µs since the epoch. */
const epoch = 1_760_000_000_000_000;

function aReading(takenAt: number, value: HistoryReading['value'] = takenAt - epoch): HistoryReading {
  return { takenAt, receivedAt: epoch + 10 * hour, value };
}

function aChunk(position: number, ...readings: readonly HistoryReading[]): HistoryChunk {
  return { endpoint: 'a', path: '/42770/0/2', position, readings };
}

/** A trim of readings and roll-ups of before, however many bytes there are. */
export function allBefore(time: number): HistoryBounds {
  return { readingsBefore: time, rollUpsBefore: time, maxBytes: Number.MAX_SAFE_INTEGER };
}

export function describeHistory(name: string, open: OpenStores): void {
  describe(`History, ${name}`, () => {
    const stores = useStores(open);
    const series = { endpoint: 'a', path: '/42770/0/2' };

    test('a series never seen is empty', async () => {
      const { history } = stores();
      expect(await history.query({ ...series, limit: 10 })).toEqual([]);
      expect(await history.paths('a')).toEqual([]);
      await history.append([]);
      expect(await history.page({ ...series, limit: 10, order: 'oldest' })).toEqual({ items: [] });
      await history.trim(allBefore(Number.MAX_SAFE_INTEGER));
    });

    test('readings of every type come back as they were given', async () => {
      const { history } = stores();
      const readings = [
        aReading(epoch, 21.5),
        aReading(epoch + 1, Number.MIN_VALUE),
        aReading(epoch + 2, -1e300),
        aReading(epoch + 3, 'opaque as 00ff'),
        aReading(epoch + 4, true),
        { ...aReading(epoch + 5, 7), claimedAt: 12.5 },
        { ...aReading(epoch + 6, 8), receivedAt: epoch + 7 },
        aReading(epoch + 7.25, 9),
      ];
      await history.append([aChunk(1, ...readings)]);
      expect(await history.query({ ...series, limit: 10 })).toEqual(readings);
      await history.append(readings.map((reading, index) => ({ ...aChunk(index + 2, reading), path: '/1' })));
      expect(await history.query({ endpoint: 'a', path: '/1', limit: 10 })).toEqual(readings);
    });

    test('a range takes its start and leaves its end', async () => {
      const { history } = stores();
      await history.append([aChunk(1, ...[0, 1, 2, 3, 4].map((index) => aReading(epoch + index)))]);
      const values = async (range: { from?: number; to?: number }) =>
        (await history.query({ ...series, ...range, limit: 10 })).map(({ value }) => value);
      expect(await values({ from: epoch + 1, to: epoch + 3 })).toEqual([1, 2]);
      expect(await values({ from: epoch + 3 })).toEqual([3, 4]);
      expect(await values({ to: epoch + 1 })).toEqual([0]);
      expect(await values({ from: epoch + 3, to: epoch + 3 })).toEqual([]);
      expect(await values({ from: epoch + 5 })).toEqual([]);
    });

    test('the limit keeps the newest of the range, oldest first, also when packs come late', async () => {
      const { history } = stores();
      // Position n carries three readings; the packs arrive in a scrambled order and overlap.
      const starts = [5, 0, 9, 3, 8, 1, 7, 2, 6, 4];
      await history.append(
        starts.map((begin, index) =>
          aChunk(
            index + 1,
            aReading(epoch + begin * 10),
            aReading(epoch + begin * 10 + 5),
            aReading(epoch + begin * 10 + 12),
          ),
        ),
      );
      const all = starts
        .flatMap((begin) => [begin * 10, begin * 10 + 5, begin * 10 + 12])
        .toSorted((a, b) => a - b);
      for (const limit of [1, 2, 3, 7, 29, 30, 100]) {
        const found = await history.query({ ...series, limit });
        expect(found.map(({ value }) => value)).toEqual(all.slice(-limit));
      }
      const below = all.filter((value) => value < 55 && value >= 20);
      for (const limit of [1, 4, 100]) {
        const found = await history.query({ ...series, from: epoch + 20, to: epoch + 55, limit });
        expect(found.map(({ value }) => value)).toEqual(below.slice(-limit));
      }
    });

    test('a pack that spans days is found in any part of it', async () => {
      const { history } = stores();
      const readings = Array.from({ length: 100 }, (_, index) => aReading(epoch + index * 30 * minute));
      await history.append([aChunk(1, ...readings)]);
      expect(await history.query({ ...series, limit: 1000 })).toEqual(readings);
      for (const index of [0, 1, 49, 98]) {
        const { takenAt } = readings[index] as HistoryReading;
        const range = { from: takenAt, to: takenAt + 2 * 30 * minute };
        expect(await history.query({ ...series, ...range, limit: 10 })).toEqual(
          readings.slice(index, index + 2),
        );
        expect(await history.query({ ...series, to: takenAt + 1, limit: 1 })).toEqual([readings[index]]);
      }
    });

    test('readings of a pack are ordered by time, and keep the order of the pack where times are equal', async () => {
      const { history } = stores();
      await history.append([
        aChunk(
          1,
          aReading(epoch + 2, 'c'),
          aReading(epoch, 'a'),
          aReading(epoch + 2, 'd'),
          aReading(epoch + 1, 'b'),
        ),
      ]);
      const found = await history.query({ ...series, limit: 10 });
      expect(found.map(({ value }) => value)).toEqual(['a', 'b', 'c', 'd']);
    });

    test('where the limit falls among equal times, the later positions stay', async () => {
      const { history } = stores();
      await history.append([
        aChunk(1, aReading(epoch, 'earlier'), aReading(epoch + 5, 'last')),
        aChunk(2, aReading(epoch, 'later')),
      ]);
      const found = await history.query({ ...series, limit: 2 });
      expect(found.map(({ value }) => value)).toEqual(['later', 'last']);
    });

    test('what is appended at once of one series has each reading with its own times, in the order of time and position', async () => {
      const { history } = stores();
      const at = (takenAt: number, receivedAt: number, value: HistoryReading['value']) => ({
        takenAt: epoch + takenAt,
        receivedAt: epoch + receivedAt,
        value,
      });
      await history.append([
        aChunk(2, at(10, 200, 3), at(0, 200, 1)),
        { ...aChunk(2, at(1, 200, 'other')), path: '/1' },
        aChunk(1, at(10, 100, 2), at(20, 100, 5), at(2 * hour, 100, 6)),
        aChunk(3, at(10, 300, 4)),
      ]);
      const expected = [
        at(0, 200, 1),
        at(10, 100, 2),
        at(10, 200, 3),
        at(10, 300, 4),
        at(20, 100, 5),
        at(2 * hour, 100, 6),
      ];
      expect(await history.query({ ...series, limit: 10 })).toEqual(expected);
      for (let limit = 1; limit < expected.length; limit++) {
        expect(await history.query({ ...series, limit })).toEqual(expected.slice(-limit));
      }
      // A repetition may be cut into other calls than what it repeats.
      await history.append([aChunk(2, at(10, 200, 3), at(0, 200, 1)), aChunk(3, at(10, 300, 4))]);
      await history.append([aChunk(3, at(10, 300, 4)), aChunk(4, at(30, 400, 7))]);
      expect(await history.query({ ...series, to: epoch + hour, limit: 10 })).toEqual([
        ...expected.slice(0, -1),
        at(30, 400, 7),
      ]);
    });

    test('a chunk appended twice is there once', async () => {
      const { history } = stores();
      const chunk = aChunk(1, ...Array.from({ length: 10 }, (_, index) => aReading(epoch + index * hour)));
      await history.append([chunk, { ...chunk, path: '/3/0/9' }]);
      await history.append([chunk, aChunk(2, aReading(epoch + 90 * hour))]);
      expect(await history.query({ ...series, limit: 100 })).toHaveLength(11);
      expect(await history.query({ ...series, path: '/3/0/9', limit: 100 })).toHaveLength(10);
    });

    test.each(['oldest', 'newest'] as const)(
      'pages from the %s give each reading once, whatever falls on their edges',
      async (order) => {
        const { history } = stores();
        // Equal times within a pack, across packs and across pages; packs that overlap by an hour.
        await history.append(
          [7, 1, 4, 0, 9, 3].map((begin, index) =>
            aChunk(
              index + 1,
              aReading(epoch + begin * minute, `a${index}`),
              aReading(epoch + begin * minute, `b${index}`),
              aReading(epoch + 20 * minute, `c${index}`),
              aReading(epoch + begin * minute + 55 * minute, `d${index}`),
            ),
          ),
        );
        const all = await history.query({ ...series, limit: 100 });
        expect(all).toHaveLength(24);
        const range = { from: epoch + minute, to: epoch + 60 * minute };
        const ranged = all.filter(({ takenAt }) => takenAt >= range.from && takenAt < range.to);
        for (const [bounds, expected] of [[{}, all] as const, [range, ranged] as const]) {
          for (const limit of [1, 2, 3, 5, 7, 23, 24, 25]) {
            const pages: (readonly HistoryReading[])[] = [];
            let cursor: string | undefined;
            do {
              const page = await history.page({
                ...series,
                ...bounds,
                limit,
                order,
                ...(cursor === undefined ? {} : { cursor }),
              });
              pages.push(page.items);
              cursor = page.next;
            } while (cursor !== undefined);
            expect(pages.every(({ length }) => length > 0 && length <= limit)).toBe(true);
            if (order === 'newest') pages.reverse();
            expect(pages.flat()).toEqual(expected);
          }
        }
      },
    );

    test('a cursor of another list, or of the other order, is refused', async () => {
      const { history } = stores();
      await history.append([aChunk(1, aReading(epoch), aReading(epoch + 1))]);
      const { next } = await history.page({ ...series, limit: 1, order: 'oldest' });
      for (const cursor of [
        next as string,
        'broken',
        Buffer.from('["readings newest","1 2"]').toString('base64url'),
      ]) {
        await expect(history.page({ ...series, limit: 1, order: 'newest', cursor })).rejects.toThrow(
          RequestError,
        );
      }
    });

    test('paths are those of the device, in numeric order', async () => {
      const { history } = stores();
      const reading = aReading(epoch);
      let position = 0;
      for (const path of ['/42770/10/2', '/42770/2/2', '/3/0/9', '/3/0/10', '/3/0/7/1']) {
        await history.append([{ endpoint: 'a', path, position: ++position, readings: [reading] }]);
      }
      await history.append([{ endpoint: 'b', path: '/1/1/1', position: ++position, readings: [reading] }]);
      expect(await history.paths('a')).toEqual([
        '/3/0/7/1',
        '/3/0/9',
        '/3/0/10',
        '/42770/2/2',
        '/42770/10/2',
      ]);
    });

    test('a trim removes what was taken before, within chunks too, and series that are empty then', async () => {
      const { history } = stores();
      const readings = Array.from({ length: 6 }, (_, index) => aReading(epoch + index));
      const [r0, r1, r2, r3, r4, r5] = readings as [
        HistoryReading,
        HistoryReading,
        HistoryReading,
        HistoryReading,
        HistoryReading,
        HistoryReading,
      ];
      await history.append([
        aChunk(1, r0, r1),
        aChunk(2, r2, r3, r4),
        aChunk(3, r5),
        { ...aChunk(1, r0), path: '/50000' },
      ]);
      await history.trim(allBefore(epoch + 3));
      expect(await history.query({ ...series, limit: 10 })).toEqual([r3, r4, r5]);
      // The quarter of an hour that they were of has not ended before: its roll-up stays.
      expect(await history.paths('a')).toEqual(['/42770/0/2', '/50000']);
      await history.append([aChunk(2, r2, r3, r4)]);
      expect(await history.query({ ...series, from: epoch + 3, limit: 10 })).toEqual([r3, r4, r5]);
      await history.append([{ ...aChunk(9, r5), path: '/50000' }]);
      expect(await history.query({ endpoint: 'a', path: '/50000', limit: 10 })).toEqual([r5]);
      await history.trim(allBefore(epoch + hour));
      expect(await history.paths('a')).toEqual([]);
    });

    test('a trim gets through thousands of chunks and series', async () => {
      const { history } = stores();
      const chunks: HistoryChunk[] = [];
      for (let index = 0; index < 3000; index++) {
        chunks.push(aChunk(index + 1, aReading(epoch + index)));
        chunks.push({
          endpoint: 'b',
          path: `/${index}`,
          position: index + 1,
          readings: [aReading(epoch + index)],
        });
      }
      await history.append(chunks);
      await history.trim(allBefore(epoch + 2990));
      expect(await history.query({ ...series, limit: 10_000 })).toHaveLength(10);
      expect(await history.query({ endpoint: 'b', path: '/2989', limit: 1 })).toEqual([]);
      expect(await history.query({ endpoint: 'b', path: '/2990', limit: 1 })).toHaveLength(1);
      await history.trim(allBefore(epoch + hour));
      expect(await history.paths('b')).toEqual([]);
    });
  });
}
