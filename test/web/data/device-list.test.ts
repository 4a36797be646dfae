import { describe, expect, it } from 'vitest';
import type { ApiDevice, ApiEvent } from '../../../web/data/api-types.ts';
import { changed } from '../../../web/data/device-list.ts';
import { DeviceRows } from '../../../web/data/device-rows.ts';

const registration = (updatedAt: number) => ({
  address: '127.0.0.1:5000',
  secure: false,
  lifetime: 60,
  version: '1.2',
  binding: 'U',
  queueMode: false,
  rootPath: '/',
  objects: [],
  registeredAt: 1000,
  updatedAt,
  expiresAt: updatedAt + 60_000,
  node: 'n1',
});

const device = (endpoint: string, extra: Partial<ApiDevice> = {}): ApiDevice => ({
  endpoint,
  state: 'awake',
  firstSeen: 0,
  lastSeen: 1000,
  registration: registration(1000),
  ...extra,
});

const event = (type: string, endpoint: string, at: number, data: ApiEvent['data'] = {}): ApiEvent => ({
  id: at,
  type,
  endpoint,
  at,
  data,
});

const page = (devices: readonly ApiDevice[], total = devices.length) => ({
  items: devices,
  total,
  next: null,
});
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => device(`d${from + index}`));

describe('DeviceRows', () => {
  it('has the rows that were asked for, wherever they are, and knows what is missing', () => {
    const rows = new DeviceRows(page(numbered(0, 100), 100_000), 0);
    expect(rows.total).toBe(100_000);
    expect(rows.get(99)?.endpoint).toBe('d99');
    expect(rows.get(100)).toBeUndefined();
    expect(rows.missing(0, 99, -1)).toBeUndefined();
    expect(rows.missing(50_010, 50_130, -1)).toEqual({ first: 500, count: 2 });
    rows.put(500, page(numbered(50_000, 200), 100_000), 10);
    expect(rows.get(50_130)?.endpoint).toBe('d50130');
    expect(rows.placeOf('d50130')).toBe(50_130);
    expect(rows.missing(50_010, 50_130, -1)).toBeUndefined();
    expect(rows.missing(-20, 5, -1)).toBeUndefined();
    expect(rows.missing(99_990, 100_050, -1)).toEqual({ first: 999, count: 1 });
  });

  it('asks again for what is older than wanted', () => {
    const rows = new DeviceRows(page(numbered(0, 100), 150), 5);
    rows.put(1, page(numbered(100, 50), 150), 20);
    expect(rows.missing(0, 149, 10)).toEqual({ first: 0, count: 1 });
    expect(rows.missing(0, 149, 30)).toEqual({ first: 0, count: 2 });
  });

  it('renews the row of a device that updates, in its place, and passes over who is not loaded', () => {
    const rows = new DeviceRows(page([device('a'), device('b')], 500), 0);
    const update = { registration: registration(5000) };
    expect(rows.apply(event('updated', 'b', 5000, update))).toBe(true);
    expect(rows.get(1)).toMatchObject({ lastSeen: 5000, registration: { updatedAt: 5000 } });
    expect(rows.apply(event('updated', 'elsewhere', 5000, update))).toBe(false);
    expect(rows.apply(event('expired', 'a', 9000))).toBe(true);
    expect(rows.get(0)).toMatchObject({ endpoint: 'a', state: 'lost' });
    expect(rows.get(0)).not.toHaveProperty('registration');
  });

  it('follows a list that shrinks, and a device that has moved', () => {
    const rows = new DeviceRows(page(numbered(0, 100), 250), 0);
    rows.put(1, page(numbered(100, 150), 250), 0);
    rows.put(0, page([device('d150'), ...numbered(0, 79)], 80), 1);
    expect(rows.total).toBe(80);
    expect(rows.placeOf('d150')).toBe(0);
    expect(rows.get(120)).toBeUndefined();
    rows.put(0, page([], 0), 2);
    expect(rows.missing(0, 40, 2)).toBeUndefined();
    expect(rows.missing(0, 40, 3)).toEqual({ first: 0, count: 1 });
    expect([rows.total, rows.get(0), rows.placeOf('d150')]).toEqual([0, undefined, undefined]);
  });

  it('keeps what is near, however long it is scrolled', () => {
    const rows = new DeviceRows(page(numbered(0, 100), 100_000), 0);
    for (let number = 1; number <= 100; number++) {
      rows.put(number, page(numbered(number * 100, 100), 100_000), 0);
    }
    expect(rows.get(10_000)?.endpoint).toBe('d10000');
    expect(rows.get(0)).toBeUndefined();
    expect(rows.placeOf('d0')).toBeUndefined();
  });
});

describe('changed', () => {
  it('does not take an old event for news', () => {
    const fresh = device('a', { registration: registration(8000) });
    expect(changed(fresh, event('updated', 'a', 5000, { registration: registration(5000) }))).toBe(fresh);
    const again = device('a', { registration: { ...registration(8000), registeredAt: 8000 } });
    expect(changed(again, event('expired', 'a', 7000))).toBe(again);
  });

  it('does not count an expiry as hearing from the device, but a farewell', () => {
    expect(changed(device('a'), event('expired', 'a', 9000)).lastSeen).toBe(1000);
    expect(changed(device('a'), event('deregistered', 'a', 9000)).lastSeen).toBe(9000);
  });

  it('takes over what changed of the inventory', () => {
    const given = changed(device('a'), event('device', 'a', 9000, { attributes: { tenant: 'acme' } }));
    expect(given.tenant).toBe('acme');
    const other = changed(given, event('device', 'a', 9000, { attributes: { carrier: 'AT&T' } }));
    expect(other.tenant).toBe('acme');
    const back = changed(given, event('device', 'a', 9000, { attributes: { tenant: null } }));
    expect(back).not.toHaveProperty('tenant');
    const after = changed(device('a'), event('device', 'a', 9000, { attributes: { carrier: 'T-Mobile' } }));
    expect(after).toMatchObject({ endpoint: 'a', carrier: 'T-Mobile', lastSeen: 1000 });
  });
});
