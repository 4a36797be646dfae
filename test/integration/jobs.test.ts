import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import type { ApiJob, ApiJobDevicePage } from '../../server/api/schemas/jobs.ts';
import type { ApiCommand, ApiCommandPage } from '../../server/api/schemas.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { temporaryFolder } from '../server/embedded/folder.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

const REBOOT = '/3/0/4';
const reboot = { kind: 'request', request: { operation: 'execute', path: REBOOT } };

/** Executes by device. */
const executed = new Map<string, number>();

/** Devices d0, d1, … that take an Execute of Reboot. */
async function devices(count: number): Promise<ScriptedDevice[]> {
  executed.clear();
  const all: ScriptedDevice[] = [];
  for (let index = 0; index < count; index++) {
    const device = world.device(`d${index}:1`, `d${index}`);
    all.push(device);
    device.answers.set(`POST ${REBOOT}`, (request) => {
      executed.set(device.name, (executed.get(device.name) ?? 0) + 1);
      request.respond({ code: Code.CHANGED });
    });
    await device.register('</3/0>');
  }
  return all;
}

const create = (body: object): Promise<ApiJob> => world.api.post<ApiJob>('/api/jobs', body);
const get = (id: string): Promise<ApiJob> => world.api.get<ApiJob>(`/api/jobs/${id}`);
const act = (id: string, what: 'cancel' | 'pause' | 'resume' | 'retry'): Promise<ApiJob> =>
  world.wait(world.api.post<ApiJob>(`/api/jobs/${id}/${what}`, null));
const reach = (id: string, fits: (job: ApiJob) => boolean, what: string): Promise<ApiJob> =>
  world.until(what, async () => {
    const job = await get(id);
    return fits(job) ? job : undefined;
  });
const state = (id: string, wanted: ApiJob['state']): Promise<ApiJob> =>
  reach(id, (job) => job.state === wanted, `the job is ${wanted}`);
const states = async (id: string): Promise<Record<string, string>> => {
  const { items } = await world.api.get<ApiJobDevicePage>(`/api/jobs/${id}/devices?limit=1000`);
  return Object.fromEntries(items.map(({ endpoint, state: at }) => [endpoint, at]));
};
const silence = (device: ScriptedDevice): void => {
  device.answers.set(`POST ${REBOOT}`, () => undefined);
};

describe('a job', () => {
  it('does each of its devices once, whatever filter or list it has them from', async () => {
    world = await ServerWorld.open();
    await devices(5);
    const job = await create({ name: 'reboot', devices: { filter: { q: 'd' } }, operation: reboot });
    expect(job).toMatchObject({ name: 'reboot', filter: { q: 'd' }, operation: reboot });
    const done = await state(job.id, 'done');
    expect(done).toMatchObject({ total: 5, counts: { done: 5, waiting: 0, failed: 0 } });
    expect(done.endedAt).toBeGreaterThanOrEqual(done.startedAt ?? 0);
    expect([...executed.values()]).toEqual([1, 1, 1, 1, 1]);

    const named = await create({ devices: { endpoints: ['d1', 'nobody', 'd1'] }, operation: reboot });
    expect(await state(named.id, 'done')).toMatchObject({ total: 2, counts: { done: 1, failed: 1 } });
    const { items } = await world.api.get<ApiJobDevicePage>(`/api/jobs/${named.id}/devices?state=failed`);
    expect(items).toEqual([
      {
        endpoint: 'nobody',
        state: 'failed',
        reason: "no device with endpoint name 'nobody' is known",
        updatedAt: expect.any(Number),
      },
    ]);
    expect(executed.get('d1')).toBe(2);
  });

  it('makes commands that name it, and tells of each device what its command says', async () => {
    world = await ServerWorld.open();
    const [, second] = await devices(2);
    second?.answers.set(`POST ${REBOOT}`, (request) => request.respond({ code: Code.METHOD_NOT_ALLOWED }));
    const { id } = await create({ devices: { filter: {} }, operation: reboot });
    await state(id, 'done');
    const { items } = await world.api.get<ApiJobDevicePage>(`/api/jobs/${id}/devices`);
    const commands = (await world.api.get<ApiCommandPage>(`/api/commands?job=${id}`)).items;
    expect(commands.map(({ job, endpoint }) => [job, endpoint]).sort()).toEqual([
      [id, 'd0'],
      [id, 'd1'],
    ]);
    expect(items[1]).toMatchObject({
      endpoint: 'd1',
      state: 'failed',
      reason: expect.stringContaining('the device refused'),
      result: { coapCode: '4.05' },
      command: commands.find(({ endpoint }) => endpoint === 'd1')?.id,
    });
  });

  it('has no more than so many devices under way; one that is away takes no place, and is done when it comes', async () => {
    world = await ServerWorld.open();
    const all = await devices(6);
    let underWay = 0;
    let most = 0;
    for (const device of all.slice(1)) {
      device.answers.set(`POST ${REBOOT}`, (request) => {
        underWay++;
        most = Math.max(most, underWay);
        world.clock.setTimer(500, () => {
          underWay--;
          request.respond({ code: Code.CHANGED });
        });
      });
    }
    const away = all[0];
    away?.endpoint.close();
    await world.pass(320_000);
    for (const device of all.slice(1)) await device.register('</3/0>');
    const { id } = await create({ devices: { filter: {} }, operation: reboot, options: { atOnce: 2 } });
    const job = await reach(id, ({ counts }) => counts.done === 5, 'all that are there are done');
    expect(job).toMatchObject({ state: 'running', counts: { queued: 1 } });
    expect(most).toBe(2);
    const back = world.device('d0:2', 'd0');
    back.answers.set(`POST ${REBOOT}`, (request) => request.respond({ code: Code.CHANGED }));
    await back.register('</3/0>');
    expect(await state(id, 'done')).toMatchObject({ counts: { done: 6 } });
  });

  it('stops after so many failures, and says so; nothing is left open', async () => {
    world = await ServerWorld.open();
    for (const device of await devices(6)) {
      device.answers.set(`POST ${REBOOT}`, (request) => request.respond({ code: Code.FORBIDDEN }));
    }
    const options = { atOnce: 1, stopAfterFailures: 2 };
    const { id } = await create({ devices: { filter: {} }, operation: reboot, options });
    const job = await state(id, 'stopped');
    expect(job.reason).toBe(`${job.counts.failed} devices failed`);
    expect(job.counts.failed).toBeGreaterThanOrEqual(2);
    expect(job.counts.failed).toBeLessThan(6);
    expect(job.counts.failed + job.counts.cancelled).toBe(6);
  });

  it('takes back what is not sent when it is paused, and goes on where it was', async () => {
    world = await ServerWorld.open();
    const all = await devices(3);
    all[0]?.endpoint.close();
    await world.pass(320_000);
    for (const device of all.slice(1)) {
      await device.register('</3/0>');
      silence(device);
    }
    const { id } = await create({ devices: { filter: {} }, operation: reboot });
    await reach(id, ({ counts }) => counts.queued === 1 && counts.sent === 2, 'its commands are made');
    expect((await act(id, 'pause')).state).toBe('paused');
    await reach(
      id,
      ({ counts }) => counts.waiting === 1,
      'the command of the device that is away is taken back',
    );
    const [former] = (await world.api.get<ApiCommandPage>(`/api/commands?job=${id}&state=cancelled`)).items;
    expect(former).toMatchObject({
      endpoint: 'd0',
      reason: 'the job is paused',
      result: { withdrawn: true },
    });
    const back = world.device('d0:2', 'd0');
    back.answers.set(`POST ${REBOOT}`, (request) => {
      executed.set('d0', (executed.get('d0') ?? 0) + 1);
      request.respond({ code: Code.CHANGED });
    });
    await back.register('</3/0>');
    await world.pass(2_000);
    expect(executed.get('d0')).toBeUndefined();
    await act(id, 'resume');
    await reach(id, ({ counts }) => counts.done === 1, 'it is done after all');
    expect(executed.get('d0')).toBe(1);
  });

  it('that was cancelled while its devices were put together is tried again with those that it has', async () => {
    world = await ServerWorld.open();
    await devices(3);
    const { jobs } = world.stores;
    const at = Date.now();
    const id = 'cut-short';
    await jobs.create({
      ...{ id, filter: {}, operation: reboot, timeToLive: 3_600_000, atOnce: 10 },
      createdAt: at,
    });
    await jobs.addDevices(id, ['d0'], at);
    await jobs.transition({ id, from: ['preparing'], to: 'cancelling', endsAs: 'cancelled', at });
    await jobs.endWaiting(id, { state: 'cancelled', reason: 'the job was cancelled', at, limit: 10 });
    await jobs.transition({ id, from: ['cancelling'], to: 'cancelled', at });

    await act(id, 'retry');
    const job = await state(id, 'done');
    expect(job).toMatchObject({ total: 1, counts: { done: 1 } });
    expect([...executed.keys()]).toEqual(['d0']);
  });

  it('is cancelled: what waits and what is queued ends at once, what is sent as it ends', async () => {
    world = await ServerWorld.open();
    const all = await devices(5);
    all[0]?.endpoint.close();
    await world.pass(320_000);
    for (const device of all.slice(1)) await device.register('</3/0>');
    let answer: (() => void) | undefined;
    all[1]?.answers.set(`POST ${REBOOT}`, (request) => {
      answer = () => request.respond({ code: Code.CHANGED });
    });
    const { id } = await create({ devices: { filter: {} }, operation: reboot, options: { atOnce: 1 } });
    await world.until('the first is asked', () => answer !== undefined);
    expect((await act(id, 'cancel')).state).toBe('cancelling');
    await reach(id, ({ counts }) => counts.cancelled === 4, 'what is not sent has ended');
    expect((await get(id)).state).toBe('cancelling');
    answer?.();
    const job = await state(id, 'cancelled');
    expect(job.counts).toMatchObject({ done: 1, cancelled: 4 });
    expect(executed.size).toBe(0);

    await act(id, 'retry');
    await reach(id, ({ counts }) => counts.done === 4, 'the others are done by the new try');
    expect(await states(id)).toMatchObject({ d0: 'queued', d1: 'done', d4: 'done' });
    expect([executed.get('d2'), executed.get('d3'), executed.get('d4')]).toEqual([1, 1, 1]);
  });

  it('expires with what is not sent in its time, and never sends it later', async () => {
    world = await ServerWorld.open();
    const all = await devices(2);
    all[0]?.endpoint.close();
    await world.pass(320_000);
    await all[1]?.register('</3/0>');
    const { id } = await create({
      devices: { filter: {} },
      operation: reboot,
      options: { timeToLive: 60_000 },
    });
    await reach(id, ({ counts }) => counts.done === 1 && counts.queued === 1, 'one is done');
    await world.pass(61_000);
    expect(await state(id, 'done')).toMatchObject({ counts: { done: 1, expired: 1 } });
    const back = world.device('d0:2', 'd0');
    await back.register('</3/0>');
    await world.pass(2_000);
    expect(back.asked).not.toContain(`POST ${REBOOT}`);
  });

  it('goes on after a restart of the server, each device once', async () => {
    world = await ServerWorld.open(undefined, folder);
    const all = await devices(6);
    all[0]?.endpoint.close();
    await world.pass(320_000);
    for (const device of all.slice(1)) await device.register('</3/0>');
    const { id } = await create({ devices: { filter: {} }, operation: reboot, options: { atOnce: 2 } });
    await reach(id, ({ counts }) => counts.done >= 1, 'it has begun');
    await world.restart();
    const ended = ({ done, unknown }: ApiJob['counts']): boolean => done + unknown === 5;
    const job = await reach(id, ({ counts }) => ended(counts), 'the others have ended');
    expect(job).toMatchObject({ state: 'running', counts: { queued: 1 } });
    // Of those that were under way when the server stopped nobody can tell; it asks none of them again.
    expect(job.counts.unknown).toBeLessThanOrEqual(2);
    expect([...executed.values()]).toEqual([1, 1, 1, 1, 1]);
  });

  it('goes on after the store was out, each device once', async () => {
    let faults = 12;
    const out =
      <Args extends unknown[], T>(ask: (...args: Args) => Promise<T>) =>
      (...args: Args): Promise<T> =>
        faults > 0 && faults-- % 2 === 0 ? Promise.reject(new StoreUnavailableError('out')) : ask(...args);
    world = await ServerWorld.open((stores) => ({
      ...stores,
      jobs: {
        ...stores.jobs,
        note: out(stores.jobs.note),
        devices: out(stores.jobs.devices),
        transition: out(stores.jobs.transition),
      },
      commands: { ...stores.commands, enqueue: out(stores.commands.enqueue) },
    }));
    await devices(5);
    const { id } = await create({ devices: { filter: {} }, operation: reboot, options: { atOnce: 2 } });
    await world.pass(20_000);
    expect(await state(id, 'done')).toMatchObject({ counts: { done: 5 } });
    expect([...executed.values()]).toEqual([1, 1, 1, 1, 1]);
    expect(faults).toBe(0);
  });

  it('tells how it goes by events, at most twice a second, and the last of them', async () => {
    world = await ServerWorld.open();
    await devices(30);
    const { id } = await create({ devices: { filter: {} }, operation: reboot, options: { atOnce: 1 } });
    await state(id, 'done');
    const told = await world.until('the last event', async () => {
      const events = (await world.stores.events.read({ after: 0, limit: 10_000 })).filter(
        ({ type }) => type === 'job',
      );
      return (events.at(-1)?.data['job'] as ApiJob | undefined)?.state === 'done' ? events : undefined;
    });
    expect(told[0]?.data['job']).toMatchObject({ id, state: 'preparing' });
    expect(told.at(-1)?.data['job']).toMatchObject({ state: 'done', counts: { done: 30 } });
    const between = told.slice(1, -1).map(({ at }, index) => at - (told[index]?.at ?? 0));
    expect(between.every((pause) => pause >= 499)).toBe(true);
  });

  it('forgets devices that are away, and says of others why not', async () => {
    world = await ServerWorld.open();
    const [away] = await devices(2);
    away?.endpoint.close();
    await world.pass(290_000);
    await world.device('d1:1', 'd1').register('</3/0>');
    await world.pass(30_000);
    const { id } = await create({ devices: { filter: {} }, operation: { kind: 'forget' } });
    expect((await state(id, 'done')).counts).toMatchObject({ done: 1, failed: 1 });
    const { items } = await world.api.get<ApiJobDevicePage>(`/api/jobs/${id}/devices?state=failed`);
    expect(items[0]?.reason).toBe("'d1' is registered: it would come back at once");
  });

  it('observes what is wanted of each device, and ends it again', async () => {
    world = await ServerWorld.open();
    const [device] = await devices(1);
    device?.has('/3/0/9', () => [{ path: '/3/0/9', value: 80 }]);
    const observe = (wanted: boolean) => ({ kind: 'observe', paths: ['/3/0/9'], wanted });
    const first = await create({ devices: { filter: {} }, operation: observe(true) });
    await state(first.id, 'done');
    await world.until('it is observed', () => device?.observers.has('/3/0/9'));
    const second = await create({ devices: { filter: {} }, operation: observe(false) });
    expect((await state(second.id, 'done')).counts.done).toBe(1);
    const { items } = await world.api.get<{ items: readonly { readonly paths: readonly string[] }[] }>(
      '/api/devices/d0/observations',
    );
    expect(items.flatMap(({ paths }) => paths)).not.toContain('/3/0/9');
  });
});

describe('a command', () => {
  it('that did not succeed is given once more, as a new one', async () => {
    world = await ServerWorld.open();
    const [device] = await devices(1);
    device?.answers.set(`POST ${REBOOT}`, (request) => request.respond({ code: Code.FORBIDDEN }));
    const held = await world.api.post<ApiCommand>('/api/devices/d0/requests', reboot.request);
    const reachState = (id: string, wanted: string) =>
      world.until(`it is ${wanted}`, async () => {
        const command = await world.api.get<ApiCommand>(`/api/commands/${id}`);
        return command.state === wanted ? command : undefined;
      });
    await reachState(held.id, 'failed');
    device?.answers.set(`POST ${REBOOT}`, (request) => request.respond({ code: Code.CHANGED }));
    const again = await world.api.post<ApiCommand>(`/api/commands/${held.id}/retry`, null);
    expect(again).toMatchObject({ parameters: held.parameters, kind: 'request' });
    expect(again.expiresAt - again.createdAt).toBe(held.expiresAt - held.createdAt);
    expect(again.id).not.toBe(held.id);
    await reachState(again.id, 'done');
    await expect(world.api.post(`/api/commands/${again.id}/retry`, null)).rejects.toThrow(
      /409.*the command was done/,
    );
  });
});
