import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Seat } from '../cluster/seat.ts';
import { sharedCounting } from '../cluster/shared-counting.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { Stores } from '../ports/stores.ts';
import type { TelemetryIngest } from '../telemetry/ingest.ts';
import { FleetStatistics } from './fleet-statistics.ts';
import { StatisticsSampler } from './sampler.ts';
import type { SwitchCounter } from './switch-counter.ts';

/** What statistics are made of. */
export interface StatisticsSources {
  readonly stores: Pick<Stores, 'devices' | 'commands' | 'statistics'>;
  readonly ingest: Pick<TelemetryIngest, 'statistics'>;
  readonly switches: SwitchCounter;
  readonly events: Pick<EventPublisher, 'published'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly seat: Pick<Seat, 'others' | 'node'>;
}

/** Counts the fleet from now on. The sampler is closed while the stores are open still. */
export function composeStatistics(sources: StatisticsSources): {
  readonly statistics: FleetStatistics;
  readonly sampler: StatisticsSampler;
} {
  const { stores, ingest, switches, events, clock, log, seat } = sources;
  const sampler = new StatisticsSampler({
    store: stores.statistics,
    devices: stores.devices,
    counters: () => ({
      readings: ingest.statistics.readings,
      notifications: ingest.statistics.notifications,
      'switches-ack': switches.counts.ack,
      'switches-nack': switches.counts.nack,
      'switches-other': switches.counts.other,
      events: events.published,
    }),
    clock,
    log,
  });
  sampler.start();
  const elsewhere = sharedCounting(seat, sampler, log);
  return { statistics: new FleetStatistics(stores, sampler, clock, elsewhere), sampler };
}
