import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../protocol/clock.ts';
import { openRedisStores, type RedisStores } from '../../../redis/index.ts';
import { Rpc } from '../../../server/cluster/rpc.ts';
import { createLog } from '../../../server/log.ts';
import { NodeUnreachableError } from '../../../server/ports/cluster-ports.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

let redis: RedisServer;
let opened: RedisStores[];
beforeEach(async () => {
  redis = await startRedis();
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((stores) => stores.close()));
  await redis.close();
});

async function node(name: string): Promise<Rpc> {
  const stores = await openRedisStores({ url: redis.url });
  opened.push(stores);
  const rpc = new Rpc({ bus: stores.cluster.bus, node: name, clock: systemClock, log: createLog('silent') });
  await rpc.open();
  return rpc;
}

test('a call that is under way at a node which closes ends with that node being unreachable', async () => {
  const [one, other] = [await node('one'), await node('other')];
  const begun = Promise.withResolvers<void>();
  other.serve('slow', {
    work: (_args, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        begun.resolve();
      }),
  });
  const answer = one.call('other', 'slow', 'work', [], { timeout: 20_000 });
  await begun.promise;
  other.close();
  await expect(answer).rejects.toThrow(NodeUnreachableError);
});
