import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { decodePack, encodePack, type Pack } from '../../../server/telemetry/pack.ts';

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string(),
  fc.boolean(),
);
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const series = fc
  .tuple(
    fc.constantFrom('/42770/0/2', '/3/0/9', '/3303/65534/5700'),
    fc.array(fc.tuple(time, value), { minLength: 1 }),
  )
  .map(([path, readings]) => ({
    path,
    takenAt: readings.map(([takenAt]) => takenAt),
    values: readings.map(([, reading]) => reading),
  }));
const packs = fc
  .tuple(fc.string({ minLength: 1 }), time, fc.boolean(), fc.array(series, { minLength: 1, maxLength: 5 }))
  .map(
    ([endpoint, receivedAt, overtaken, list]): Pack => ({ endpoint, receivedAt, overtaken, series: list }),
  );

describe('the encoding of a pack for the log', () => {
  it('gives back every pack as it was', () => {
    fc.assert(
      fc.property(packs, (pack) => {
        expect(decodePack(pack.endpoint, pack.receivedAt, encodePack(pack))).toEqual(pack);
      }),
    );
  });

  it('keeps the time that a device claimed, reading by reading', () => {
    const claimedAt: (number | undefined)[] = [undefined, 17];
    const pack: Pack = {
      endpoint: 'a',
      receivedAt: 5,
      overtaken: false,
      series: [{ path: '/3/0/9', takenAt: [4, 5], values: [1, 2], claimedAt }],
    };
    expect(decodePack('a', 5, encodePack(pack))).toEqual(pack);
  });

  it('needs 16 bytes for a reading of a long numeric pack', () => {
    const readings = Array.from({ length: 50 }, (_, index) => index + 0.5);
    const pack: Pack = {
      endpoint: 'a',
      receivedAt: 5,
      overtaken: false,
      series: [{ path: '/42770/0/2', takenAt: readings.map((index) => 1.7e15 + index), values: readings }],
    };
    expect(encodePack(pack).length).toBe(4 + 7 + '/42770/0/2'.length + 50 * 16);
  });

  it('throws DecodeError for each truncation, and never reads beyond', () => {
    fc.assert(
      fc.property(packs, fc.nat(), (pack, cut) => {
        const bytes = encodePack(pack);
        const short = bytes.subarray(0, cut % bytes.length);
        expect(() => decodePack('a', 0, short)).toThrow(DecodeError);
      }),
    );
  });

  it('throws nothing but DecodeError for mutated bytes', () => {
    fc.assert(
      fc.property(packs, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (pack, mutations) => {
        const bytes = encodePack(pack);
        for (const [at, byte] of mutations) bytes[at % bytes.length] = byte;
        try {
          decodePack('a', 0, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
