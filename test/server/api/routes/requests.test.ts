import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
  await api.register('d');
});
afterEach(() => api.close());

const URL = '/api/devices/d/requests';
const hold = (payload: object, headers: Record<string, string> = {}) =>
  api.call('POST', URL, { payload, headers });

describe('POST /api/devices/{endpoint}/requests', () => {
  it.each([
    { operation: 'read', path: '/3/0', format: 'SENML_CBOR' },
    { operation: 'write', path: '/3/0/14', value: '+01:00' },
    { operation: 'write', path: '/1/0', values: { 1: 60 }, mode: 'update' },
    { operation: 'execute', path: '/3/0/4' },
    { operation: 'execute', path: '/42769/0/3', arguments: ['2', '7'] },
    { operation: 'create', path: '/33000', values: { 1: 'x' } },
    { operation: 'delete', path: '/33000/1' },
    { operation: 'discover', path: '/3', depth: 2 },
    { operation: 'write-attributes', path: '/3/0/9', attributes: { pmin: 5, st: null } },
    { operation: 'observe', path: '/3/0/9', attributes: { pmin: 5 } },
    { operation: 'cancel', path: '/3/0/9', active: true },
    { operation: 'read-composite', paths: ['/3/0/9', '/4/0/2'] },
    { operation: 'write-composite', values: { '/3/0/14': '+01:00', '/1/0/1': 60 } },
    { operation: 'observe-composite', paths: ['/3/0/9'] },
    { operation: 'cancel-composite', paths: ['/3/0/9'] },
  ])('holds %o', async (body) => {
    const { status, headers, body: command } = await hold(body);
    expect(status).toBe(202);
    expect(headers['location']).toBe(`/api/commands/${command.id}`);
    expect(command).toMatchObject({ endpoint: 'd', kind: 'request', state: 'queued', parameters: body });
    expect(command.expiresAt - command.createdAt).toBe(86_400_000);
    expect((await api.call('GET', `/api/commands/${command.id}`)).body).toEqual(command);
  });

  it.each([
    [{ operation: 'read' }, "'read' needs 'path'"],
    [{ operation: 'read', path: '/3/0', value: 1 }, "'value' has no meaning for 'read'"],
    [{ operation: 'read', path: 'three' }, 'is no path'],
    [{ operation: 'read', path: '/3/0', format: 'XML' }, "'XML' is no content format"],
    [{ operation: 'write', path: '/3/0/14' }, "either 'value' or 'values'"],
    [{ operation: 'write', path: '/3', values: { '0/14': 'x' } }, 'can be written'],
    [{ operation: 'write', path: '/1/0/1', value: 'soon' }, ''],
    [{ operation: 'write', path: '/1/0', values: { 1: null } }, 'takes no null'],
    [{ operation: 'execute', path: '/3/0' }, 'only a resource can be executed'],
    [{ operation: 'execute', path: '/3/0/4', args: '0', arguments: ['0'] }, "either 'args' or 'arguments'"],
    [{ operation: 'create', path: '/3/0/1', values: { 1: 1 } }, 'below an object'],
    [{ operation: 'delete', path: '/3' }, 'can be deleted'],
    [{ operation: 'read-composite', paths: ['/3/0/9', 'x'] }, 'is no path'],
    [{ operation: 'format', path: '/3/0' }, ''],
    [{ operation: 'read', path: '/3/0', timeToLive: 10 }, ''],
  ])('refuses %o at once', async (body, detail) => {
    const { status, body: problem } = await hold(body);
    expect(status).toBe(400);
    expect(problem.detail).toContain(detail);
    expect((await api.stores.commands.list({ limit: 10 })).items).toEqual([]);
  });

  it('takes the same request again under its key, and no other', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const first = await hold({ operation: 'execute', path: '/3/0/4' }, headers);
    const again = await hold({ operation: 'execute', path: '/3/0/4' }, headers);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
    expect((await hold({ operation: 'execute', path: '/3/0/5' }, headers)).status).toBe(409);
  });

  it('holds for a device that is away, as long as it was told to', async () => {
    await api.stores.registrations.deregister('secret-64');
    const { status, body } = await hold({ operation: 'read', path: '/3/0', timeToLive: 3_600_000 });
    expect(status).toBe(202);
    expect(body.expiresAt - body.createdAt).toBe(3_600_000);
    const unknown = await api.call('POST', '/api/devices/x/requests', {
      payload: { operation: 'read', path: '/3/0' },
    });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'unknown_device']);
  });

  it('is cancelled like every command', async () => {
    const { body } = await hold({ operation: 'read', path: '/3/0' });
    const { body: cancelled } = await api.call('DELETE', `/api/commands/${body.id}`);
    expect(cancelled.state).toBe('cancelled');
  });
});

describe('Prefer: respond-async', () => {
  it.each([
    ['GET', 'objects/3/0?format=TLV', undefined, { operation: 'read', path: '/3/0', format: 'TLV' }],
    [
      'PUT',
      'objects/1/0?mode=update',
      { values: { 1: 60 } },
      { operation: 'write', path: '/1/0', mode: 'update', values: { 1: 60 } },
    ],
    ['POST', 'objects/3/0/4', undefined, { operation: 'execute', path: '/3/0/4' }],
    [
      'POST',
      'objects/33000',
      { values: { 1: 'x' } },
      { operation: 'create', path: '/33000', values: { 1: 'x' } },
    ],
    ['DELETE', 'objects/33000/1', undefined, { operation: 'delete', path: '/33000/1' }],
    ['GET', 'discover/3?depth=1', undefined, { operation: 'discover', path: '/3', depth: 1 }],
    [
      'PUT',
      'attributes/3/0/9',
      { pmin: 5 },
      { operation: 'write-attributes', path: '/3/0/9', attributes: { pmin: 5 } },
    ],
    ['POST', 'observations/3/0/9', undefined, { operation: 'observe', path: '/3/0/9' }],
    [
      'DELETE',
      'observations/3/0/9?active=true',
      undefined,
      { operation: 'cancel', path: '/3/0/9', active: true },
    ],
    [
      'GET',
      'composite?paths=/3/0/9,%20/4',
      undefined,
      { operation: 'read-composite', paths: ['/3/0/9', '/4'] },
    ],
    [
      'PUT',
      'composite',
      { values: { '/1/0/1': 60 } },
      { operation: 'write-composite', values: { '/1/0/1': 60 } },
    ],
    [
      'POST',
      'composite-observations?paths=/3/0/9',
      undefined,
      { operation: 'observe-composite', paths: ['/3/0/9'] },
    ],
    [
      'DELETE',
      'composite-observations?paths=/3/0/9',
      undefined,
      { operation: 'cancel-composite', paths: ['/3/0/9'] },
    ],
  ] as const)('holds %s %s', async (method, path, payload, parameters) => {
    const { status, headers, body } = await api.call(method, `/api/devices/d/${path}`, {
      headers: { prefer: 'wait=10, Respond-Async' },
      ...(payload === undefined ? {} : { payload }),
    });
    expect(status).toBe(202);
    expect(headers['preference-applied']).toBe('respond-async');
    expect(headers['location']).toBe(`/api/commands/${body.id}`);
    expect(body.parameters).toEqual(parameters);
    expect(api.requests.calls).toEqual([]);
  });

  it('takes an Idempotency-Key, and refuses what could not be carried out', async () => {
    const headers = { prefer: 'respond-async', 'idempotency-key': 'k' };
    const execute = () => api.call('POST', '/api/devices/d/objects/3/0/4', { headers });
    const [first, again] = [await execute(), await execute()];
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
    const other = { prefer: 'respond-async', 'idempotency-key': 'other' };
    const nonsense = await api.call('DELETE', '/api/devices/d/objects/3', { headers: other });
    expect(nonsense.status).toBe(400);
    const unknown = await api.call('GET', '/api/devices/x/objects/3', { headers: other });
    expect(unknown.body.code).toBe('unknown_device');
  });

  it('changes nothing where it is not said', async () => {
    api.requests.answersRead(112, []);
    const { status } = await api.call('GET', '/api/devices/d/objects/3/0', {
      headers: { prefer: 'return=minimal' },
    });
    expect(status).toBe(200);
  });
});

describe('/api/devices/{endpoint}/presence', () => {
  it('tells of a device that listens always, and of one that does not', async () => {
    expect((await api.call('GET', '/api/devices/d/presence')).body).toEqual({
      queueMode: false,
      awake: true,
      window: 93_000,
      source: 'default',
    });
    await api.register('q', { queueMode: true, updatedAt: Date.now() - 10_000 });
    const { body } = await api.call('GET', '/api/devices/q');
    expect(body.presence).toMatchObject({ queueMode: true, awake: true, window: 93_000 });
    expect(body.presence.awakeUntil).toBeGreaterThan(Date.now() + 60_000);
    await api.register('s', { queueMode: true, updatedAt: Date.now() - 100_000 });
    expect((await api.call('GET', '/api/devices/s/presence')).body.awake).toBe(false);
    const { body: page } = await api.call('GET', '/api/devices');
    expect(page.items.map((one: { presence: { awake: boolean } }) => one.presence.awake)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('shows what the device says of how it saves power, which sets its window', async () => {
    await api.register('q', { queueMode: true });
    const now = Date.now() * 1000;
    await api.stores.lastValues.set('q', [
      { path: '/10/0/4', value: 86_400, takenAt: now, receivedAt: now },
      { path: '/10/0/5', value: 16, takenAt: now, receivedAt: now },
      { path: '/10/0/13', value: 1, takenAt: now, receivedAt: now },
    ]);
    expect((await api.call('GET', '/api/devices/q/presence')).body).toMatchObject({
      window: 16_000,
      source: 'device',
      powerSaving: { psmTimer: 86_400, activeTimer: 16, modes: ['psm'] },
    });
  });

  it('takes a window by hand, and gives it back', async () => {
    await api.register('q', { queueMode: true });
    const put = (awakeTime: unknown, endpoint = 'q') =>
      api.call('PUT', `/api/devices/${endpoint}/presence`, { payload: { awakeTime } });
    expect((await put(20_000)).status).toBe(204);
    const presence = async () => (await api.call('GET', '/api/devices/q/presence')).body;
    expect(await presence()).toMatchObject({ window: 20_000, source: 'configured' });
    expect((await put(null)).status).toBe(204);
    expect(await presence()).toMatchObject({ window: 93_000, source: 'default' });
    expect((await put(10)).status).toBe(400);
    expect((await put(20_000, 'x')).body.code).toBe('unknown_device');
  });

  it('is none of a device that is not registered', async () => {
    await api.stores.registrations.deregister('secret-64');
    expect((await api.call('GET', '/api/devices/d/presence')).body.code).toBe('not_registered');
    expect((await api.call('GET', '/api/devices/x/presence')).body.code).toBe('unknown_device');
    expect((await api.call('GET', '/api/devices/d')).body).not.toHaveProperty('presence');
  });
});
