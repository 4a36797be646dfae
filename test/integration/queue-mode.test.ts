import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeMessage } from '../../protocol/coap/codec.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { ApiCommand, ApiDevice, ApiPresence, ApiReadResult } from '../../server/api/schemas.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
let folder: string | undefined;
afterEach(async () => {
  await world.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

const ADDRESS = 'device:1';
const QUEUE_MODE = ['lt=86400', 'lwm2m=1.1', 'b=U', 'Q'];

/** A device in queue mode, registered, its radio off. */
async function sleeping(
  links = '</3/0>,</33000/0>',
  query: readonly string[] = QUEUE_MODE,
): Promise<ScriptedDevice> {
  const device = world.device(ADDRESS, 'sleepy');
  device.has('/33000/0/1', () => [{ path: '/33000/0/1', value: 42 }]);
  await device.register(links, query);
  await world.pass(3_000);
  world.link.deaf.add(ADDRESS);
  await world.clock.run(100_000);
  return device;
}

async function wake(device: ScriptedDevice): Promise<void> {
  world.link.deaf.delete(ADDRESS);
  await device.request(Code.POST, device.location);
}

const hold = (body: object): Promise<ApiCommand> =>
  world.wait(world.api.post<ApiCommand>('/api/devices/sleepy/requests', body));
const command = (id: string): Promise<ApiCommand> => world.api.get<ApiCommand>(`/api/commands/${id}`);
const inState = (id: string, state: ApiCommand['state']): Promise<ApiCommand> =>
  world.until(`the command is ${state}`, async () => {
    await world.pass(500);
    const now = await command(id);
    return now.state === state && now;
  });
const presence = (): Promise<ApiPresence> => world.api.get<ApiPresence>('/api/devices/sleepy/presence');
const read = (timeout: number): Promise<ApiReadResult> =>
  world.api.get<ApiReadResult>(`/api/devices/sleepy/objects/33000/0/1?timeout=${timeout}`);

describe('a request to a device in queue mode', () => {
  it.each([
    ['1.1', QUEUE_MODE],
    ['1.0', ['lt=86400', 'lwm2m=1.0', 'b=UQ']],
  ] as const)(
    'of LwM2M %s that sleeps waits, and goes out after its Update was answered (ETS 108, 109)',
    async (_version, query) => {
      world = await ServerWorld.open();
      const device = await sleeping('</3/0>,</33000/0>', query);
      expect((await presence()).awake).toBe(false);
      const answer = read(60_000);
      await world.pass(5_000);
      expect(device.asked).not.toContain('GET /33000/0/1');
      world.link.recording = true;
      await wake(device);
      expect((await world.wait(answer)).value).toBe(42);
      const sent = world.link.log.filter(({ from }) => from === 'server:5683');
      expect(sent.map(({ data }) => decodeMessage(data).code)).toEqual([Code.CHANGED, Code.GET]);
      expect(await presence()).toMatchObject({ queueMode: true, awake: true });
      const { presence: shown } = await world.api.get<ApiDevice>('/api/devices/sleepy');
      expect(shown).toEqual(await presence());
    },
  );

  it('that sleeps for longer than the caller waits ends with 504, and says what would hold it', async () => {
    world = await ServerWorld.open();
    await sleeping();
    const answer = read(5_000).then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    const text = await world.wait(answer);
    expect(text).toContain('504');
    expect(text).toMatch(/the device sleeps \(queue mode\); it was last heard at 20\d\d-/);
    expect(text).toContain('POST /api/devices/sleepy/requests holds a request');
  });

  it('that is not in it goes out at once, whenever it was heard', async () => {
    world = await ServerWorld.open();
    const device = world.device(ADDRESS, 'sleepy');
    device.has('/33000/0/1', () => [{ path: '/33000/0/1', value: 42 }]);
    await device.register('</33000/0>', ['lt=86400', 'lwm2m=1.1', 'b=U']);
    await world.clock.run(3_600_000);
    expect((await world.wait(read(5_000))).value).toBe(42);
  });
});

describe('the window of a device', () => {
  it('that is shorter than was thought is learnt from silence, and known after a restart of the server', async () => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-window-'));
    world = await ServerWorld.open((stores) => stores, folder);
    const device = await sleeping();
    await wake(device);
    await world.pass(1_000);
    world.link.deaf.add(ADDRESS);
    await world.clock.run(40_000);
    // It should still listen, and does not.
    expect(await presence()).toMatchObject({ awake: true, window: 93_000, source: 'default' });
    await world.wait(read(20_000).catch(() => undefined));
    const learnt = await presence();
    expect(learnt).toMatchObject({ awake: false, source: 'learnt' });
    expect(learnt.window).toBeGreaterThan(40_000);
    expect(learnt.window).toBeLessThan(80_000);
    await world.pass(1_000);
    await world.restart();
    expect(await presence()).toMatchObject({ window: learnt.window, source: 'learnt' });
    await wake(device);
    await world.pass(1_000);
    expect((await presence()).window).toBe(learnt.window);
  });

  it('is its Active Timer, which it is asked for when it registers', async () => {
    world = await ServerWorld.open();
    const device = world.device(ADDRESS, 'sleepy');
    device.has('/10/0', () => [
      { path: '/10/0/4', value: 86_400 },
      { path: '/10/0/5', value: 16 },
      { path: '/10/0/13', value: 1 },
    ]);
    await device.register('</10/0>', QUEUE_MODE);
    await world.until('it has told', async () => (await presence()).source === 'device');
    expect(await presence()).toMatchObject({
      window: 16_000,
      powerSaving: { psmTimer: 86_400, activeTimer: 16, modes: ['psm'] },
    });
    await world.clock.run(17_000);
    expect((await presence()).awake).toBe(false);
  });
});

describe('a request that is held', () => {
  it('ends with what the device answered, as its route would have said it', async () => {
    world = await ServerWorld.open();
    const device = await sleeping();
    device.answers.set('POST /33000/0/2', (request) => request.respond({ code: Code.CHANGED }));
    const held = [
      await hold({ operation: 'read', path: '/33000/0/1' }),
      await hold({ operation: 'execute', path: '/33000/0/2' }),
      await hold({ operation: 'read', path: '/33000/0/9' }),
    ] as const;
    expect(held.map(({ state }) => state)).toEqual(['queued', 'queued', 'queued']);
    await wake(device);
    const done = await inState(held[0].id, 'done');
    expect(done.result).toMatchObject({ path: '/33000/0/1', value: 42, items: [{ value: 42 }] });
    expect((await inState(held[1].id, 'done')).attempts).toBe(1);
    const failed = await inState(held[2].id, 'failed');
    expect(failed).toMatchObject({ result: { coapCode: '4.04' } });
    expect(failed.reason).toContain('the device refused: 4.04');
    expect(done.history.map(({ state }) => state)).toEqual(['queued', 'sent', 'done']);
    expect((await world.eventTypes('sleepy')).filter((type) => type === 'command')).toHaveLength(9);
  });

  it('waits where the device is busy, in front of those behind it', async () => {
    world = await ServerWorld.open();
    const device = await sleeping();
    let busy = true;
    device.answers.set('POST /33000/0/2', (request) =>
      request.respond({ code: busy ? Code.SERVICE_UNAVAILABLE : Code.CHANGED }),
    );
    const [first, second] = [
      await hold({ operation: 'execute', path: '/33000/0/2' }),
      await hold({ operation: 'read', path: '/33000/0/1' }),
    ];
    await wake(device);
    await world.until('it is refused', async () => (await command(first.id)).reason?.includes('busy'));
    expect((await command(second.id)).state).toBe('queued');
    busy = false;
    await inState(second.id, 'done');
    const ended = await command(first.id);
    expect(ended.state).toBe('done');
    expect(ended.attempts).toBeGreaterThan(1);
    expect(ended.updatedAt).toBeLessThan((await command(second.id)).updatedAt);
  });

  it('is cancelled, or expires, while the device sleeps, and is never sent', async () => {
    world = await ServerWorld.open();
    const device = await sleeping();
    const [cancelled, expired, kept] = [
      await hold({ operation: 'execute', path: '/33000/0/2' }),
      await hold({ operation: 'execute', path: '/33000/0/3', timeToLive: 60_000 }),
      await hold({ operation: 'read', path: '/33000/0/1' }),
    ];
    await world.wait(world.api.delete(`/api/commands/${cancelled.id}`));
    await inState(expired.id, 'expired');
    await wake(device);
    await inState(kept.id, 'done');
    expect((await command(cancelled.id)).state).toBe('cancelled');
    expect(device.asked.filter((what) => what.startsWith('POST'))).toEqual([]);
  });

  it('for a device that is away goes out when it registers', async () => {
    world = await ServerWorld.open();
    const device = await sleeping();
    world.link.deaf.delete(ADDRESS);
    await device.request(Code.DELETE, device.location);
    const held = await hold({ operation: 'read', path: '/33000/0/1' });
    await world.clock.run(600_000);
    expect((await command(held.id)).state).toBe('queued');
    await device.register('</33000/0>', QUEUE_MODE);
    await inState(held.id, 'done');
  });

  it('that was under way when the server ended is sent again, but for what may be done once: that is unknown', async () => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-ended-'));
    world = await ServerWorld.open((stores) => stores, folder);
    const device = await sleeping();
    const executed: string[] = [];
    device.answers.set('POST /33000/0/2', (request) => {
      executed.push(new TextDecoder().decode(request.payload));
    });
    const [execution, reading] = [
      await hold({ operation: 'execute', path: '/33000/0/2', arguments: ['7'] }),
      await hold({ operation: 'read', path: '/33000/0/1' }),
    ];
    await wake(device);
    await world.until('it is executed', () => executed.length === 1);
    await world.restart();
    const unknown = await inState(execution.id, 'unknown');
    expect(unknown.reason).toContain('nobody can tell');
    await inState(reading.id, 'done');
    expect(executed).toEqual(["0='7'"]);
  });

  it('that is a Delete of which the answer was lost is done where the instance is gone', async () => {
    world = await ServerWorld.open();
    const device = await sleeping();
    let there = true;
    device.answers.set('DELETE /33000/5', (request) => {
      const code = there ? Code.DELETED : Code.NOT_FOUND;
      there = false;
      request.respond({ code });
    });
    const held = await hold({ operation: 'delete', path: '/33000/5' });
    world.link.filter = (_data, from) => !there && from === ADDRESS;
    await wake(device);
    await world.until('it is deleted', () => !there);
    await world.clock.run(100_000);
    await world.pass(2_000);
    expect((await command(held.id)).state).toBe('queued');
    world.link.filter = undefined;
    await wake(device);
    expect((await inState(held.id, 'done')).reason).toContain('gone already');
  });
});
