import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/root.ts';
import type { ApiDevice, ApiDeviceBootstrap } from '../../../server/api/schemas.ts';
import { loadConfig } from '../../../server/config.ts';
import { createLog } from '../../../server/log.ts';
import { type RunningServer, startServer } from '../../../server/main.ts';
import { ApiClient } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { JsonLinesProcess } from '../support/json-lines-process.ts';
import {
  buildLeshanBootstrapPeer,
  buildLeshanPeers,
  hasLeshan,
  startLeshanBootstrapClient,
  startLeshanBootstrapServer,
} from './leshan-peers.ts';

const key = '000102030405060708090a0b0c0d0e0f';

describe.skipIf(!hasLeshan)('bootstrap with the Leshan library', () => {
  let server: RunningServer;
  let api: ApiClient;
  let peer: JsonLinesProcess | undefined;
  let modem: JsonLinesProcess | undefined;

  beforeAll(async () => {
    await buildLeshanPeers();
    await buildLeshanBootstrapPeer();
    const config = loadConfig({}, ['--coap-port', '0', '--http-port', '0', '--data', ':memory:']);
    server = await startServer(config, { log: createLog('silent') });
    api = new ApiClient(server.httpAddress);
  });
  afterEach(async () => {
    await modem?.stop('SIGKILL');
    await peer?.stop('SIGKILL');
    modem = undefined;
    peer = undefined;
  });
  afterAll(() => server?.close());

  const enrol = (account: 'server' | 'bootstrap', endpoint: string, identity: string) =>
    api.post('/api/credentials', { account, endpoint, type: 'psk', identity, key });

  const registrationOf = (endpoint: string) =>
    until(`${endpoint} is registered`, async () => {
      const { items } = await api.get<{ items: readonly ApiDevice[] }>('/api/devices');
      return items.find((device) => device.endpoint === endpoint)?.registration ?? undefined;
    });

  test('its client gets its account from our server, without security, and registers over DTLS', async () => {
    peer = startLeshanBootstrapClient({ server: `coap://${server.bootstrapAddress}`, endpoint: 'leshan-1' });
    await peer.until((line) => line.event === 'bootstrapped');
    await peer.until((line) => line.event === 'registered');
    const { sessions } = await api.get<ApiDeviceBootstrap>('/api/devices/leshan-1/bootstrap');
    expect(sessions[0], peer.said()).toMatchObject({ state: 'finished', profile: { id: 'default' } });
    const { registration } = await api.get<ApiDevice>('/api/devices/leshan-1');
    expect(registration?.lifetime).toBe(300);
  });

  test('its client gets its account from our server over DTLS, with what it had read first', async () => {
    await enrol('bootstrap', 'leshan-2', 'factory-2');
    await api.put('/api/bootstrap/profiles/leshan', {
      name: 'Leshan',
      enabled: true,
      devices: { endpoint: 'leshan-2' },
      priority: 5,
      readFirst: true,
      remove: ['/0', '/1'],
      servers: [{ shortServerId: 7, security: 'psk', lifetime: 90, binding: 'U', notificationStoring: true }],
      objects: [],
      access: [],
      retries: 1,
    });
    peer = startLeshanBootstrapClient({
      server: `coaps://${server.bootstrapsAddress}`,
      endpoint: 'leshan-2',
      identity: 'factory-2',
      key,
    });
    await peer.until((line) => line.event === 'registered');
    const { sessions } = await api.get<ApiDeviceBootstrap>('/api/devices/leshan-2/bootstrap');
    expect(sessions[0], peer.said()).toMatchObject({ state: 'finished', secured: true });
    const { registration } = await api.get<ApiDevice>('/api/devices/leshan-2');
    expect(registration?.lifetime).toBe(90);
  });

  test('our modem gets its account and key from its bootstrap server over DTLS, and keeps them', async () => {
    await enrol('server', 'modem-1', 'given-1');
    peer = startLeshanBootstrapServer({
      endpoint: 'modem-1',
      server: server.coapsUri ?? '',
      shortServerId: 42,
      lifetime: 77,
      serverIdentity: 'given-1',
      serverKey: key,
      identity: 'factory-1',
      key,
    });
    const { coaps } = await peer.until((line) => line.event === 'ready');
    const state = mkdtempSync(join(tmpdir(), 'simyard-bootstrapped-'));
    try {
      modem = new JsonLinesProcess(process.execPath, [
        join(root, 'client/main.ts'),
        ...['--bootstrap', String(coaps), '--identity', 'factory-1', '--key', key],
        ...['--endpoint', 'modem-1', '--state', state],
      ]);
      await peer.until((line) => line.event === 'ended');
      expect((await registrationOf('modem-1')).lifetime, modem.said()).toBe(77);
      expect(readFileSync(join(state, 'accounts.json'), 'utf8')).toContain(server.coapsUri);
    } finally {
      await modem?.stop('SIGKILL');
      rmSync(state, { recursive: true });
    }
  });

  test('our modem gets its account from its bootstrap server without security', async () => {
    peer = startLeshanBootstrapServer({
      endpoint: 'modem-2',
      server: server.coapUri ?? '',
      shortServerId: 42,
      lifetime: 88,
    });
    const { coap } = await peer.until((line) => line.event === 'ready');
    modem = new JsonLinesProcess(process.execPath, [
      join(root, 'client/main.ts'),
      ...['--bootstrap', String(coap), '--endpoint', 'modem-2', '--state', ':memory:'],
    ]);
    await peer.until((line) => line.event === 'ended');
    expect((await registrationOf('modem-2')).lifetime, modem.said()).toBe(88);
  });
});
