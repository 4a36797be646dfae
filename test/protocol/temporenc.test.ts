import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { decodeTemporenc, encodeTemporenc, type WallClockTime } from '../../protocol/temporenc.ts';

function wallClock(
  year?: number,
  month?: number,
  day?: number,
  hour?: number,
  minute?: number,
  second?: number,
  microsecond = 0,
): WallClockTime {
  return { year, month, day, hour, minute, second, microsecond };
}

const vectors: readonly { readonly name: string; readonly time: WallClockTime; readonly hex: string }[] = [
  {
    name: 'a time with microseconds',
    time: wallClock(2023, 6, 14, 12, 34, 56, 789_012),
    hex: '57e756b22e302850',
  },
  { name: 'a whole second', time: wallClock(2023, 6, 14, 12, 34, 56), hex: '57e756b22e000000' },
  {
    name: 'the example of the specification',
    time: wallClock(1983, 1, 15, 18, 25, 12, 123_456),
    hex: '57bf074993078900',
  },
  {
    name: 'the end of a leap second',
    time: wallClock(2016, 12, 31, 23, 59, 60, 999_999),
    hex: '57e0bf5fbf3d08fc',
  },
  { name: 'the first of all times', time: wallClock(0, 1, 1, 0, 0, 0), hex: '5000000000000000' },
  { name: 'no part at all', time: wallClock(), hex: '5fffffffffc00000' },
  {
    name: 'a year, a minute and a microsecond',
    time: wallClock(4094, undefined, undefined, undefined, 0, undefined, 1),
    hex: '5ffefffc0fc00004',
  },
];

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('temporenc, type DTS with microseconds', () => {
  test.each(vectors)('writes $name', ({ time, hex }) => {
    expect(hexOf(encodeTemporenc(time))).toBe(hex);
  });

  test.each(vectors)('reads $name', ({ time, hex }) => {
    expect(decodeTemporenc(bytesOf(hex))).toEqual(time);
  });

  test.each(vectors)('refuses each truncation of $name', ({ hex }) => {
    const bytes = bytesOf(hex);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeTemporenc(bytes.subarray(0, length))).toThrow(DecodeError);
    }
  });

  test.each([
    ['nine bytes', '57e756b22e30285000'],
    ['type DTS with milliseconds, and a byte more', '47e756b22e314000'],
    ['type DTS with nanoseconds, cut', '67e756b22e302850'],
    ['type DTSZ with milliseconds, which has eight bytes too', 'e3f3ab59171500c0'],
    ['month 13', '57e7c6b22e302850'],
    ['hour 24', '57e756e22e302850'],
    ['minute 60', '57e756b3ce302850'],
    ['second 61', '57e756b22f702850'],
    ['a million microseconds', '57e756b22e3d0900'],
    ['padding', '57e756b22e302851'],
  ])('refuses %s', (_name, hex) => {
    expect(() => decodeTemporenc(bytesOf(hex))).toThrow(DecodeError);
  });

  test.each([
    ['year', wallClock(4095)],
    ['month', wallClock(2023, 0)],
    ['day', wallClock(2023, 1, 32)],
    ['hour', wallClock(2023, 1, 1, 24)],
    ['minute', wallClock(2023, 1, 1, 0, 60)],
    ['second', wallClock(2023, 1, 1, 0, 0, 61)],
    ['microsecond', wallClock(2023, 1, 1, 0, 0, 0, 1_000_000)],
    ['year', wallClock(2023.5)],
  ])('does not write a %s out of its range', (name, time) => {
    expect(() => encodeTemporenc(time)).toThrow(RequestError);
    expect(() => encodeTemporenc(time)).toThrow(name);
  });

  test('reads from the middle of a larger buffer', () => {
    const larger = bytesOf('ffff57e756b22e302850ffff');
    expect(decodeTemporenc(larger.subarray(2, 10))).toEqual(vectors[0]?.time);
  });

  test('whatever eight bytes come is a time that is written as the same bytes, or refused', () => {
    let read = 0;
    // Half of them begin as this type does: of bytes at random one in sixteen would.
    const eightBytes = fc
      .tuple(fc.boolean(), fc.uint8Array({ minLength: 8, maxLength: 8 }))
      .map(([typed, bytes]) => (typed ? Uint8Array.of(0x57, ...bytes.subarray(1, 7), 0) : bytes));
    fc.assert(
      fc.property(eightBytes, (bytes) => {
        let time: WallClockTime;
        try {
          time = decodeTemporenc(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        read++;
        expect(encodeTemporenc(time)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});
