import { describe, expect, it } from 'vitest';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { packReadings } from '../../../server/telemetry/readings.ts';

const receivedAt = 1_700_000_000_000_000;
const pack = (records: readonly LwM2mRecord[], fresh = true) =>
  packReadings({ endpoint: 'modem', receivedAt, fresh, records, sensorObject: 42770 });

describe('the time of a reading', () => {
  it('is that of receipt where the device gives none', () => {
    const { pack: result, selfTimed } = pack([{ path: '/3/0/9', value: 80 }]);
    expect(result.series).toEqual([{ path: '/3/0/9', takenAt: [receivedAt], values: [80] }]);
    expect(selfTimed).toBe(false);
  });

  it("is the device's where it is absolute, to the microsecond", () => {
    const { pack: result, selfTimed } = pack([
      { path: '/42770/0/2', value: 1, time: 1_699_999_999.000001 },
      { path: '/42770/0/2', value: 2, time: 1_699_999_999.000002 },
    ]);
    expect(result.series).toEqual([
      { path: '/42770/0/2', takenAt: [1_699_999_999_000_001, 1_699_999_999_000_002], values: [1, 2] },
    ]);
    expect(selfTimed).toBe(true);
  });

  it('is relative to receipt below 2^28 seconds (RFC 8428 §4.5.3)', () => {
    const { pack: result, selfTimed } = pack([{ path: '/3/0/9', value: 1, time: -10 }]);
    expect(result.series[0]?.takenAt).toEqual([receivedAt - 10_000_000]);
    expect(selfTimed).toBe(false);
  });

  it("is the sensor object's own where the instance carries one", () => {
    const { pack: result, selfTimed } = pack([
      { path: '/42770/1/2', value: 5 },
      { path: '/42770/1/4', value: receivedAt - 7 },
    ]);
    expect(result.series.find(({ path }) => path === '/42770/1/2')?.takenAt).toEqual([receivedAt - 7]);
    expect(selfTimed).toBe(true);
  });

  it.each([
    ['an hour ahead of receipt', receivedAt / 1e6 + 3600],
    ['decades behind it', 1_000_000_000],
  ])('is that of receipt, with the claim kept, where the device says %s', (_, time) => {
    const { pack: result, selfTimed } = pack([{ path: '/3/0/9', value: 1, time }]);
    expect(result.series[0]).toEqual({
      path: '/3/0/9',
      takenAt: [receivedAt],
      values: [1],
      claimedAt: [time * 1e6],
    });
    expect(selfTimed).toBe(false);
  });

  it.each([1.7e308, -1.7e308])('is that of receipt, without a claim, where the device says %s s', (time) => {
    const { pack: result, selfTimed } = pack([{ path: '/3/0/9', value: 1, time }]);
    expect(result.series).toEqual([{ path: '/3/0/9', takenAt: [receivedAt], values: [1] }]);
    expect(selfTimed).toBe(false);
  });

  it('marks a pack as overtaken only where its order cannot be told from its times', () => {
    expect(pack([{ path: '/3/0/9', value: 1 }], false).pack.overtaken).toBe(true);
    expect(pack([{ path: '/3/0/9', value: 1, time: 1_699_999_999 }], false).pack.overtaken).toBe(false);
  });

  it('groups values by path and shows what JSON lacks as text', () => {
    const { pack: result } = pack([
      { path: '/3/0/0', value: 'Simyard' },
      { path: '/3/0/21', value: 2n ** 60n },
      { path: '/3/0/0', value: 'again' },
      { path: '/42770/0/3', value: new Uint8Array([0xca, 0xfe]) },
      { path: '/10/0/11/0', value: { objectId: 11, instanceId: 3 } },
    ]);
    expect(result.series.map(({ path, values }) => [path, values])).toEqual([
      ['/3/0/0', ['Simyard', 'again']],
      ['/3/0/21', ['1152921504606846976']],
      ['/42770/0/3', ['cafe']],
      ['/10/0/11/0', ['11:3']],
    ]);
  });
});
