import { describe, expect, it } from 'vitest';
import { powerSaving, windowOf } from '../../../server/lwm2m/power-saving.ts';

const said = (values: Readonly<Record<string, string | number | boolean>>) =>
  powerSaving(Object.entries(values).map(([path, value]) => ({ path, value })));

describe('how a device says that it saves power', () => {
  it('is read out of object 10', () => {
    expect(
      said({ '/10/0/4': 86_400, '/10/0/5': 16, '/10/0/8': '5d', '/10/0/13': 3, '/10/0/0': 'x' }),
    ).toEqual({
      psmTimer: 86_400,
      activeTimer: 16,
      edrxCycle: 2621.44,
      modes: ['psm', 'edrx'],
    });
  });

  it.each([
    ['/10/0/7', '00', 10.24],
    ['/10/0/7', '09', 2621.44],
    // Values that are reserved mean the shortest.
    ['/10/0/7', '0f', 10.24],
    ['/10/0/8', '00', 5.12],
    ['/10/0/8', 'f4', 61.44],
    ['/10/0/9', '02', 20.48],
    ['/10/0/9', '04', 20.48],
    ['/10/0/9', '0f', 10485.76],
  ])('has the cycle of %s %s as 3GPP TS 24.008 table 10.5.5.32 has it', (path, value, cycle) => {
    expect(said({ [path]: value })).toEqual({ edrxCycle: cycle });
  });

  it('is left out where it is not said, or cannot be', () => {
    expect(said({})).toEqual({});
    expect(said({ '/10/1/5': 16, '/10/0/5/0': 16, '/10/0': 1, '/9/0/5': 16 })).toEqual({});
    expect(said({ '/10/0/5': 'soon', '/10/0/4': -1, '/10/0/8': 'xy' })).toEqual({});
  });

  it('gives the window by the Active Timer, where PSM is not said to be off', () => {
    expect(windowOf({ activeTimer: 16 })).toBe(16_000);
    expect(windowOf({ activeTimer: 16, modes: ['psm'] })).toBe(16_000);
    expect(windowOf({ activeTimer: 16, modes: ['edrx'] })).toBeUndefined();
    expect(windowOf({ activeTimer: 0 })).toBeUndefined();
    expect(windowOf({ edrxCycle: 20.48 })).toBeUndefined();
  });
});
