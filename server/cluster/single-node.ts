import { availableParallelism } from 'node:os';
import type { Stores } from '../ports/stores.ts';
import type { Cluster, ClusterNode, StoreHealth } from './cluster.ts';
import type { LoadMeter } from './load-meter.ts';

export interface SingleNodeParts {
  readonly stores: Pick<Stores, 'registrations' | 'description' | 'durable' | 'size' | 'check'>;
  readonly load: Pick<LoadMeter, 'read'>;
  /** Log entries that history is behind. */
  readonly lag: () => number;
  readonly node: Pick<ClusterNode, 'name' | 'version' | 'startedAt' | 'coap'>;
  /** Known once it listens. */
  readonly http: () => string;
}

/** A cluster of the one node that this process is. */
export function singleNode({ stores, load, lag, node, http }: SingleNodeParts): Cluster {
  return {
    nodes: async () => [
      {
        ...node,
        state: 'up',
        http: http(),
        devices: await stores.registrations.count(),
        cores: availableParallelism(),
        load: load.read(),
        self: true,
      },
    ],
    store: () => storeHealth(stores, async () => lag()),
  };
}

/** Never rejects. A store that does not tell how far history is behind is not ready, and its lag is shown as none. */
export async function storeHealth(
  stores: Pick<Stores, 'description' | 'durable' | 'size' | 'check'>,
  lag: () => Promise<number>,
): Promise<StoreHealth> {
  const [check, size, behind] = await Promise.allSettled([stores.check(), stores.size(), lag()]);
  return {
    description: stores.description,
    durable: stores.durable,
    ready: check.status === 'fulfilled',
    ...(check.status === 'rejected' && { reason: wordsOf(check.reason) }),
    ...(size.status === 'fulfilled' && size.value !== undefined && { size: size.value }),
    lag: behind.status === 'fulfilled' ? behind.value : 0,
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
