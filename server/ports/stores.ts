import type { AuditLog } from './audit-log.ts';
import type { BootstrapStore } from './bootstrap-store.ts';
import type { ClusterPorts } from './cluster-ports.ts';
import type { CommandQueue } from './command-queue.ts';
import type { CredentialStore } from './credential-store.ts';
import type { DeviceStore } from './device-store.ts';
import type { EventLog } from './event-log.ts';
import type { History } from './history.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { JobStore } from './job-store.ts';
import type { LastValues } from './last-values.ts';
import type { ObjectModelStore } from './object-model-store.ts';
import type { ObservationPolicyStore } from './observation-policy-store.ts';
import type { ObservationStore } from './observation-store.ts';
import type { ProfileStore } from './profile-store.ts';
import type { RegistrationStore } from './registration-store.ts';
import type { SessionStore } from './session-store.ts';
import type { StatisticsStore } from './statistics-store.ts';
import type { TelemetryLog } from './telemetry-log.ts';
import type { UserStore } from './user-store.ts';
import type { WebhookStore } from './webhook-store.ts';

/**
 * All ports of one engine: embedded, or Redis. Every call sees what was answered before it was made. A call
 * made while another is not answered yet may see its effect or not.
 */
export interface Stores {
  readonly devices: DeviceStore;
  readonly registrations: RegistrationStore;
  readonly observations: ObservationStore;
  readonly profiles: ProfileStore;
  readonly observationPolicies: ObservationPolicyStore;
  readonly objectModels: ObjectModelStore;
  readonly credentials: CredentialStore;
  readonly bootstrap: BootstrapStore;
  readonly sessions: SessionStore;
  readonly commands: CommandQueue;
  readonly jobs: JobStore;
  readonly idempotency: IdempotencyStore;
  readonly log: TelemetryLog;
  readonly history: History;
  readonly lastValues: LastValues;
  readonly events: EventLog;
  readonly webhooks: WebhookStore;
  readonly statistics: StatisticsStore;
  readonly users: UserStore;
  readonly audit: AuditLog;
  /** Where several nodes may share the engine. */
  readonly cluster?: ClusterPorts;
  /** What a person should know: `embedded, ./data/simyard.db, durable`. */
  readonly description: string;
  /** Whether what was acknowledged survives a power cut. */
  readonly durable: boolean;
  /** Bytes that it takes on disk; undefined where it keeps nothing there. */
  size(): Promise<number | undefined>;
  /** Calls and entries of the log that wait for the engine now. */
  waiting(): number;
  /** Rejects with StoreUnavailableError when it cannot take writes now. */
  check(): Promise<void>;
  /** Idempotent; what was accepted is durable when it resolves. */
  close(): Promise<void>;
}
