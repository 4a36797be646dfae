import { describe, expect, it } from 'vitest';
import { KnownAttributes } from '../../../server/telemetry/known-attributes.ts';

const takenAt = 1;

describe('known attributes', () => {
  it('are those that were set last, until they are forgotten', () => {
    const known = new KnownAttributes();
    known.set('a', 'carrier', { value: 'AT&T', takenAt });
    known.set('a', 'carrier', { value: 'Verizon', takenAt });
    known.set('b', 'signal', { value: -70, takenAt });
    expect(known.get('a', 'carrier')?.value).toBe('Verizon');
    known.forget('a');
    expect(known.get('a', 'carrier')).toBeUndefined();
    known.forget('b');
    expect(known.kept).toBe(0);
  });

  it('never hold more than their bound, however they come', () => {
    const known = new KnownAttributes(10_000);
    for (let i = 0; i < 1_000; i++) {
      known.set(`device-${i % 37}`, `n${i % 3}`, { value: 'x'.repeat(i % 256), takenAt });
      if (i % 11 === 0) known.forget(`device-${i % 5}`);
      expect(known.kept).toBeLessThanOrEqual(10_000);
      expect(known.get(`device-${i % 37}`, `n${i % 3}`) === undefined).toBe(i % 11 === 0 && i % 37 === i % 5);
    }
  });
});
