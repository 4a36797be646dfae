import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { type ScriptedDevice, ServerWorld } from '../../support/server-world.ts';

// What devices do otherwise than they should, and the server takes (docs/tolerance.md). Those that take a peer of others
// to be believed are in test/interop/traps.

let world: ServerWorld;
let device: ScriptedDevice;
beforeEach(async () => {
  world = await ServerWorld.open();
  device = world.device('device:1', 'odd');
});
afterEach(() => world.close());

describe('the server', () => {
  it('knows which instance a device made that names none, when it was told which to make', async () => {
    device.answers.set('POST /16', (request) => request.respond({ code: Code.CREATED }));
    await device.register('</1/0>,</16/0>');
    const made = await world.wait(world.api.post('/api/devices/odd/objects/16', { values: { '0/0': 'x' } }));
    expect(made).toMatchObject({ path: '/16/1' });
  });
});
