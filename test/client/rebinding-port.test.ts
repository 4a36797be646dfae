import { describe, expect, it } from 'vitest';
import { RebindingPort } from '../../client/rebinding-port.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { Code } from '../../protocol/coap/message.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import { ClientWorld } from '../support/client/client-world.ts';

const address = (n: number): string => `198.51.100.7:${40_000 + n}`;

describe('a port that is another socket every so often', () => {
  it('changes the address that the server sees, and only what goes there afterwards arrives', async () => {
    const world = new ClientWorld();
    let opened = 0;
    const open = async (): Promise<DatagramPort> => world.link.port(address(opened++));
    const port = new RebindingPort({ first: await open(), open, every: 10_000, clock: world.clock });
    const client = world.client({ port, updateInterval: 15 });
    client.start();
    await world.registered();
    expect(world.server.client).toBe(address(0));
    await world.clock.run(10_100);
    expect(port.local).toBe(address(1));
    await expect(world.settle(world.server.read('/1/0/1'), 100_000)).rejects.toThrow(TimeoutError);
    await world.until('updated', () => world.server.of('update').length > 0);
    expect(world.server.client).toBe(port.local);
    expect((await world.settle(world.server.read('/1/0/1'))).code).toBe(Code.CONTENT);
    await world.settle(client.close());
    const before = opened;
    await world.clock.run(60_000);
    expect(opened).toBe(before);
    expect(world.faults).toEqual([]);
  });

  it('stays on its socket while the system has no other', async () => {
    const world = new ClientWorld();
    const errors: Error[] = [];
    const port = new RebindingPort({
      first: world.link.port(address(0)),
      open: async () => {
        throw Object.assign(new Error('bind EMFILE'), { syscall: 'bind' });
      },
      every: 1_000,
      clock: world.clock,
    });
    port.onError((error) => errors.push(error));
    await world.clock.run(2_500);
    expect(port.local).toBe(address(0));
    expect(errors).toHaveLength(2);
    await port.close();
  });
});
