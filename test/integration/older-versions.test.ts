import { afterEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

async function call(method: string, path: string, body?: unknown) {
  const response = await world.wait(
    fetch(`${world.server.httpAddress}/api/devices/old/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, text: await response.text() };
}

describe('what came with a later version than the device speaks', () => {
  it('is not asked of it', async () => {
    world = await ServerWorld.open();
    const old = world.device('device:1', 'old');
    await old.register('</1/0>,</3/0>', ['lt=300', 'lwm2m=1.0', 'b=U']);
    for (const [method, path, body, detail] of [
      ['DELETE', 'objects/3/0/7/1', undefined, 'removing an instance of a resource came with 1.2'],
      ['PUT', 'server/mute-send', { muted: false }, 'Send came with 1.1'],
      ['GET', 'objects/3/0?format=LWM2M_CBOR', undefined, 'came with 1.2'],
    ] as const) {
      const { status, text } = await call(method, path, body);
      expect(status, path).toBe(400);
      expect(text).toContain(detail);
    }
    expect(old.asked.filter((one) => !one.startsWith('GET /3/0'))).toEqual([]);
  });

  it('is asked where the device says itself that it has it', async () => {
    world = await ServerWorld.open();
    const old = world.device('device:1', 'old');
    old.answers.set('PUT /1/0/23', (request) => request.respond({ code: Code.CHANGED }));
    await old.register('</1>;ver=1.1,</1/0>', ['lt=300', 'lwm2m=1.0', 'b=U']);
    expect((await call('PUT', 'server/mute-send', { muted: false })).status).toBe(204);
  });
});
