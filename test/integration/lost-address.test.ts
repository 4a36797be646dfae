import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import type { ApiCommand } from '../../server/api/schemas.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

const SHARED = '192.0.2.1:41001';
const REBOOT = { operation: 'execute', path: '/3/0/4' };

let world: ServerWorld;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-lost-address-'));
  world = await ServerWorld.open((stores) => stores, folder);
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const hold = (name: string, body: object): Promise<ApiCommand> =>
  world.wait(world.api.post<ApiCommand>(`/api/devices/${name}/requests`, body));
const command = (id: string): Promise<ApiCommand> => world.api.get<ApiCommand>(`/api/commands/${id}`);

/** A device that carries out whatever it is asked. */
function obliging(address: string, name: string): ScriptedDevice {
  const device = world.device(address, name);
  device.answers.set('POST /3/0/4', (request) => request.respond({ code: Code.CHANGED }));
  device.has('/33000/0/1', () => [{ path: '/33000/0/1', value: 1 }]);
  return device;
}

/** One registers, is observed, and goes away; another one gets its address. */
async function takenOver(): Promise<{ gone: ScriptedDevice; other: ScriptedDevice }> {
  const gone = obliging(SHARED, 'gone');
  await gone.register('</3/0>,</33000/0>');
  await world.wait(world.api.post('/api/devices/gone/observations/33000/0/1', {}));
  gone.endpoint.close();
  const other = obliging(SHARED, 'other');
  await other.register('</3/0>,</33000/0>');
  await world.pass(1_000);
  other.asked.length = 0;
  return { gone, other };
}

describe('a device whose address another one has taken over', () => {
  it('is not asked there: what is held for it goes out when it has registered again, also after a restart', async () => {
    const { other } = await takenOver();
    const { id } = await hold('gone', REBOOT);
    await world.pass(2_000);
    expect(await command(id)).toMatchObject({ state: 'queued', attempts: 0 });
    await world.restart();
    await world.pass(20_000);
    expect(await command(id)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(other.asked).toEqual([]);
    const back = obliging('192.0.2.1:41002', 'gone');
    await back.register('</3/0>,</33000/0>');
    await world.until('the command is done', async () => (await command(id)).state === 'done');
    expect(back.asked).toContain('POST /3/0/4');
    expect(other.asked).toEqual([]);
  });

  it('is told of to who asks it at once', async () => {
    const { other } = await takenOver();
    const answer = await world.wait(fetch(`${world.server.httpAddress}/api/devices/gone/objects/33000/0/1`));
    expect(answer.status).toBe(504);
    expect(await world.wait(answer.json())).toMatchObject({
      code: 'device_timeout',
      detail: expect.stringContaining("another device was heard at the address of 'gone'"),
    });
    expect(other.asked).toEqual([]);
  });

  it('is asked again where it updates from the very address that it had lost', async () => {
    const { gone, other } = await takenOver();
    const { id } = await hold('gone', REBOOT);
    other.endpoint.close();
    const back = obliging(SHARED, 'gone');
    expect((await back.request(Code.POST, gone.location)).code).toBe(Code.CHANGED);
    await world.until('the command is done', async () => (await command(id)).state === 'done');
    expect(back.asked).toContain('POST /3/0/4');
    const { id: late } = await hold('other', REBOOT);
    await world.pass(2_000);
    expect(await command(late)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it.each([false, true])(
    'is asked again where its notification comes from; server restarted: %s',
    async (restarted) => {
      const observed = obliging('10.0.0.1:1', 'gone');
      world.link.masquerade('10.0.0.1:1', SHARED);
      await observed.register('</3/0>,</33000/0>');
      await world.wait(world.api.post('/api/devices/gone/observations/33000/0/1', {}));
      const other = obliging('10.0.0.2:1', 'other');
      // The NAT forgets the one, and gives its port to the other, for a while.
      world.link.masquerade('10.0.0.2:1', SHARED);
      await other.register('</3/0>,</33000/0>');
      other.asked.length = 0;
      if (restarted) await world.restart();
      const { id } = await hold('gone', REBOOT);
      await world.pass(1_000);
      expect(await command(id)).toMatchObject({ state: 'queued', attempts: 0 });
      expect(other.asked).toEqual([]);
      world.link.masquerade('10.0.0.1:1', SHARED);
      const taken = observed.notify('/33000/0/1', [{ path: '/33000/0/1', value: 2 }]);
      expect(await world.wait(taken)).toBe(true);
      await world.until('the command is done', async () => (await command(id)).state === 'done');
    },
  );

  it('is sent nothing of what is under way any more: who can tell that it did not go out tells so', async () => {
    const gone = obliging(SHARED, 'gone');
    await gone.register('</3/0>,</33000/0>');
    gone.endpoint.close();
    const sent = await hold('gone', REBOOT);
    const behind = await hold('gone', REBOOT);
    await world.until('the first is under way', async () => (await command(sent.id)).state === 'sent');
    const other = obliging(SHARED, 'other');
    await other.register('</3/0>,</33000/0>');
    await world.until('the first has ended', async () => (await command(sent.id)).state === 'unknown');
    expect((await command(sent.id)).reason).toContain("another device was heard at the address of 'gone'");
    await world.pass(100_000);
    expect(await command(behind.id)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(other.asked).not.toContain('POST /3/0/4');
  });
});
