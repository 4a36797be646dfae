import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

/** For tests that do not count what else is there. */
let shared: ApiHarness;
let api: ApiHarness;
beforeAll(async () => {
  shared = await ApiHarness.open();
});
afterAll(() => shared.close());

/** What an endpoint name may hold: it is any UTF-8. */
const oddNames = [
  'urn:imei:490154203237518',
  'a/b',
  '/leading',
  'trailing/',
  'per%cent',
  '%2F',
  '%252F',
  'two words',
  'q?x=1',
  'hash#1',
  'plus+and&',
  'ünïcødé-端末-📟',
  'semi;colon',
  'quote\'"',
  'x'.repeat(255),
  '端'.repeat(200),
  'objects',
];

describe('names and queries', () => {
  test.each(oddNames)('the endpoint name %j goes through a URL unharmed', async (endpoint) => {
    await shared.register(endpoint);
    const url = `/api/devices/${encodeURIComponent(endpoint)}`;
    expect((await shared.call('GET', url)).body.endpoint).toBe(endpoint);
    shared.requests.answersRead(112, [{ path: '/3/0/0', value: 'Acme' }]);
    expect((await shared.call('GET', `${url}/objects/3/0/0`)).body.value).toBe('Acme');
    expect(shared.requests.last).toMatchObject({ endpoint, path: '/3/0/0' });
  });

  test.each([
    ['limit=0', 'query/limit'],
    ['limit=1001', 'query/limit'],
    ['limit=1.5', 'query/limit'],
    ['limit=many', 'query/limit'],
    ['state=dreaming', 'query/state'],
    ['state=awake,dreaming', 'query/state'],
    ['sort=colour', 'query/sort'],
    ['fields=registration,secret', 'query/fields'],
    ['signalMin=loud', 'query/signalMin'],
    ['offset=-1', 'query/offset'],
    ['page=2', "'page'"],
  ])('%s is refused, and the answer says what is wrong', async (query, detail) => {
    const { status, body } = await shared.call('GET', `/api/devices?${query}`);
    expect(status).toBe(400);
    expect(body.code).toBe('validation_failed');
    expect(body.detail).toContain(detail);
  });

  test.each(['cursor=x&offset=1', 'model=M1\\'])('%s cannot be', async (query) => {
    const { status, body } = await shared.call('GET', `/api/devices?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });

  test('facets need to be told of what', async () => {
    for (const query of ['', '?by=', '?by=colour', '?by=model&limit=1']) {
      expect((await shared.call('GET', `/api/devices/facets${query}`)).body.code).toBe('validation_failed');
    }
  });

  test("a cursor that is none is the caller's fault", async () => {
    const { status, body } = await shared.call('GET', '/api/devices?cursor=nonsense');
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });
});

describe('devices', () => {
  beforeEach(async () => {
    api = await ApiHarness.open();
  });
  afterEach(() => api.close());

  test('a registered device is shown with its registration, and without what is secret of it', async () => {
    const registration = await api.register('modem-1', { identity: { kind: 'psk', name: 'psk-identity-7' } });
    await api.stores.devices.setAttributes('modem-1', { manufacturer: 'Acme', carrier: 'AT&T', signal: -83 });
    const { status, body, text } = await api.call('GET', '/api/devices/modem-1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      endpoint: 'modem-1',
      state: 'awake',
      manufacturer: 'Acme',
      carrier: 'AT&T',
      signal: -83,
      registration: { address: '127.0.0.1:40000', lifetime: 300, version: '1.1', node: 'n1' },
    });
    expect(body.registration.objects).toContainEqual({ path: '/42769/0', attributes: { ver: '1.0' } });
    expect(text).not.toContain(registration.id);
    expect(text).not.toContain('psk-identity-7');
  });

  test('a device whose registration has ended is still there, unregistered', async () => {
    const { id } = await api.register('modem-1');
    await api.stores.registrations.deregister(id);
    const { body } = await api.call('GET', '/api/devices/modem-1');
    expect(body.state).toBe('left');
    expect(body).not.toHaveProperty('registration');
  });

  test('a device that was never seen is a 404', async () => {
    const { status, body, headers } = await api.call('GET', '/api/devices/nobody');
    expect(status).toBe(404);
    expect(body.code).toBe('unknown_device');
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  test('pages follow each other by cursor until next is null, and total counts all of them', async () => {
    for (const number of [3, 1, 5, 2, 4]) await api.register(`modem-${number}`);
    const seen: string[] = [];
    let next: string | null = '';
    do {
      const cursor = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
      const { body } = await api.call('GET', `/api/devices?limit=2${cursor}`);
      expect(body.total).toBe(5);
      seen.push(...body.items.map(({ endpoint }: { endpoint: string }) => endpoint));
      next = body.next;
    } while (next !== null);
    expect(seen).toEqual(['modem-1', 'modem-2', 'modem-3', 'modem-4', 'modem-5']);
  });

  test('q and state narrow the list', async () => {
    await api.register('Truck-17');
    await api.register('ship-2');
    await api.stores.devices.setAttributes('ship-2', { iccid: '8901410321111851072' });
    const { id } = await api.register('truck-18');
    await api.stores.registrations.deregister(id);
    const names = async (query: string) =>
      (await api.call('GET', `/api/devices?${query}`)).body.items.map(
        (item: { endpoint: string }) => item.endpoint,
      );
    expect(await names('q=truck')).toEqual(['Truck-17', 'truck-18']);
    expect(await names('q=89014103')).toEqual(['ship-2']);
    expect(await names('q=truck&state=unregistered')).toEqual(['truck-18']);
    expect(await names('state=registered')).toEqual(['Truck-17', 'ship-2']);
    expect(await names('q=')).toHaveLength(3);
  });

  test('a device can be removed once it is not registered any more, not before', async () => {
    const { id } = await api.register('modem-1');
    const early = await api.call('DELETE', '/api/devices/modem-1');
    expect([early.status, early.body.code]).toEqual([409, 'device_registered']);

    await api.stores.registrations.deregister(id);
    expect((await api.call('DELETE', '/api/devices/modem-1')).status).toBe(204);
    expect((await api.call('GET', '/api/devices/modem-1')).status).toBe(404);
    expect((await api.call('DELETE', '/api/devices/modem-1')).status).toBe(404);
  });
});

describe('the inventory as a query', () => {
  beforeAll(async () => {
    api = await ApiHarness.open();
    const now = Date.now();
    await api.register('awake');
    await api.register('asleep', { queueMode: true, updatedAt: now - 600_000 });
    for (const [endpoint, carrier, model, signal] of [
      ['awake', 'AT&T', 'M1', -70.5],
      ['asleep', 'Deutsche, Telekom', 'M2', -100],
    ] as const) {
      await api.stores.devices.setAttributes(endpoint, { carrier, model, signal, iccid: `8901-${endpoint}` });
    }
    await api.register('lost', { expiresAt: now - 1 });
    await api.stores.registrations.expire(now, 1);
    const { id } = await api.register('left');
    await api.stores.registrations.deregister(id);
    await api.stores.devices.setAttributes('left', { model: 'back\\slash' });
  });
  afterAll(() => api.close());

  async function listed(query: string): Promise<string> {
    const { status, body } = await api.call('GET', `/api/devices?${query}`);
    expect(status).toBe(200);
    const names = body.items.map(({ endpoint }: { readonly endpoint: string }) => endpoint);
    expect(body.total).toBeGreaterThanOrEqual(names.length);
    return names.join(' ');
  }

  test('each device has its state, as the filter means it', async () => {
    for (const state of ['awake', 'asleep', 'lost', 'left']) {
      expect(await listed(`state=${state}`)).toBe(state);
      expect((await api.call('GET', `/api/devices?state=${state}`)).body.items[0].state).toBe(state);
      expect((await api.call('GET', `/api/devices/${state}`)).body.state).toBe(state);
    }
    expect(await listed('state=registered')).toBe('asleep awake');
    expect(await listed('state=unregistered')).toBe('left lost');
    expect(await listed('state=lost,awake')).toBe('awake lost');
    expect(await listed('state=known')).toBe('');
  });

  test('a device that was heard this second is in the list as the filter found it', async () => {
    const { stores } = api;
    await stores.devices.listening(new Map([['asleep', Date.now() + 60_000]]));
    const found = (await api.call('GET', '/api/devices?state=awake')).body.items;
    expect(
      found.map((device: { readonly presence: { readonly awake: boolean } }) => device.presence.awake),
    ).toEqual([true, true]);
    await stores.devices.listening(new Map([['asleep', Date.now() - 1]]));
    const { presence } = (await api.call('GET', '/api/devices?state=asleep')).body.items[0];
    expect(presence).toMatchObject({ awake: false });
    expect(presence).not.toHaveProperty('awakeUntil');
  });

  test('lists of texts are told by comma, a comma in one of them behind a backslash', async () => {
    expect(await listed(`carrier=${encodeURIComponent('AT&T')}`)).toBe('awake');
    expect(await listed(`carrier=${encodeURIComponent('AT&T,Deutsche\\, Telekom')}`)).toBe('asleep awake');
    expect(await listed('carrier=Deutsche,Telekom')).toBe('');
    expect(await listed('carrier=')).toBe('left lost');
    expect(await listed(`model=M1,${encodeURIComponent('back\\\\slash')}`)).toBe('awake left');
    expect(await listed('node=n1&model=M2')).toBe('asleep');
  });

  test('signal and times are bounds; a search finds numbers from their start', async () => {
    expect(await listed('signalMin=-70.5')).toBe('awake');
    expect(await listed('signalMax=-71')).toBe('asleep');
    expect(await listed(`seenBefore=${Date.now() - 300_000}`)).toBe('asleep');
    expect(await listed('q=8901-A')).toBe('asleep awake');
    expect(await listed('q=WAKE')).toBe('awake');
  });

  test('orders go both ways, by pages and by jumps', async () => {
    expect(await listed('sort=-endpoint')).toBe('lost left awake asleep');
    expect(await listed('sort=model')).toBe('awake asleep left lost');
    expect(await listed('sort=-model&limit=2')).toBe('left asleep');
    const { next } = (await api.call('GET', '/api/devices?sort=-model&limit=2')).body;
    expect(await listed(`limit=2&cursor=${next}`)).toBe('awake lost');
    expect(await listed('sort=-model&limit=2&offset=1')).toBe('asleep awake');
    expect(await listed('offset=100')).toBe('');
  });

  test('only the fields that are asked for', async () => {
    const { items } = (await api.call('GET', '/api/devices?fields=model,state&q=awake')).body;
    expect(items).toEqual([{ endpoint: 'awake', state: 'awake', model: 'M1' }]);
  });

  test('facets count what matches', async () => {
    const { body } = await api.call('GET', '/api/devices/facets?by=state,carrier&state=registered');
    expect(body).toEqual({
      total: 2,
      facets: {
        state: [
          { value: 'asleep', count: 1 },
          { value: 'awake', count: 1 },
        ],
        carrier: [
          { value: 'AT&T', count: 1 },
          { value: 'Deutsche, Telekom', count: 1 },
        ],
      },
    });
  });
});
