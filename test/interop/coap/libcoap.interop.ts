import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { contentFormatOption, pathOptions } from '../../../protocol/coap/options.ts';
import { createUdpPort } from '../../../protocol/coap/udp-port.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { until } from '../../support/until.ts';
import { BIG, type Fixture, freePort, openFixture } from './fixture.ts';
import { PeerProcess } from './peer-process.ts';

const client = 'coap-client-notls';
const server = 'coap-server-notls';
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

describe.skipIf(!isInstalled(client))("libcoap's coap-client at our endpoint", () => {
  let fixture: Fixture;
  let folder: string;

  beforeEach(async () => {
    fixture = await openFixture();
    folder = await mkdtemp(join(tmpdir(), 'simyard-libcoap-'));
  });
  afterEach(async () => {
    await fixture.endpoint.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]) => runToEnd(client, ['-B', '20', ...args]);

  test.each(['1024', '256', '64'])(
    'reads 100 KB in blocks of %s, and the handler runs once',
    async (size) => {
      const file = join(folder, 'read');
      const { code, output } = await run('-m', 'get', '-b', size, '-o', file, `${fixture.uri}/big`);
      expect(code, output).toBe(0);
      expect(Buffer.compare(await readFile(file), BIG)).toBe(0);
      expect(fixture.runs.get(`${Code.GET} big`)).toBe(1);
    },
  );

  test.each(['1024', '64'])('writes 100 KB in blocks of %s, with another token for each', async (size) => {
    const file = join(folder, 'written');
    await writeFile(file, BIG);
    const { output } = await run('-v', '7', '-m', 'put', '-b', size, '-f', file, `${fixture.uri}/store`);
    expect(
      fixture.stored.map((body) => Buffer.compare(body, BIG)),
      output.slice(-2_000),
    ).toEqual([0]);
    expect(output).toContain('2.04');
  });

  test('reads 100 KB though some of what it sends is lost', async () => {
    const file = join(folder, 'read');
    await run('-l', '2,30-31', '-m', 'get', '-o', file, `${fixture.uri}/big`);
    expect(fixture.endpoint.statistics.retransmissions).toBe(0);
    expect(Buffer.compare(await readFile(file), BIG)).toBe(0);
    expect(fixture.runs.get(`${Code.GET} big`)).toBe(1);
  });

  test('observes: each confirmable notification arrives and is acknowledged, then it deregisters', async () => {
    const { output } = await run('-s', '2', '-m', 'get', '-w', `${fixture.uri}/count`);
    expect(output).toMatch(/count 0\s+count 1\s+count 2\s+count 3/);
    expect(fixture.delivered).toEqual([true, true, true]);
    expect(fixture.ends).toEqual(['deregistered']);
  });

  test('waits for a separate response', async () => {
    const { output } = await run('-m', 'get', `${fixture.uri}/late`);
    expect(output).toContain('separate');
    expect(fixture.runs.get(`${Code.GET} late`)).toBe(1);
  });

  test('is answered 4.02 for a critical option that nobody knows, 4.04 for what is not there', async () => {
    expect((await run('-m', 'get', '-O', '65001,x', `${fixture.uri}/big`)).output).toContain('4.02');
    expect((await run('-m', 'get', `${fixture.uri}/none`)).output).toContain('4.04');
  });

  test('is answered without confirmation where it asks so', async () => {
    const { output } = await run('-N', '-m', 'get', `${fixture.uri}/count`);
    expect(output).toContain('count 0');
  });
});

describe.skipIf(!isInstalled(server))("our endpoint at libcoap's coap-server", () => {
  let peer: PeerProcess;
  let address: string;
  let endpoint: CoapEndpoint;

  beforeAll(async () => {
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    peer = new PeerProcess(server, ['-A', '127.0.0.1', '-p', String(port), '-d', '20']);
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
    endpoint.request(address, {
      code: Code.PUT,
      options: [...pathOptions(path), contentFormatOption(0)],
      payload,
    });

  test('reads', async () => {
    const response = await get('/.well-known/core');
    expect(response.code).toBe(Code.CONTENT);
    expect(text(response.payload)).toContain('</time>');
    expect((await get('/nowhere')).code).toBe(Code.NOT_FOUND);
  });

  test('writes 100 KB block-wise and reads them back', async () => {
    expect((await put('/stored', BIG)).code).toBe(Code.CREATED);
    const response = await get('/stored');
    expect(response.code).toBe(Code.CONTENT);
    expect(Buffer.compare(response.payload, BIG)).toBe(0);
  });

  test('does so in blocks of 64', async () => {
    const small = createCoapEndpoint({
      port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
      parameters: { preferredBlockSize: 64 },
    });
    const body = BIG.subarray(0, 10_000);
    const options = pathOptions('/small');
    expect((await small.request(address, { code: Code.PUT, options, payload: body })).code).toBe(
      Code.CREATED,
    );
    const response = await small.request(address, { code: Code.GET, options });
    expect(Buffer.compare(response.payload, body)).toBe(0);
    await small.close();
  });

  test('observes what changes, and cancels', async () => {
    await put('/watched', new TextEncoder().encode('one'));
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
    expect(observation).toBeDefined();
    for (const state of ['two', 'three']) {
      await put('/watched', new TextEncoder().encode(state));
      await until(`the notification of ${state}`, () => seen.includes(state));
    }
    expect((await observation?.cancel())?.code).toBe(Code.CONTENT);
    await put('/watched', new TextEncoder().encode('four'));
    expect(seen).not.toContain('four');
  });

  test('observes what is read block-wise', async () => {
    await put('/large', BIG.subarray(0, 3_000));
    const seen: Uint8Array[] = [];
    const { response } = await endpoint.observe(
      address,
      { code: Code.GET, options: pathOptions('/large') },
      {
        onNotification: (one) => {
          seen.push(one.payload);
          one.accept();
        },
      },
    );
    expect(response.payload).toHaveLength(3_000);
    await put('/large', BIG.subarray(0, 5_000));
    await until('the notification', () =>
      seen.some((body) => Buffer.compare(body, BIG.subarray(0, 5_000)) === 0),
    );
  });

  test('waits for a separate response', async () => {
    const response = await endpoint.request(address, {
      code: Code.GET,
      options: [...pathOptions('/async'), { number: 15, value: new TextEncoder().encode('1') }],
    });
    expect(response.code).toBe(Code.CONTENT);
    expect(text(response.payload)).toContain('done');
  });
});
