import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
});
afterEach(() => api.close());

const POLICIES = '/api/observation-policies';
const body = { name: 'Battery', observations: [{ paths: ['/3/0/9'], attributes: { pmin: 1, pmax: 60 } }] };
const get = async (url: string) => (await api.call('GET', url)).body;
const put = (id: string, payload: object) => api.call('PUT', `${POLICIES}/${id}`, { payload });

describe('observation policies', () => {
  test('begin with those that the server brings along', async () => {
    const { items } = await get(POLICIES);
    expect(items).toMatchObject([
      { id: 'default-carrier', builtIn: true, changed: false, enabled: true },
      { id: 'default-profiles', observations: [{ paths: ['/504/*'] }] },
      { id: 'default-sensors', observations: [{ paths: ['/42770/*/2'] }] },
      { id: 'default-signal', devices: {} },
    ]);
  });

  test('are made with an id that the server gives', async () => {
    const { status, headers, body: made } = await api.call('POST', POLICIES, { payload: body });
    expect(status).toBe(201);
    expect(made).toMatchObject({ ...body, enabled: true, builtIn: false, devices: {} });
    expect(headers['location']).toBe(`${POLICIES}/${made.id}`);
    expect(await get(`${POLICIES}/${made.id}`)).toEqual(made);
    expect((await get(POLICIES)).items).toHaveLength(5);
  });

  test('are made and replaced under an id that the caller gives', async () => {
    const first = await put('battery', body);
    expect(first.status).toBe(201);
    const second = await put('battery', { ...body, enabled: false, devices: { model: 'X*', object: 3 } });
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({
      enabled: false,
      devices: { model: 'X*', object: 3 },
      createdAt: first.body.createdAt,
    });
  });

  test('are removed; built-in ones are changed and restored instead', async () => {
    await put('battery', body);
    expect((await api.call('DELETE', `${POLICIES}/battery`)).status).toBe(204);
    expect((await api.call('DELETE', `${POLICIES}/battery`)).body.code).toBe('unknown_policy');
    expect((await api.call('DELETE', `${POLICIES}/default-signal`)).body.code).toBe('conflict');
    await put('default-signal', { name: 'Signal', enabled: false, observations: [] });
    expect(await get(`${POLICIES}/default-signal`)).toMatchObject({
      enabled: false,
      changed: true,
      builtIn: true,
    });
    const restored = await api.call('POST', `${POLICIES}/default-signal/restore`);
    expect(restored.body).toMatchObject({
      enabled: true,
      changed: false,
      observations: [{ paths: ['/4/*/2'] }],
    });
    expect((await api.call('POST', `${POLICIES}/battery/restore`)).body.code).toBe('unknown_policy');
  });

  test.each([
    [{ paths: ['3/0/9'] }, 'invalid_request'],
    [{ paths: ['/*'] }, 'invalid_request'],
    [{ paths: [] }, 'validation_failed'],
    [{ paths: ['/3/0/9'], attributes: { pmin: -1 } }, 'validation_failed'],
    [{ paths: ['/3/0/9'], attributes: { pmin: 9, pmax: 1 } }, 'invalid_request'],
    [{ paths: ['/3/0/9'], attributes: { unknown: 1 } }, 'validation_failed'],
    [{ paths: ['/3/0/9'], more: 1 }, 'validation_failed'],
  ])('refuse %j', async (wanted, code) => {
    expect((await put('x', { name: 'x', observations: [wanted] })).body.code).toBe(code);
    expect((await api.call('GET', `${POLICIES}/x`)).status).toBe(404);
  });

  test.each(['UPPER', '-x', 'a b', 'x'.repeat(65)])('cannot be called %s', async (id) => {
    expect((await put(encodeURIComponent(id), body)).body.code).toBe('validation_failed');
  });
});

describe('GET /api/devices/{endpoint}/observation-policy', () => {
  test('tells what is wanted, by whom, and what there is of it', async () => {
    const registration = await api.register('dev');
    await api.stores.observations.add({
      token: 'secret',
      registrationId: registration.id,
      endpoint: 'dev',
      paths: ['/6/0/0'],
      origin: 'policy',
      createdAt: 5,
    });
    const status = await get('/api/devices/dev/observation-policy');
    expect(status).toMatchObject({ registered: true, beyondLimit: 0, suppressed: [] });
    expect(status.wanted).toMatchObject([
      {
        paths: ['/42769/0'],
        state: 'pending',
        by: { kind: 'policy', id: 'default-carrier', name: 'Carriers' },
      },
      { paths: ['/42770/0/2'], composite: false },
      { paths: ['/42770/2/2'] },
    ]);
    expect(status.unwanted).toEqual([{ paths: ['/6/0/0'], composite: false, createdAt: 5 }]);
    expect(JSON.stringify(status)).not.toContain('secret');
  });

  test('of a device that is not known is a 404', async () => {
    expect((await api.call('GET', '/api/devices/nobody/observation-policy')).body.code).toBe(
      'unknown_device',
    );
  });
});

describe('PUT /api/devices/{endpoint}/observation-policy', () => {
  const choose = (payload: object, name = 'dev') =>
    api.call('PUT', `/api/devices/${name}/observation-policy`, { payload });

  test('keeps what is wanted by hand, with its attributes, until it is taken back', async () => {
    await api.register('dev', { queueMode: true });
    const payload = { paths: ['3/0/9/', '/3/0/9'], wanted: true, attributes: { pmin: 3 }, contentFormat: 0 };
    const { body: status } = await choose(payload);
    expect(status.wanted[0]).toMatchObject({
      paths: ['/3/0/9'],
      composite: false,
      attributes: { pmin: 3 },
      contentFormat: 0,
      by: { kind: 'hand' },
    });
    const undo = '/api/devices/dev/observation-policy?paths=/3/0/9';
    expect((await api.call('DELETE', undo)).status).toBe(204);
    expect((await api.call('DELETE', undo)).status).toBe(204);
    expect((await get('/api/devices/dev/observation-policy')).wanted).toHaveLength(3);
  });

  test('keeps what is not wanted', async () => {
    await api.register('dev', { queueMode: true });
    const { body: status } = await choose({ paths: ['/42770/0/2'], wanted: false });
    expect(status.wanted).toHaveLength(2);
    expect(status.suppressed).toEqual([{ paths: ['/42770/0/2'], composite: false, by: { kind: 'hand' } }]);
  });

  test('makes one composite observation of several paths', async () => {
    await api.register('dev', { queueMode: true });
    const { body: status } = await choose({ paths: ['/4/0/2', '/3/0/9'], wanted: true });
    expect(status.wanted[0]).toMatchObject({ paths: ['/3/0/9', '/4/0/2'], composite: true });
  });

  test.each([
    [{ paths: ['/x'], wanted: true }, 'invalid_request'],
    [{ paths: ['/3/0/9'] }, 'validation_failed'],
    [{ paths: ['/3/0/9'], wanted: false, attributes: { pmin: 1 } }, 'invalid_request'],
    [{ paths: ['/3/0/9'], wanted: true, attributes: { pmin: 2, pmax: 1 } }, 'invalid_request'],
  ])('refuses %j', async (payload, code) => {
    await api.register('dev');
    expect((await choose(payload)).body.code).toBe(code);
    expect((await api.stores.observationPolicies.record('dev')).choices).toEqual([]);
  });

  test('of a device that is not known is a 404', async () => {
    expect((await choose({ paths: ['/3'], wanted: true }, 'nobody')).body.code).toBe('unknown_device');
  });
});

describe('check and renew', () => {
  test.each(['check', 'renew'])('%s needs a device that is registered', async (what) => {
    expect((await api.call('POST', `/api/devices/nobody/observation-policy/${what}`)).body.code).toBe(
      'unknown_device',
    );
    const { id } = await api.register('dev');
    await api.stores.registrations.deregister(id);
    expect((await api.call('POST', `/api/devices/dev/observation-policy/${what}`)).body.code).toBe(
      'not_registered',
    );
  });
});
