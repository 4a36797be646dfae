import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
  await api.register('m');
});
beforeEach(() => api.requests.reset());
afterAll(() => api.close());

const everyRoute = [
  '/',
  '/healthz',
  '/metrics',
  '/openapi.json',
  '/docs',
  '/api/devices',
  '/api/events',
  '/nothing',
];

describe('Host', () => {
  test.each(everyRoute)('%s is refused under a foreign name', async (url) => {
    for (const host of [
      'evil.example',
      'evil.example:8080',
      '127.0.0.1.evil.example',
      '10.1.2.3',
      'localhost@evil',
    ]) {
      const { status, body } = await api.call('GET', url, { headers: { host } });
      expect([status, body.code]).toEqual([403, 'foreign_host']);
    }
  });

  test.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST'])(
    '%s is this server',
    async (host) => {
      expect((await api.call('GET', '/healthz', { headers: { host } })).status).toBe(200);
    },
  );

  test('a request without one is refused', async () => {
    const { hostname, port } = new URL(await api.base());
    const socket = connect(Number(port), hostname);
    socket.end('GET /healthz HTTP/1.0\r\n\r\n');
    socket.setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('foreign_host');
  });
});

describe('Origin', () => {
  const host = 'localhost:8080';
  const switchCarrier = (headers: Record<string, string>) =>
    api.call('POST', '/api/devices/m/objects/42769/0/3', { headers: { host, ...headers } });

  test.each([
    'https://evil.example',
    'http://evil.example:8080',
    'http://localhost:3000',
    'http://localhost',
    'http://127.0.0.1:8080',
    'http://localhost:8080.evil.example',
    'null',
    'file://',
    'chrome-extension://abcdef',
    'localhost:8080',
  ])('%j may not do anything', async (origin) => {
    const { status, body } = await switchCarrier({ origin });
    expect([status, body.code]).toEqual([403, 'foreign_origin']);
    expect((await api.call('GET', '/api/devices', { headers: { host, origin } })).status).toBe(403);
    expect(api.requests.calls).toEqual([]);
  });

  test('the page of this server may', async () => {
    expect((await switchCarrier({ origin: 'http://localhost:8080' })).status).toBe(204);
    expect((await switchCarrier({ origin: 'http://LOCALHOST:8080' })).status).toBe(204);
    expect((await switchCarrier({ origin: 'http://localhost', host: 'localhost' })).status).toBe(204);
    expect((await switchCarrier({ origin: 'https://localhost', host: 'localhost' })).status).toBe(204);
    expect((await switchCarrier({ origin: 'https://localhost', host: 'localhost:443' })).status).toBe(204);
  });

  test('one that is blank is none', async () => {
    expect((await switchCarrier({ origin: '' })).status).toBe(204);
  });

  test('no answer lets another site read it', async () => {
    const { headers } = await api.call('GET', '/api/devices', {
      headers: { host, origin: 'http://localhost:8080' },
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  test('a preflight is refused', async () => {
    const response = await api.app.inject({
      method: 'OPTIONS',
      url: '/api/devices/m/carrier',
      headers: { host, origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(response.statusCode).toBe(403);
  });
});

describe('Sec-Fetch-Site', () => {
  test.each(['POST', 'PUT', 'DELETE'] as const)('a cross-site %s is refused', async (method) => {
    const payload = method === 'PUT' ? { payload: { value: 1 } } : {};
    const { status, body } = await api.call(method, '/api/devices/m/objects/42770/0/7', {
      ...payload,
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect([status, body.code]).toEqual([403, 'foreign_origin']);
    expect(api.requests.calls).toEqual([]);
  });

  test('a link from elsewhere to a page may be followed', async () => {
    expect((await api.call('GET', '/docs', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(
      200,
    );
  });

  test.each(['same-origin', 'none'])('%s may', async (site) => {
    const headers = { 'sec-fetch-site': site };
    expect((await api.call('POST', '/api/devices/m/objects/3/0/4', { headers })).status).toBe(204);
  });
});

describe('bodies', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'text/json',
    'application/jsonp',
  ])('%s is refused', async (type) => {
    const { status, body } = await api.call('POST', '/api/devices/m/carrier', {
      payload: '{"carrier":1}',
      headers: { 'content-type': type },
    });
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
  });

  test('one that does not say what it is is refused', async () => {
    const { hostname, port } = new URL(await api.base());
    const socket = connect(Number(port), hostname);
    socket.setEncoding('utf8');
    socket.write(
      `POST /api/devices/m/carrier HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{"carrier":1}`,
    );
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
  });

  test('JSON with a charset is taken', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const answer = await api.call('PUT', '/api/devices/m/objects/42770/0/7', {
      payload: '{"value":10}',
      headers,
    });
    expect(answer.status).toBe(204);
  });

  test.each([
    '{"carrier":',
    'carrier=1',
    '{"__proto__":{"a":1},"value":1}',
    '{"constructor":{"prototype":{}}}',
  ])('what is no clean JSON is refused: %s', async (payload) => {
    const headers = { 'content-type': 'application/json' };
    const { status, body } = await api.call('PUT', '/api/devices/m/objects/42770/0/7', { payload, headers });
    expect([status, body.code]).toEqual([400, 'malformed_body']);
  });

  test('more than 1 MiB is refused, a little less is not', async () => {
    const value = 'x'.repeat(1024 * 1024);
    const large = await api.call('PUT', '/api/devices/m/objects/9999/0/1', { payload: { value } });
    expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
    const fits = await api.call('PUT', '/api/devices/m/objects/9999/0/1', {
      payload: { value: value.slice(20) },
    });
    expect(fits.status).toBe(204);
  });
});

describe('what is not HTTP', () => {
  test('gets a 400, and the connection is closed', async () => {
    const { hostname, port } = new URL(await api.base());
    const socket = connect(Number(port), hostname);
    socket.setEncoding('utf8');
    socket.write('\x16\x03\x01 not http\r\n\r\n');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').code).toBe('malformed_request');
  });

  test.each(['/api/devices/%', '/api/devices/%ff', '/api/devices/%c3%28/objects/3'])(
    'a URL that cannot be decoded is a 400: %s',
    async (url) => {
      const response = await api.app.inject({ method: 'GET', url });
      expect([response.statusCode, response.json().code]).toEqual([400, 'malformed_request']);
      expect(response.headers['content-type']).toContain('application/problem+json');
    },
  );

  test('an endpoint name beyond all measure is a 414', async () => {
    const response = await api.app.inject({ method: 'GET', url: `/api/devices/${'x'.repeat(5000)}` });
    expect([response.statusCode, response.json().code]).toEqual([414, 'uri_too_long']);
  });
});

describe('headers', () => {
  test.each(everyRoute.filter((url) => url !== '/api/events'))('%s has the protective ones', async (url) => {
    const { headers } = await api.call('GET', url);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('so has an answer that refuses', async () => {
    const { headers } = await api.call('GET', '/api/devices', { headers: { host: 'evil.example' } });
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['cache-control']).toBe('no-store');
  });
});
