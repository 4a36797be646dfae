import { createServer, type ObserveReadStream, request, type Server } from 'coap';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { pathOptions } from '../../../protocol/coap/options.ts';
import { createUdpPort } from '../../../protocol/coap/udp-port.ts';
import { until } from '../../support/until.ts';
import { BIG, type Fixture, freePort, openFixture } from './fixture.ts';

// Not asked of it, for what it cannot do (docs/decisions): to reassemble requests whose token changes
// from block to block, and to be pinged, which it answers as if it were a request.

const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

describe('an npm coap client at our endpoint', () => {
  let fixture: Fixture;

  beforeEach(async () => {
    fixture = await openFixture();
  });
  afterEach(async () => {
    await fixture.endpoint.close();
  });

  const ask = (pathname: string, options: object = {}, body?: Uint8Array) =>
    new Promise<{ code: string; payload: Uint8Array }>((resolve, reject) => {
      const outgoing = request({ hostname: '127.0.0.1', port: fixture.port, pathname, ...options });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => resolve({ code: response.code, payload: response.payload }));
      outgoing.end(body === undefined ? undefined : Buffer.from(body));
    });

  test('reads 100 KB block-wise, and the handler runs once', async () => {
    const { code, payload } = await ask('/big');
    expect(code).toBe('2.05');
    expect(Buffer.compare(payload, BIG)).toBe(0);
    expect(fixture.runs.get(`${Code.GET} big`)).toBe(1);
  });

  test('writes', async () => {
    const { code } = await ask('/store', { method: 'PUT' }, BIG.subarray(0, 500));
    expect(code).toBe('2.04');
    expect(fixture.stored.map((body) => Buffer.compare(body, BIG.subarray(0, 500)))).toEqual([0]);
  });

  test('waits for a separate response', async () => {
    expect(text((await ask('/late')).payload)).toBe('separate');
    expect(fixture.runs.get(`${Code.GET} late`)).toBe(1);
  });

  test('asks without confirmation', async () => {
    expect(text((await ask('/count', { confirmable: false })).payload)).toBe('count 0');
  });

  test('observes: each confirmable notification is acknowledged, then it stops listening', async () => {
    const seen: string[] = [];
    const outgoing = request({
      hostname: '127.0.0.1',
      port: fixture.port,
      pathname: '/count',
      observe: true,
    });
    const stream = new Promise<ObserveReadStream>((resolve) => {
      outgoing.on('response', (response) => resolve(response as ObserveReadStream));
    });
    outgoing.end();
    const observing = await stream;
    observing.on('data', (payload: Uint8Array) => seen.push(text(payload)));
    await until('three notifications', () => seen.length === 4);
    expect(seen).toEqual(['count 0', 'count 1', 'count 2', 'count 3']);
    await until('their acknowledgements', () => fixture.delivered.length === 3);
    expect(fixture.delivered).toEqual([true, true, true]);
    observing.close();
  });
});

describe('our endpoint at an npm coap server', () => {
  let server: Server;
  let address: string;
  let endpoint: CoapEndpoint;
  let written: Uint8Array | undefined;

  beforeAll(async () => {
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    server = createServer((incoming, outgoing) => {
      const path = incoming.url.split('?')[0];
      if (path === '/big') outgoing.end(Buffer.from(BIG));
      else if (path === '/store') {
        written = incoming.payload;
        outgoing.code = '2.04';
        outgoing.end();
      } else if (path === '/slow') setTimeout(() => outgoing.end('separate'), 300);
      else if (path === '/count' && incoming.headers.Observe === 0) {
        for (let i = 0; i < 4; i++) outgoing.write(`count ${i}`);
      } else {
        outgoing.code = '4.04';
        outgoing.end();
      }
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
    endpoint = createCoapEndpoint({ port: await createUdpPort({ host: '127.0.0.1', port: 0 }) });
  });
  afterAll(async () => {
    await endpoint?.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  const get = (path: string) => endpoint.request(address, { code: Code.GET, options: pathOptions(path) });

  test('reads 100 KB block-wise', async () => {
    const response = await get('/big');
    expect(response.code).toBe(Code.CONTENT);
    expect(Buffer.compare(response.payload, BIG)).toBe(0);
    expect((await get('/none')).code).toBe(Code.NOT_FOUND);
  });

  test('writes', async () => {
    const payload = BIG.subarray(0, 900);
    const response = await endpoint.request(address, {
      code: Code.PUT,
      options: pathOptions('/store'),
      payload,
    });
    expect(response.code).toBe(Code.CHANGED);
    expect(Buffer.compare(written ?? new Uint8Array(0), payload)).toBe(0);
  });

  test('waits for a separate response', async () => {
    expect(text((await get('/slow')).payload)).toBe('separate');
  });

  test('observes', async () => {
    const seen: string[] = [];
    const { response, observation } = await endpoint.observe(
      address,
      { code: Code.GET, options: pathOptions('/count') },
      {
        onNotification: (one) => {
          seen.push(text(one.payload));
          one.accept();
        },
      },
    );
    seen.unshift(text(response.payload));
    await until('three notifications', () => seen.length === 4);
    expect(seen.toSorted()).toEqual(['count 0', 'count 1', 'count 2', 'count 3']);
    observation?.forget();
  });
});
