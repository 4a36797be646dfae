import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { volatileAccounts } from '../../client/lwm2m/kept-accounts.ts';
import type {
  ApiBootstrapProfileBody,
  ApiBootstrapSession,
  ApiDevice,
  ApiDeviceBootstrap,
} from '../../server/api/schemas.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import { BootstrappedClient, type PreSharedKey } from '../support/bootstrap/bootstrapped-client.ts';
import { ApiClient } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const key = '000102030405060708090a0b0c0d0e0f';
const psk: PreSharedKey = { identity: 'factory-1', key: Buffer.from(key, 'hex') };
const secured: ApiBootstrapProfileBody = {
  name: 'Secured',
  enabled: true,
  devices: {},
  priority: 9,
  readFirst: true,
  remove: ['/'],
  servers: [{ shortServerId: 101, security: 'psk', lifetime: 120, binding: 'U', notificationStoring: true }],
  objects: [],
  access: [],
  retries: 1,
};

// The server and our client, over UDP and DTLS on sockets of this machine.
let server: RunningServer;
let api: ApiClient;
let device: BootstrappedClient | undefined;

beforeEach(async () => {
  const config = loadConfig({}, ['--coap-port', '0', '--http-port', '0', '--data', ':memory:']);
  server = await startServer(config, { log: createLog((process.env['SERVER_LOG'] ?? 'silent') as 'silent') });
  api = new ApiClient(server.httpAddress);
});
afterEach(async () => {
  await device?.close();
  device = undefined;
  await server.close();
});

const put = (id: string, change: Partial<ApiBootstrapProfileBody> = {}) =>
  api.put(`/api/bootstrap/profiles/${id}`, { ...secured, ...change });
const enrol = (endpoint = 'modem-1', identity = psk.identity) =>
  api.post('/api/credentials', { account: 'bootstrap', endpoint, type: 'psk', identity, key });
const bootstrapOf = (endpoint = 'modem-1') =>
  api.get<ApiDeviceBootstrap>(`/api/devices/${endpoint}/bootstrap`);
const identities = async (endpoint = 'modem-1'): Promise<string[]> => {
  const { items } = await api.get<{ items: { account: string; identity: string; state: string }[] }>(
    `/api/credentials/${endpoint}`,
  );
  return items.map(({ account, identity, state }) => `${account} ${identity} ${state}`);
};
const newest = async (): Promise<ApiBootstrapSession | undefined> => (await bootstrapOf()).sessions[0];
const plain = () => `coap://${server.bootstrapAddress}`;
const overDtls = () => `coaps://${server.bootstrapsAddress}`;

async function open(...args: Parameters<typeof BootstrappedClient.open>): Promise<BootstrappedClient> {
  device = await BootstrappedClient.open(...args);
  return device;
}

describe('over UDP', () => {
  test('a client that knows nothing but its bootstrap server gets an account, and registers there', async () => {
    const modem = await open('modem-1', plain());
    await modem.registered();
    // The server's own profile: this very server, with a key of the device's own.
    expect(modem.handshakes).toEqual([server.coapsUri?.replace('coaps://', '')]);
    const session = await until('the session has ended', async () => {
      const found = await newest();
      return found?.state === 'finished' && found;
    });
    expect(session.steps.map(({ operation, path }) => [operation, path].join(' ').trim())).toEqual([
      'request /bs',
      'discover /',
      'credential',
      'delete /0',
      'delete /1',
      'delete /2',
      'write /0/1',
      'write /1/0',
      'finish',
    ]);
    expect(await identities()).toEqual([`server bs.${session.id}.101 active`]);
    const { registration } = await api.get<ApiDevice>('/api/devices/modem-1');
    expect(registration?.lifetime).toBe(300);
  });

  test('one that has a credential is not bootstrapped without it', async () => {
    await enrol();
    const modem = await open('modem-1', plain());
    await until('the client waits', () => modem.states.some((state) => state.startsWith('waiting')));
    expect(modem.states.at(-1)).toContain('the server answered 4.00');
    expect((await bootstrapOf()).sessions).toEqual([]);
  });

  test('an account that asks for what the client cannot be is told inconsistent, twice as the profile says', async () => {
    await put('odd', { servers: [{ ...secured.servers[0], binding: 'S' } as never], retries: 1 });
    const modem = await open('modem-1', plain());
    const session = await until('the session has failed', async () => {
      const found = await newest();
      return found?.state === 'failed' && found;
    });
    expect(session.reason).toMatch(/^4.06 .*the client speaks UDP, and the binding is S$/);
    expect(session.steps.filter(({ operation }) => operation === 'finish').map(({ code }) => code)).toEqual([
      '4.06',
      '4.06',
    ]);
    expect(modem.client.sessions).toEqual([]);
  });

  test('a pack has all at once', async () => {
    const modem = await open('modem-1', plain(), { bootstrap: { pack: true, server: { version: '1.2' } } });
    await modem.registered();
    expect(await newest()).toMatchObject({ kind: 'pack', state: 'finished' });
    expect(modem.operations).toEqual([]);
  });
});

describe('over DTLS, with a pre-shared key', () => {
  beforeEach(() => enrol());

  test('a client gets a server account and its key, and registers over DTLS with it', async () => {
    await put('fleet');
    const modem = await open('modem-1', overDtls(), { psk });
    await modem.registered();
    expect(modem.handshakes).toEqual([server.bootstrapsAddress, server.coapsUri?.replace('coaps://', '')]);
    const session = await newest();
    expect(session).toMatchObject({ state: 'finished', secured: true, profile: { id: 'fleet' } });
    expect(await identities()).toEqual(['bootstrap factory-1 active', `server bs.${session?.id}.101 active`]);
  });

  test('no other device is bootstrapped with its key', async () => {
    const modem = await open('modem-2', overDtls(), { psk });
    await until('the client waits', () => modem.states.some((state) => state.startsWith('waiting')));
    expect(modem.states.at(-1)).toMatch(/the server answered 4.00/);
    expect((await bootstrapOf('modem-2')).sessions).toEqual([]);
  });

  test('a device is bootstrapped again when it is told to: the former key is revoked once the new one is used', async () => {
    await put('fleet');
    const modem = await open('modem-1', overDtls(), { psk });
    await modem.registered();
    const first = (await newest())?.id;
    await api.post('/api/devices/modem-1/bootstrap', undefined);
    await modem.finished(2);
    const session = await until('the second session has ended', async () => {
      const found = await newest();
      return found?.id !== first && found?.state === 'finished' && found;
    });
    // What it has of servers was read first, for people to see.
    expect(session.steps.find(({ operation }) => operation === 'read')).toMatchObject({
      path: '/1',
      code: '2.05',
      detail: expect.stringContaining('/1/0/0=101'),
    });
    await until('the former key is revoked', async () =>
      (await identities()).includes(`server bs.${first}.101 revoked`),
    );
    expect(await identities()).toContain(`server bs.${session.id}.101 active`);
    await modem.registered();
  });

  test('where no server of the new account takes it, a device is again where it was', async () => {
    await put('fleet');
    const storage = volatileAccounts();
    const modem = await open('modem-1', overDtls(), {
      psk,
      storage,
      bootstrap: {
        server: { account: { communicationRetryCount: 2, communicationRetryTimer: 1 } },
      },
    });
    await modem.registered();
    const before = modem.client.registration.location;
    // There a device that has a credential is declined.
    await put('fleet', {
      servers: [{ ...secured.servers[0], uri: server.coapUri, security: 'nosec', shortServerId: 7 } as never],
    });
    await api.post('/api/devices/modem-1/bootstrap', undefined);
    await modem.finished(2);
    await until(
      'it is back',
      () =>
        modem.client.sessions[0]?.shortServerId === 101 && modem.client.registration.location !== undefined,
    );
    expect(modem.client.registration.location).not.toBe(before);
    expect(storage.read()?.previous).toBeUndefined();
  });
});
