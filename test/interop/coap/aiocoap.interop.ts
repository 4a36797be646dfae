import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { pathOptions } from '../../../protocol/coap/options.ts';
import { createUdpPort } from '../../../protocol/coap/udp-port.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { pythonWithPeers } from '../../support/python-peers.ts';
import { until } from '../../support/until.ts';
import { BIG, type Fixture, freePort, openFixture } from './fixture.ts';
import { PeerProcess } from './peer-process.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

/** Runs the client to its end, and gives what it printed. */
function ask(python: string, uri: string, action: string, input?: Uint8Array): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [script('aiocoap_client.py'), uri, action], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`the client ended with ${code}:\n${err}`));
    });
    child.stdin.end(input);
  });
}

describe.skipIf(!isInstalled('python3'))('an aiocoap client at our endpoint', () => {
  let python: string;
  let fixture: Fixture;

  beforeAll(() => {
    python = pythonWithPeers();
  });
  beforeEach(async () => {
    fixture = await openFixture();
  });
  afterEach(async () => {
    await fixture.endpoint.close();
  });

  test('reads 100 KB block-wise, and the handler runs once', async () => {
    const sha256 = createHash('sha256').update(BIG).digest('hex');
    expect(await ask(python, fixture.uri, 'read')).toEqual({ code: '2.05 Content', sha256 });
    expect(fixture.runs.get(`${Code.GET} big`)).toBe(1);
  });

  test('writes 100 KB block-wise', async () => {
    expect(await ask(python, fixture.uri, 'write', BIG)).toEqual({ code: '2.04 Changed' });
    expect(fixture.stored.map((body) => Buffer.compare(body, BIG))).toEqual([0]);
  });

  test('observes: each confirmable notification is acknowledged', async () => {
    expect(await ask(python, fixture.uri, 'observe')).toEqual({
      seen: ['count 0', 'count 1', 'count 2', 'count 3'],
    });
    expect(fixture.delivered.slice(0, 2)).toEqual([true, true]);
  });

  test('waits for a separate response', async () => {
    expect(await ask(python, fixture.uri, 'late')).toEqual({ code: '2.05 Content', payload: 'separate' });
    expect(fixture.runs.get(`${Code.GET} late`)).toBe(1);
  });
});

describe.skipIf(!isInstalled('python3'))('our endpoint at an aiocoap server', () => {
  let peer: PeerProcess;
  let address: string;
  let endpoint: CoapEndpoint;

  beforeAll(async () => {
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    peer = new PeerProcess(pythonWithPeers(), [script('aiocoap_server.py'), String(port)]);
    endpoint = createCoapEndpoint({ port: await createUdpPort({ host: '127.0.0.1', port: 0 }) });
    // Retransmission waits for it to listen.
    await endpoint.ping(address);
  });
  afterAll(async () => {
    await endpoint?.close();
    await peer?.stop();
  });

  const get = (path: string) => endpoint.request(address, { code: Code.GET, options: pathOptions(path) });
  const put = (path: string, payload: Uint8Array) =>
    endpoint.request(address, { code: Code.PUT, options: pathOptions(path), payload });

  test('reads 100 KB block-wise', async () => {
    const response = await get('/big');
    expect(response.code, peer.output).toBe(Code.CONTENT);
    expect(Buffer.compare(response.payload, BIG)).toBe(0);
    expect((await get('/none')).code).toBe(Code.NOT_FOUND);
  });

  test('writes 100 KB block-wise and reads them back', async () => {
    expect((await put('/store', BIG)).code, peer.output).toBe(Code.CHANGED);
    expect(Buffer.compare((await get('/store')).payload, BIG)).toBe(0);
  });

  test('observes what changes, small and block-wise, and cancels', async () => {
    const seen: string[] = [];
    const { response, observation } = await endpoint.observe(
      address,
      { code: Code.GET, options: pathOptions('/watched') },
      {
        onNotification: (one) => {
          seen.push(text(one.payload));
          one.accept();
        },
      },
    );
    expect(text(response.payload)).toBe('one');
    const large = text(BIG.subarray(0, 5_000));
    for (const state of ['two', large, 'three']) {
      await put('/watched', new TextEncoder().encode(state));
      await until('the notification', () => seen.at(-1) === state);
    }
    expect((await observation?.cancel())?.code).toBe(Code.CONTENT);
    await put('/watched', new TextEncoder().encode('four'));
    expect(seen).not.toContain('four');
  });

  test('waits for a separate response', async () => {
    expect(text((await get('/slow')).payload)).toBe('separate');
  });
});
