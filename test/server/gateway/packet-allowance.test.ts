import { describe, expect, test } from 'vitest';
import { PacketAllowance } from '../../../server/gateway/packet-allowance.ts';

describe('what a device may send', () => {
  const taken = (allowance: PacketAllowance, now: number, packets: number): number =>
    Array.from({ length: packets }, () => allowance.take(now)).filter(Boolean).length;

  test('is a burst, and a rate', () => {
    const allowance = new PacketAllowance(10, 20);
    expect(taken(allowance, 0, 50)).toBe(20);
    expect(taken(allowance, 500, 50)).toBe(5);
    expect(taken(allowance, 1_500, 50)).toBe(10);
    // However long it was silent.
    expect(taken(allowance, 1e9, 50)).toBe(20);
  });
});
