import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { sealCredentials } from '../../server/secrets/sealed-credentials.ts';
import { createSealer } from '../../server/secrets/sealer.ts';
import { ClusterWorld, type TestNode } from '../support/cluster-world.ts';
import { enrol, SecuredDevice } from '../support/dtls/secured-device.ts';
import { SECRET_KEY } from '../support/server-process.ts';
import { UdpMiddlebox } from '../support/udp-middlebox.ts';
import { until } from '../support/until.ts';

const LINKS = '</3/0>';
const sealer = createSealer([Buffer.from(SECRET_KEY, 'hex')]);

describe.skipIf(!isInstalled('redis-server'))('DTLS sessions in a cluster', () => {
  let world: ClusterWorld;
  let balancer: UdpMiddlebox;
  let nodes: TestNode[];
  let devices: SecuredDevice[];

  /** All of them are reached at one address. */
  const shared = ['--coap-address', 'coap://devices.example:5683'];
  const start = (name: string, coapsPort = 0): Promise<TestNode> => world.node(name, shared, 0, coapsPort);
  const portOf = ({ coaps = '' }: TestNode): number => Number(coaps.split(':')[1]);

  /** Closes a node, or kills it, and starts another process of its name at its port. */
  async function restart(index: number, how: 'close' | 'kill'): Promise<void> {
    const node = nodes[index] as TestNode;
    await node[how]();
    nodes[index] = await start(node.name, portOf(node));
  }

  async function device(name: string): Promise<SecuredDevice> {
    const [node] = nodes;
    if (node === undefined) throw new Error('no node');
    await enrol(sealCredentials(node.stores.credentials, sealer), name);
    const opened = await SecuredDevice.open(name, balancer.address);
    opened.has('/3/0/9', () => [{ path: '/3/0/9', value: 80 }]);
    devices.push(opened);
    expect((await opened.register(LINKS)).code).toBe(Code.CREATED);
    return opened;
  }

  const update = async (from: SecuredDevice): Promise<number> =>
    (await from.request(Code.POST, from.location)).code;
  const ownerOf = async (name: string, at: TestNode): Promise<string> =>
    (await at.api.get<{ registration: { node: string } }>(`/api/devices/${name}`)).registration.node;
  const routeTo = (index: number): void => {
    balancer.route = () => index;
  };

  beforeEach(async () => {
    world = await ClusterWorld.open();
    devices = [];
    nodes = [await start('one'), await start('two'), await start('three')];
    await world.together(...nodes);
    balancer = await UdpMiddlebox.open(nodes.map(({ coaps = '' }) => coaps));
  });
  afterEach(async () => {
    await Promise.all(devices.map(({ endpoint }) => endpoint.close()));
    await balancer.close();
    await world.close();
  });

  test('records that arrive at another node are handed to the one that has their session', async () => {
    const modem = await device('modem');
    routeTo(1);
    for (let time = 0; time < 5; time++) {
      balancer.rebind();
      expect(await update(modem)).toBe(Code.CHANGED);
    }
    expect(modem.handshakes).toHaveLength(1);
    expect(await ownerOf('modem', nodes[2] as TestNode)).toBe('one');
    // And what another node asks goes out by the same session.
    expect(await nodes[2]?.api.get('/api/devices/modem/objects/3/0/9')).toMatchObject({ value: 80 });
  });

  test('a session whose records come by way of another node again and again moves there', async () => {
    const modem = await device('modem');
    routeTo(1);
    await until('it has moved', async () => {
      expect(await update(modem)).toBe(Code.CHANGED);
      return (await ownerOf('modem', nodes[2] as TestNode)) === 'two';
    });
    expect(modem.handshakes).toHaveLength(1);
  });

  test('a node that ends leaves its sessions to the others: no new handshake', async () => {
    const modem = await device('modem');
    await nodes[0]?.close();
    routeTo(1);
    expect(await update(modem)).toBe(Code.CHANGED);
    expect(modem.handshakes).toHaveLength(1);
    expect(await ownerOf('modem', nodes[1] as TestNode)).toBe('two');
  });

  test('a session that was taken over stays there, although its node is back and has its slot again', async () => {
    const modem = await device('modem');
    await nodes[0]?.close();
    routeTo(1);
    await update(modem);
    nodes[0] = await start('one', portOf(nodes[0] as TestNode));
    await world.together(...nodes);
    routeTo(0);
    expect(await update(modem)).toBe(Code.CHANGED);
    expect(await ownerOf('modem', nodes[2] as TestNode)).toBe('two');
    expect(modem.handshakes).toHaveLength(1);
  });

  test('a node is killed: the device is told by whichever hears it, and shakes hands anew', async () => {
    const modem = await device('modem');
    await nodes[0]?.kill();
    routeTo(1);
    expect(await update(modem)).toBe(Code.CHANGED);
    expect(modem.closed).toHaveLength(1);
    expect(modem.handshakes).toHaveLength(2);
  });

  test('rolling restart: no device shakes hands anew, and each is reached afterwards', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `modem-${index}`);
    balancer.route = (name, count) => Number(name.split(':')[1]) % count;
    const modems = await Promise.all(names.map(device));
    for (const index of [0, 1, 2]) {
      const others = [0, 1, 2].filter((other) => other !== index);
      balancer.route = (name) => others[Number(name.split(':')[1]) % 2] as number;
      await restart(index, 'close');
      await world.together(...nodes);
      balancer.route = (name, count) => Number(name.split(':')[1]) % count;
      expect(await Promise.all(modems.map(update))).toEqual(modems.map(() => Code.CHANGED));
    }
    expect(modems.map(({ handshakes }) => handshakes.length)).toEqual(modems.map(() => 1));
    await until('all are reached', async () => {
      for (const name of names) await nodes[0]?.api.get(`/api/devices/${name}/objects/3/0/9`);
      return true;
    });
  });
});
