import { describe, expect, it } from 'vitest';
import { RecentMap } from '../../../server/lwm2m/recent-map.ts';

describe('a map of what was set lately', () => {
  it('has the newest keys, and no more than twice as many', () => {
    const map = new RecentMap<number, number>(100);
    for (let key = 0; key < 1_000; key++) map.set(key, key);
    const kept = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => map.get(key) === key);
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept.length).toBeLessThanOrEqual(200);
    expect(kept.at(0)).toBe(1_000 - kept.length);
  });

  it('keeps what is set again and again, with its newest value, null too', () => {
    const map = new RecentMap<string, number | null>(2);
    map.set('a', 1);
    for (let key = 0; key < 100; key++) {
      map.set(`${key}`, key);
      map.set('a', key === 99 ? null : key);
    }
    expect(map.get('a')).toBeNull();
    expect(map.get('0')).toBeUndefined();
  });

  it('forgets what is deleted', () => {
    const map = new RecentMap<string, number>(1);
    map.set('a', 1);
    map.set('b', 2);
    map.delete('a');
    map.delete('b');
    expect([map.get('a'), map.get('b')]).toEqual([undefined, undefined]);
  });
});
