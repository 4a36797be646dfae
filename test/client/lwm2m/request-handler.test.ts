import { beforeEach, describe, expect, it } from 'vitest';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { KeptSettings } from '../../../client/modem/kept-settings.ts';
import { deviceObject } from '../../../objects/device.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld, registry, serverAddress } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';

const secondAddress = '192.0.2.2:5683';
let world: ClientWorld;
const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);

beforeEach(() => {
  world = new ClientWorld();
});

describe('an operation that meets a bug', () => {
  const bug = new Error('a bug');
  const broken = (): never => {
    throw bug;
  };

  it.each([
    ['Read', () => world.server.read('/3/0/9')],
    ['Write', () => world.server.writeText('/3/0/15', 'Europe/Berlin')],
    ['Execute', () => world.server.execute('/3/0/4')],
    ['Execute, in what a promise brings', () => world.server.execute('/3/0/12')],
  ])('is answered with 5.00, and the bug is told: %s', async (_name, request) => {
    const client = world.client();
    client.tree.add(
      instance(deviceObject, 0, {
        batteryLevel: { read: broken },
        timezone: { read: () => 'UTC', write: broken },
        reboot: { execute: broken },
        resetErrorCode: { execute: () => Promise.resolve().then(broken) },
      }),
    );
    client.start();
    await world.registered();
    expect((await ask(request())).code).toBe(Code.INTERNAL_SERVER_ERROR);
    expect(world.faults).toEqual([bug]);
    await ask(client.close());
  });

  it('after its answer keeps that answer, and the bug is told', async () => {
    const client = world.client();
    client.tree.add(
      instance(deviceObject, 0, { reboot: { execute: (_args, context) => context.afterAnswer(broken) } }),
    );
    client.start();
    await world.registered();
    expect((await ask(world.server.execute('/3/0/4'))).code).toBe(Code.CHANGED);
    expect(world.faults).toEqual([bug]);
    await ask(client.close());
  });
});

describe('a disk that is full', () => {
  let full: boolean;
  const settings = () =>
    new KeptSettings({
      read: () => undefined,
      write() {
        if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
      },
    });

  beforeEach(() => {
    full = false;
  });

  it('declines a Write, and what there was stays', async () => {
    const client = world.client({ settings: settings() });
    client.start();
    await world.registered();
    full = true;
    expect(told(await ask(world.server.writeText('/1/0/1', '600')))).toBe('5.00 it cannot be kept: ENOSPC');
    expect(await ask(world.server.values('/1/0/1'))).toEqual({ '/1/0/1': 300 });
    full = false;
    expect(told(await ask(world.server.writeText('/1/0/1', '600')))).toBe('2.04');
    expect(world.faults).toEqual([]);
    await ask(client.close());
  });

  it('leaves rights as they are', async () => {
    world.anotherServer(secondAddress);
    const servers = [serverAddress, secondAddress].map((address) => ({
      uri: `coap://${address}`,
      resolve: async () => address,
    }));
    const client = world.client({ settings: settings(), servers });
    client.tree.add(instance(deviceObject, 0, { batteryLevel: { read: () => 1 } }));
    client.start();
    await world.registered(2);
    const shown = await ask(world.server.values('/2'));
    const [of = ''] = Object.keys(shown).filter((path) => path.endsWith('/0') && shown[path] === 3);
    const acl = of.replace(/0$/, '2');
    full = true;
    const payload = encodeContent(ContentFormat.TLV, acl, [{ path: `${acl}/102`, value: 15 }], registry);
    const answer = await ask(world.server.send(Code.PUT, acl, { format: ContentFormat.TLV, payload }));
    expect(told(answer)).toBe('5.00 it cannot be kept: ENOSPC');
    expect(await ask(world.server.values(acl))).toEqual({ [`${acl}/0`]: 1 });
    expect(world.faults).toEqual([]);
    await ask(client.close());
  });
});
