import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadingQueue } from '../../../client/lwm2m/reading-queue.ts';
import { encodeReading, maxPackBytes, packFormatOf, sealPack } from '../../../client/lwm2m/sealed-pack.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { registry } from '../../support/client/client-world.ts';

const path = '/42770/1/2';
const formats = ['senml-cbor', 'senml-json'] as const;

describe('a sealed pack', () => {
  it.each(formats)(
    'in %s fits a block, and carries times to the microsecond and values to single precision',
    (format) => {
      const reading = fc.tuple(
        fc.integer({ min: 1, max: 3_000_000 }),
        fc.float({ min: -10_000, max: 10_000, noNaN: true }),
      );
      fc.assert(
        fc.property(fc.array(reading, { minLength: 1, maxLength: 200 }), (readings) => {
          const queue = new ReadingQueue();
          let time = 1_790_000_000_123_456;
          const sent: [number, number][] = readings.map(([step, value]) => {
            time += step;
            return [time, value];
          });
          for (const [at, value] of sent) queue.push(at, value);
          const reader = queue.reader();
          const got: [number, number][] = [];
          while (reader.length > 0) {
            const before = reader.length;
            const pack = sealPack(path, reader, format);
            expect(pack.payload.length).toBeLessThanOrEqual(maxPackBytes);
            expect(before - reader.length).toBe(pack.readings);
            for (const record of decodeContent(pack.contentFormat, path, pack.payload, registry)) {
              expect(record.path).toBe(path);
              got.push([Math.round((record.time ?? 0) * 1e6), Number(record.value)]);
            }
          }
          expect(got.map(([at]) => at)).toEqual(sent.map(([at]) => at));
          for (const [i, [, value]] of got.entries()) {
            const wanted = sent[i]?.[1] ?? Number.NaN;
            expect(Math.abs(value - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 1e-6 + 1e-37);
          }
        }),
        { numRuns: 40 },
      );
    },
  );

  it('holds 70 readings or more of a sensor at 1 kHz', () => {
    const queue = new ReadingQueue();
    for (let i = 0; i < 200; i++)
      queue.push(1_790_000_000_000_000 + i * 1_000, Math.fround(9.80665 + i / 1_000));
    expect(sealPack(path, queue.reader(), 'senml-cbor').readings).toBeGreaterThanOrEqual(70);
  });

  it('of one reading is what answers an Observe', () => {
    const { payload, contentFormat } = encodeReading(path, 1_790_000_000_000_001, 21.5, 'senml-json');
    expect(new TextDecoder().decode(payload)).toBe('[{"bn":"/42770/1/2","bt":1790000000.000001,"v":21.5}]');
    expect(contentFormat).toBe(ContentFormat.SENML_JSON);
  });
});

it.each([
  [undefined, '1.1', 'senml-cbor'],
  [undefined, '1.0', undefined],
  [ContentFormat.SENML_CBOR, '1.0', 'senml-cbor'],
  [ContentFormat.SENML_JSON, '1.1', 'senml-json'],
  [ContentFormat.TEXT, '1.1', undefined],
  [ContentFormat.TLV, '1.1', undefined],
] as const)(
  'an Observe that accepts %s of a client that speaks %s gets packs in %s',
  (accept, version, expected) => {
    expect(packFormatOf(accept, version)).toBe(expected);
  },
);
