import { afterEach, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../protocol/coap/codec.ts';
import { Code, MessageType } from '../../protocol/coap/message.ts';
import { uriPath } from '../../protocol/coap/options.ts';
import type { ApiDevice } from '../../server/api/schemas.ts';
import { loadConfig } from '../../server/config.ts';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import type { Stores } from '../../server/ports/stores.ts';
import { compareWithLog, logReadings } from '../support/log-readings.ts';
import { ApiClient } from '../support/server-process.ts';
import { ManagedModem, modemAddress, endpoint as NAME } from './conformance/managed-modem.ts';

const OTHER = 'other:5683';

let managed: ManagedModem;
let other: RunningServer;
let otherStores: Stores;
let otherApi: ApiClient;

afterEach(async () => {
  await managed.world.wait(other.close());
  await managed.close();
});

/** A modem, and two whole servers that know nothing of each other. */
async function open(rates: Readonly<Record<string, number>>): Promise<void> {
  managed = await ManagedModem.unstarted({
    rates,
    packInterval: 500,
    server: { shortServerId: 101 },
    others: [{ uri: `coap://${OTHER}`, resolve: async () => OTHER, shortServerId: 102 }],
  });
  const { world } = managed;
  otherStores = await openEmbeddedStores({ path: ':memory:' });
  other = await startServer(
    loadConfig({}, ['--http-port', '0', '--data', ':memory:', '--short-server-id', '102']),
    { log: createLog('silent'), clock: world.clock, port: world.link.port(OTHER), stores: otherStores },
  );
  otherApi = new ApiClient(other.httpAddress);
  await world.wait(managed.modem.start());
  await managed.registered();
  await world.until('it is registered with the other', async () => (await atOther())?.registration);
}

async function atOther(): Promise<ApiDevice | undefined> {
  const { items } = await otherApi.get<{ items: ApiDevice[] }>('/api/devices');
  return items.length === 0 ? undefined : otherApi.get<ApiDevice>(`/api/devices/${NAME}`);
}

/** Tokens of notifications that went to that server. */
function tokensOf(server: string): Set<string> {
  const tokens = new Set<string>();
  for (const { data, from, to } of managed.world.link.log) {
    const message = decodeMessage(data);
    if (from === modemAddress && to === server && message.code >> 5 === 2 && message.type === MessageType.CON)
      tokens.add(Buffer.from(message.token).toString('hex'));
  }
  return tokens;
}

/** Where the modem was told to update its registration with that server. */
function locationsOf(server: string): Set<string> {
  const locations = new Set<string>();
  for (const { data, from, to } of managed.world.link.log) {
    const message = decodeMessage(data);
    const path = `/${uriPath(message.options).join('/')}`;
    if (from === modemAddress && to === server && message.code === Code.POST && path !== '/rd')
      locations.add(path);
  }
  return locations;
}

describe('one endpoint name with two servers', () => {
  it('has two registrations, and each server what is its own: observations, readings, the end', async () => {
    await open({ imu: 0, gyro: 0, temperature: 2 });
    const { world } = managed;
    await world.until('both observe', () => tokensOf(OTHER).size > 0 && tokensOf('server:5683').size > 0);
    for (let second = 0; second < 300; second++) await world.pass(1_000);

    // Each is updated by the id that it gave; neither has heard of the other's.
    const [mine, theirs] = [locationsOf('server:5683'), locationsOf(OTHER)];
    expect([mine.size, theirs.size]).toEqual([1, 1]);
    expect(mine).not.toEqual(theirs);
    const own = await world.stores.registrations.byEndpoint(NAME);
    const others = await otherStores.registrations.byEndpoint(NAME);
    expect(mine).toEqual(new Set([`/rd/${own?.id}`]));
    expect(theirs).toEqual(new Set([`/rd/${others?.id}`]));
    expect(await world.stores.registrations.byId(others?.id ?? '')).toBeUndefined();

    // No notification bore a token of the other server.
    for (const token of tokensOf(OTHER)) {
      expect(await otherStores.observations.byToken(token)).toMatchObject({ endpoint: NAME });
      expect(await world.stores.observations.byToken(token)).toBeUndefined();
    }
    for (const token of tokensOf('server:5683')) {
      expect(await world.stores.observations.byToken(token)).toMatchObject({ endpoint: NAME });
      expect(await otherStores.observations.byToken(token)).toBeUndefined();
    }

    // Both have every reading, once.
    const [here, there] = [await logReadings(world.stores.log), await logReadings(otherStores.log)];
    for (const logged of [here, there]) {
      expect(compareWithLog([], logged.get(NAME)).twice).toEqual([]);
      expect(logged.get(NAME)?.size).toBeGreaterThan(500);
    }

    // The end of one registration leaves the other.
    await world.wait(otherApi.post(`/api/devices/${NAME}/objects/1/1/4`, {}));
    await world.until('it has left', async () => (await atOther())?.registration === undefined);
    await world.pass(5_000);
    expect((await managed.device()).registration?.registeredAt).toBe(own?.registeredAt);
    const before = (await logReadings(world.stores.log)).get(NAME)?.size ?? 0;
    await world.pass(10_000);
    const after = (await logReadings(world.stores.log)).get(NAME)?.size ?? 0;
    expect(after).toBeGreaterThan(before + 10);
  });
});
