import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { loadConfig } from '../../server/config.ts';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import type { Stores } from '../../server/ports/stores.ts';
import { sealCredentials } from '../../server/secrets/sealed-credentials.ts';
import { openSealer } from '../../server/secrets/secret-keys.ts';
import { enrol, SecuredDevice } from '../support/dtls/secured-device.ts';
import { ApiClient } from '../support/server-process.ts';
import { UdpMiddlebox } from '../support/udp-middlebox.ts';

const LINKS = '</3/0>';
const BATTERY = [{ path: '/3/0/9', value: 80 }] as const;

describe('a DTLS session and the embedded store', () => {
  let folder: string;
  let stores: Stores;
  let server: RunningServer;
  let api: ApiClient;
  let coapsPort = 0;
  let nat: UdpMiddlebox;
  let device: SecuredDevice;

  async function start(): Promise<void> {
    stores = await openEmbeddedStores({ path: folder });
    const securedPort = await createUdpPort({ host: '127.0.0.1', port: coapsPort });
    coapsPort = Number(securedPort.local.split(':')[1]);
    const config = loadConfig({}, ['--coap-port', '0', '--http-port', '0', '--data', folder]);
    server = await startServer(config, {
      log: createLog((process.env['SERVER_LOG'] ?? 'silent') as 'silent'),
      stores,
      port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
      securedPort,
    });
    api = new ApiClient(server.httpAddress);
  }

  /** Its process ends without a word: nothing of its end reaches the store or the device. */
  async function kill(): Promise<void> {
    await stores.close();
    await server.close();
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-dtls-'));
    coapsPort = 0;
    await start();
    const sealer = await openSealer({ keys: undefined, data: folder });
    await enrol(sealCredentials(stores.credentials, sealer), 'modem');
    nat = await UdpMiddlebox.open([`127.0.0.1:${coapsPort}`]);
    device = await SecuredDevice.open('modem', nat.address);
    device.has('/3/0/9', () => BATTERY);
    expect((await device.register(LINKS)).code).toBe(Code.CREATED);
  });
  afterEach(async () => {
    await device.endpoint.close();
    await nat.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const update = async (): Promise<number> => (await device.request(Code.POST, device.location)).code;

  test('a device is shown with its address, not with the name of its session', async () => {
    const { registration } = await api.get<{ registration: { address: string } }>('/api/devices/modem');
    expect(registration.address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('its port changes again and again: no new handshake, nothing lost', async () => {
    for (let change = 0; change < 10; change++) {
      nat.rebind();
      expect(await update()).toBe(Code.CHANGED);
    }
    expect(device.handshakes).toHaveLength(1);
  });

  test('it goes on after a restart, without a new handshake', async () => {
    await server.close();
    await start();
    expect(await update()).toBe(Code.CHANGED);
    expect(device.handshakes).toHaveLength(1);
    expect(device.closed).toHaveLength(0);
  });

  test('after a restart the server speaks first', async () => {
    await server.close();
    await start();
    await api.get('/api/devices/modem/objects/3/0/9');
    expect(device.asked).toContain('GET /3/0/9');
    expect(device.handshakes).toHaveLength(1);
  });

  test('the server is killed: the device is told, and shakes hands anew', async () => {
    await kill();
    await start();
    expect(await update()).toBe(Code.CHANGED);
    expect(device.closed).toHaveLength(1);
    expect(device.handshakes).toHaveLength(2);
  });
});
