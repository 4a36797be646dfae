import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildModem } from '../../../client/build-modem.ts';
import { parseCommandLine } from '../../../client/command-line.ts';
import type { Modem } from '../../../client/modem/modem.ts';
import { loadConfig } from '../../../server/config.ts';
import { createLog } from '../../../server/log.ts';
import { type RunningServer, startServer } from '../../../server/main.ts';
import { Authority } from '../../support/dtls/authorities.ts';
import { pem } from '../../support/dtls/make-certificate.ts';

// Cases 401 to 403 of OMA-ETS-LightweightM2M_INT, on real sockets of loopback: the server as it starts, and the modem.

const endpoint = 'modem-401';
const patience = { timeout: 20_000 };
const authority = new Authority();
const device = authority.identity(endpoint);
let folder: string;
let server: RunningServer | undefined;
let modem: Modem | undefined;
let states: string[];
let log: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-conformance-'));
  states = [];
  log = [];
});
afterEach(async () => {
  await modem?.close();
  await server?.close();
  modem = undefined;
  server = undefined;
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function startWith(...flags: readonly string[]): Promise<string> {
  const config = loadConfig({}, [
    ...['--coap-port', '0', '--coaps-port', '0', '--bootstrap-port', 'off', '--bootstraps-port', 'off'],
    ...['--http-port', '0', '--data', join(folder, 'server'), ...flags],
  ]);
  server = await startServer(config, { log: createLog('silent') });
  return server.coapsUri as string;
}

/** A server with a certificate for that host. */
function certified(host: string): Promise<string> {
  const identity = authority.identity('the server', { dnsNames: [host] });
  return startWith(
    ...['--server-key', file('server.key', privateKeyOf(identity.privateKey))],
    ...[
      '--server-certificate',
      file('server.pem', pem('CERTIFICATE', identity.certificateChain[0] as Uint8Array)),
    ],
    ...['--device-ca', file('ca.pem', pem('CERTIFICATE', authority.certificate))],
  );
}

function privateKeyOf(key: typeof device.privateKey): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function call(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${server?.httpAddress}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  return (await response.json()) as Record<string, unknown>;
}

async function startModem(uri: string, ...flags: readonly string[]): Promise<void> {
  const line = parseCommandLine([
    ...['--endpoint', endpoint, '--state', ':memory:', '--attach-time', '0', '--server', uri, ...flags],
  ]);
  if (line === 'help') throw new Error('no help was asked for');
  modem = await buildModem(
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
  await modem.start();
}

/** The modem's own certificate, and whom it trusts. */
const certificateFlags = (): string[] => [
  ...['--private-key', file('device.key', privateKeyOf(device.privateKey))],
  ...['--certificate', file('device.pem', pem('CERTIFICATE', device.certificateChain[0] as Uint8Array))],
  ...['--server-ca', file('authority.pem', pem('CERTIFICATE', authority.certificate))],
];

/** Registered, and both ways are open. */
async function registersAndIsRead(): Promise<void> {
  await expect
    .poll(async () => (await call('GET', `/api/devices/${endpoint}`)).state, patience)
    .toBe('awake');
  expect(await call('GET', `/api/devices/${endpoint}/objects/3/0/0`)).toMatchObject({
    items: [{ path: '/3/0/0' }],
  });
}

describe('the security of the transport', () => {
  test('registers and is managed with a pre-shared key (ETS 401)', async () => {
    const uri = await startWith();
    const key = '0123456789abcdef0123456789abcdef';
    await call('POST', '/api/credentials', { endpoint, type: 'psk', identity: 'id-401', key });
    await startModem(uri, '--identity', 'id-401', '--key', key);
    await registersAndIsRead();
  });

  test('registers and is managed with certificates (ETS 402)', async () => {
    const uri = await certified('localhost');
    await call('POST', '/api/credentials', { endpoint, type: 'x509' });
    await startModem(uri.replace('127.0.0.1', 'localhost'), ...certificateFlags());
    await registersAndIsRead();
  });

  test('does not register at a server whose certificate has another name (ETS 403)', async () => {
    const uri = await certified('another.example');
    await call('POST', '/api/credentials', { endpoint, type: 'x509' });
    await startModem(uri.replace('127.0.0.1', 'localhost'), ...certificateFlags());
    await expect.poll(() => log.join('\n'), patience).toMatch(/it is not for localhost/);
    await expect.poll(() => states.at(-1), patience).toMatch(/^waiting/);
    expect((await call('GET', `/api/devices/${endpoint}`)).state).toBe('known');
  });
});
