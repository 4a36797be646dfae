import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { CoapStatistics } from '../protocol/coap/exchange.ts';
import type { LiveHub } from './live/hub.ts';
import type { EventPublisher } from './live/publisher.ts';
import type { PolicyReconciler } from './lwm2m/policy-reconciler.ts';
import type { DeviceStore } from './ports/device-store.ts';
import type { IngestStatistics } from './telemetry/ingest.ts';
import type { Projection } from './telemetry/projection.ts';

export interface MetricSources {
  readonly coap: Readonly<CoapStatistics>;
  readonly ingest: Readonly<IngestStatistics>;
  readonly devices: DeviceStore;
  readonly policies: Pick<PolicyReconciler, 'counts' | 'pending'>;
  readonly projection: Projection;
  readonly hub: LiveHub;
  readonly events: EventPublisher;
}

const coapCounters = {
  datagramsIn: 'Datagrams received',
  datagramsOut: 'Datagrams sent',
  bytesIn: 'Bytes received',
  bytesOut: 'Bytes sent',
  malformed: 'Datagrams that were no CoAP message',
  duplicates: 'Messages that had been received before',
  retransmissions: 'Messages sent again',
  timeouts: 'Requests and notifications that were never answered',
  refused: 'Messages dropped because a bound was reached',
} as const satisfies Partial<Record<keyof CoapStatistics, string>>;

const coapGauges = {
  outstanding: 'Confirmable messages that wait for their acknowledgement',
  observations: 'Observations held in memory',
  observers: 'Observers of the server',
  peers: 'Peers remembered',
  blockTransfers: 'Block-wise transfers under way',
} as const satisfies Partial<Record<keyof CoapStatistics, string>>;

const ingestCounters = {
  notifications: 'Notifications received',
  sends: 'Sends received',
  readings: 'Readings that are in the log',
  repeated: 'Notifications and Sends whose readings were in the log already',
  undecodable: 'Notifications and Sends that could not be read',
  refused: 'Notifications left unanswered, and Sends refused, because too many were pending',
  storeErrors: 'Notifications and Sends that the store did not take',
} as const satisfies Partial<Record<keyof IngestStatistics, string>>;

/** The server's metrics; values are taken when they are asked for. */
export function registerMetrics(registry: Registry, sources: MetricSources): void {
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  for (const [key, help] of Object.entries(coapCounters)) {
    counter(`simyard_coap_${snake(key)}_total`, help, () => sources.coap[key as keyof typeof coapCounters]);
  }
  for (const [key, help] of Object.entries(coapGauges)) {
    gauge(`simyard_coap_${snake(key)}`, help, () => sources.coap[key as keyof typeof coapGauges]);
  }
  for (const [key, help] of Object.entries(ingestCounters)) {
    counter(
      `simyard_telemetry_${snake(key)}_total`,
      help,
      () => sources.ingest[key as keyof typeof ingestCounters],
    );
  }
  gauge(
    'simyard_telemetry_pending',
    'Notifications and Sends whose append is pending',
    () => sources.ingest.pending,
  );
  gauge(
    'simyard_telemetry_projection_lag',
    'Log entries that history is behind',
    () => sources.projection.lag,
  );
  gauge('simyard_live_subscribers', 'Subscribers of the live stream', () => sources.hub.subscribers);
  counter('simyard_events_lost_total', 'Events that the store did not take', () => sources.events.lost);
  gauge(
    'simyard_observations_wanted',
    'Observations that are wanted of devices that were heard since the start',
    () => sources.policies.counts.wanted,
  );
  counter(
    'simyard_observation_drifts_total',
    'Observations that were found not to be as they should',
    () => sources.policies.counts.drifts,
  );
  new Gauge({
    name: 'simyard_observations',
    help: 'Wanted observations by what there is of them',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { observed, refused, failed, drifted } = sources.policies.counts;
      const { pending } = sources.policies;
      for (const [state, count] of Object.entries({ observed, refused, failed, drifted, pending })) {
        this.set({ state }, count);
      }
    },
  });
  new Gauge({
    name: 'simyard_devices',
    help: 'Devices of the inventory',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const { known, registered } = await sources.devices.counts(Date.now());
      this.set({ state: 'registered' }, registered);
      this.set({ state: 'unregistered' }, known - registered);
    },
  });
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
