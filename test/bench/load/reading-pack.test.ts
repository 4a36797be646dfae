import { describe, expect, test } from 'vitest';
import { ReadingPack } from '../../../bench/load/reading-pack.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';

const floats = { resourceType: () => ({ type: 'float', multiple: false }) as const };
const path = '/42770/0/2';

describe('a pack of readings', () => {
  test.each([1, 10, 23, 24, 50, 300])(
    'of %i in SenML CBOR ends now, with a millisecond between two',
    (readings) => {
      const pack = new ReadingPack(path, ContentFormat.SENML_CBOR, readings);
      const now = 1_700_000_000_000;
      const records = decodeContent(ContentFormat.SENML_CBOR, path, pack.next(now, 7.5), floats);
      expect(records).toHaveLength(readings);
      expect(records.every((record) => record.path === path)).toBe(true);
      expect(records[0]?.value).toBe(7.5);
      expect(records.at(-1)?.time).toBeCloseTo(now / 1_000, 6);
      expect(records[0]?.time).toBeCloseTo((now - readings + 1) / 1_000, 6);
    },
  );

  test('of 50 readings fits one CoAP block', () => {
    expect(new ReadingPack(path, ContentFormat.SENML_CBOR, 50).next(1.7e12, 1).length).toBeLessThanOrEqual(
      1_024,
    );
  });

  test('with a long name is still SenML CBOR', () => {
    const long = '/42770/65534/2/65534/with-no-end';
    const pack = new ReadingPack(long.slice(0, 24), ContentFormat.SENML_CBOR, 1);
    expect([...pack.next(1.7e12, 1).subarray(2, 5)]).toEqual([0x21, 0x78, 24]);
  });

  test.each([
    ['text', ContentFormat.TEXT],
    ['CBOR', ContentFormat.CBOR],
    ['TLV', ContentFormat.TLV],
    ['SenML JSON', ContentFormat.SENML_JSON],
    ['LwM2M JSON', ContentFormat.JSON],
    ['LwM2M CBOR', ContentFormat.LWM2M_CBOR],
  ])('asked for in %s has the newest reading', (_name, format) => {
    const bytes = new ReadingPack(path, format, 50).next(1.7e12, 21.25);
    expect(decodeContent(format, path, bytes, floats)).toMatchObject([{ path, value: 21.25 }]);
  });
});
