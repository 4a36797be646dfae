import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../protocol/clock.ts';
import type { CoapStatistics } from '../../protocol/coap/exchange.ts';
import type { Refusals } from '../enrolment/refusals.ts';
import type { SourceLimits } from '../enrolment/source-limits.ts';
import { eventTypes } from '../events.ts';
import type { LiveHub } from '../live/hub.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { PolicyReconciler } from '../lwm2m/policy-reconciler.ts';
import type { RegistrationRefusals } from '../lwm2m/registration-interface.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { JobState } from '../ports/job-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { IngestStatistics } from '../telemetry/ingest.ts';
import type { Projection } from '../telemetry/projection.ts';
import type { WebhookService, WebhookState } from '../webhooks/service.ts';

export interface MetricSources {
  readonly about: { readonly version: string };
  readonly coap: Readonly<CoapStatistics>;
  readonly registration: Readonly<RegistrationRefusals>;
  readonly ingest: Readonly<IngestStatistics>;
  readonly stores: Pick<Stores, 'devices' | 'jobs' | 'waiting' | 'size' | 'check'>;
  readonly webhooks: Pick<WebhookService, 'list' | 'statistics'>;
  readonly clock: Clock;
  readonly policies: Pick<PolicyReconciler, 'counts' | 'pending'>;
  readonly projection: Projection;
  readonly hub: LiveHub;
  readonly events: EventPublisher;
  readonly enrolment: {
    readonly refusals: Pick<Refusals, 'counts'>;
    readonly limits: Pick<SourceLimits, 'refused'>;
  };
}

const coapCounters = {
  datagramsIn: ['received_datagrams', 'Datagrams received'],
  datagramsOut: ['sent_datagrams', 'Datagrams sent'],
  bytesIn: ['received_bytes', 'Bytes received'],
  bytesOut: ['sent_bytes', 'Bytes sent'],
  malformed: ['malformed_datagrams', 'Datagrams that were no CoAP message'],
  duplicates: ['duplicate_messages', 'Messages that had been received before'],
  retransmissions: ['retransmissions', 'Messages sent again'],
  timeouts: ['timeouts', 'Requests and notifications that were never answered'],
  refused: ['refused_messages', 'Messages dropped because a bound was reached'],
  sentOnce: [
    'responses_sent_once',
    'Separate responses that were sent without being sent again, because too many waited for their acknowledgement',
  ],
  forwarded: ['forwarded_datagrams', 'Datagrams passed on to the node on the same port that they are for'],
  adopted: ['adopted_datagrams', 'Datagrams that another node on the same port received'],
} as const satisfies Partial<Record<keyof CoapStatistics, readonly [string, string]>>;

const coapGauges = {
  outstanding: 'Confirmable messages that wait for their acknowledgement',
  observations: 'Observations held in memory',
  observers: 'Observers of the server',
  peers: 'Peers remembered',
  blockTransfers: 'Block-wise transfers under way',
} as const satisfies Partial<Record<keyof CoapStatistics, string>>;

const registrationRefusals = {
  superseded: 'Registration requests told to come back because a newer one of the same device was served',
  overloaded: 'Registration requests told to come back because too many were under way',
} as const satisfies Record<keyof RegistrationRefusals, string>;

const ingestCounters = {
  notifications: 'Notifications received',
  sends: 'Sends received',
  readings: 'Readings that are in the log',
  repeated: 'Notifications and Sends whose readings were in the log already',
  undecodable: 'Notifications and Sends that could not be read',
  refused: 'Notifications left unanswered, and Sends refused, because too many were pending',
  storeErrors: 'Notifications and Sends that the store did not take',
} as const satisfies Partial<Record<keyof IngestStatistics, string>>;

/** Of jobs that have not ended: more are not counted one by one. */
const MAX_JOBS = 1000;
const openJobStates = ['preparing', 'running', 'paused', 'cancelling'] as const satisfies readonly JobState[];

/** The server's metrics; values are taken when they are asked for. */
export function registerMetrics(registry: Registry, sources: MetricSources): void {
  collectDefaultMetrics({ register: registry });
  // Gauges by the name of counters; what they count is in those without `_total`.
  for (const what of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${what}_total`);
  }
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
  for (const [key, [name, help]] of Object.entries(coapCounters)) {
    counter(`simyard_coap_${name}_total`, help, () => sources.coap[key as keyof typeof coapCounters]);
  }
  for (const [key, help] of Object.entries(coapGauges)) {
    gauge(`simyard_coap_${snake(key)}`, help, () => sources.coap[key as keyof typeof coapGauges]);
  }
  for (const [key, help] of Object.entries(registrationRefusals)) {
    const read = (): number => sources.registration[key as keyof RegistrationRefusals];
    counter(`simyard_registration_${key}_total`, help, read);
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
  gauge(
    'simyard_live_subscribers_behind',
    'Subscribers that read too slowly, and are read to from the logs',
    () => sources.hub.slowSubscribers,
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
  registerByState(registry, sources);
  registerStore(registry, sources);
  new Counter({
    name: 'simyard_events_total',
    help: 'Events by type',
    labelNames: ['type'],
    registers: [registry],
    collect() {
      this.reset();
      for (const type of eventTypes) this.inc({ type }, sources.events.counts.get(type) ?? 0);
    },
  });
  new Counter({
    name: 'simyard_refusals_total',
    help: 'Devices that were not let in, by why',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of sources.enrolment.refusals.counts) this.inc({ reason }, count);
    },
  });
  counter(
    'simyard_handshakes_limited_total',
    'Handshakes that were not begun, for their source had failed too often',
    () => sources.enrolment.limits.refused,
  );
  new Counter({
    name: 'simyard_webhook_requests_total',
    help: 'Messages to webhooks, by how that went',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(sources.webhooks.statistics))
        this.inc({ outcome }, count);
    },
  });
  gauge('simyard_webhook_lag', 'Events and packs that the webhook that is last is behind', () =>
    Math.max(0, ...sources.webhooks.list().map(({ state, lag }) => (state === 'paused' ? 0 : lag))),
  );
  new Gauge({
    name: 'simyard_build_info',
    help: 'Always 1; the version of the server',
    labelNames: ['version'],
    registers: [registry],
    collect() {
      this.set({ version: sources.about.version }, 1);
    },
  });
}

/** How many there are of what has states. */
function registerByState(registry: Registry, { stores, webhooks, clock }: MetricSources): void {
  const labelNames = ['state'] as const;
  const registers = [registry];
  new Gauge({
    name: 'simyard_devices',
    help: 'Devices of the inventory, each in one state: awake and asleep are registered; known never were',
    labelNames,
    registers,
    async collect() {
      const counts = await whileItAnswers(stores.devices.counts(clock.wallTime()));
      this.reset();
      if (counts === undefined) return;
      const { known, registered, awake, asleep, lost, left } = counts;
      const never = Math.max(0, known - registered - lost - left);
      for (const [state, count] of Object.entries({ awake, asleep, lost, left, known: never })) {
        this.set({ state }, count);
      }
    },
  });
  new Gauge({
    name: 'simyard_jobs',
    help: 'Jobs that have not ended',
    labelNames,
    registers,
    async collect() {
      const open = await whileItAnswers(stores.jobs.list({ states: openJobStates, limit: MAX_JOBS }));
      this.reset();
      if (open === undefined) return;
      const { items } = open;
      for (const state of openJobStates)
        this.set({ state }, items.filter((job) => job.state === state).length);
    },
  });
  new Gauge({
    name: 'simyard_webhooks',
    help: 'Webhooks',
    labelNames,
    registers,
    collect() {
      const states: readonly WebhookState[] = ['active', 'retrying', 'paused', 'disabled'];
      const all = webhooks.list();
      for (const state of states)
        this.set({ state }, all.filter((webhook) => webhook.state === state).length);
    },
  });
}

/** Undefined while the store is out: the other metrics are read all the same. */
async function whileItAnswers<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StoreUnavailableError) return undefined;
    throw error;
  }
}

/** How the store is. What it cannot tell now keeps no metric but its own from being read. */
function registerStore(registry: Registry, { stores }: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: 'simyard_store_up',
    help: 'Whether the store takes writes: 1 or 0',
    registers,
    async collect() {
      const [check] = await Promise.allSettled([stores.check()]);
      this.set(check?.status === 'fulfilled' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'simyard_store_waiting_calls',
    help: 'Calls and entries of the log that wait for the store',
    registers,
    collect() {
      this.set(stores.waiting());
    },
  });
  new Gauge({
    name: 'simyard_store_size_bytes',
    help: 'Bytes that the store takes on disk; 0 where it keeps nothing there',
    registers,
    async collect() {
      const [size] = await Promise.allSettled([stores.size()]);
      this.set(size?.status === 'fulfilled' ? (size.value ?? 0) : 0);
    },
  });
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
