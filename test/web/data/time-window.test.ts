import { describe, expect, it } from 'vitest';
import { csvFileName, csvParts, exportAddress } from '../../../web/data/csv-export.ts';
import { learnSensors, sensorInstance, sensorTitle, sensorUnit } from '../../../web/data/sensors.ts';
import { SeriesBuffer } from '../../../web/data/series-buffer.ts';
import { ServerClock } from '../../../web/data/server-clock.ts';
import { follow, hold, pan, pick, windowOf, zoom } from '../../../web/data/time-window.ts';
import { drawingUnit, fitScale } from '../../../web/data/value-scale.ts';

const now = 1_000_000;

describe('views of time', () => {
  it('go with the time while they follow, and stand still when held', () => {
    const live = follow(60_000);
    expect(windowOf(live, now)).toEqual({ from: now - 60_000, to: now });
    const held = hold(live, now);
    expect(windowOf(held, now + 5000)).toEqual({ from: now - 60_000, to: now });
    expect(held.span).toBe(60_000);
  });

  it('show what was picked, never nothing', () => {
    expect(windowOf(pick(follow(60_000), { from: 500, to: 900 }), now)).toEqual({ from: 500, to: 900 });
    const { from, to } = windowOf(pick(follow(60_000), { from: 500, to: 500 }), now);
    expect(to).toBeGreaterThan(from);
  });

  it('zoom around the middle, and never into the future', () => {
    const held = pick(follow(60_000), { from: now - 4000, to: now });
    expect(windowOf(zoom(held, 0.5, now), now)).toEqual({ from: now - 3000, to: now - 1000 });
    expect(windowOf(zoom(held, 2, now), now)).toEqual({ from: now - 8000, to: now });
    expect(zoom(follow(60_000), 0.5, now)).toEqual(follow(30_000));
  });

  it('pan to the past, and follow again at the present', () => {
    const past = pan(follow(60_000), -0.5, now);
    expect(windowOf(past, now)).toEqual({ from: now - 90_000, to: now - 30_000 });
    expect(pan(past, 1, now)).toEqual(follow(60_000));
  });
});

describe('fitScale', () => {
  it('widens at once and narrows late', () => {
    const first = fitScale(undefined, 0, 10);
    expect(first).toEqual({ low: -0.8, high: 10.8 });
    expect(fitScale(first, 1, 9)).toEqual(first);
    expect(fitScale(first, 0, 20)?.high).toBeGreaterThan(20);
    expect(fitScale(first, 4, 5)).toEqual({ low: 3.92, high: 5.08 });
  });

  it('gives a constant value room, and keeps its extent where nothing is', () => {
    const flat = fitScale(undefined, 5, 5);
    expect(flat?.low).toBeLessThan(5);
    expect(flat?.high).toBeGreaterThan(5);
    expect(fitScale(flat, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBe(flat);
  });

  it('leaves an extent far from the values behind', () => {
    const scale = fitScale({ low: 0, high: 1 }, 100, 100.5);
    expect(scale?.low).toBeGreaterThan(99);
  });
});

describe('drawingUnit', () => {
  it('leaves what anybody measures as it is', () => {
    expect(drawingUnit(-40, 1e9)).toBe(1);
    expect(drawingUnit(0, 0)).toBe(1);
    expect(drawingUnit(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBe(1);
  });

  it.each([
    [-1e308, 1e308],
    [-Number.MAX_VALUE, Number.MAX_VALUE],
    [1e40, 2e40],
    [-3e16, 0],
  ])('makes an axis of finite extent and steps for values from %d to %d', (minimum, maximum) => {
    const unit = drawingUnit(minimum, maximum);
    const scale = fitScale(undefined, minimum / unit, maximum / unit);
    if (scale === undefined) throw new Error('no scale');
    const extent = scale.high - scale.low;
    expect(extent).toBeGreaterThan(0);
    expect(extent).toBeLessThan(100);
  });
});

describe('ServerClock', () => {
  it('corrects a clock that is wrong, and leaves one alone that may be right', () => {
    let local = 5000;
    const clock = new ServerClock(() => local);
    clock.adjust(5040, 4990, 5090);
    expect(clock.now()).toBe(5000);
    clock.adjust(65_000, 4990, 5010);
    expect(clock.now()).toBe(65_000);
    local += 10;
    expect(clock.now()).toBe(65_010);
  });
});

describe('sensors', () => {
  it('are known by their values, and named as the device tells', () => {
    expect(sensorInstance('/42770/3/2')).toBe(3);
    expect(sensorInstance('/42770/3/1')).toBeUndefined();
    expect(sensorInstance('/3/0/2')).toBeUndefined();
    const one = learnSensors(new Map(), [
      { path: '/42770/1/2', value: 5 },
      { path: '/42770/0/2', value: 6 },
      { path: '/3/0/0', value: 'x' },
    ]);
    expect([...one.keys()]).toEqual([0, 1]);
    expect(sensorTitle(one.get(1) ?? fail())).toBe('Sensor 1');
    const two = learnSensors(one, [
      { path: '/42770/1/1', value: 'gyro' },
      { path: '/42770/1/6', value: 'rad/s' },
    ]);
    expect(sensorTitle(two.get(1) ?? fail())).toBe('gyro');
    expect(sensorUnit(two.get(1) ?? fail())).toBe('rad/s');
    expect(one.get(1)?.kind).toBeUndefined();
  });
});

describe('export', () => {
  it('gives the readings of the window with their times, and no others', () => {
    const buffer = new SeriesBuffer(100);
    buffer.add([
      [999, 1],
      [1000.125, 2],
      [1500, -3],
      [2000, 4],
    ]);
    const text = [
      ...csvParts([{ path: '/42770/0/2', sensor: 'imu', units: 'm/s2', buffer }], { from: 1000, to: 2000 }),
    ].join('');
    expect(text).toBe(
      'taken_at,path,sensor,value,unit\r\n' +
        '1970-01-01T00:00:01.000125Z,/42770/0/2,imu,2,m/s2\r\n' +
        '1970-01-01T00:00:01.500000Z,/42770/0/2,imu,-3,m/s2\r\n',
    );
  });

  it('gives every reading of a long series', () => {
    const buffer = new SeriesBuffer(30_000);
    buffer.add(Array.from({ length: 25_001 }, (_, index) => [index, index] as const));
    const parts = [...csvParts([{ path: '/1/0/0', sensor: '', units: '', buffer }], { from: 0, to: 1e9 })];
    expect(parts.join('').split('\r\n')).toHaveLength(25_001 + 2);
  });

  it('is named after device and time', () => {
    expect(csvFileName('urn:imei:35', { from: 0, to: 61_000 })).toBe(
      'urn_imei_35-19700101-000000-19700101-000101.csv'.replaceAll('19700101', '1970-01-01'),
    );
  });

  it('by the server names device, paths and window', () => {
    const address = exportAddress('a,b&c', ['/42770/0/2', '/42770/1/2'], { from: 1.5, to: 2.5 });
    const { pathname, searchParams } = new URL(address, 'http://server');
    expect(pathname).toBe('/api/readings/export');
    expect(Object.fromEntries(searchParams)).toEqual({
      endpoint: 'a,b&c',
      path: '/42770/0/2,/42770/1/2',
      from: '1',
      to: '3',
      format: 'csv',
    });
  });
});

function fail(): never {
  throw new Error('it should be there');
}
