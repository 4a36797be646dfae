import { describe, expect, test } from 'vitest';
import { RedisCommandQueue } from '../../redis/command-queue.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { RedisRegistrationStore } from '../../redis/registration-store.ts';
import { bucketOf } from '../../server/ports/bucket.ts';
import type { Command, CommandQueue, NewCommand } from '../../server/ports/command-queue.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { describeCommandQueue } from '../contract/command-queue.ts';
import { type OpenStores, start, useStores } from '../contract/engine.ts';
import { describeOnRedis } from './engines.ts';

const make = (redis: RedisConnection) => ({
  commands: new RedisCommandQueue(redis),
  registrations: new RedisRegistrationStore(redis),
});

describeOnRedis(describeCommandQueue, make);
describeOnRedis(describeManyBuckets, make);

const aCommand = (index: number): NewCommand => ({
  endpoint: `dev-${index % 400}`,
  kind: index % 3 === 0 ? 'request' : 'carrier-switch',
  parameters: { index },
  createdAt: start + index,
  expiresAt: start + 10_000 - index,
  ...(index % 50 === 0 && { job: { id: 'a job', attempt: index } }),
});

function describeManyBuckets(name: string, open: OpenStores): void {
  describe(`Commands of many buckets, ${name}`, () => {
    const stores = useStores(open);

    async function fill(count: number): Promise<readonly Command[]> {
      const made: Command[] = [];
      for (let index = 0; index < count; index++) {
        made.push((await stores().commands.enqueue(aCommand(index))).command);
      }
      if (count > 400) {
        expect(new Set(made.map(({ endpoint }) => bucketOf(endpoint))).size).toBeGreaterThan(100);
      }
      return made;
    }

    async function pages(query: Omit<Parameters<CommandQueue['list']>[0], 'cursor'>) {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await stores().commands.list({ ...query, ...(cursor !== undefined && { cursor }) });
        found.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      return found;
    }

    test('are one list, newest first, in pages of any size, whatever is asked for', async () => {
      const made = (await fill(900)).toReversed();
      const ids = (fits: (command: Command) => boolean) => made.filter(fits).map(({ id }) => id);
      for (const limit of [1_000, 300, 41]) {
        expect(await pages({ limit })).toEqual(ids(() => true));
        expect(await pages({ limit, kind: 'request' })).toEqual(ids(({ kind }) => kind === 'request'));
        expect(await pages({ limit, job: 'a job' })).toEqual(ids(({ job }) => job !== undefined));
        expect(await pages({ limit, from: start + 100, to: start + 500 })).toEqual(
          ids(({ createdAt }) => createdAt >= start + 100 && createdAt < start + 500),
        );
        expect(await pages({ limit, endpoint: 'dev-7' })).toEqual(
          ids(({ endpoint }) => endpoint === 'dev-7'),
        );
      }
    });

    test('expire, and are removed when they have ended, the oldest first', async () => {
      const { commands } = stores();
      const made = await fill(900);
      expect((await commands.pendingEndpoints()).length).toBe(400);
      expect(await commands.countOpen('request')).toBe(300);
      // Those made last expire first.
      const expired = await commands.expire(start + 9_200, 1_000);
      expect(expired.map(({ id }) => id).toSorted()).toEqual(
        made
          .slice(800)
          .map(({ id }) => id)
          .toSorted(),
      );
      expect(await commands.countOpen('request')).toBe(267);
      for (const [index, { id }] of made.slice(0, 300).entries()) {
        await commands.transition({ id, from: ['queued'], to: 'done', at: start + index });
      }
      const ids = (from: number, to: number) =>
        made
          .slice(from, to)
          .map(({ id }) => id)
          .toReversed();
      for (const limit of [7, 1_000]) {
        expect(await pages({ limit, states: ['done'] })).toEqual(ids(0, 300));
        expect(await pages({ limit, states: ['expired', 'queued'] })).toEqual(ids(300, 900));
        expect(await pages({ limit, states: ['failed', 'unknown'] })).toEqual([]);
      }
      const bounds = { endedBefore: 0, keep: 150, limit: 1_000 };
      // 400 have ended; of the 250 oldest none is the newest of its device.
      expect(await commands.trim(bounds)).toBe(250);
      const left = await pages({ limit: 1_000 });
      expect(left).toEqual(
        made
          .slice(250)
          .toReversed()
          .map(({ id }) => id),
      );
      expect(await commands.trim({ ...bounds, endedBefore: start + 260 })).toBe(10);
      expect(await commands.trim({ ...bounds, keep: 0, limit: 15 })).toBe(15);
    });

    test('that expired without an answer are told by the next look, once', async () => {
      const lost = stores().commands as RedisCommandQueue;
      const transition = lost.transition.bind(lost);
      let losses = 3;
      lost.transition = async (step) => {
        const after = await transition(step);
        if (losses-- > 0) throw new StoreUnavailableError('the answer is lost');
        return after;
      };
      const made = await fill(10);
      const told = async () => (await lost.expire(start + 20_000, 100)).map(({ id }) => id);
      const first = await told();
      expect(first).toHaveLength(7);
      expect([...first, ...(await told())].toSorted()).toEqual(made.map(({ id }) => id).toSorted());
      expect(await told()).toEqual([]);
    });

    test('of one device, which ended in great number, all that are too many go in steps', async () => {
      const { commands } = stores();
      for (let index = 0; index < 300; index++) {
        const { command } = await commands.enqueue({ ...aCommand(index), endpoint: 'busy' });
        await commands.transition({ id: command.id, from: ['queued'], to: 'failed', at: start + index });
      }
      expect(await commands.trim({ endedBefore: 0, keep: 10, limit: 250 })).toBe(250);
      expect(await commands.trim({ endedBefore: 0, keep: 10, limit: 250 })).toBe(40);
      expect(await pages({ limit: 100 })).toHaveLength(10);
    });
  });
}
