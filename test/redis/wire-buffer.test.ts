import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rememberKeys, WireBuffer } from '../../redis/wire-buffer.ts';

type Value = string | number | Uint8Array;

function written(write: (wire: WireBuffer) => void): string {
  const wire = new WireBuffer();
  write(wire);
  return wire.bytes.toString('latin1');
}

/** A bulk string as the protocol has it: its length in bytes, and its bytes. */
function expected(value: Value): string {
  const bytes = typeof value === 'object' ? Buffer.from(value) : Buffer.from(String(value), 'utf8');
  return `$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`;
}

describe('WireBuffer', () => {
  it.each<[string, Value]>([
    ['nothing', ''],
    ['a short text', 'urn:imei:1'],
    ['a text of ten', '0123456789'],
    ['a long text', 'x'.repeat(100)],
    ['a very long text', 'y'.repeat(300_000)],
    ['a number', 1_732_456_789_012],
    ['a fraction', 0.5],
    ['a short text that is not ASCII', 'modém'],
    ['a long text that is not ASCII', `${'z'.repeat(200)} — “ü”`],
    ['half of a pair', `a\ud800b${'c'.repeat(40)}`],
    ['bytes', Uint8Array.of(0, 13, 10, 255)],
    ['many bytes', new Uint8Array(200_000).fill(7)],
  ])('writes %s with its length in bytes', (_, value) => {
    expect(written((wire) => wire.bulk(value))).toBe(expected(value));
  });

  it('writes whatever comes, one behind the other, and again after a reset', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ maxLength: 60 }),
      fc.integer(),
      fc.uint8Array({ maxLength: 60 }),
    );
    const wire = new WireBuffer();
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (values) => {
        wire.reset();
        for (const each of values) wire.bulk(each);
        expect(wire.bytes.toString('latin1')).toBe(values.map(expected).join(''));
      }),
    );
  });

  it('writes lists of keys that it knows as it writes others', () => {
    const keys = ['sy:{b2a}:registrations', 'prefix-ü:{b2a}:ids'];
    const all = keys.map(expected).join('');
    expect(written((wire) => wire.keys(keys))).toBe(all);
    expect(written((wire) => wire.keys(rememberKeys(keys)))).toBe(all);
  });

  it('does not keep a buffer that had to become very large', () => {
    const wire = new WireBuffer();
    wire.bulk(new Uint8Array(5_000_000));
    wire.reset();
    wire.bulk('a');
    expect(wire.bytes.buffer.byteLength).toBeLessThan(5_000_000);
    expect(wire.bytes.toString()).toBe('$1\r\na\r\n');
  });
});
