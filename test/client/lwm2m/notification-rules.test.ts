import { describe, expect, it } from 'vitest';
import {
  areConsistent,
  effectiveMaximum,
  isSameValue,
  isWorthTelling,
  periodsAreConsistent,
  type ValueConditions,
} from '../../../client/lwm2m/notification-rules.ts';
import type { ResourceValue } from '../../../protocol/lwm2m/value.ts';

/** Which of these values are told, one after the other: the first always is. */
function told(conditions: ValueConditions, values: readonly ResourceValue[]): ResourceValue[] {
  const [first, ...others] = values as [ResourceValue];
  const list = [first];
  let before = first;
  for (const value of others) {
    if (isWorthTelling(conditions, list.at(-1), before, value)) list.push(value);
    before = value;
  }
  return list;
}

describe('a value is told', () => {
  it('when it is another, where there are no conditions', () => {
    expect(told({}, [1, 1, 2, 2, 1])).toEqual([1, 2, 1]);
    expect(told({}, ['a', 'a', 'b'])).toEqual(['a', 'b']);
    expect(told({}, [true, true, false])).toEqual([true, false]);
  });

  it('the first time, whatever the conditions', () => {
    expect(isWorthTelling({ gt: 100, st: 50 }, undefined, undefined, 1)).toBe(true);
  });

  it('gt: when it crosses the threshold, up or down, and not at the threshold itself', () => {
    expect(told({ gt: 10 }, [5, 9, 10, 11, 50, 11, 10, 3])).toEqual([5, 11, 10]);
  });

  it('lt: when it crosses the threshold, down or up, and not at the threshold itself', () => {
    expect(told({ lt: -10.5 }, [0, -10.5, -10.6, -99, -10.5, 7])).toEqual([0, -10.6, -10.5]);
  });

  it('gt and lt: when it crosses either', () => {
    expect(told({ gt: 30, lt: 10 }, [20, 31, 20, 9, 20, 25])).toEqual([20, 31, 20, 9, 20]);
  });

  it('st: when it is so far from what was told last', () => {
    expect(told({ st: 5 }, [10, 14, 15, 11, 10, 4, 5])).toEqual([10, 15, 10, 4]);
  });

  it('st: in decimals that doubles round', () => {
    expect(told({ st: 0.1 }, [20.1, 20.2, 20.25, 20.3])).toEqual([20.1, 20.2, 20.3]);
    expect(told({ st: 0.1 }, [1.1, 1.2, 1.3])).toEqual([1.1, 1.2, 1.3]);
  });

  it('st with gt and lt: for one or the other', () => {
    expect(told({ gt: 100, lt: 0, st: 20 }, [50, 60, 71, 95, 101, 99])).toEqual([50, 71, 95, 101, 99]);
  });

  it('of 64 bits, exactly', () => {
    const big = 2n ** 63n;
    expect(told({ st: 2 }, [big, big + 1n, big + 2n])).toEqual([big, big + 2n]);
    expect(told({ gt: 2 ** 63 }, [big - 1n, big, big + 1n])).toEqual([big - 1n, big + 1n]);
    expect(told({ st: 1 }, [2 ** 53 - 1, big])).toEqual([2 ** 53 - 1, big]);
  });

  it('edge 1: when it rises, also if it fell unheard before', () => {
    expect(told({ edge: 1 }, [true, false, true, true, false, true])).toEqual([true, true, true]);
    expect(told({ edge: 1 }, [false, true, false, false, true])).toEqual([false, true, true]);
  });

  it('edge 0: when it falls, also if it rose unheard before', () => {
    expect(told({ edge: 0 }, [false, true, false, true, false])).toEqual([false, false, false]);
  });

  it('on every change where conditions contradict each other, or are of another type', () => {
    expect(told({ gt: 1, lt: 2 }, [5, 6, 6, 7])).toEqual([5, 6, 7]);
    expect(told({ gt: 10, lt: 8, st: 5 }, [5, 6])).toEqual([5, 6]);
    expect(told({ gt: 10 }, ['a', 'b'])).toEqual(['a', 'b']);
  });
});

it.each([
  [{ gt: 10, lt: 5 }, true],
  [{ gt: 5, lt: 5 }, false],
  [{ gt: 10, lt: 5, st: 2.4 }, true],
  [{ gt: 10, lt: 5, st: 2.5 }, false],
  [{ lt: 5, st: 100 }, true],
])('%s is consistent: %s', (conditions, expected) => expect(areConsistent(conditions)).toBe(expected));

it('epmin must be less than epmax', () => {
  expect(periodsAreConsistent({ epmin: 5, epmax: 6 })).toBe(true);
  expect(periodsAreConsistent({ epmin: 6, epmax: 6 })).toBe(false);
  expect(periodsAreConsistent({ epmin: 6 })).toBe(true);
});

it('a maximum of 0, or below the minimum, is none', () => {
  expect([0, 5, 10, 11, undefined].map((maximum) => effectiveMaximum(10, maximum))).toEqual([
    undefined,
    undefined,
    10,
    11,
    undefined,
  ]);
});

it('values are the same by what they hold', () => {
  expect(isSameValue(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(isSameValue(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(isSameValue(Uint8Array.of(1), 'a')).toBe(false);
  expect(isSameValue({ objectId: 3, instanceId: 0 }, { objectId: 3, instanceId: 0 })).toBe(true);
  expect(isSameValue({ objectId: 3, instanceId: 0 }, { objectId: 3, instanceId: 1 })).toBe(false);
  expect(isSameValue(5, 5n)).toBe(true);
  expect(isSameValue('5', 5)).toBe(false);
});
