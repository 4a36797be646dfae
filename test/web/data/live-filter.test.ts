import { describe, expect, it } from 'vitest';
import { covers, type LiveFilter, matches, union, watchParameter } from '../../../web/data/live-filter.ts';

describe('matches', () => {
  it.each<[LiveFilter, string, string | undefined, boolean]>([
    [{}, 'registered', 'a', true],
    [{}, 'node', undefined, true],
    [{}, 'trace', 'a', false],
    [{ types: ['trace'] }, 'trace', 'a', true],
    [{ endpoint: 'a' }, 'readings', 'a', true],
    [{ endpoint: 'a' }, 'readings', 'b', false],
    [{ endpoint: 'a' }, 'node', undefined, false],
    [{ endpoint: 'a', types: ['device'] }, 'readings', 'a', false],
  ])('%o of %s about %s: %s', (filter, type, endpoint, answer) => {
    expect(matches(filter, type, endpoint)).toBe(answer);
  });
});

describe('union', () => {
  it.each<[LiveFilter[], string[]]>([
    [[], []],
    [[{}, { endpoint: 'a' }, { types: ['device'] }], ['*']],
    [
      [{ endpoint: 'b' }, { endpoint: 'a', types: ['device'] }, { endpoint: 'b' }],
      ['device@a', '*@b'],
    ],
    [[{ types: ['registered'] }, { types: ['device', 'registered'] }], ['device,registered']],
    [[{ types: ['registered'] }, { endpoint: 'a', types: ['registered'] }], ['registered']],
    [
      [{ types: ['registered'] }, { endpoint: 'a' }],
      ['registered', '*@a'],
    ],
    [
      [{ endpoint: 'a' }, { endpoint: 'a', types: ['trace'] }],
      ['*@a', 'trace@a'],
    ],
    [
      [{}, { endpoint: 'a', types: ['trace'] }],
      ['*', 'trace@a'],
    ],
    [[{ endpoint: 'a b/@,' }], ['*@a b/@,']],
  ])('of %o is %o', (wishes, watches) => {
    const all = union(wishes);
    expect(all.map(watchParameter)).toEqual(watches);
    for (const wish of wishes) expect(covers(all, wish)).toBe(true);
  });

  it('asks for all devices where there are too many to name, and for the trace of none but those wished for', () => {
    const wishes = Array.from({ length: 200 }, (_, index) => ({
      endpoint: `m-${index}`,
      types: index === 7 ? ['device', 'trace'] : ['device', 'readings'],
    }));
    const all = union(wishes);
    expect(all.map(watchParameter)).toEqual(['device,readings', 'trace@m-7']);
    for (const wish of wishes) expect(covers(all, wish)).toBe(true);
  });
});

describe('covers', () => {
  it.each<[LiveFilter[], LiveFilter, boolean]>([
    [[], {}, false],
    [[{}], { endpoint: 'a' }, true],
    [[{}], { endpoint: 'a', types: ['trace'] }, false],
    [[{ endpoint: 'a' }], {}, false],
    [[{ types: ['device'] }], { endpoint: 'a' }, false],
    [
      [{ types: ['device'] }, { endpoint: 'a', types: ['readings'] }],
      { endpoint: 'a', types: ['readings', 'device'] },
      true,
    ],
    [
      [{ types: ['device'] }, { endpoint: 'a', types: ['readings'] }],
      { endpoint: 'b', types: ['readings'] },
      false,
    ],
  ])('%o has %o: %s', (open, wish, answer) => {
    expect(covers(open, wish)).toBe(answer);
  });
});
