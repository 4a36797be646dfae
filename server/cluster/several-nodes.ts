import type { NodeInfo } from '../ports/cluster-ports.ts';
import type { Stores } from '../ports/stores.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterMembers } from './members.ts';
import { storeHealth } from './single-node.ts';

export interface SeveralNodesParts {
  readonly stores: Stores;
  readonly members: Pick<ClusterMembers, 'list' | 'refresh'>;
  /** As this node is now, and not as it said last. */
  readonly self: () => NodeInfo;
}

/** The nodes of a cluster, as each of them shows them. */
export function severalNodes({ stores, members, self }: SeveralNodesParts): Cluster {
  return {
    nodes: async () => {
      await members.refresh();
      const now = self();
      const all = members.list();
      const counts = await devicesByNode(stores);
      return all.map(({ incarnation: _, seenAt: __, slot: ___, ...node }) => ({
        ...node,
        ...(node.name === now.name ? { load: now.load, state: now.state } : {}),
        devices: counts.get(node.name) ?? 0,
        self: node.name === now.name,
      }));
    },
    store: () => storeHealth(stores, () => lagOf(stores)),
  };
}

/** Of the hundred nodes with the most; awake or asleep is no matter here. */
async function devicesByNode({ devices }: Stores): Promise<ReadonlyMap<string | null, number>> {
  const { facets } = await devices.facets(['node'], { states: ['registered'] }, 0);
  return new Map(facets.node?.map(({ value, count }) => [value, count]));
}

/** Positions of the log are counted without a gap. */
async function lagOf({ log }: Stores): Promise<number> {
  const [{ newest }, cursor] = await Promise.all([log.extent(), log.cursor('projection')]);
  return Math.max(0, newest - cursor);
}
