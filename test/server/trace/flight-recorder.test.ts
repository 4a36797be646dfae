import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Direction } from '../../../protocol/coap/tapped-port.ts';
import { FlightRecorder, MAX_CAPTURED, SMALLEST_RING } from '../../../server/trace/flight-recorder.ts';

interface Kept {
  readonly id: number;
  readonly time: number;
  readonly direction: Direction | undefined;
  readonly peer: string;
  readonly size: number;
  readonly data: string;
}

async function all(recorder: FlightRecorder, from = 0, to = Number.POSITIVE_INFINITY): Promise<Kept[]> {
  const kept: Kept[] = [];
  await recorder.scan(from, to, ({ id, time, direction, peer, size, data }) => {
    kept.push({ id, time, direction, peer, size, data: Buffer.from(data).toString('hex') });
  });
  return kept;
}

function allBack(recorder: FlightRecorder): number[] {
  const ids: number[] = [];
  recorder.scanBack(({ id }) => ids.push(id) > 0);
  return ids.reverse();
}

describe('the flight recorder', () => {
  test('gives back what was written, in order, with time, direction, peer and size', async () => {
    const recorder = new FlightRecorder(SMALLEST_RING, 7);
    recorder.record(Direction.IN, Uint8Array.of(1, 2, 3), '127.0.0.1:40000', 12.5);
    recorder.note(Uint8Array.of(9), 13);
    recorder.record(Direction.OUT, new Uint8Array(0), '[2001:db8::1]:5683', 14);
    expect(await all(recorder)).toEqual([
      { id: 7, time: 12.5, direction: Direction.IN, peer: '127.0.0.1:40000', size: 3, data: '010203' },
      { id: 8, time: 13, direction: undefined, peer: '', size: 1, data: '09' },
      { id: 9, time: 14, direction: Direction.OUT, peer: '[2001:db8::1]:5683', size: 0, data: '' },
    ]);
    expect(recorder.oldestTime).toBe(12.5);
  });

  test('keeps the beginning of a datagram that is too long, and its true size', async () => {
    const recorder = new FlightRecorder(SMALLEST_RING, 1);
    recorder.record(Direction.IN, new Uint8Array(65_507).fill(7), 'a:1', 0);
    const [kept] = await all(recorder);
    expect(kept).toMatchObject({ size: 65_507, data: '07'.repeat(MAX_CAPTURED) });
  });

  test('of a session it has where that was reached with each datagram, and finds it by its name', async () => {
    const recorder = new FlightRecorder(SMALLEST_RING, 1);
    recorder.record(Direction.IN, Uint8Array.of(1), 'dtls:0011223344556677', 0, '198.51.100.7:40001');
    recorder.record(Direction.IN, Uint8Array.of(2), 'dtls:0011223344556677', 1, '[2001:db8::1]:9');
    recorder.record(Direction.IN, Uint8Array.of(3), '198.51.100.7:40001', 2);
    const found: unknown[] = [];
    const name = Buffer.from('dtls:0011223344556677');
    await recorder.scan(1, 4, (record) => {
      const { peer, transportAddress, data } = record;
      found.push([peer, transportAddress, data[0], record.isPeer(name), record.isPeer(Buffer.from('dtls:'))]);
    });
    expect(found).toEqual([
      ['dtls:0011223344556677', '198.51.100.7:40001', 1, true, false],
      ['dtls:0011223344556677', '[2001:db8::1]:9', 2, true, false],
      ['198.51.100.7:40001', '198.51.100.7:40001', 3, false, false],
    ]);
  });

  test('has nothing before anything was written', async () => {
    const recorder = new FlightRecorder(SMALLEST_RING, 5);
    expect(await all(recorder)).toEqual([]);
    expect(allBack(recorder)).toEqual([]);
    expect(recorder.oldestTime).toBeUndefined();
    expect(recorder.oldestId).toBe(recorder.nextId);
  });

  test('overwrites the oldest alone: whatever came, the newest are there, whole and in order, and read backwards too', async () => {
    const shape = fc.record({
      out: fc.boolean(),
      size: fc.oneof(fc.nat(60), fc.nat(3_000)),
      peer: fc.constantFrom('a:1', '127.0.0.1:40000', '[2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 400 }), async (shapes) => {
        const recorder = new FlightRecorder(SMALLEST_RING, 1);
        const written = shapes.map(({ out, size, peer }, at): Kept => {
          const direction = out ? Direction.OUT : Direction.IN;
          const data = new Uint8Array(size).fill(at);
          recorder.record(direction, data, peer, at);
          const hex = Buffer.from(data.subarray(0, MAX_CAPTURED)).toString('hex');
          return { id: at + 1, time: at, direction, peer, size, data: hex };
        });
        const kept = await all(recorder);
        expect(kept).toEqual(written.slice(-kept.length));
        expect(allBack(recorder)).toEqual(kept.map(({ id }) => id));
        expect(recorder.oldestId).toBe(kept[0]?.id);
        // At most one record, and what was too small for it, is given up without need.
        const needed = kept.reduce((sum, { peer, data }) => sum + 31 + peer.length + data.length / 2, 0);
        if (kept.length < written.length) expect(needed).toBeGreaterThan(SMALLEST_RING - 2 * 2_400);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  test('lets others work while it is read: what is overwritten meanwhile is left out, nothing comes twice', async () => {
    const recorder = new FlightRecorder(4 * 1024 * 1024, 1);
    const write = (count: number): void => {
      for (let i = 0; i < count; i++) recorder.record(Direction.IN, new Uint8Array(4), 'peer:1', 0);
    };
    write(100_000);
    const to = recorder.nextId;
    const ids: number[] = [];
    const reading = recorder.scan(0, to, ({ id }) => ids.push(id));
    // The first part is read at once; then comes a flood.
    const first = ids.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(100_000);
    write(60_000);
    await reading;
    expect(ids.length).toBeLessThan(100_000);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(ids.at(-1)).toBe(to - 1);
    expect(ids[first]).toBeGreaterThanOrEqual(recorder.oldestId);
  });

  test('shows only the ids that are asked for', async () => {
    const recorder = new FlightRecorder(SMALLEST_RING, 1);
    for (let i = 0; i < 9; i++) recorder.record(Direction.IN, Uint8Array.of(i), 'peer:1', 0);
    expect((await all(recorder, 4, 7)).map(({ id }) => id)).toEqual([4, 5, 6]);
  });

  test('refuses a ring that cannot hold anything', () => {
    expect(() => new FlightRecorder(1000, 1)).toThrow(RangeError);
    expect(() => new FlightRecorder(Number.NaN, 1)).toThrow(RangeError);
  });
});
