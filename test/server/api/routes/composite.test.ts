import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
  await api.register('m', { version: '1.2' });
});
beforeEach(() => api.requests.reset());
afterAll(() => api.close());

const composite = '/api/devices/m/composite';
const observations = '/api/devices/m/composite-observations';
const result = {
  paths: ['/3/0/9', '/4'],
  contentFormat: 112,
  records: [
    { path: '/3/0/9', value: 80 },
    { path: '/4/0/2', value: -90, time: 1_700_000_000 },
  ],
};

describe('Read-Composite', () => {
  test('gives what is there, named', async () => {
    api.requests.answers(() => result);
    const { status, body } = await api.call(
      'GET',
      `${composite}?paths=3/0/9,/4&format=SENML_JSON&timeout=50`,
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      paths: ['/3/0/9', '/4'],
      contentFormat: 112,
      items: [
        { path: '/3/0/9', value: 80, name: 'Battery Level' },
        { path: '/4/0/2', value: -90, takenAt: 1_700_000_000_000 },
      ],
    });
    expect(api.requests.last).toEqual({
      operation: 'readComposite',
      endpoint: 'm',
      path: '/',
      arguments: [['/3/0/9', '/4'], { contentFormat: 110, timeout: 50 }],
    });
  });

  test.each(['', '?paths=', '?paths=x', '?paths=/3,', '?paths=/3&depth=1', `?paths=${'/3,'.repeat(3000)}/3`])(
    'is refused with %s',
    async (query) => {
      expect((await api.call('GET', composite + query)).status).toBe(400);
      expect(api.requests.calls).toEqual([]);
    },
  );

  test('of the root is of everything', async () => {
    api.requests.answers(() => ({ ...result, paths: ['/'] }));
    await api.call('GET', `${composite}?paths=/`);
    expect(api.requests.last?.arguments[0]).toEqual(['/']);
  });
});

describe('Write-Composite', () => {
  test('takes values by whole path, typed by their definitions, and null', async () => {
    const body = { values: { '/3/0/14': '+01:00', '1/0/1': 300, '/42770/0/3': 'ff00', '/16/0/0/1': null } };
    expect((await api.call('PUT', composite, { payload: body })).status).toBe(204);
    expect(api.requests.last?.arguments[0]).toEqual([
      { path: '/3/0/14', value: '+01:00' },
      { path: '/1/0/1', value: 300 },
      { path: '/42770/0/3', value: new Uint8Array([0xff, 0]) },
      { path: '/16/0/0/1', value: null },
    ]);
  });

  test.each([
    {},
    { values: {} },
    { values: { '/3/0/9': [1] } },
    { values: { '/3/0': 1 } },
    { values: { x: 1 } },
    { values: { '/1/0/1': 'x' } },
    { values: { '/3/0/14': null } },
    { value: 1 },
  ])('refuses %o', async (payload) => {
    expect((await api.call('PUT', composite, { payload })).status).toBe(400);
    expect(api.requests.calls).toEqual([]);
  });
});

describe('Observe-Composite', () => {
  test('takes attributes, and gives what is there', async () => {
    api.requests.answers(() => result);
    const payload = { attributes: { pmin: 5, pmax: 60 } };
    const { status, body } = await api.call('POST', `${observations}?paths=/3/0/9,/4`, { payload });
    expect([status, body.items.length]).toEqual([200, 2]);
    expect(api.requests.last).toMatchObject({
      operation: 'observeComposite',
      arguments: [['/3/0/9', '/4'], { attributes: { pmin: 5, pmax: 60 } }],
    });
  });

  test('is ended by the same paths', async () => {
    api.requests.answers(() => true);
    expect((await api.call('DELETE', `${observations}?paths=/3/0/9,/4&active=true`)).status).toBe(204);
    expect(api.requests.last).toMatchObject({
      operation: 'cancelComposite',
      arguments: [['/3/0/9', '/4'], { active: true }],
    });
    api.requests.answers(() => false);
    const { status, body } = await api.call('DELETE', `${observations}?paths=/3`);
    expect([status, body.code]).toEqual([404, 'not_observed']);
  });
});

describe('Write-Attributes', () => {
  test('sets and removes', async () => {
    const payload = { pmin: 5, gt: -1.5, st: null };
    expect((await api.call('PUT', '/api/devices/m/attributes/3/0/9', { payload })).status).toBe(204);
    expect(api.requests.last).toEqual({
      operation: 'writeAttributes',
      endpoint: 'm',
      path: '/3/0/9',
      arguments: [payload, {}],
    });
  });

  test.each([{}, { pmin: '5' }, { pmin: -1 }, { edge: 2 }, { con: true }, { foo: 1 }])(
    'refuses %o',
    async (payload) => {
      expect((await api.call('PUT', '/api/devices/m/attributes/3/0/9', { payload })).status).toBe(400);
      expect(api.requests.calls).toEqual([]);
    },
  );
});

describe('an observation', () => {
  test('is listed with its attributes, and as composite', async () => {
    const registration = await api.register('listed');
    await api.stores.observations.add({
      token: 'ab01',
      registrationId: registration.id,
      endpoint: 'listed',
      paths: ['/3/0/9', '/4'],
      composite: true,
      attributes: { pmin: 5, con: 1 },
      contentFormat: 112,
      origin: 'api',
      createdAt: 5,
    });
    const { body, text } = await api.call('GET', '/api/devices/listed/observations');
    expect(body.items).toEqual([
      {
        paths: ['/3/0/9', '/4'],
        composite: true,
        attributes: { pmin: 5, con: 1 },
        contentFormat: 112,
        origin: 'api',
        createdAt: 5,
      },
    ]);
    expect(text).not.toContain('ab01');
  });

  test('takes attributes in its body', async () => {
    api.requests.answersRead(112, [{ path: '/3/0/9', value: 1 }]);
    const payload = { attributes: { pmin: 1 } };
    await api.call('POST', '/api/devices/m/observations/3/0/9', { payload });
    expect(api.requests.last?.arguments).toEqual([{ attributes: { pmin: 1 } }]);
    expect(
      (await api.call('POST', '/api/devices/m/observations/3/0/9', { payload: { attributes: { x: 1 } } }))
        .status,
    ).toBe(400);
  });
});

describe('the Server object', () => {
  test('of the only instance that is listed is asked without a Read', async () => {
    expect((await api.call('POST', '/api/devices/m/server/update-trigger')).status).toBe(204);
    expect(api.requests.calls).toEqual([
      { operation: 'execute', endpoint: 'm', path: '/1/0/8', arguments: [undefined, {}] },
    ]);
  });

  test('is disabled for the seconds given, or as long as the device knows', async () => {
    const disable = '/api/devices/m/server/disable';
    expect((await api.call('POST', disable, { payload: { seconds: 5 } })).status).toBe(204);
    expect((await api.call('POST', `${disable}?instance=3`)).status).toBe(204);
    expect(api.requests.calls.map(({ operation, path }) => `${operation} ${path}`)).toEqual([
      'write /1/0/5',
      'execute /1/0/4',
      'execute /1/3/4',
    ]);
    expect((await api.call('POST', disable, { payload: { seconds: -1 } })).status).toBe(400);
  });

  test('mutes Send', async () => {
    const mute = '/api/devices/m/server/mute-send';
    expect((await api.call('PUT', mute, { payload: { muted: true } })).status).toBe(204);
    expect(api.requests.last).toMatchObject({
      operation: 'write',
      path: '/1/0/23',
      arguments: [{ value: true }, {}],
    });
    expect((await api.call('PUT', mute, { payload: { muted: 'yes' } })).status).toBe(400);
  });
});

describe('a profile', () => {
  test('is given, listed and forgotten', async () => {
    const url = '/api/profiles/6%3A27354b9a';
    const put = await api.call('PUT', url, { payload: { objects: '</1>;ver=1.1,</1/0>,</3/0>' } });
    expect(put.body.objects).toEqual([
      { path: '/1', attributes: { ver: '1.1' } },
      { path: '/1/0', attributes: {} },
      { path: '/3/0', attributes: {} },
    ]);
    expect((await api.call('GET', '/api/profiles')).body.items).toEqual([put.body]);
    expect((await api.call('DELETE', url)).status).toBe(204);
    const { status, body } = await api.call('DELETE', url);
    expect([status, body.code]).toEqual([404, 'unknown_profile']);
  });
});
