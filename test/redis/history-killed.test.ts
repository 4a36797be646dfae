import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../redis/address.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { history, type RedisHistory } from '../../redis/history.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import type { HistoryChunk } from '../../server/ports/history.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const second = 1_000_000;
const quarter = 900 * second;
/** µs since the epoch, the beginning of a day. */
const epoch = 20_000 * 86_400 * second;
const path = '/42770/0/2';

/** Ten readings of each of some devices, ten seconds after the position before; each seventh an hour late. */
function chunksAt(position: number, devices: number): HistoryChunk[] {
  const late = position % 7 === 0 ? 3600 : 0;
  return Array.from({ length: devices }, (_, device) => ({
    endpoint: `device-${device}`,
    path,
    position: position * devices + device,
    readings: Array.from({ length: 10 }, (_, index) => {
      const takenAt = epoch + (position * 10 + index - late) * second + (late > 0 ? 1 : 0);
      return { takenAt, receivedAt: epoch, value: (position * 31 + index) % 101 };
    }),
  }));
}

describe.skipIf(!isInstalled('redis-server'))('history, with its Redis killed', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  let store: RedisHistory;
  beforeEach(async () => {
    server = await startRedis({ durable: true });
    redis = await RedisConnection.open({ address: parseRedisAddress(server.url), prefix: 'sy' });
    store = history(redis);
  });
  afterEach(async () => {
    await redis.close();
    await server.close();
  });

  /** As the projection does: what the store could not take is given again. */
  async function insist(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  test('every reading is there once, and its roll-ups are what the readings come to', async () => {
    const [devices, positions] = [5, 600];
    let isDone = false;
    const appending = (async () => {
      for (let position = 1; position <= positions; position++) {
        await insist(() => store.append(chunksAt(position, devices)));
      }
    })().finally(() => {
      isDone = true;
    });
    const rolling = (async () => {
      while (!isDone) await insist(() => store.rollUp(epoch + 24 * 3600 * second));
    })();
    let kills = 0;
    while (!isDone && kills < 6) {
      await server.kill();
      await server.start();
      kills += 1;
      // On with it once it has come a little further.
      const before = await figure('total_commands_processed');
      while (!isDone && (await figure('total_commands_processed')) < before + 300);
    }
    await appending;
    await rolling;
    expect(kills).toBe(6);
    for (let device = 0; device < devices; device++) {
      const expected = Array.from({ length: positions }, (_, index) => chunksAt(index + 1, devices))
        .map((chunks) => chunks[device] as HistoryChunk)
        .flatMap(({ readings }) => readings)
        .sort((a, b) => a.takenAt - b.takenAt);
      const series = { endpoint: `device-${device}`, path };
      expect(await store.query({ ...series, limit: 100_000 })).toEqual(expected);
      const [from, to] = [epoch - 4 * quarter, epoch + 8 * quarter];
      for (const rolledUp of [false, true]) {
        if (rolledUp) await store.rollUp(to);
        const { items } = await store.series({ ...series, from, to, points: 12 });
        const counts = new Map<number, number>();
        for (const { takenAt } of expected) {
          const at = Math.floor(takenAt / quarter) * quarter;
          counts.set(at, (counts.get(at) ?? 0) + 1);
        }
        expect(items.map(({ at, count }) => [at, count])).toEqual([...counts]);
      }
    }

    async function figure(name: string): Promise<number> {
      return Number(new RegExp(`${name}:(\\d+)`).exec(await server.cli('info', 'stats'))?.[1]);
    }
  });
});
