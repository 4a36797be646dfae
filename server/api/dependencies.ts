import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { BootstrapService } from '../bootstrap/bootstrap-service.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Served } from '../cluster/leader-service.ts';
import type { CommandService } from '../commands/carrier-commands.ts';
import type { HeldRequests } from '../commands/request-service.ts';
import type { Enrolment } from '../enrolment/compose-enrolment.ts';
import type { LiveStream } from '../events.ts';
import type { Jobs } from '../jobs/job-service.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { ListeningTimes } from '../lwm2m/listening-times.ts';
import type { ObjectModels } from '../lwm2m/object-models.ts';
import type { ObservationPolicies } from '../lwm2m/policy-service.ts';
import type { AuditTrail } from '../people/audit-trail.ts';
import type { DeviceEntries } from '../people/device-entries.ts';
import type { IdentityProvider } from '../people/identity-provider.ts';
import type { People } from '../people/people.ts';
import type { Tenancy } from '../people/tenancy.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { SettingInForce } from '../settings.ts';
import type { FleetStatistics } from '../statistics/fleet-statistics.ts';
import type { WebhookService } from '../webhooks/service.ts';
import type { TraceContents } from './device-trace.ts';
import type { KeyHolders } from './idempotency.ts';
import type { RateLimit } from './rate-limits.ts';

/** What the API needs from the rest of the server; main.ts hands it over. */
export interface ApiDependencies {
  readonly log: Logger;
  readonly stores: Stores;
  readonly requests: DeviceRequests;
  readonly commands: CommandService;
  /** Requests that are held until their device can be asked. */
  readonly heldRequests: HeldRequests;
  /** Whether devices listen, and for how long after they were heard. */
  readonly listening: Pick<ListeningTimes, 'state' | 'powerSaving' | 'configure'>;
  /** What devices prove themselves by. */
  readonly credentials: Pick<Enrolment, 'service' | 'imports'>;
  readonly jobs: Jobs;
  readonly policies: ObservationPolicies;
  /** Whose devices are. */
  readonly tenancy: Tenancy;
  /** What people do to entries of the inventory. */
  readonly entries: DeviceEntries;
  readonly models: ObjectModels;
  readonly live: LiveStream;
  /** Undefined where no messages are kept. */
  readonly traces: TraceContents | undefined;
  readonly bootstrap: BootstrapService;
  readonly webhooks: Served<
    Pick<WebhookService, 'list' | 'get' | 'create' | 'replace' | 'rotate' | 'remove' | 'test' | 'retry'>
  >;
  /** Who else may carry out requests under Idempotency-Keys; nobody where absent. */
  readonly processes?: KeyHolders | undefined;
  readonly statistics: Pick<FleetStatistics, 'overview' | 'ofTenant' | 'series'>;
  readonly registry: ObjectRegistry;
  /** The definitions in the versions that a device registered; the registry itself where absent. */
  readonly lookupFor?: (registration: Registration) => ObjectRegistry;
  /** By which devices know this server, where it is set. */
  readonly shortServerId?: number | undefined;
  /** Prometheus text of the server's own metrics. */
  readonly metrics: () => Promise<string>;
  /** Rejects, with a reason that a person understands, while the server is not ready. */
  readonly ready: () => Promise<void>;
  /** What `GET /api/server` tells. */
  readonly about: {
    readonly version: string;
    readonly node: string;
    readonly startedAt: number;
    readonly coapAddress: string;
    readonly store: string;
    /** Printed by the console's empty state: the address that a device should use. Undefined: not open. */
    readonly coapUri?: string;
    readonly coapsUri?: string;
    /** Of the bootstrap server. */
    readonly bootstrapUri?: string;
    readonly bootstrapsUri?: string;
  };
  readonly cluster: Cluster;
  readonly people: People;
  readonly audit: Pick<AuditTrail, 'enter'>;
  /** False: who is on this machine may do everything without one. */
  readonly loginRequired: boolean;
  /** Where people may log in instead of by a password; nowhere where absent. */
  readonly provider?: Pick<IdentityProvider, 'label' | 'begin' | 'finish'> | undefined;
  /** Good for /metrics alone. */
  readonly metricsToken?: string | undefined;
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** The settings that the server runs with. */
  readonly settings: readonly SettingInForce[];
  /**
   * Hosts that a request may name in Host; anything else is refused with 403. Asked with a lower-case
   * host without port, IPv6 in brackets; allowed-hosts.ts makes the usual one.
   */
  readonly allowedHosts: (host: string) => boolean;
  /** Folder of the built console; undefined where it is not built (tests). */
  readonly consoleRoot: string | undefined;
  /** The system's where absent. */
  readonly clock?: Clock;
  /** How many event streams may be open at once; 4096 where absent. */
  readonly maxEventStreams?: number;
  /** How many of them one address may have, but for loopback; no bound where absent. */
  readonly streamsPerCaller?: number;
  /** What one address may ask for; no limit where absent. */
  readonly rateLimit?: RateLimit;
  /** How long a request to a device may take where its caller does not say, ms; 10 000 where absent. */
  readonly requestTimeout?: number;
}
