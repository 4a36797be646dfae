import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { Stores } from '../ports/stores.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import { type atOnce, type LeaderLink, ledService, type Remote } from './leader-service.ts';
import { LoadMeter } from './load-meter.ts';
import { Seat } from './seat.ts';
import { severalNodes } from './several-nodes.ts';
import { singleNode } from './single-node.ts';

export interface ClusterFoundation {
  readonly config: Pick<Config, 'node' | 'takeOver'>;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
  readonly startedAt: number;
  readonly onClose: (step: () => Promise<unknown>) => void;
  /** Another process has taken this node's place: the server has to end. */
  readonly onEvicted: (reason: string) => void;
}

/** What the server has to do with other nodes, or would have. */
export interface Clustering {
  readonly seat: Seat;
  /** Name of this node for parts that must keep to the devices that it has; undefined where it has all. */
  readonly sharing: string | undefined;
  /** A service that one node runs for all, as this node offers it. */
  led<T extends object, Name extends keyof T & string>(
    service: string,
    methods: readonly Name[],
    whole: T,
    limits?: typeof atOnce,
  ): Remote<Pick<T, Name>>;
  /** As `GET /api/cluster` shows it. */
  cluster(lag: () => number): Cluster;
  /** It is put together, and may lead; alone, it does when that resolves. */
  start(): Promise<void>;
  /** It listens: the others hear of it. */
  listening(http: string, events: EventPublisher): Promise<void>;
}

/**
 * Takes this process's place among the nodes, or alone, with its load measured from now on.
 * @throws ConflictError a node of this name lives; StoreUnavailableError
 */
export async function composeCluster(
  foundation: ClusterFoundation,
  { coap, version }: Pick<ClusterNode, 'coap' | 'version'>,
): Promise<Clustering> {
  const { config, stores, clock, startedAt, onClose, onEvicted } = foundation;
  const log = foundation.log.child({ part: 'cluster' });
  const load = new LoadMeter(clock);
  load.start();
  onClose(async () => load.close());
  const about = { name: config.node, version, startedAt, coap };
  const { takeOver } = config;
  const ports = stores.cluster;
  const seat = await Seat.take({ ports, about, takeOver, load, clock, log, onClose, onEvicted });
  const { others, leadership } = seat;
  let address = '';
  return {
    seat,
    sharing: others === undefined ? undefined : seat.node,
    led: (service, methods, whole, limits) => {
      if (others === undefined) return whole as unknown as Remote<typeof whole>;
      const link: LeaderLink = { node: seat.node, rpc: others.rpc, leases: others.ports.leases, clock };
      return ledService(link, service, methods, () => (leadership.leads ? whole : undefined), limits);
    },
    cluster: (lag) =>
      others === undefined
        ? singleNode({ stores, load, lag, node: about, http: () => address })
        : severalNodes({ stores, members: others.members, self: () => seat.info }),
    start: async () => {
      onClose(() => leadership.close());
      await leadership.start();
    },
    listening: async (http, events) => {
      address = http;
      await seat.listening(http);
      if (others === undefined) return;
      const tell = (name: string, state: string): void =>
        events.publish('node', undefined, clock.wallTime(), { node: { name, state } });
      seat.onBuried(({ name }) => {
        log.warn({ gone: name }, 'a node is gone without a word');
        tell(name, 'gone');
      });
      tell(seat.node, 'started');
      onClose(async () => {
        tell(seat.node, 'stopped');
        await seat.drain();
      });
    },
  };
}
