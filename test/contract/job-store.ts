import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import type { JobDeviceStep, JobStore, NewJob } from '../../server/ports/job-store.ts';
import { type OpenStores, start, useStores } from './engine.ts';

export function aJob(id: string, change: Partial<NewJob> = {}): NewJob {
  return {
    id,
    endpoints: ['a', 'b', 'c'],
    operation: { kind: 'forget' },
    timeToLive: 60_000,
    atOnce: 10,
    createdAt: start,
    ...change,
  };
}

const noCounts = {
  waiting: 0,
  queued: 0,
  sent: 0,
  accepted: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
  unknown: 0,
};

function step(
  endpoint: string,
  state: JobDeviceStep['state'],
  change: Partial<JobDeviceStep> = {},
): JobDeviceStep {
  return { endpoint, attempt: 1, state, at: start + 1, ...change };
}

export function describeJobStore(name: string, open: OpenStores): void {
  describe(`JobStore, ${name}`, () => {
    const stores = useStores(open);
    const jobs = () => stores().jobs;
    const endpoints = async (id: string, states?: readonly JobDeviceStep['state'][]): Promise<string[]> =>
      (await jobs().devices(id, { limit: 100, ...(states === undefined ? {} : { states }) })).items.map(
        ({ endpoint }) => endpoint,
      );
    const end = async (id: string, endedAt: number): Promise<void> => {
      await jobs().create(aJob(id, { endpoints: [] }));
      await jobs().transition({ id, from: ['preparing'], to: 'done', at: endedAt });
    };

    test('a new job prepares, with the devices that it names, each once', async () => {
      const { job, created } = await jobs().create(aJob('j1', { name: 'night', endpoints: ['b', 'a', 'b'] }));
      expect(created).toBe(true);
      expect(job).toEqual({
        id: 'j1',
        name: 'night',
        operation: { kind: 'forget' },
        timeToLive: 60_000,
        atOnce: 10,
        createdAt: start,
        state: 'preparing',
        selected: true,
        total: 2,
        counts: { ...noCounts, waiting: 2 },
        failures: 0,
        expiresAt: start + 60_000,
      });
      expect(await jobs().get('j1')).toEqual(job);
      expect(await jobs().devices('j1', { limit: 10 })).toEqual({
        items: [
          { endpoint: 'a', state: 'waiting', attempt: 1, updatedAt: start },
          { endpoint: 'b', state: 'waiting', attempt: 1, updatedAt: start },
        ],
      });
      expect(await jobs().get('j2')).toBeUndefined();
      expect(await jobs().devices('j2', { limit: 10 })).toEqual({ items: [] });
    });

    test('one of the same id is the same job, and stays as it is', async () => {
      const { job } = await jobs().create(aJob('j1'));
      const again = await jobs().create(aJob('j1', { endpoints: ['z'], atOnce: 3 }));
      expect(again).toEqual({ job, created: false });
      expect(await endpoints('j1')).toEqual(['a', 'b', 'c']);
    });

    test('devices are added while it prepares, and not twice', async () => {
      const { job } = await jobs().create({ ...aJob('j1', { filter: { q: 'm' } }), endpoints: [] });
      expect([job.selected, job.filter, job.total]).toEqual([false, { q: 'm' }, 0]);
      await jobs().addDevices('j1', ['a', 'b'], start);
      expect((await jobs().addDevices('j1', ['b', 'c'], start))?.total).toBe(3);
      const running = await jobs().transition({
        id: 'j1',
        from: ['preparing'],
        to: 'running',
        at: start + 5,
        selected: true,
      });
      expect(running).toMatchObject({ state: 'running', selected: true, startedAt: start + 5, total: 3 });
      expect(await jobs().addDevices('j1', ['d'], start)).toBeUndefined();
      expect(await jobs().addDevices('none', ['d'], start)).toBeUndefined();
    });

    test('steps take place from the states that they name alone, and it ends when all its devices have', async () => {
      await jobs().create(aJob('j1', { endpoints: ['a'] }));
      const to = (
        state: 'running' | 'paused' | 'cancelling' | 'cancelled',
        from: 'preparing' | 'running' | 'cancelling',
      ) => jobs().transition({ id: 'j1', from: [from], to: state, at: start + 9, reason: state });
      expect(await to('paused', 'running')).toBeUndefined();
      expect(await to('running', 'preparing')).toMatchObject({ state: 'running', reason: 'running' });
      const cancelling = await jobs().transition({
        id: 'j1',
        from: ['running'],
        to: 'cancelling',
        at: start,
        endsAs: 'cancelled',
      });
      expect(cancelling).toMatchObject({ state: 'cancelling', endsAs: 'cancelled' });
      expect(cancelling?.reason).toBeUndefined();
      expect(await to('cancelled', 'cancelling')).toBeUndefined();
      await jobs().note('j1', [step('a', 'cancelled')]);
      expect(await to('cancelled', 'cancelling')).toMatchObject({ state: 'cancelled', endedAt: start + 9 });
      expect(await jobs().transition({ id: 'none', from: ['done'], to: 'running', at: 0 })).toBeUndefined();
    });

    test('what becomes of devices is counted, and what has ended stays as it ended', async () => {
      await jobs().create(aJob('j1'));
      const job = await jobs().note('j1', [
        step('a', 'queued', { command: 'c1' }),
        step('a', 'sent', { at: start + 2 }),
        step('b', 'failed', { reason: 'no', result: { coapCode: '4.05' } }),
        step('nobody', 'done'),
      ]);
      expect(job).toMatchObject({
        counts: { ...noCounts, waiting: 1, sent: 1, failed: 1 },
        failures: 1,
        total: 3,
      });
      const later = await jobs().note('j1', [step('b', 'done'), step('c', 'unknown'), step('a', 'queued')]);
      expect(later).toMatchObject({ counts: { ...noCounts, queued: 1, failed: 1, unknown: 1 }, failures: 2 });
      expect((await jobs().devices('j1', { limit: 10 })).items).toEqual([
        { endpoint: 'a', state: 'queued', attempt: 1, command: 'c1', updatedAt: start + 1 },
        {
          endpoint: 'b',
          state: 'failed',
          attempt: 1,
          reason: 'no',
          result: { coapCode: '4.05' },
          updatedAt: start + 1,
        },
        { endpoint: 'c', state: 'unknown', attempt: 1, updatedAt: start + 1 },
      ]);
      expect(await jobs().note('none', [step('a', 'done')])).toBeUndefined();
    });

    test('a device that is given back waits for another attempt, and hears no more of the former', async () => {
      await jobs().create(aJob('j1', { endpoints: ['a'] }));
      await jobs().note('j1', [
        step('a', 'queued', { command: 'c1' }),
        step('a', 'waiting'),
        step('a', 'cancelled'),
      ]);
      expect((await jobs().devices('j1', { limit: 10 })).items).toEqual([
        { endpoint: 'a', state: 'waiting', attempt: 2, command: 'c1', updatedAt: start + 1 },
      ]);
      await jobs().note('j1', [step('a', 'done', { attempt: 2, command: 'c2' })]);
      expect((await jobs().get('j1'))?.counts).toEqual({ ...noCounts, done: 1 });
    });

    test('devices that wait are ended in steps', async () => {
      await jobs().create(aJob('j1'));
      await jobs().note('j1', [step('b', 'sent')]);
      const end = { state: 'cancelled', reason: 'the job was cancelled', at: start + 3, limit: 1 } as const;
      expect((await jobs().endWaiting('j1', end))?.counts).toMatchObject({
        waiting: 1,
        sent: 1,
        cancelled: 1,
      });
      expect((await jobs().endWaiting('j1', { ...end, limit: 10 }))?.counts.cancelled).toBe(2);
      expect((await jobs().endWaiting('j1', { ...end, limit: 10 }))?.counts.cancelled).toBe(2);
      expect((await jobs().devices('j1', { limit: 1, states: ['cancelled'] })).items).toEqual([
        {
          endpoint: 'a',
          state: 'cancelled',
          attempt: 1,
          reason: 'the job was cancelled',
          updatedAt: start + 3,
        },
      ]);
    });

    test('those that did not succeed are tried again, but for those of which nobody can tell', async () => {
      await jobs().create(aJob('j1', { endpoints: ['a', 'b', 'c', 'd', 'e'] }));
      const states = ['failed', 'expired', 'cancelled', 'unknown', 'done'] as const;
      await jobs().note(
        'j1',
        ['a', 'b', 'c', 'd', 'e'].map((endpoint, index) => step(endpoint, states[index] ?? 'done')),
      );
      await jobs().transition({ id: 'j1', from: ['preparing'], to: 'done', at: start });
      expect(await jobs().retryDevices('j1', start, 10)).toBe(0);
      const again = await jobs().transition({
        id: 'j1',
        from: ['done'],
        to: 'preparing',
        at: start,
        expiresAt: start + 90_000,
        forgive: true,
      });
      expect(again).toMatchObject({ failures: 0, expiresAt: start + 90_000, state: 'preparing' });
      expect(again?.endedAt).toBeUndefined();
      expect(await jobs().retryDevices('j1', start + 7, 2)).toBe(2);
      expect(await jobs().retryDevices('j1', start + 7, 2)).toBe(1);
      expect(await endpoints('j1', ['waiting'])).toEqual(['a', 'b', 'c']);
      expect((await jobs().devices('j1', { limit: 1 })).items).toEqual([
        { endpoint: 'a', state: 'waiting', attempt: 2, updatedAt: start + 7 },
      ]);
      expect((await jobs().get('j1'))?.counts).toEqual({ ...noCounts, waiting: 3, unknown: 1, done: 1 });
    });

    test('jobs are listed newest first, devices by endpoint, in pages and by state', async () => {
      for (const id of ['j1', 'j2', 'j3']) await jobs().create(aJob(id));
      await jobs().transition({ id: 'j2', from: ['preparing'], to: 'running', at: start });
      const ids = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id);
      const first = await jobs().list({ limit: 2 });
      expect(ids(first.items)).toEqual(['j3', 'j2']);
      expect(ids((await jobs().list({ limit: 2, cursor: first.next ?? '' })).items)).toEqual(['j1']);
      expect(ids((await jobs().list({ limit: 9, states: ['running', 'paused'] })).items)).toEqual(['j2']);

      const page = await jobs().devices('j1', { limit: 2 });
      expect(page.items.map(({ endpoint }) => endpoint)).toEqual(['a', 'b']);
      const rest = await jobs().devices('j1', { limit: 2, cursor: page.next ?? '' });
      expect(rest.items.map(({ endpoint }) => endpoint)).toEqual(['c']);
      expect(rest.next).toBeUndefined();
      await expect(jobs().list({ limit: 1, cursor: 'broken' })).rejects.toThrow(RequestError);
      await expect(jobs().devices('j1', { limit: 1, cursor: first.next ?? '' })).rejects.toThrow(
        RequestError,
      );
    });

    test('a job keeps its tenant, and jobs are listed by it, with their states and in pages', async () => {
      const made = [
        ['j1', 'a'],
        ['j2', 'b'],
        ['j3', undefined],
        ['j4', 'a'],
        ['j5', 'a'],
      ] as const;
      for (const [id, tenant] of made) await jobs().create(aJob(id, tenant === undefined ? {} : { tenant }));
      await jobs().transition({ id: 'j4', from: ['preparing'], to: 'running', at: start, selected: true });
      expect((await jobs().get('j4'))?.tenant).toBe('a');
      expect(await jobs().get('j3')).not.toHaveProperty('tenant');
      const found = async (query: Omit<Parameters<JobStore['list']>[0], 'limit'>, limit = 9) =>
        (await jobs().list({ ...query, limit })).items.map(({ id }) => id);
      expect(await found({ tenant: 'a' })).toEqual(['j5', 'j4', 'j1']);
      expect(await found({ tenant: 'a', states: ['running'] })).toEqual(['j4']);
      expect(await found({ tenant: 'nobody' })).toEqual([]);
      expect(await found({})).toHaveLength(5);
      const first = await jobs().list({ tenant: 'a', limit: 2 });
      expect(await found({ tenant: 'a', cursor: first.next ?? '' })).toEqual(['j1']);
    });

    test('devices whose names are numbers are texts', async () => {
      await jobs().create(aJob('j1', { endpoints: ['9', '10', '1', 'a'] }));
      expect(await endpoints('j1')).toEqual(['1', '10', '9', 'a']);
    });

    test('one that has ended is removed with its devices; another is not', async () => {
      await jobs().create(aJob('j1'));
      expect(await jobs().remove('j1')).toBe(false);
      await end('j2', start);
      expect(await jobs().remove('j2')).toBe(true);
      expect(await jobs().remove('j2')).toBe(false);
      expect(await jobs().get('j2')).toBeUndefined();
      expect((await jobs().list({ limit: 10 })).items).toHaveLength(1);
    });

    test('what ended long ago, and what is too much, is removed, the oldest first', async () => {
      for (const [id, at] of [
        ['j1', start + 3],
        ['j2', start + 1],
        ['j3', start + 4],
        ['j4', start + 2],
      ] as const)
        await end(id, at);
      await jobs().create(aJob('j5'));
      const left = async (): Promise<string[]> =>
        (await jobs().list({ limit: 10 })).items.map(({ id }) => id);
      expect(await jobs().trim({ endedBefore: start + 2, keep: 100 })).toBe(1);
      expect(await left()).toEqual(['j5', 'j4', 'j3', 'j1']);
      expect(await jobs().trim({ endedBefore: 0, keep: 1 })).toBe(2);
      expect(await left()).toEqual(['j5', 'j3']);
      expect(await jobs().trim({ endedBefore: 0, keep: 1 })).toBe(0);
    });
  });
}
