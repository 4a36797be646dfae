import { describe, expect, it } from 'vitest';
import { carrierLabel, clipped } from '../../../web/data/names.ts';

describe('clipped', () => {
  it('leaves what fits as it is', () => {
    expect(clipped('T-Mobile')).toBe('T-Mobile');
    expect(clipped('x'.repeat(60))).toBe('x'.repeat(60));
  });

  it('cuts what does not, and says so', () => {
    expect(clipped('x'.repeat(61))).toBe(`${'x'.repeat(59)}…`);
    expect(clipped('x'.repeat(3000))).toHaveLength(60);
    expect(clipped('ab cd', 4)).toBe('ab…');
  });

  it('cuts between characters, not within one', () => {
    expect(clipped('📶'.repeat(60))).toBe('📶'.repeat(60));
    expect(clipped('📶'.repeat(61))).toBe(`${'📶'.repeat(59)}…`);
  });
});

describe('carrierLabel', () => {
  it.each([
    ['AT&T', 'AT&T'],
    ['', 'Carrier 3'],
    ['  ', 'Carrier 3'],
    ['y'.repeat(100), `${'y'.repeat(59)}…`],
  ])('calls %j %j', (name, label) => {
    expect(carrierLabel({ id: 3, name })).toBe(label);
  });
});
