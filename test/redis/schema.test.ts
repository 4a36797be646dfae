import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../redis/connection.ts';
import { openSchema, type Schema, type SchemaStep } from '../../redis/schema.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { OpenStores } from '../contract/engine.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(
  (name: string, _open: OpenStores, connect: () => Promise<RedisConnection>) => {
    describe(`The version of the database, ${name}`, () => {
      /** A program with so many steps, each of which notes that it was taken. */
      const taken: number[] = [];
      const program = (version: number): readonly SchemaStep[] =>
        Array.from({ length: version - 1 }, (_, index) => async () => {
          taken.push(index + 2);
        });
      const versionOf = (redis: RedisConnection) =>
        redis.call((client) => client.hget(redis.keys.shared('schema', 'schema'), 'version'));

      async function withDatabase(use: (redis: RedisConnection) => Promise<void>): Promise<void> {
        taken.length = 0;
        const redis = await connect();
        try {
          await use(redis);
        } finally {
          await redis.close();
        }
      }

      test('a new database has that of the program, and is brought forward step by step by a newer one', () =>
        withDatabase(async (redis) => {
          const first = await openSchema(redis, { steps: program(1) });
          expect([first.version, await versionOf(redis)]).toEqual([1, '1']);
          await first.close();
          await first.close();
          await (await openSchema(redis, { steps: program(4) })).close();
          expect([taken, await versionOf(redis)]).toEqual([[2, 3, 4], '4']);
          await (await openSchema(redis, { steps: program(4) })).close();
          expect(taken).toEqual([2, 3, 4]);
        }));

      test('programs of two adjacent versions use it side by side, in either order of their start', () =>
        withDatabase(async (redis) => {
          const old = await openSchema(redis, { steps: program(1) });
          const newer = await openSchema(redis, { steps: program(2) });
          const oldAgain = await openSchema(redis, { steps: program(1) });
          expect(await versionOf(redis)).toBe('2');
          for (const schema of [old, newer, oldAgain]) await schema.close();
        }));

      test('one that is older by two is refused, by the database and beside a node of it', () =>
        withDatabase(async (redis) => {
          const old = await openSchema(redis, { steps: program(1) });
          await expect(openSchema(redis, { steps: program(3) })).rejects.toThrow(
            /^a node with version 1 of the store uses the database 't\d+' in Redis.*with version 3.*$/,
          );
          expect(await versionOf(redis)).toBe('1');
          await old.close();
          const newest = await openSchema(redis, { steps: program(3) });
          await newest.close();
          const refused = openSchema(redis, { steps: program(1) });
          await expect(refused).rejects.toThrow(StoreUnavailableError);
          await expect(refused).rejects.toThrow(/has version 3, and this program knows up to 2/);
        }));

      test('a database of another number of buckets is refused', () =>
        withDatabase(async (redis) => {
          await redis.call((client) =>
            client.hset(redis.keys.shared('schema', 'schema'), { version: 1, buckets: 64 }),
          );
          await expect(openSchema(redis)).rejects.toThrow(/was made with 64 buckets/);
        }));

      test('of many that start at once one brings it forward, and all go on when it is done', () =>
        withDatabase(async (redis) => {
          await (await openSchema(redis, { steps: program(1) })).close();
          let under = 0;
          let most = 0;
          const slow: SchemaStep = async () => {
            most = Math.max(most, ++under);
            await new Promise((resolve) => setTimeout(resolve, 50));
            under -= 1;
            taken.push(2);
          };
          const opened = await Promise.all(
            Array.from({ length: 5 }, () => openSchema(redis, { steps: [slow] })),
          );
          expect([taken, most]).toEqual([[2], 1]);
          await Promise.all(opened.map((schema: Schema) => schema.close()));
        }));

      test('a step that fails leaves the version as it is, and is taken again by the next start', () =>
        withDatabase(async (redis) => {
          await (await openSchema(redis, { steps: program(1) })).close();
          const broken: SchemaStep = async () => {
            throw new Error('broken');
          };
          await expect(openSchema(redis, { steps: [broken] })).rejects.toThrow('broken');
          expect(await versionOf(redis)).toBe('1');
          await (await openSchema(redis, { steps: program(2) })).close();
          expect([taken, await versionOf(redis)]).toEqual([[2], '2']);
        }));

      test('a program that was silent while others went on without it is told', () =>
        withDatabase(async (redis) => {
          let told: ((error: Error) => void) | undefined;
          const refused = new Promise<Error>((resolve) => {
            told = resolve;
          });
          const old = await openSchema(redis, {
            steps: program(1),
            patience: 90,
            onRefused: (error) => told?.(error),
          });
          // As if two upgrades had taken place while it was stopped.
          await redis.call((client) => client.hset(redis.keys.shared('schema', 'schema'), { version: 3 }));
          expect((await refused).message).toMatch(/has version 3/);
          await old.close();
        }));

      test('a program whose database was emptied under it is told, as is one whose database is another one', () =>
        withDatabase(async (redis) => {
          const key = redis.keys.shared('schema', 'schema');
          const empty = () => redis.call((client) => client.del(key));
          const replace = () => redis.call((client) => client.hset(key, 'identity', 'another'));
          for (const change of [empty, replace]) {
            let told: ((error: Error) => void) | undefined;
            const refused = new Promise<Error>((resolve) => {
              told = resolve;
            });
            const schema = await openSchema(redis, { patience: 90, onRefused: (error) => told?.(error) });
            await change();
            expect((await refused).message).toMatch(/has been emptied or replaced/);
            await schema.close();
          }
          await (await openSchema(redis)).close();
        }));

      test('a program that died does not stand in the way for ever', () =>
        withDatabase(async (redis) => {
          const key = redis.keys.shared('schema', 'processes');
          await (await openSchema(redis, { steps: program(1) })).close();
          await redis.call((client) => client.zadd(key, Date.now() + 60_000, '1 dead'));
          await expect(openSchema(redis, { steps: program(3) })).rejects.toThrow(/version 1/);
          await redis.call((client) => client.zadd(key, Date.now() - 1, '1 dead'));
          await (await openSchema(redis, { steps: program(3) })).close();
          expect(await versionOf(redis)).toBe('3');
        }));
    });
  },
  () => ({}),
);
