import { describe, expect, test } from 'vitest';
import { BusyError, RequestError } from '../../protocol/errors.ts';
import { type CommandState, finalCommandStates, type NewCommand } from '../../server/ports/command-queue.ts';
import { anId, aRegistration, type OpenStores, start, useStores } from './engine.ts';

const day = 86_400_000;

function aCommand(endpoint: string, change: Partial<NewCommand> = {}): NewCommand {
  return {
    endpoint,
    kind: 'carrier-switch',
    parameters: { carrier: 1, slot: 0 },
    createdAt: start,
    expiresAt: start + 60_000,
    ...change,
  };
}

export function describeCommandQueue(name: string, open: OpenStores): void {
  describe(`CommandQueue, ${name}`, () => {
    const stores = useStores(open);

    test('no more than the bounds wait for a device, by number and by bytes; others, and what has ended, do not count', async () => {
      const { commands } = stores();
      const bounds = { count: 2, bytes: 1_000 };
      const first = await commands.enqueue(aCommand('a', { bounds, idempotencyKey: 'k' }));
      const large = aCommand('a', { bounds, parameters: { text: 'x'.repeat(990) } });
      await expect(commands.enqueue(large)).rejects.toThrow(BusyError);
      await commands.enqueue(aCommand('a', { bounds }));
      await expect(commands.enqueue(aCommand('a', { bounds }))).rejects.toThrow(
        /2 commands of \d+ bytes wait/,
      );
      expect((await commands.enqueue(aCommand('a', { bounds, idempotencyKey: 'k' }))).created).toBe(false);
      await commands.enqueue(aCommand('b', { bounds }));
      const { id } = first.command;
      await commands.transition({ id, from: ['queued'], to: 'cancelled', at: start });
      expect((await commands.enqueue(aCommand('a', { bounds }))).created).toBe(true);
    });

    test('a page of large commands is cut, and its cursor goes on', async () => {
      const { commands } = stores();
      const ids: string[] = [];
      for (let i = 0; i < 11; i++) {
        const { command } = await commands.enqueue(aCommand('a', { parameters: { text: 'x'.repeat(1e6) } }));
        ids.push(command.id);
      }
      const seen: string[] = [];
      const lengths: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await commands.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        lengths.push(page.items.length);
        cursor = page.next;
      } while (cursor !== undefined);
      expect(seen).toEqual(ids.toReversed());
      expect(lengths).toEqual([4, 4, 3]);
    });

    test('a step that names an owner takes place only while that node owns the device, by the same number', async () => {
      const { commands, registrations } = stores();
      const { command } = await commands.enqueue(aCommand('a'));
      const step = { id: command.id, from: ['queued'], to: 'sent', at: start, attempt: true } as const;
      const one = { node: 'node-1', fence: 1 };
      expect(await commands.transition({ ...step, owner: one })).toBeUndefined();
      await registrations.register(aRegistration('a'));
      expect(await commands.transition({ ...step, owner: { ...one, fence: 2 } })).toBeUndefined();
      expect(await commands.transition({ ...step, owner: { ...one, node: 'node-2' } })).toBeUndefined();
      await registrations.move(anId('a'), '192.0.2.9:1', 'node-2');
      await registrations.claim(anId('a'), 'node-1');
      // The number of before: this node has been another's meanwhile, and what it knew then is old.
      expect(await commands.transition({ ...step, owner: one })).toBeUndefined();
      expect(await commands.get(command.id)).toMatchObject({ state: 'queued', attempts: 0 });
      const sent = await commands.transition({ ...step, owner: { ...one, fence: 3 } });
      expect(sent).toMatchObject({ state: 'sent', attempts: 1 });
      // The owner is remembered where the registration has ended; a step that names none is anybody's.
      await registrations.deregister(anId('a'));
      const accept = { id: command.id, from: ['sent'], to: 'accepted', at: start } as const;
      expect(await commands.transition({ ...accept, owner: { node: 'node-2', fence: 2 } })).toBeUndefined();
      expect(await commands.transition({ ...accept, owner: { ...one, fence: 3 } })).toBeDefined();
      expect(await commands.transition({ ...step, from: ['accepted'], to: 'done' })).toBeDefined();
    });

    test('a new command is queued, and found by its id', async () => {
      const { commands } = stores();
      const { command, created, conflict } = await commands.enqueue(aCommand('a'));
      expect([created, conflict]).toEqual([true, false]);
      expect(command).toEqual({
        id: expect.stringMatching(/^[\w-]+$/),
        endpoint: 'a',
        number: expect.any(Number),
        kind: 'carrier-switch',
        parameters: { carrier: 1, slot: 0 },
        state: 'queued',
        attempts: 0,
        createdAt: start,
        updatedAt: start,
        expiresAt: start + 60_000,
        history: [{ state: 'queued', at: start }],
      });
      expect(await commands.get(command.id)).toEqual(command);
      expect(await commands.get('none')).toBeUndefined();
    });

    test('a job has one command for each attempt at a device, and lists its own', async () => {
      const { commands } = stores();
      const job = (attempt: number) => ({ job: { id: 'j1', attempt } });
      const { command, created } = await commands.enqueue(aCommand('a', job(1)));
      expect([created, command.job]).toEqual([true, { id: 'j1', attempt: 1 }]);
      await commands.transition({ id: command.id, from: ['queued'], to: 'done', at: start + 3 * day });
      const again = await commands.enqueue(aCommand('a', { ...job(1), createdAt: start + 3 * day }));
      expect(again).toMatchObject({
        created: false,
        conflict: false,
        command: { id: command.id, state: 'done' },
      });
      expect(await commands.enqueue(aCommand('a', { ...job(1), kind: 'request' }))).toMatchObject({
        created: false,
        conflict: true,
      });
      const second = await commands.enqueue(aCommand('a', job(2)));
      const other = await commands.enqueue(aCommand('b', job(1)));
      await commands.enqueue(aCommand('a', { job: { id: 'j2', attempt: 1 } }));
      await commands.enqueue(aCommand('a'));
      expect([second.created, other.created]).toEqual([true, true]);
      const ids = (await commands.list({ job: 'j1', limit: 10 })).items.map(({ id }) => id);
      expect(ids).toEqual([other.command.id, second.command.id, command.id]);
      expect((await commands.list({ job: 'j1', states: ['done'], limit: 10 })).items).toHaveLength(1);
    });

    test('those made in a time are listed alone', async () => {
      const { commands } = stores();
      for (const at of [0, 1, 2, 3]) await commands.enqueue(aCommand('a', { createdAt: start + at }));
      const { items } = await commands.list({ from: start + 1, to: start + 3, limit: 10 });
      expect(items.map(({ createdAt }) => createdAt - start)).toEqual([2, 1]);
    });

    test('those of one kind are listed alone', async () => {
      const { commands } = stores();
      await commands.enqueue(aCommand('a'));
      const { command } = await commands.enqueue(aCommand('a', { kind: 'request' }));
      await commands.enqueue(aCommand('b', { kind: 'request' }));
      expect((await commands.list({ endpoint: 'a', kind: 'request', limit: 10 })).items).toEqual([command]);
      expect((await commands.list({ kind: 'request', limit: 10 })).items).toHaveLength(2);
      expect((await commands.list({ limit: 10 })).items).toHaveLength(3);
    });

    describe('what has ended is removed', () => {
      /** Commands of `a` that ended at those times; the last of them is still open. */
      async function ended(...times: readonly number[]): Promise<void> {
        const { commands } = stores();
        for (const at of times) {
          const { command } = await commands.enqueue(aCommand('a', { createdAt: start }));
          await commands.transition({ id: command.id, from: ['queued'], to: 'done', at });
        }
        await commands.enqueue(aCommand('a'));
      }
      const left = async (): Promise<number[]> =>
        (await stores().commands.list({ limit: 100 })).items.map(({ updatedAt }) => updatedAt - start);

      test('when it is older than the bound, in steps', async () => {
        await ended(start + 1, start + 2, start + 3, start + 4);
        const bounds = { endedBefore: start + 4, keep: 100, limit: 2 };
        expect(await stores().commands.trim(bounds)).toBe(2);
        expect(await stores().commands.trim(bounds)).toBe(1);
        expect(await stores().commands.trim(bounds)).toBe(0);
        expect(await left()).toEqual([0, 4]);
      });

      test('when there are too many, the oldest first', async () => {
        await ended(start + 3, start + 1, start + 4, start + 2);
        expect(await stores().commands.trim({ endedBefore: 0, keep: 2, limit: 100 })).toBe(2);
        expect(await left()).toEqual([0, 4, 3]);
        expect(await stores().commands.trim({ endedBefore: 0, keep: 0, limit: 100 })).toBe(2);
      });

      test('but for the newest command of a device, from which its numbers go on', async () => {
        const { commands } = stores();
        const { command } = await commands.enqueue(aCommand('b', { createdAt: start + day }));
        await commands.transition({ id: command.id, from: ['queued'], to: 'done', at: start });
        expect(await commands.trim({ endedBefore: start + 9 * day, keep: 0, limit: 100 })).toBe(0);
        expect((await commands.enqueue(aCommand('b'))).command.number).toBe(start + day + 1);
      });
    });

    test('numbers rise per device, start from the clock, and do not fall when the clock does', async () => {
      const { commands } = stores();
      const numbers: number[] = [];
      for (const createdAt of [start + 0.5, start, start - day, start + day]) {
        numbers.push((await commands.enqueue(aCommand('a', { createdAt }))).command.number);
      }
      expect(numbers).toEqual([start, start + 1, start + 2, start + day]);
      expect((await commands.enqueue(aCommand('b'))).command.number).toBe(start);
    });

    test('ids are unique and numbers distinct for commands given at once', async () => {
      const { commands } = stores();
      const given = await Promise.all(Array.from({ length: 50 }, () => commands.enqueue(aCommand('a'))));
      expect(new Set(given.map(({ command }) => command.id)).size).toBe(50);
      expect(new Set(given.map(({ command }) => command.number)).size).toBe(50);
    });

    test('the head is the oldest command of the device that is not final', async () => {
      const { commands } = stores();
      const first = (await commands.enqueue(aCommand('a'))).command;
      const second = (await commands.enqueue(aCommand('a'))).command;
      await commands.enqueue(aCommand('b'));
      expect((await commands.head('a'))?.id).toBe(first.id);
      await commands.transition({ id: first.id, from: ['queued'], to: 'accepted', at: start });
      expect((await commands.head('a'))?.id).toBe(first.id);
      await commands.transition({ id: first.id, from: ['accepted'], to: 'done', at: start });
      expect((await commands.head('a'))?.id).toBe(second.id);
      await commands.transition({ id: second.id, from: ['queued'], to: 'cancelled', at: start });
      expect(await commands.head('a')).toBeUndefined();
      expect(await commands.head('none')).toBeUndefined();
    });

    test('a transition takes place only from the states it names, and writes the history', async () => {
      const { commands } = stores();
      const { id } = (await commands.enqueue(aCommand('a'))).command;
      const sent = await commands.transition({
        id,
        from: ['queued', 'sent'],
        to: 'sent',
        at: start + 1,
        attempt: true,
        reason: 'first try',
      });
      expect(sent).toMatchObject({ state: 'sent', attempts: 1, updatedAt: start + 1, reason: 'first try' });
      expect(
        await commands.transition({ id, from: ['queued'], to: 'cancelled', at: start + 2 }),
      ).toBeUndefined();
      const result = { iccid: '8901', nested: { ok: true, list: [1, null] } };
      const done = await commands.transition({ id, from: ['sent'], to: 'done', at: start + 3, result });
      expect(done).toMatchObject({ state: 'done', attempts: 1, result });
      expect(done).not.toHaveProperty('reason');
      expect(done?.history).toEqual([
        { state: 'queued', at: start },
        { state: 'sent', at: start + 1, reason: 'first try' },
        { state: 'done', at: start + 3 },
      ]);
      expect(await commands.get(id)).toEqual(done);
      expect(await commands.transition({ id: 'none', from: ['queued'], to: 'sent', at: 0 })).toBeUndefined();
    });

    test('what has ended stays as it ended, whatever a step says', async () => {
      const { commands } = stores();
      for (const to of finalCommandStates) {
        const { id } = (await commands.enqueue(aCommand('a'))).command;
        const ended = await commands.transition({ id, from: ['queued'], to, at: start });
        expect(
          await commands.transition({ id, from: [to, 'queued'], to: 'queued', at: start }),
        ).toBeUndefined();
        expect(await commands.transition({ id, from: [to], to: 'done', at: start })).toBeUndefined();
        expect(await commands.get(id)).toEqual(ended);
      }
      expect(await commands.head('a')).toBeUndefined();
    });

    test('of a command that takes steps without end, the first 8 and the newest 24 are kept', async () => {
      const { commands } = stores();
      const { id } = (await commands.enqueue(aCommand('a'))).command;
      const step = (count: number) => {
        const [from, to] = count % 2 === 1 ? (['queued', 'sent'] as const) : (['sent', 'queued'] as const);
        return commands.transition({ id, from: [from], to, at: start + count, reason: `step ${count}` });
      };
      const times = async () => (await commands.get(id))?.history.map(({ at }) => at - start);
      for (let count = 1; count < 32; count++) await step(count);
      expect(await times()).toEqual(Array.from({ length: 32 }, (_, index) => index));
      for (let count = 32; count < 100; count++) await step(count);
      expect(await times()).toEqual([
        ...Array.from({ length: 8 }, (_, index) => index),
        ...Array.from({ length: 24 }, (_, index) => 76 + index),
      ]);
      expect((await commands.get(id))?.history.at(-1)).toMatchObject({ state: 'sent', reason: 'step 99' });
    });

    test('of transitions at once from one state, one takes place', async () => {
      const { commands } = stores();
      const { id } = (await commands.enqueue(aCommand('a'))).command;
      const steps = Array.from({ length: 10 }, () =>
        commands.transition({ id, from: ['queued'], to: 'sent', at: start, attempt: true }),
      );
      const taken = (await Promise.all(steps)).filter((command) => command !== undefined);
      expect(taken).toHaveLength(1);
      expect((await commands.get(id))?.attempts).toBe(1);
    });

    test('the same idempotency key gives the same command, and tells of other parameters', async () => {
      const { commands } = stores();
      const key = { idempotencyKey: 'k1' };
      const { command } = await commands.enqueue(aCommand('a', key));
      await commands.transition({ id: command.id, from: ['queued'], to: 'sent', at: start + 5 });
      const again = await commands.enqueue(
        aCommand('a', { ...key, parameters: { slot: 0, carrier: 1 }, createdAt: start + 9 }),
      );
      expect(again).toMatchObject({ created: false, conflict: false });
      expect(again.command).toMatchObject({ id: command.id, state: 'sent' });
      expect(await commands.enqueue(aCommand('a', { ...key, parameters: { carrier: 2 } }))).toMatchObject({
        created: false,
        conflict: true,
        command: { id: command.id },
      });
      expect(await commands.enqueue(aCommand('a', { ...key, kind: 'reboot' }))).toMatchObject({
        created: false,
        conflict: true,
      });
      expect((await commands.enqueue(aCommand('b', key))).created).toBe(true);
      expect((await commands.enqueue(aCommand('a', { idempotencyKey: 'k2' }))).created).toBe(true);
    });

    test('an idempotency key is forgotten after a day', async () => {
      const { commands } = stores();
      const key = { idempotencyKey: 'k1' };
      await commands.enqueue(aCommand('a', key));
      expect((await commands.enqueue(aCommand('a', { ...key, createdAt: start + day - 1 }))).created).toBe(
        false,
      );
      expect((await commands.enqueue(aCommand('a', { ...key, createdAt: start + day }))).created).toBe(true);
    });

    test('one key used at once by many makes one command', async () => {
      const { commands } = stores();
      const given = await Promise.all(
        Array.from({ length: 20 }, () => commands.enqueue(aCommand('a', { idempotencyKey: 'k' }))),
      );
      expect(given.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(given.map(({ command }) => command.id)).size).toBe(1);
    });

    test('the list is newest first, filtered, and paged without gap or repetition', async () => {
      const { commands } = stores();
      const ids: string[] = [];
      for (const endpoint of ['a', 'b', 'a', 'a', 'b']) {
        ids.unshift((await commands.enqueue(aCommand(endpoint))).command.id);
      }
      const pages = async (query: { endpoint?: string; states?: readonly CommandState[] }) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await commands.list({
            ...query,
            limit: 2,
            ...(cursor === undefined ? {} : { cursor }),
          });
          seen.push(...page.items.map(({ id }) => id));
          cursor = page.next;
        } while (cursor !== undefined && seen.length < 20);
        return seen;
      };
      expect(await pages({})).toEqual(ids);
      expect(await pages({ endpoint: 'a' })).toEqual([ids[1], ids[2], ids[4]]);
      await commands.transition({ id: ids[2] ?? '', from: ['queued'], to: 'done', at: start });
      expect(await pages({ endpoint: 'a', states: ['queued', 'sent'] })).toEqual([ids[1], ids[4]]);
      expect(await pages({ states: ['done'] })).toEqual([ids[2]]);
      expect(await pages({ states: [] })).toEqual([]);
    });

    test('a cursor of another make is the mistake of the caller', async () => {
      const { commands } = stores();
      await expect(commands.list({ limit: 1, cursor: 'x' })).rejects.toThrow(RequestError);
    });

    test('endpoints with a command that is not final are listed once each', async () => {
      const { commands } = stores();
      await commands.enqueue(aCommand('a'));
      await commands.enqueue(aCommand('a'));
      const { id } = (await commands.enqueue(aCommand('b'))).command;
      await commands.enqueue(aCommand('c'));
      await commands.transition({ id, from: ['queued'], to: 'failed', at: start });
      expect((await commands.pendingEndpoints()).toSorted()).toEqual(['a', 'c']);
    });

    test('those of a kind that are not final are counted', async () => {
      const { commands } = stores();
      const { command } = await commands.enqueue(aCommand('a'));
      await commands.enqueue(aCommand('b'));
      await commands.enqueue({ ...aCommand('b'), kind: 'other' });
      expect(await commands.countOpen(command.kind)).toBe(2);
      await commands.transition({ id: command.id, from: ['queued'], to: 'done', at: start });
      expect(await commands.countOpen(command.kind)).toBe(1);
      expect(await commands.countOpen('none')).toBe(0);
    });

    test('queued commands expire, those sent or accepted do not, each exactly once', async () => {
      const { commands } = stores();
      const ids: string[] = [];
      for (let index = 0; index < 4; index++) {
        ids.push((await commands.enqueue(aCommand('a', { expiresAt: start + index }))).command.id);
      }
      await commands.transition({ id: ids[0] ?? '', from: ['queued'], to: 'accepted', at: start });
      await commands.transition({ id: ids[1] ?? '', from: ['queued'], to: 'sent', at: start });
      const expired = (await Promise.all([1, 2, 3].map(() => commands.expire(start + 2, 1)))).flat();
      expect(expired.map(({ id }) => id).toSorted()).toEqual([ids[2]]);
      for (const command of expired) {
        expect(command).toMatchObject({ state: 'expired', updatedAt: start + 2 });
        expect(command.history.at(-1)).toMatchObject({ state: 'expired', at: start + 2 });
      }
      expect((await commands.get(ids[0] ?? ''))?.state).toBe('accepted');
      expect((await commands.get(ids[1] ?? ''))?.state).toBe('sent');
      expect((await commands.get(ids[3] ?? ''))?.state).toBe('queued');
    });
  });
}
