import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { ClusterWorld, type TestNode } from '../support/cluster-world.ts';
import { pskOf, SecuredDevice } from '../support/dtls/secured-device.ts';
import { until } from '../support/until.ts';

const LINKS = '</3/0>';

describe.skipIf(!isInstalled('redis-server'))('enrolment in a cluster', () => {
  let world: ClusterWorld;
  let one: TestNode;
  let two: TestNode;
  const devices: SecuredDevice[] = [];

  beforeEach(async () => {
    world = await ClusterWorld.open();
    one = await world.node('one', [], 0, 0);
    two = await world.node('two', [], 0, 0);
    await world.together(one, two);
  });
  afterEach(async () => {
    await Promise.all(devices.splice(0).map(({ endpoint }) => endpoint.close()));
    await world.close();
  });

  const enrolAt = ({ api }: TestNode, name: string) =>
    api.post('/api/credentials', {
      endpoint: name,
      type: 'psk',
      identity: pskOf(name).identity.toString(),
      key: pskOf(name).key.toString('hex'),
    });
  const stateAt = async ({ api }: TestNode, name: string): Promise<string> =>
    (await api.get<{ state: string }>(`/api/devices/${name}`)).state;

  test('a device that is enrolled at one node comes in at another, and is cut off there by the first', async () => {
    await enrolAt(two, 'modem');
    const modem = await SecuredDevice.open('modem', one.coaps as string);
    devices.push(modem);
    expect((await modem.register(LINKS)).code).toBe(Code.CREATED);
    expect(await stateAt(two, 'modem')).toBe('awake');
    await two.api.post('/api/credentials/modem/revoke', {});
    await until('the device was told that its session is over', () => modem.closed.length > 0);
    await until('it has left at both', async () =>
      (await Promise.all([one, two].map((node) => stateAt(node, 'modem')))).every(
        (state) => state === 'left',
      ),
    );
    expect(
      await one.stores.sessions.of({
        account: 'server',
        identity: { kind: 'psk', name: pskOf('modem').identity.toString() },
      }),
    ).toEqual([]);
    // Another handshake, of which the server says nothing but that it failed.
    modem.request(Code.POST, modem.location).catch(() => undefined);
    await until('it was not let in again', async () => {
      const { items } = await two.api.get<{ items: { data: { reason: string } }[] }>(
        '/api/event-log?types=refused&endpoint=modem&limit=9',
      );
      return items.some(({ data }) => data.reason === 'revoked');
    });
    expect(modem.handshakes).toHaveLength(1);
  });

  test('a name that is enrolled at one node is closed at another to who comes without security', async () => {
    const plain = await world.device('pump', one.coap);
    expect((await plain.register(LINKS)).code).toBe(Code.CREATED);
    const other = await world.device('meter', one.coap);
    await enrolAt(two, 'meter');
    await until('the name is closed', async () => (await other.register(LINKS)).code === Code.FORBIDDEN);
    expect(await stateAt(two, 'meter')).not.toBe('lost');
    expect((await plain.register(LINKS)).code).toBe(Code.CREATED);
  });
});
