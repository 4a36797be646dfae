import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CoapResponseError } from '../../../../protocol/coap/errors.ts';
import { Code } from '../../../../protocol/coap/message.ts';
import { TimeoutError } from '../../../../protocol/errors.ts';
import { NotRegisteredError, UnknownDeviceError } from '../../../../server/errors.ts';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
  await api.register('m');
});
beforeEach(() => {
  api.requests.reset();
  api.log.length = 0;
});
afterAll(() => api.close());

const objects = '/api/devices/m/objects';

describe('Read', () => {
  test('a resource comes with its value, name, type and units', async () => {
    api.requests.answersRead(112, [{ path: '/3/0/9', value: 87 }]);
    const { body } = await api.call('GET', `${objects}/3/0/9`);
    expect(body).toEqual({
      path: '/3/0/9',
      contentFormat: 112,
      value: 87,
      items: [{ path: '/3/0/9', value: 87, name: 'Battery Level', type: 'integer', units: '/100' }],
    });
    expect(api.requests.last).toEqual({ operation: 'read', endpoint: 'm', path: '/3/0/9', arguments: [{}] });
  });

  test('an instance comes as items, without a value of its own', async () => {
    api.requests.answersRead(11542, [
      { path: '/3/0/0', value: 'Acme' },
      { path: '/3/0/6/0', value: 1 },
    ]);
    const { body } = await api.call('GET', `${objects}/3/0`);
    expect(body).not.toHaveProperty('value');
    expect(body.items.map((item: { path: string }) => item.path)).toEqual(['/3/0/0', '/3/0/6/0']);
  });

  test('values that JSON does not have are written as the API says', async () => {
    api.requests.answersRead(112, [
      { path: '/42770/0/3', value: new Uint8Array([0xde, 0xad, 0x00]) },
      { path: '/9999/0/1', value: { objectId: 3, instanceId: 0 } },
      { path: '/9999/0/2', value: 2n ** 63n },
      { path: '/9999/0/3', value: Number.NaN },
      { path: '/9999/0/4', value: false },
    ]);
    const { body } = await api.call('GET', `${objects}/42770/0`);
    expect(body.items.map((item: { value: unknown }) => item.value)).toEqual([
      'dead00',
      '3:0',
      '9223372036854775808',
      'NaN',
      false,
    ]);
  });

  test("a record's time is absolute, also where the device counted from now", async () => {
    api.requests.answersRead(112, [
      { path: '/42770/0/2', value: 1.5, time: 1_700_000_000.25 },
      { path: '/42770/0/2', value: 2.5, time: -10 },
    ]);
    const before = Date.now();
    const { body } = await api.call('GET', `${objects}/42770/0/2`);
    expect(body).not.toHaveProperty('value');
    expect(body.items[0].takenAt).toBe(1_700_000_000_250);
    // The server's clock may be two milliseconds from the system's (protocol/clock.ts), and is rounded.
    expect(body.items[1].takenAt).toBeGreaterThanOrEqual(before - 10_003);
    expect(body.items[1].takenAt).toBeLessThanOrEqual(Date.now() - 9_997);
  });

  test.each([
    ['format=SENML_CBOR', { contentFormat: 112 }],
    ['format=tlv', { contentFormat: 11542 }],
    ['format=60', { contentFormat: 60 }],
    ['timeout=800', { timeout: 800 }],
    ['format=110&timeout=1', { contentFormat: 110, timeout: 1 }],
  ])('%s goes to the request', async (query, options) => {
    api.requests.answersRead(112, [{ path: '/3/0/9', value: 1 }]);
    await api.call('GET', `${objects}/3/0/9?${query}`);
    expect(api.requests.last?.arguments).toEqual([options]);
  });

  test.each(['format=XML', 'format=', 'timeout=0', 'timeout=soon', 'depth=3'])(
    '%s is refused',
    async (query) => {
      expect((await api.call('GET', `${objects}/3/0/9?${query}`)).status).toBe(400);
      expect(api.requests.calls).toEqual([]);
    },
  );

  test.each([
    ['3', '/3'],
    ['3/0/', '/3/0'],
    ['/3/0/7/1', '/3/0/7/1'],
    ['3%2F0%2F9', '/3/0/9'],
  ])('the path %s is %s', async (text, path) => {
    api.requests.answersRead(112, []);
    expect((await api.call('GET', `${objects}/${text}`)).body.path).toBe(path);
  });

  test.each(['x', '3//0', '1/2/3/4/5', '65535', '3/0/09', '3/-1', '3/0/9?', '%00'])(
    'the path %s is none, and nothing is sent',
    async (path) => {
      const { status, body } = await api.call('GET', `${objects}/${path.replace('?', '%3F')}`);
      expect([status, body.code]).toEqual([400, 'invalid_request']);
      expect(api.requests.calls).toEqual([]);
    },
  );

  test.each([
    [new CoapResponseError(Code.NOT_FOUND), 404, 'device_not_found', '4.04'],
    [new CoapResponseError(Code.METHOD_NOT_ALLOWED), 405, 'device_method_not_allowed', '4.05'],
    [new CoapResponseError(Code.INTERNAL_SERVER_ERROR, 'sensor off'), 502, 'device_error', '5.00'],
    [new TimeoutError('no answer within 10 s'), 504, 'device_timeout', undefined],
    [new NotRegisteredError('m'), 409, 'not_registered', undefined],
    [new UnknownDeviceError('m'), 404, 'unknown_device', undefined],
  ])("%s is the device's matter, and not logged as ours", async (error, status, code, coapCode) => {
    api.requests.answers(() => error);
    const answer = await api.call('GET', `${objects}/3/0/9`);
    expect([answer.status, answer.body.code, answer.body.coapCode]).toEqual([status, code, coapCode]);
    expect(answer.headers.allow).toBe(status === 405 ? 'PUT, POST, DELETE' : undefined);
    expect(api.log.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('a fault of ours is a 500 that tells nothing, and the log has its stack', async () => {
    api.requests.answers(() => new TypeError('cannot read /etc/secret of undefined'));
    const { status, body, text } = await api.call('GET', `${objects}/3/0/9`);
    expect([status, body.code]).toEqual([500, 'internal_error']);
    expect(text).not.toMatch(/secret|undefined|TypeError/);
    const [line] = api.log.filter(({ level }) => level >= 50);
    expect(line?.err?.message).toBe('cannot read /etc/secret of undefined');
    expect(line?.err?.stack).toContain('.ts:');
  });

  test('when the caller goes away, the request to the device is given up', async () => {
    const base = await api.base();
    const asked = new Promise<void>((resolve) => {
      api.requests.answers(() => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    const caller = new AbortController();
    const answer = fetch(`${base}${objects}/3/0/9`, { signal: caller.signal }).catch(
      (error: Error) => error.name,
    );
    await asked;
    const [signal] = api.requests.signals;
    const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
    caller.abort();
    expect(await answer).toBe('AbortError');
    await aborted;
  });

  test('an answered request is not given up afterwards', async () => {
    const base = await api.base();
    api.requests.answersRead(112, [{ path: '/3/0/9', value: 1 }]);
    const response = await fetch(`${base}${objects}/3/0/9`);
    expect(await response.json()).toMatchObject({ value: 1 });
    expect(api.requests.signals[0]?.aborted).toBe(false);
  });
});

describe('the list of objects', () => {
  test('is what the device registered, with names', async () => {
    const { body } = await api.call('GET', objects);
    expect(body.items).toContainEqual({ path: '/3/0', attributes: {}, name: 'Device', version: '1.2' });
    expect(body.items).toContainEqual({
      path: '/42769/0',
      attributes: { ver: '1.0' },
      name: 'Carrier',
      version: '1.0',
    });
    expect(api.requests.calls).toEqual([]);
  });

  test('is refused for a device that is not registered, or not known', async () => {
    const { id } = await api.register('gone');
    await api.stores.registrations.deregister(id);
    expect((await api.call('GET', '/api/devices/gone/objects')).body.code).toBe('not_registered');
    expect((await api.call('GET', '/api/devices/nobody/objects')).body.code).toBe('unknown_device');
  });
});

describe('Discover', () => {
  test('asks the device, and names what it lists', async () => {
    api.requests.answers(() => [
      { target: '/3/0', attributes: { pmin: '10' } },
      { target: '/3/0/9', attributes: {} },
      { target: '/77/0/1', attributes: { dim: '2' } },
    ]);
    const { body } = await api.call('GET', '/api/devices/m/discover/3/0?timeout=500');
    expect(api.requests.last).toEqual({
      operation: 'discover',
      endpoint: 'm',
      path: '/3/0',
      arguments: [{ timeout: 500 }],
    });
    expect(body.items).toEqual([
      { path: '/3/0', attributes: { pmin: '10' }, name: 'Device', version: '1.2' },
      {
        path: '/3/0/9',
        attributes: {},
        name: 'Battery Level',
        type: 'integer',
        operations: 'R',
        units: '/100',
      },
      { path: '/77/0/1', attributes: { dim: '2' } },
    ]);
  });
});

describe('Write', () => {
  const written = async (path: string, payload: object, query = '') => {
    const answer = await api.call('PUT', `${objects}/${path}${query}`, { payload });
    return { answer, call: api.requests.last };
  };

  test.each([
    ['42770/0/7', 1000, 1000],
    ['0/0/3', '00FF', new Uint8Array([0x00, 0xff])],
    ['9999/0/1', '9007199254740993', '9007199254740993'],
    ['3/0/14', '+01:00', '+01:00'],
    ['9999/0/1', 1.5, 1.5],
    ['9999/0/1', 'text', 'text'],
    ['9999/0/1', true, true],
  ])('to %s the value %j becomes %s', async (path, value, expected) => {
    const { answer, call } = await written(path, { value });
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(call).toEqual({
      operation: 'write',
      endpoint: 'm',
      path: `/${path}`,
      arguments: [{ value: expected }, {}],
    });
  });

  test('values below a path become records with absolute paths', async () => {
    const { call } = await written('42769/0', { values: { '2': 1, '/11': 60 } }, '?mode=update&format=TLV');
    expect(call?.arguments).toEqual([
      {
        records: [
          { path: '/42769/0/2', value: 1 },
          { path: '/42769/0/11', value: 60 },
        ],
      },
      { contentFormat: 11542, mode: 'update' },
    ]);
  });

  test('resource instances are written below their resource', async () => {
    const { call } = await written('9999/0/6', { values: { '0': 'a', '3': 'b' } });
    expect(call?.arguments[0]).toEqual({
      records: [
        { path: '/9999/0/6/0', value: 'a' },
        { path: '/9999/0/6/3', value: 'b' },
      ],
    });
  });

  test.each([
    ['42770/0/7', { value: 'fast' }, 'invalid_request'],
    ['42770/0/7', { value: 1.5 }, 'invalid_request'],
    ['42770/0', { value: 1 }, 'invalid_request'],
    ['42769/0/1', { value: 'AT&T' }, 'invalid_request'],
    ['42770/0', { values: { x: 1 } }, 'invalid_request'],
    ['42770/0/7', { values: { '': 1 } }, 'invalid_request'],
    ['42770', { values: { '0': 1 } }, 'invalid_request'],
    ['42770/0/7', { value: null }, 'validation_failed'],
    ['42770/0/7', { value: [1] }, 'validation_failed'],
    ['42770/0/7', { value: 1, unit: 'us' }, 'validation_failed'],
    ['42770/0/7', {}, 'validation_failed'],
  ])('to %s the body %j is refused with %s, and nothing is sent', async (path, payload, code) => {
    const { answer } = await written(path, payload);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect(api.requests.calls).toEqual([]);
  });

  test('a text is not taken for a number, nor a number for a text', async () => {
    expect((await written('3/0/14', { value: 5 })).answer.status).toBe(400);
    expect((await written('9999/0/1', { value: '5' })).call?.arguments[0]).toEqual({ value: '5' });
  });
});

describe('Execute', () => {
  test.each([
    [undefined, undefined],
    [{ args: "0='1',1='7'" }, "0='1',1='7'"],
    [{ arguments: ['1', '', 'x_y'] }, "0='1',1='',2='x_y'"],
    [{ arguments: [] }, ''],
  ])('with %j the arguments are %j', async (payload, args) => {
    const answer = await api.call(
      'POST',
      `${objects}/42769/0/3?timeout=900`,
      payload === undefined ? {} : { payload },
    );
    expect(answer.status).toBe(204);
    expect(api.requests.last).toEqual({
      operation: 'execute',
      endpoint: 'm',
      path: '/42769/0/3',
      arguments: [args, { timeout: 900 }],
    });
  });

  test('an empty body may call itself JSON', async () => {
    const headers = { 'content-type': 'application/json' };
    expect((await api.call('POST', `${objects}/3/0/4`, { headers })).status).toBe(204);
  });

  test.each([
    { arguments: ["a'b"] },
    { arguments: Array(11).fill('x') },
    { arguments: [1] },
    { args: 1 },
    { values: {} },
  ])('the body %j is refused', async (payload) => {
    expect((await api.call('POST', `${objects}/3/0/4`, { payload })).status).toBe(400);
    expect(api.requests.calls).toEqual([]);
  });
});

describe('Create', () => {
  test('with an instance id makes that one, and says where', async () => {
    await api.register('a/b');
    api.requests.answers(() => '/42770/7');
    const url = `/api/devices/${encodeURIComponent('a/b')}/objects/42770/7`;
    const answer = await api.call('POST', url, { payload: { values: { '7': 1000 } } });
    expect([answer.status, answer.body]).toEqual([201, { path: '/42770/7' }]);
    expect(answer.headers.location).toBe('/api/devices/a%2Fb/objects/42770/7');
    expect(api.requests.last?.arguments[0]).toEqual([{ path: '/42770/7/7', value: 1000 }]);
  });

  test('without one takes the lowest that the device has not listed', async () => {
    api.requests.answers(() => '/42770/1');
    await api.call('POST', `${objects}/42770`, { payload: { values: { '7': 1000 } } });
    expect(api.requests.last?.path).toBe('/42770');
    expect(api.requests.last?.arguments[0]).toEqual([{ path: '/42770/1/7', value: 1000 }]);
  });

  test('wants values', async () => {
    expect((await api.call('POST', `${objects}/42770`)).body.code).toBe('invalid_request');
    expect((await api.call('POST', `${objects}/42770/1`, { payload: { args: '' } })).body.code).toBe(
      'invalid_request',
    );
    expect(api.requests.calls).toEqual([]);
  });
});

describe('Delete', () => {
  test('goes to the device', async () => {
    expect((await api.call('DELETE', `${objects}/42770/7`)).status).toBe(204);
    expect(api.requests.last).toEqual({
      operation: 'delete',
      endpoint: 'm',
      path: '/42770/7',
      arguments: [{}],
    });
  });
});

describe('observations', () => {
  const observations = '/api/devices/m/observations';

  test('POST observes and answers with the value now', async () => {
    api.requests.answersRead(112, [{ path: '/42770/0/2', value: 21.5 }]);
    const { body } = await api.call('POST', `${observations}/42770/0/2?format=SENML_CBOR`);
    expect(body.value).toBe(21.5);
    expect(api.requests.last).toMatchObject({ operation: 'observe', path: '/42770/0/2' });
    expect(api.requests.last?.arguments).toEqual([{ contentFormat: 112 }]);
  });

  test.each([
    ['', [{}]],
    ['?active=true', [{ active: true }]],
    ['?active', [{ active: true }]],
    ['?active=false&timeout=5', [{ timeout: 5, active: false }]],
  ])('DELETE%s ends it', async (query, options) => {
    api.requests.answers(() => true);
    expect((await api.call('DELETE', `${observations}/42770/0/2${query}`)).status).toBe(204);
    expect(api.requests.last?.arguments).toEqual(options);
  });

  test('DELETE of what is not observed is a 404', async () => {
    api.requests.answers(() => false);
    const { status, body } = await api.call('DELETE', `${observations}/42770/0/2`);
    expect([status, body.code]).toEqual([404, 'not_observed']);
  });

  test('the list has those of the registration, without their tokens', async () => {
    const registration = await api.register('o');
    await api.stores.observations.add({
      token: '00c0ffee00c0ffee',
      registrationId: registration.id,
      endpoint: 'o',
      paths: ['/42770/0'],
      contentFormat: 112,
      origin: 'policy',
      createdAt: 1_767_225_600_000,
    });
    const { body, text } = await api.call('GET', '/api/devices/o/observations');
    expect(body.items).toEqual([
      { paths: ['/42770/0'], contentFormat: 112, origin: 'policy', createdAt: 1_767_225_600_000 },
    ]);
    expect(text).not.toContain('c0ffee');
    await api.stores.registrations.deregister(registration.id);
    expect((await api.call('GET', '/api/devices/o/observations')).body.items).toEqual([]);
    expect((await api.call('GET', '/api/devices/nobody/observations')).status).toBe(404);
  });
});

describe('hints', () => {
  test('a content format that is none gets those that values have', async () => {
    await api.register('m');
    const { status, body } = await api.call('GET', '/api/devices/m/objects/3/0?format=XML');
    expect(status).toBe(400);
    expect(body.detail).toContain('SENML_CBOR, TLV');
    expect(body.detail).not.toContain('LINK_FORMAT');
  });

  test.each(["0='1", '10', '0=1', "0='1',", "0='it's'", '0=\u0027\u00e9\u0027'])(
    'arguments that are none, as %s, are refused before they are sent',
    async (args) => {
      await api.register('m');
      const { status, body } = await api.call('POST', '/api/devices/m/objects/3/0/4', { payload: { args } });
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'invalid_request', detail: expect.stringContaining('arguments') });
    },
  );

  test.each(["0='1',1='7'", '2', "0,1='a=b'", '', "0=''"])(
    'arguments %j go out as they are',
    async (args) => {
      await api.register('m');
      expect((await api.call('POST', '/api/devices/m/objects/3/0/4', { payload: { args } })).status).toBe(
        204,
      );
    },
  );
});
