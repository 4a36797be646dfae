import { afterEach, beforeEach, expect, it } from 'vitest';
import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import { blockOption, pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import type { ApiCommand } from '../../server/api/schemas.ts';
import { hex } from '../support/coap/raw-peer.ts';
import { ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
beforeEach(async () => {
  world = await ServerWorld.open();
});
afterEach(() => world.close());

it.each([
  ['a first block of more', Code.CHANGED, { number: 0, more: true, size: 16 }, 'done'],
  ['a block amid others', Code.CHANGED, { number: 7, more: false, size: 16 }, 'done'],
  ['2.31 Continue', Code.CONTINUE, undefined, 'unknown'],
] as const)(
  'an Execute that a device answers by %s goes out once, and has not failed',
  async (_what, code, block, state) => {
    const device = world.raw('192.0.2.1:1', 'server:5683');
    let executed = 0;
    device.onMessage = (message) => {
      if (message.code === 0 || message.code >> 5 > 0) return;
      const execute = message.code === Code.POST;
      if (execute) executed++;
      const options = block === undefined ? [] : [blockOption(OptionNumber.BLOCK2, block)];
      device.send({
        type: 2,
        code: execute ? code : Code.NOT_FOUND,
        messageId: message.messageId,
        token: hex(message.token),
        options: execute ? options : [],
        payload: execute ? new Uint8Array(16) : '',
      });
    };
    device.send({
      type: 0,
      code: Code.POST,
      messageId: 1,
      token: 'aa',
      options: [...pathOptions('/rd'), ...queryOptions(['ep=odd', 'lt=300', 'lwm2m=1.1', 'b=U'])],
      payload: '</3/0>',
    });
    await world.until('it is registered', async () => (await world.stores.registrations.count()) === 1);
    const { id } = await world.wait(
      world.api.post<ApiCommand>('/api/devices/odd/requests', { operation: 'execute', path: '/3/0/4' }),
    );
    const command = await world.until('the command has ended', async () => {
      const now = await world.api.get<ApiCommand>(`/api/commands/${id}`);
      return ['done', 'failed', 'unknown'].includes(now.state) && now;
    });
    expect(command.state).toBe(state);
    expect(executed).toBe(1);
  },
);
