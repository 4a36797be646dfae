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

describe('the carriers of a card', () => {
  it('are those that it listed last', () => {
    const { available } = carrierValues(slot, [
      { path: '/42769/0/1/0', value: 'AT&T', receivedAt: 2 },
      { path: '/42769/0/1/1', value: 'T-Mobile', receivedAt: 2 },
      { path: '/42769/0/1/2', value: 'Verizon', receivedAt: 1 },
      { path: '/42769/1/1/3', value: 'of another slot', receivedAt: 3 },
      { path: '/42769/0/0', value: 'AT&T', receivedAt: 3 },
    ]);
    expect(available.map(({ name }) => name)).toEqual(['AT&T', 'T-Mobile']);
  });

  it('are those that it listed last in whatever order the values are given', () => {
    const { available } = carrierValues(slot, [
      { path: '/42769/0/1/2', value: 'Verizon', receivedAt: 1 },
      { path: '/42769/0/1/0', value: 'AT&T', receivedAt: 2 },
    ]);
    expect(available).toEqual([{ id: 0, name: 'AT&T' }]);
  });
});

describe('texts of the Carrier object', () => {
  it('are cut at 500 characters', () => {
    const long = 'x'.repeat(10_000);
    const values = carrierValues(slot, [
      { path: '/42769/0/0', value: long },
      { path: '/42769/0/1/0', value: long },
      { path: '/42769/0/4', value: 3 },
      { path: '/42769/0/6', value: long },
      { path: '/42769/0/7', value: long },
      { path: '/42769/0/10', value: 17 },
    ]);
    expect(values).toMatchObject({
      current: 'x'.repeat(500),
      available: [{ id: 0, name: 'x'.repeat(500) }],
      lastReason: 'x'.repeat(500),
      iccid: 'x'.repeat(500),
    });
    expect(judge(values, 17)).toMatchObject({ kind: 'failed', reason: 'x'.repeat(500) });
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
