import type { Clock } from '../../protocol/clock.ts';
import type { Stores } from '../ports/stores.ts';
import type { Cluster } from './cluster.ts';
import { LoadMeter } from './load-meter.ts';
import { type SingleNodeParts, singleNode } from './single-node.ts';

/** The cluster of this process alone, whose load is measured from now on. */
export function composeCluster(
  foundation: {
    readonly stores: Stores;
    readonly clock: Clock;
    readonly onClose: (step: () => Promise<unknown>) => void;
  },
  parts: Pick<SingleNodeParts, 'lag' | 'node' | 'http'>,
): Cluster {
  const load = new LoadMeter(foundation.clock);
  load.start();
  foundation.onClose(async () => load.close());
  return singleNode({ ...parts, stores: foundation.stores, load });
}
