import { describe, expect, test } from 'vitest';
import { sourceAddress } from '../../../bench/load/source-address.ts';
import { parseWorkMix, turnsOf } from '../../../bench/load/work-mix.ts';

describe('a mix of work', () => {
  test('is read from the command line', () => {
    expect(parseWorkMix('notify')).toEqual({ notify: 1 });
    expect(parseWorkMix('notify:90,update:9,register:1')).toEqual({ notify: 90, update: 9, register: 1 });
  });

  test.each(['', 'sleep', 'notify:0', 'notify:x', 'notify,,'])('refuses %j', (text) => {
    expect(() => parseWorkMix(text)).toThrow(RangeError);
  });

  test('comes by turns, each as often as it weighs, and spread', () => {
    const next = turnsOf({ notify: 6, update: 3, send: 1 });
    const turns = Array.from({ length: 20 }, next);
    expect(turns.filter((work) => work === 'notify')).toHaveLength(12);
    expect(turns.filter((work) => work === 'update')).toHaveLength(6);
    expect(turns.slice(0, 10).filter((work) => work === 'send')).toHaveLength(1);
  });
});

describe('the address of a device', () => {
  test('is its own, for a hundred thousand of them, and neither .0 nor .255', () => {
    const all = Array.from({ length: 100_000 }, (_, number) => sourceAddress('127.0.1.1', number));
    expect(new Set(all).size).toBe(100_000);
    expect(all[0]).toBe('127.0.1.1');
    expect(all[254]).toBe('127.0.2.1');
    expect(all.some((address) => /\.(0|255)$/.test(address))).toBe(false);
  });

  test.each(['127.0.0', '127.0.0.256', '127.0.0.0', 'localhost'])('does not begin with %s', (first) => {
    expect(() => sourceAddress(first, 0)).toThrow(RangeError);
  });

  test('is refused where there are not so many', () => {
    expect(() => sourceAddress('127.255.255.1', 254)).toThrow(RangeError);
  });
});
