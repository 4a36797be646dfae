import { describe, expect, test } from 'vitest';
import type { LogEntry, LogPosition, NewLogEntry, TelemetryLog } from '../../server/ports/telemetry-log.ts';
import { type OpenStores, useStores } from './engine.ts';

export interface Appended {
  readonly position: LogPosition;
  readonly duplicate: boolean;
}

/** An append as a promise. */
export function append(log: TelemetryLog, entry: NewLogEntry): Promise<Appended> {
  return new Promise((resolve, reject) => {
    log.append(entry, (error, position, duplicate) => {
      if (error === undefined) resolve({ position, duplicate });
      else reject(error);
    });
  });
}

/** Reads on until nothing more comes. */
export async function readAll(log: TelemetryLog, after: LogPosition, limit: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const more = await log.read(entries.at(-1)?.position ?? after, limit);
    if (more.length === 0) return entries;
    if (more.length > limit) throw new Error(`read gave ${more.length} entries, ${limit} were asked for`);
    entries.push(...more);
  }
}

/** µs since the epoch of entry 0; each further entry is a second later. */
const epoch = 1_760_000_000_000_000;

function anEntry(index: number, change: Partial<NewLogEntry> = {}): NewLogEntry {
  return {
    endpoint: `dev-${index % 3}`,
    key: `key-${index}`,
    receivedAt: epoch + index * 1_000_000,
    body: Uint8Array.of(index & 255, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    ...change,
  };
}

export function describeTelemetryLog(name: string, open: OpenStores): void {
  describe(`TelemetryLog, ${name}`, () => {
    const stores = useStores(open);

    /** Some in one turn, some alone. */
    async function fill(count: number): Promise<void> {
      const { log } = stores();
      for (let index = 0; index < count; index += 4) {
        const turn = Array.from({ length: Math.min(4, count - index) }, (_, inTurn) =>
          append(log, anEntry(index + inTurn)),
        );
        await Promise.all(turn);
      }
    }

    test('an empty log has no extent, no entries and no cursors', async () => {
      const { log } = stores();
      expect(await log.extent()).toEqual({ oldest: 0, newest: 0 });
      expect(await log.read(0, 10)).toEqual([]);
      expect(await log.cursor('history')).toBe(0);
      expect(await log.trim({ now: Number.MAX_SAFE_INTEGER / 1000, maxAge: 0, maxBytes: 0 })).toBe(0);
    });

    test('entries come back as they were given, in the order of their positions', async () => {
      const { log } = stores();
      const given = [
        anEntry(1, { endpoint: 'ünïcode-端-😀', body: new Uint8Array(0) }),
        anEntry(2, { body: new Uint8Array(100_000).map((_, index) => index) }),
        anEntry(3, { receivedAt: 0.5, key: '' }),
        anEntry(4),
      ];
      const appended = await Promise.all(given.map((entry) => append(log, entry)));
      expect(appended.map(({ duplicate }) => duplicate)).toEqual([false, false, false, false]);
      const positions = appended.map(({ position }) => position);
      expect(positions.toSorted((a, b) => a - b)).toEqual(positions);
      expect(positions[0]).toBeGreaterThan(0);
      const read = await readAll(log, 0, 10);
      expect(read).toEqual(
        given.map(({ key: _, ...entry }, index) => ({ ...entry, position: positions[index] })),
      );
      expect(await log.extent()).toEqual({ oldest: positions[0], newest: positions[3] });
    });

    test('the body may be changed by the caller once append has returned', async () => {
      const { log } = stores();
      const body = Uint8Array.of(1, 2, 3);
      const appended = append(log, anEntry(1, { body }));
      body.fill(0);
      await appended;
      expect((await log.read(0, 1))[0]?.body).toEqual(Uint8Array.of(1, 2, 3));
    });

    test('a body that is a view of larger memory is stored alone', async () => {
      const { log } = stores();
      const body = Uint8Array.of(9, 9, 1, 2, 9).subarray(2, 4);
      await append(log, anEntry(1, { body }));
      expect((await log.read(0, 1))[0]?.body).toEqual(Uint8Array.of(1, 2));
    });

    test('reading goes on from any position, at most so many at a time', async () => {
      const { log } = stores();
      await fill(10);
      const all = await readAll(log, 0, 100);
      expect(all).toHaveLength(10);
      for (const limit of [1, 3, 4, 7]) expect(await readAll(log, 0, limit)).toEqual(all);
      for (const [index, { position }] of all.entries()) {
        expect((await readAll(log, position, 3)).map((entry) => entry.position)).toEqual(
          all.slice(index + 1).map((entry) => entry.position),
        );
      }
      expect(await log.read(0, 0)).toEqual([]);
    });

    test('a second entry with the same key is not stored, and has the position of the first', async () => {
      const { log } = stores();
      await fill(6);
      const first = (await readAll(log, 0, 10))[4] as LogEntry;
      expect(await append(log, anEntry(4, { body: Uint8Array.of(0) }))).toEqual({
        position: first.position,
        duplicate: true,
      });
      expect(await readAll(log, 0, 10)).toHaveLength(6);
    });

    test('duplicates within one turn are found too, whatever is between them', async () => {
      const { log } = stores();
      await append(log, anEntry(0));
      const turn = [0, 1, 2, 1, 0, 3, 3].map((index) => append(log, anEntry(index)));
      const appended = await Promise.all(turn);
      expect(appended.map(({ duplicate }) => duplicate)).toEqual([
        true,
        false,
        false,
        true,
        true,
        false,
        true,
      ]);
      expect(appended[3]?.position).toBe(appended[1]?.position);
      expect(appended[6]?.position).toBe(appended[5]?.position);
      const read = await readAll(log, 0, 10);
      expect(read.map((entry) => entry.body[0])).toEqual([0, 1, 2, 3]);
      expect(read.map(({ position }) => position)).toEqual(
        [appended[0], appended[1], appended[2], appended[5]].map((one) => one?.position),
      );
    });

    test('a turn of duplicates only stores nothing', async () => {
      const { log } = stores();
      await fill(3);
      const before = await log.extent();
      const appended = await Promise.all([2, 1, 0].map((index) => append(log, anEntry(index))));
      expect(appended.every(({ duplicate }) => duplicate)).toBe(true);
      expect(await log.extent()).toEqual(before);
    });

    test('the same key of two endpoints is two entries', async () => {
      const { log } = stores();
      const appended = await Promise.all([
        append(log, anEntry(1, { endpoint: 'ab', key: 'c' })),
        append(log, anEntry(1, { endpoint: 'a', key: 'bc' })),
        append(log, anEntry(1, { endpoint: 'b', key: 'c' })),
      ]);
      expect(appended.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
    });

    test('a thousand keys are each known again', async () => {
      const { log } = stores();
      const indexes = Array.from({ length: 1000 }, (_, index) => index);
      const first = await Promise.all(indexes.map((index) => append(log, anEntry(index))));
      const second = await Promise.all(indexes.toReversed().map((index) => append(log, anEntry(index))));
      expect(second.toReversed()).toEqual(first.map(({ position }) => ({ position, duplicate: true })));
    });

    test('a cursor is kept per consumer and never goes back', async () => {
      const { log } = stores();
      await log.commit('live', 7);
      await log.commit('history', 3);
      await log.commit('live', 5);
      expect(await log.cursor('live')).toBe(7);
      expect(await log.cursor('history')).toBe(3);
      await log.commit('live', 8);
      expect(await log.cursor('live')).toBe(8);
    });

    test('a trim by age removes exactly what is older, from the front', async () => {
      const { log } = stores();
      await fill(10);
      const all = await readAll(log, 0, 10);
      const now = epoch / 1000 + 20_000;
      expect(await log.trim({ now, maxAge: 14_000, maxBytes: 1e9 })).toBe(6);
      expect(await readAll(log, 0, 10)).toEqual(all.slice(6));
      expect(await log.extent()).toEqual({ oldest: all[6]?.position, newest: all[9]?.position });
      expect(await log.trim({ now, maxAge: 14_000, maxBytes: 1e9 })).toBe(0);
    });

    test('a trim by size keeps the newest entries that fit', async () => {
      const { log } = stores();
      await fill(10);
      const all = await readAll(log, 0, 10);
      const bounds = { now: epoch / 1000, maxAge: 1e9 };
      expect(await log.trim({ ...bounds, maxBytes: 100 })).toBe(0);
      expect(await log.trim({ ...bounds, maxBytes: 75 })).toBe(3);
      expect(await readAll(log, 0, 10)).toEqual(all.slice(3));
      expect(await log.trim({ ...bounds, maxBytes: 70 })).toBe(0);
      expect(await log.trim({ ...bounds, maxBytes: 15 })).toBe(6);
      expect(await readAll(log, 0, 10)).toEqual(all.slice(9));
    });

    test('positions are not used again when everything was trimmed', async () => {
      const { log } = stores();
      await fill(5);
      const { newest } = await log.extent();
      expect(await log.trim({ now: epoch / 1000, maxAge: 1e9, maxBytes: 0 })).toBe(5);
      expect(await log.read(0, 10)).toEqual([]);
      expect((await log.extent()).newest).toBe(newest);
      expect((await append(log, anEntry(9))).position).toBeGreaterThan(newest);
      expect(await readAll(log, 0, 10)).toHaveLength(1);
    });
  });
}
