import { describe, expect, it } from 'vitest';
import { carrierValues, judge } from '../../../server/commands/carrier-object.ts';

const slot = { object: 42769, instance: 0 };

describe('the values of the Carrier object', () => {
  it('are read by resource, those of other slots and objects passed over', () => {
    const values = carrierValues(slot, [
      { path: '/42769/0/0', value: 'T-Mobile' },
      { path: '/42769/0/1/2', value: 'Verizon' },
      { path: '/42769/0/1/0', value: 'AT&T' },
      { path: '/42769/0/4', value: 2 },
      { path: '/42769/0/5', value: 0 },
      { path: '/42769/0/7', value: '8901260000000000001' },
      { path: '/42769/0/9', value: 1_700_000_000 },
      { path: '/42769/0/10', value: 17 },
      { path: '/42769/1/0', value: 'AT&T' },
      { path: '/3/0/0', value: 'Simyard' },
    ]);
    expect(values).toEqual({
      current: 'T-Mobile',
      available: [
        { id: 0, name: 'AT&T' },
        { id: 2, name: 'Verizon' },
      ],
      state: 'succeeded',
      lastResult: 'ACK',
      iccid: '8901260000000000001',
      lastSwitch: 1_700_000_000_000,
      lastCommand: 17,
    });
  });
});

describe('the outcome of a switch', () => {
  const at = (
    lastCommand: number | undefined,
    state: 'switching' | 'succeeded' | 'failed',
    lastReason = '',
  ) => judge({ available: [], state, lastReason, ...(lastCommand === undefined ? {} : { lastCommand }) }, 17);

  it('is pending while the card is busy, and where the device does not tell', () => {
    expect(at(17, 'switching').kind).toBe('pending');
    expect(at(undefined, 'succeeded').kind).toBe('pending');
  });

  it('is what the card said of this very command', () => {
    expect(at(17, 'succeeded').kind).toBe('done');
    expect(at(17, 'failed', 'policy forbids')).toMatchObject({ kind: 'failed', reason: 'policy forbids' });
  });

  it('is lost where the device has had a newer command, or never this one', () => {
    expect(at(18, 'succeeded').kind).toBe('lost');
    expect(at(16, 'succeeded').kind).toBe('lost');
  });
});
