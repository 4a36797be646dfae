import { describe, expect, it } from 'vitest';
import type { ApiDevice, ApiEvent } from '../../../web/data/api-types.ts';
import { applyEvent, changed, type DeviceList, firstPage, nextPage } from '../../../web/data/device-list.ts';

const registration = (updatedAt: number) => ({
  address: '127.0.0.1:5000',
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

const list = (devices: readonly ApiDevice[], extra: Partial<DeviceList> = {}): DeviceList => ({
  search: '',
  state: undefined,
  devices,
  total: devices.length,
  next: null,
  ...extra,
});

describe('pages', () => {
  it('follow each other, a device that moved between them once', () => {
    const first = firstPage(
      { search: 'x', state: 'registered' },
      { items: [device('a'), device('b')], total: 3, next: 'c' },
    );
    const both = nextPage(first, { items: [device('b'), device('c')], total: 3, next: null });
    expect(both.devices.map(({ endpoint }) => endpoint)).toEqual(['a', 'b', 'c']);
    expect(both).toMatchObject({ search: 'x', state: 'registered', total: 3, next: null });
  });
});

describe('applyEvent', () => {
  it('renews the row of a device that updates, and leaves the others as they were', () => {
    const before = list([device('a'), device('b')]);
    const update = event('updated', 'b', 5000, { registration: registration(5000) });
    const { list: after, unseen } = applyEvent(before, update);
    expect(after.devices[0]).toBe(before.devices[0]);
    expect(after.devices[1]).toMatchObject({ lastSeen: 5000, registration: { updatedAt: 5000 } });
    expect(unseen).toBe(false);
  });

  it('shows a device whose registration ended as such, in its place', () => {
    const before = list([device('a'), device('b')], { state: 'registered' });
    const { list: after } = applyEvent(before, event('expired', 'a', 9000));
    expect(after.devices.map(({ endpoint, state }) => [endpoint, state])).toEqual([
      ['a', 'lost'],
      ['b', 'awake'],
    ]);
    expect(after.devices[0]).not.toHaveProperty('registration');
  });

  it('asks for a device that it has not', () => {
    const registered = event('registered', 'new', 5000, { registration: registration(5000) });
    expect(applyEvent(list([device('a')]), registered).unseen).toBe(true);
    expect(applyEvent(list([device('a')]), event('updated', 'elsewhere', 5000)).unseen).toBe(false);
    expect(applyEvent(list([], { state: 'unregistered' }), event('expired', 'gone', 5000)).unseen).toBe(true);
  });

  it('gives the same list back for what changes nothing', () => {
    const before = list([device('a')]);
    expect(applyEvent(before, event('observed', 'a', 5000)).list).toBe(before);
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
    const after = changed(device('a'), event('device', 'a', 9000, { attributes: { carrier: 'T-Mobile' } }));
    expect(after).toMatchObject({ endpoint: 'a', carrier: 'T-Mobile', lastSeen: 1000 });
  });
});
