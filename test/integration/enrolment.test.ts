import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildModem } from '../../client/build-modem.ts';
import { parseCommandLine } from '../../client/command-line.ts';
import type { Modem } from '../../client/modem/modem.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';

/** The real server and real modems on real sockets of loopback, in this process. */
let folder: string;
let server: RunningServer;
let coaps: string;
let coap: string;
const modems: Modem[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-enrolment-'));
  const config = loadConfig({}, [
    ...['--coap-port', '0', '--coaps-port', '0', '--bootstrap-port', 'off', '--bootstraps-port', 'off'],
    ...['--http-port', '0', '--data', join(folder, 'server')],
  ]);
  server = await startServer(config, { log: createLog('silent') });
  coaps = server.coapsUri as string;
  coap = server.coapUri as string;
});
afterEach(async () => {
  await Promise.all(modems.splice(0).map((modem) => modem.close()));
  await server.close();
  rmSync(folder, { recursive: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; the API's own tests hold them against its schemas
async function call(method: string, path: string, body?: unknown, type = 'application/json'): Promise<any> {
  const response = await fetch(`${server.httpAddress}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': type },
          body: type === 'text/csv' ? String(body) : JSON.stringify(body),
        }),
  });
  const text = await response.text();
  return { status: response.status, ...(text === '' ? {} : JSON.parse(text)) };
}

const key = (digit: string): string => digit.repeat(32);
const enrol = (endpoint: string, digit: string, more: object = {}) =>
  call('POST', '/api/credentials', {
    endpoint,
    type: 'psk',
    identity: `id of ${endpoint}`,
    key: key(digit),
    ...more,
  });

interface Started {
  readonly modem: Modem;
  readonly log: string[];
  /** States of its registration, with what they said. */
  readonly states: string[];
}

async function start(endpoint: string, ...args: readonly string[]): Promise<Started> {
  const line = parseCommandLine([
    '--endpoint',
    endpoint,
    '--state',
    ':memory:',
    '--attach-time',
    '0',
    ...args,
  ]);
  if (line === 'help') throw new Error('no help was asked for');
  const log: string[] = [];
  const states: string[] = [];
  const modem = await buildModem(
    {
      name: endpoint,
      serial: 7,
      state: undefined,
      card: { kind: 'virtual', file: undefined },
      receiveBufferSize: 65_536,
    },
    line.modem,
    [undefined],
    {
      onFault: (error) => {
        throw error;
      },
      onLog: (message) => log.push(message),
      onState: (state, detail) => states.push(`${state} ${detail}`),
    },
  );
  modems.push(modem);
  await modem.start();
  return { modem, log, states };
}

const secure = (endpoint: string, digit: string, identity = `id of ${endpoint}`): Promise<Started> =>
  start(endpoint, '--server', coaps, '--identity', identity, '--key', key(digit));
const stateOf = async (endpoint: string): Promise<string> =>
  (await call('GET', `/api/devices/${endpoint}`)).state;
const registered = (endpoint: string) =>
  expect.poll(() => stateOf(endpoint), { timeout: 20_000 }).toBe('awake');
const refusals = async (): Promise<string[]> =>
  (await call('GET', '/api/event-log?types=refused&limit=50')).items.map(
    ({ endpoint, data }: { endpoint?: string; data: { reason: string } }) =>
      `${data.reason} ${endpoint ?? '-'}`,
  );

describe('a device that is enrolled', () => {
  test('registers over DTLS, streams, and switches its carrier', async () => {
    expect((await enrol('modem-1', 'a')).status).toBe(201);
    expect(await stateOf('modem-1')).toBe('known');
    const { modem } = await secure('modem-1', 'a');
    await registered('modem-1');
    await expect.poll(() => modem.client.readings.readingsDelivered, { timeout: 20_000 }).toBeGreaterThan(20);
    const { id } = await call('POST', '/api/devices/modem-1/carrier', { carrier: 'Verizon' });
    await expect
      .poll(async () => (await call('GET', `/api/commands/${id}`)).state, { timeout: 20_000 })
      .toBe('done');
    expect((await call('GET', '/api/devices/modem-1/carrier')).current).toBe('Verizon');
    const { items } = await call('GET', '/api/credentials/modem-1');
    expect(items).toMatchObject([{ state: 'active', usedAt: expect.any(Number) }]);
    expect((await call('GET', '/api/devices/modem-1')).registration.address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('keeps its name from others: by another credential, and without any', async () => {
    await enrol('modem-1', 'a');
    await enrol('modem-2', 'b');
    const thief = await secure('modem-1', 'b', 'id of modem-2');
    const plain = await start('modem-1', '--server', coap);
    await expect
      .poll(() => thief.states.some((state) => state.includes('4.03')), { timeout: 20_000 })
      .toBe(true);
    await expect
      .poll(() => plain.states.some((state) => state.includes('4.03')), { timeout: 20_000 })
      .toBe(true);
    expect(await stateOf('modem-1')).toBe('known');
    await expect
      .poll(refusals)
      .toEqual(expect.arrayContaining(['another_endpoint modem-1', 'enrolled modem-1']));
    // A name that nobody was given is free to who comes without, on loopback.
    await start('visitor', '--server', coap);
    await registered('visitor');
  });

  test('is cut off where it had come without security before, and comes back by its key', async () => {
    const { modem, states } = await start('modem-1', '--server', coap);
    await registered('modem-1');
    await enrol('modem-1', 'a');
    expect(await stateOf('modem-1')).toBe('left');
    modem.client.registration.update();
    await expect.poll(() => states.some((state) => state.includes('4.03')), { timeout: 20_000 }).toBe(true);
    await secure('modem-1', 'a');
    await registered('modem-1');
  });

  test('with the wrong key, or unknown, does not get in, and learns the same either way', async () => {
    await enrol('modem-1', 'a');
    const wrong = await secure('modem-1', 'b');
    const unknown = await secure('modem-9', 'b', 'nobody');
    const failure = ({ log }: Started) =>
      log.find((line) => line.startsWith('no DTLS session'))?.replace(/:\d+/, '');
    await expect.poll(() => failure(wrong), { timeout: 20_000 }).toBeDefined();
    await expect.poll(() => failure(unknown), { timeout: 20_000 }).toBeDefined();
    expect(failure(wrong)).toBe(failure(unknown));
    await expect
      .poll(refusals, { timeout: 20_000 })
      .toEqual(expect.arrayContaining(['wrong_key modem-1', 'unknown_identity -']));
    const metrics = await (await fetch(`${server.httpAddress}/metrics`)).text();
    expect(metrics).toMatch(/simyard_refusals_total\{reason="wrong_key"\} [1-9]/);
  });

  test('that is revoked is cut off at once, and stays out', async () => {
    await enrol('modem-1', 'a');
    const { modem, log } = await secure('modem-1', 'a');
    await registered('modem-1');
    await call('POST', '/api/credentials/modem-1/revoke', {});
    expect(await stateOf('modem-1')).toBe('left');
    await expect
      .poll(() => log.some((line) => line.includes('ended by the server')), { timeout: 20_000 })
      .toBe(true);
    modem.client.registration.update();
    await expect.poll(refusals, { timeout: 20_000 }).toContain('revoked modem-1');
    expect(await stateOf('modem-1')).toBe('left');
  });

  test('uses the key that a rotation gave, and the former one is gone with that', async () => {
    await enrol('modem-1', 'a');
    const former = await secure('modem-1', 'a');
    await registered('modem-1');
    const next = await call('POST', '/api/credentials/modem-1/rotate', { identity: 'next', key: key('c') });
    expect(next.status).toBe(201);
    // Both are good meanwhile.
    former.modem.client.registration.update();
    expect(await stateOf('modem-1')).toBe('awake');
    expect((await call('GET', '/api/credentials/modem-1')).items).toHaveLength(2);
    await former.modem.close();
    await secure('modem-1', 'c', 'next');
    await registered('modem-1');
    await expect
      .poll(async () =>
        (await call('GET', '/api/credentials/modem-1')).items.map(
          ({ identity }: { identity: string }) => identity,
        ),
      )
      .toEqual(['next']);
  });

  test('comes out of a file as well as by hand', async () => {
    const file = `endpoint,identity,key\nmodem-1,id of modem-1,${key('a')}\nmodem-2,id of modem-2,${key('b')}\n`;
    expect(await call('POST', '/api/credentials/import', file, 'text/csv')).toMatchObject({
      status: 200,
      imported: 2,
    });
    await Promise.all([secure('modem-1', 'a'), secure('modem-2', 'b')]);
    await registered('modem-1');
    await registered('modem-2');
  });
});

describe('a modem with several servers', () => {
  test('has one with security and one without, by one socket', async () => {
    await enrol('modem-1', 'a');
    const second = await startServer(
      loadConfig({}, [
        ...['--coap-port', '0', '--coaps-port', 'off', '--bootstrap-port', 'off', '--bootstraps-port', 'off'],
        ...['--http-port', '0', '--data', ':memory:'],
      ]),
      { log: createLog('silent') },
    );
    try {
      const { modem } = await start(
        'modem-1',
        ...[
          '--server',
          `${coaps},identity=id of modem-1,key=${key('a')}`,
          '--server',
          second.coapUri as string,
        ],
      );
      await registered('modem-1');
      await expect
        .poll(async () => (await fetch(`${second.httpAddress}/api/devices/modem-1`)).status, {
          timeout: 20_000,
        })
        .toBe(200);
      const mode = (instance: number) =>
        modem.client.tree.object(0)?.instances.get(instance)?.resources.get(2)?.handler.read?.();
      expect([mode(0), mode(1)]).toEqual([0, 3]);
      // Keys are nobody's to read.
      const { status } = await call('GET', '/api/devices/modem-1/objects/0/0');
      expect(status).toBeGreaterThanOrEqual(400);
      await modem.close();
      modems.splice(0);
    } finally {
      await second.close();
    }
  });
});
