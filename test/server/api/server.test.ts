import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ApiHarness } from '../../support/api/api-harness.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(overrides: Parameters<typeof ApiHarness.open>[0] = {}): Promise<ApiHarness> {
  const api = await ApiHarness.open(overrides);
  closing.push(() => api.close());
  return api;
}

describe('the server', () => {
  test('tells what it is and how many devices it has', async () => {
    const clock = new ManualClock();
    const api = await open({ clock });
    await api.register('a');
    const { id } = await api.register('b');
    await api.stores.registrations.deregister(id);
    clock.advance(1234);
    expect((await api.call('GET', '/api/server')).body).toEqual({
      version: '1.2.3',
      node: 'n1',
      startedAt: 1_767_225_600_000,
      now: 1_767_225_601_234,
      coapUri: 'coap://127.0.0.1:5683',
      store: 'embedded, in memory: nothing survives the end of the process',
      devices: { known: 2, registered: 1 },
    });
  });

  test('/healthz is 200 when ready, and 503 with the reason while it is not', async () => {
    let reason: string | undefined;
    const api = await open({
      ready: async () => {
        if (reason !== undefined) throw new Error(reason);
      },
    });
    expect((await api.call('GET', '/healthz')).body).toEqual({ status: 'ready' });
    reason = 'restoring 100 000 registrations';
    const { status, body } = await api.call('GET', '/healthz');
    expect([status, body.code, body.detail]).toEqual([503, 'not_ready', reason]);
  });

  test('/metrics has its own figures and those of HTTP by route, not by device', async () => {
    const api = await open();
    await api.register('secret-name');
    await api.call('GET', '/api/devices/secret-name');
    await api.call('GET', '/api/devices/other-name');
    await api.call('GET', '/nothing/of/the/kind');
    const { text, headers } = await api.call('GET', '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain('simyard_test 1\n');
    const counter = (route: string, status: number) =>
      `simyard_http_requests_total{method="GET",route="${route}",status="${status}"} 1\n`;
    expect(text).toContain(counter('/api/devices/:endpoint', 200));
    expect(text).toContain(counter('/api/devices/:endpoint', 404));
    expect(text).toContain(counter('none', 404));
    expect(text).toContain(
      'simyard_http_request_duration_seconds_count{method="GET",route="/api/devices/:endpoint"} 2',
    );
    expect(text).not.toMatch(/secret-name|other-name/);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([
    ['PATCH', '/api/devices', 'GET, HEAD'],
    ['POST', '/api/devices/m', 'GET, HEAD, PATCH, DELETE'],
    ['OPTIONS', '/api/devices/m/objects/3/0', 'GET, HEAD, POST, PUT, DELETE'],
    ['PUT', '/api/devices/m/carrier', 'GET, HEAD, POST'],
    ['HEAD', '/api/events', 'GET'],
    ['DELETE', '/healthz', 'GET, HEAD'],
  ] as const)('%s %s is a 405 with what is offered', async (method, url, allow) => {
    const api = await open();
    const response = await api.app.inject({
      method,
      url,
      payload: 'x',
      headers: { 'content-type': 'text/x' },
    });
    expect([response.statusCode, response.headers.allow]).toEqual([405, allow]);
    if (method !== 'HEAD') expect(response.json().code).toBe('method_not_allowed');
  });

  test('each request is one line of the log, at debug', async () => {
    const api = await open();
    api.log.length = 0;
    await api.call('GET', '/healthz');
    await api.call('GET', '/api/devices/nobody');
    expect(api.log.filter(({ level }) => level > 20)).toEqual([]);
    expect(api.log.filter(({ msg }) => msg === 'request')).toMatchObject([
      { level: 20, method: 'GET', url: '/healthz', status: 200 },
      { level: 20, method: 'GET', url: '/api/devices/nobody', status: 404 },
    ]);
  });

  test('answers of the API are not kept by caches', async () => {
    const api = await open();
    for (const url of ['/api/devices', '/api/server', '/healthz', '/metrics', '/api/devices/nobody']) {
      expect((await api.call('GET', url)).headers['cache-control'], url).toBe('no-store');
    }
  });

  test('closing does not wait for a device that does not answer', async () => {
    const clock = new ManualClock();
    const api = await ApiHarness.open({ clock });
    await api.register('m');
    const base = await api.base();
    const asked = new Promise<void>((resolve) => {
      api.requests.answers(
        () =>
          new Promise((_resolve, reject) => {
            const [signal] = api.requests.signals;
            signal?.addEventListener('abort', () => reject(signal.reason));
            resolve();
          }),
      );
    });
    const answer = fetch(`${base}/api/devices/m/objects/3/0/9?timeout=300000`);
    await asked;
    const closed = api.close();
    await vi.waitFor(() => expect(clock.timers).toBe(2));
    clock.advance(2_000);
    const response = await answer;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'closing' });
    await closed;
    expect(clock.timers).toBe(0);
  });
});

describe('the console', () => {
  /** A folder as the build leaves it. */
  async function built(): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'simyard-console-'));
    closing.push(() => rm(root, { recursive: true }));
    mkdirSync(join(root, 'assets'));
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>Simyard</title>');
    writeFileSync(join(root, 'assets', 'main-abc123.js'), 'export const answer = 42;');
    writeFileSync(join(root, 'assets', 'main-abc123.js.br'), 'pretend-brotli');
    return root;
  }
  const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

  test('is the page for / and for every path of its own', async () => {
    const api = await open({ consoleRoot: await built() });
    for (const url of ['/', '/devices', '/devices/urn%3Aimei%3A1/live', '/index.html']) {
      const { status, text, headers } = await api.call('GET', url, { headers: html });
      expect([status, text], url).toEqual([200, '<!doctype html><title>Simyard</title>']);
      expect(headers['content-type']).toMatch(/^text\/html/);
      expect(headers['cache-control']).toBe('no-cache');
      expect(headers['content-security-policy']).toContain("default-src 'self'; worker-src 'self';");
      expect(headers['content-security-policy']).not.toMatch(/unsafe|data:|\*/);
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('does not stand in for a missing script or a mistyped API path', async () => {
    const api = await open({ consoleRoot: await built() });
    const script = await api.call('GET', '/assets/gone.js', { headers: { accept: '*/*' } });
    expect([script.status, script.body.code]).toEqual([404, 'route_not_found']);
    const mistyped = await api.call('GET', '/api/device', { headers: html });
    expect([mistyped.status, mistyped.body.code]).toEqual([404, 'route_not_found']);
    const posted = await api.call('POST', '/devices', { headers: html });
    expect([posted.status, posted.body.code]).toEqual([404, 'route_not_found']);
  });

  test('keeps what carries a hash for ever, and sends it compressed where it can', async () => {
    const api = await open({ consoleRoot: await built() });
    const plain = await api.call('GET', '/assets/main-abc123.js');
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(plain.text).toContain('answer');
    const small = await api.call('GET', '/assets/main-abc123.js', {
      headers: { 'accept-encoding': 'gzip, br' },
    });
    expect(small.headers['content-encoding']).toBe('br');
    expect(small.headers.vary).toContain('accept-encoding');
    expect(small.headers['content-type']).toMatch(/javascript/);
    expect(small.text).toBe('pretend-brotli');
  });

  test.each([
    '/../package.json',
    '/%2e%2e/package.json',
    '/assets/..%2f..%2fpackage.json',
    '/..%5cpackage.json',
  ])('nothing outside its folder is served: %s', async (url) => {
    const api = await open({ consoleRoot: await built() });
    const { status } = await api.call('GET', url, { headers: { accept: '*/*' } });
    expect([400, 403, 404]).toContain(status);
  });

  test('where it is not built, / says how to build it', async () => {
    const api = await open();
    const { status, text, headers } = await api.call('GET', '/');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(text).toContain('npm start');
  });
});
