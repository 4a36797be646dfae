import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BootstrapSession } from '../../../../server/ports/bootstrap-store.ts';
import { ApiHarness } from '../../../support/api/api-harness.ts';

const profile = {
  name: 'The fleet',
  enabled: true,
  devices: { endpoint: 'meter-*', model: 'M?' },
  priority: 5,
  readFirst: true,
  remove: ['/0', '/1'],
  servers: [
    {
      shortServerId: 101,
      uri: 'coaps://lwm2m.example.org',
      security: 'psk',
      lifetime: 600,
      binding: 'U',
      notificationStoring: true,
    },
  ],
  objects: [{ path: '/3/0/15', value: 'Europe/Berlin' }],
  access: [{ objectId: 3, instanceId: 0, owner: 101, rights: [{ shortServerId: 0, rights: 1 }] }],
  retries: 2,
};

const session: BootstrapSession = {
  id: '00abc',
  endpoint: 'meter-1',
  address: '192.0.2.1:5683',
  identity: { kind: 'psk', name: 'secret-looking' },
  node: 'n1',
  kind: 'requests',
  profile: { id: 'fleet', name: 'The fleet' },
  state: 'running',
  startedAt: 1_000,
  updatedAt: 2_000,
  steps: [{ operation: 'write', path: '/0/1', startedAt: 1_500, endedAt: 1_600, code: '2.04' }],
};

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
});
afterAll(() => api.close());

const call = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, payload?: object) =>
  api.call(method, url, payload === undefined ? {} : { payload });

describe('bootstrap profiles', () => {
  beforeEach(async () => {
    await call('DELETE', '/api/bootstrap/profiles/fleet');
    await call('DELETE', '/api/bootstrap/profiles/default');
  });

  test('are those that people made, and the one that the server brings along', async () => {
    const made = await call('PUT', '/api/bootstrap/profiles/fleet', profile);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ id: 'fleet', ...profile, builtIn: false, changed: false });
    const listed = (await call('GET', '/api/bootstrap/profiles')).body;
    expect(listed.items.map(({ id, builtIn }: { id: string; builtIn: boolean }) => [id, builtIn])).toEqual([
      ['default', true],
      ['fleet', false],
    ]);
    const replaced = await call('PUT', '/api/bootstrap/profiles/fleet', { ...profile, enabled: false });
    expect([replaced.status, replaced.body.createdAt]).toEqual([200, made.body.createdAt]);
    expect((await call('GET', '/api/bootstrap/profiles/fleet')).body.enabled).toBe(false);
    expect((await call('DELETE', '/api/bootstrap/profiles/fleet')).status).toBe(204);
    expect((await call('GET', '/api/bootstrap/profiles/fleet')).body.code).toBe('unknown_bootstrap_profile');
  });

  test('of the server are changed and restored', async () => {
    const before = (await call('GET', '/api/bootstrap/profiles/default')).body;
    expect(before).toMatchObject({ changed: false, servers: [{ shortServerId: 101, security: 'psk' }] });
    await call('PUT', '/api/bootstrap/profiles/default', profile);
    expect((await call('GET', '/api/bootstrap/profiles/default')).body).toMatchObject({
      builtIn: true,
      changed: true,
      retries: 2,
    });
    expect((await call('DELETE', '/api/bootstrap/profiles/default')).status).toBe(204);
    expect((await call('GET', '/api/bootstrap/profiles/default')).body).toEqual(before);
  });

  test.each([
    ['two servers of one id', { servers: [...profile.servers, ...profile.servers] }, 'two servers'],
    ['a server that is no address', { servers: [{ ...profile.servers[0], uri: 'http://a' }] }, 'no coap://'],
    [
      'a key over CoAP without security',
      { servers: [{ ...profile.servers[0], uri: 'coap://a' }] },
      'coaps://',
    ],
    ['a value that does not fit', { objects: [{ path: '/3/0/13', value: 'noon' }] }, 'Current Time'],
    ['a value of nothing known', { objects: [{ path: '/9999/0/1', value: 1 }] }, 'nothing is known'],
    ['a value of an account', { objects: [{ path: '/1/0/1', value: 1 }] }, "'servers'"],
    ['a value twice', { objects: [profile.objects[0], profile.objects[0]] }, 'twice'],
    ['a path that is none', { objects: [{ path: '/3/0', value: 1 }] }, '/3/0'],
    ['rights of a server that it does not have', { access: [{ ...profile.access[0], owner: 7 }] }, 'id 7'],
    ['a resource to delete', { remove: ['/3/0/1'] }, '/3/0/1'],
  ])('with %s are refused', async (_, change, reason) => {
    const answer = await call('PUT', '/api/bootstrap/profiles/fleet', { ...profile, ...change });
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(reason)]);
  });

  test('stay while a device is assigned to them', async () => {
    await call('PUT', '/api/bootstrap/profiles/fleet', profile);
    await call('PUT', '/api/devices/other/bootstrap/profile', { profile: 'fleet' });
    const answer = await call('DELETE', '/api/bootstrap/profiles/fleet');
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining("'other'")]);
    expect((await call('GET', '/api/bootstrap/assignments?profile=fleet')).body).toEqual({
      items: [{ endpoint: 'other', profile: 'fleet' }],
      next: null,
    });
    await call('DELETE', '/api/devices/other/bootstrap/profile');
    expect((await call('DELETE', '/api/bootstrap/profiles/fleet')).status).toBe(204);
  });
});

describe('the bootstrap of a device', () => {
  test('is by the profile that is assigned, or else by the rules', async () => {
    await call('PUT', '/api/bootstrap/profiles/fleet', { ...profile, devices: { endpoint: 'meter-*' } });
    const of = async (endpoint: string) => (await call('GET', `/api/devices/${endpoint}/bootstrap`)).body;
    expect(await of('meter-9')).toEqual({
      assigned: null,
      profile: { id: 'fleet', name: 'The fleet' },
      sessions: [],
    });
    expect((await of('other')).profile.id).toBe('default');
    expect((await call('PUT', '/api/devices/meter-9/bootstrap/profile', { profile: 'none' })).status).toBe(
      400,
    );
    await call('PUT', '/api/devices/meter-9/bootstrap/profile', { profile: 'default' });
    expect(await of('meter-9')).toMatchObject({ assigned: 'default', profile: { id: 'default' } });
    expect((await call('DELETE', '/api/devices/meter-9/bootstrap/profile')).status).toBe(204);
    expect((await call('DELETE', '/api/devices/meter-9/bootstrap/profile')).body.code).toBe(
      'unknown_bootstrap_profile',
    );
    await call('DELETE', '/api/bootstrap/profiles/fleet');
  });

  test('is triggered at its Server object', async () => {
    await api.register('modem-1');
    const answer = await call('POST', '/api/devices/modem-1/bootstrap?instance=2');
    expect(answer.status).toBe(204);
    expect(api.requests.calls.at(-1)).toMatchObject({ operation: 'execute', path: '/1/2/9' });
  });
});

describe('bootstrap sessions', () => {
  test('are listed and told step by step; one that nobody carries on has failed', async () => {
    const now = Date.now();
    await api.stores.bootstrap.begin({ ...session, startedAt: now }, { ofDevice: 5, ofBucket: 5 });
    const running = (await call('GET', '/api/bootstrap/sessions/00abc')).body;
    const { identity: _, ...shown } = session;
    expect(running).toEqual({ ...shown, startedAt: now, secured: true });
    await api.stores.bootstrap.record({ ...session, startedAt: now - 400_000 });
    const list = (await call('GET', '/api/bootstrap/sessions?endpoint=meter-1')).body;
    expect(list).toMatchObject({
      items: [{ id: '00abc', state: 'failed', reason: "broken off: 'n1' did not carry it to its end" }],
      next: null,
    });
    expect((await call('GET', '/api/bootstrap/sessions?state=finished')).body.items).toEqual([]);
    expect((await call('GET', '/api/bootstrap/sessions?state=odd')).status).toBe(400);
    expect((await call('GET', '/api/bootstrap/sessions/none')).body.code).toBe('unknown_bootstrap');
  });
});
