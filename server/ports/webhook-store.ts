import type { LogPosition } from './telemetry-log.ts';

/** What a person says of a webhook. */
export interface WebhookSettings {
  readonly id: string;
  readonly name: string;
  /** It is told of this tenant's devices alone; absent: of all. */
  readonly tenant?: string;
  readonly url: string;
  /** Types of events, and `readings`. */
  readonly types: readonly string[];
  /** Globs of endpoint names; none: all devices, and what is of no device. */
  readonly endpoints: readonly string[];
  readonly enabled: boolean;
  /** `whsec_` and base64, as Standard Webhooks has it. */
  readonly secret: string;
  /** Signs too, until then (ms since the epoch): receivers have that long to take the new one. */
  readonly previousSecret?: { readonly secret: string; readonly until: number };
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface WebhookFailure {
  /** The first of the failures in a row, ms since the epoch. */
  readonly since: number;
  /** The last. */
  readonly at: number;
  /** How many in a row. */
  readonly attempts: number;
  readonly reason: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
}

/** How far it is, and how it fares. */
export interface WebhookProgress {
  /** All up to here, in both logs, is delivered, or was not wanted. */
  readonly cursor: { readonly event: number; readonly log: LogPosition };
  /** Absent while all goes well. */
  readonly failure?: WebhookFailure;
  /** The last one, kept when all goes well again. */
  readonly lastFailure?: WebhookFailure;
  readonly lastSuccessAt?: number;
  /** It was given up; a person enables it again. */
  readonly disabled?: { readonly at: number; readonly reason: string };
}

export interface StoredWebhook {
  readonly settings: WebhookSettings;
  readonly progress: WebhookProgress;
}

export type DeliveryState = 'retrying' | 'delivered' | 'failed';

/** One message to a webhook: its last attempt. What was in it is in the logs. */
export interface WebhookDelivery {
  /** The message's `webhook-id`: the same at each attempt. */
  readonly id: string;
  /** Of the event; `readings`, `gap` or `test`. */
  readonly type: string;
  readonly endpoint?: string;
  /** Where its content is: an event, or a stretch of the telemetry log, both ends included. */
  readonly source?:
    | { readonly event: number }
    | { readonly from: LogPosition; readonly through: LogPosition };
  readonly state: DeliveryState;
  readonly attempts: number;
  /** The first attempt, ms since the epoch. */
  readonly createdAt: number;
  /** The last. */
  readonly updatedAt: number;
  readonly status?: number;
  readonly reason?: string;
  /** How long the last attempt took, ms. */
  readonly duration?: number;
}

/** Webhooks, how far each is, and what was sent of late. */
export interface WebhookStore {
  /** All, in the order in which they were made. */
  list(): Promise<readonly StoredWebhook[]>;
  /** Makes one. */
  add(webhook: StoredWebhook): Promise<void>;
  /** Replaces the settings, and leaves the progress. False where there is none of this id. */
  configure(settings: WebhookSettings): Promise<boolean>;
  /** With its deliveries. False where there was none. */
  remove(id: string): Promise<boolean>;
  /**
   * In one step: replaces the progress, where one is given, and enters a delivery, which takes the place of one of
   * the same id. The newest `keep` deliveries stay. Does nothing where there is no such webhook.
   */
  record(
    id: string,
    step: {
      readonly progress?: WebhookProgress;
      readonly delivery?: WebhookDelivery;
      readonly keep: number;
    },
  ): Promise<void>;
  /**
   * Newest first attempt first.
   * @throws RequestError for a cursor that is not of this list
   */
  deliveries(query: {
    readonly id: string;
    readonly states?: readonly DeliveryState[];
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly WebhookDelivery[]; readonly next?: string }>;
  delivery(id: string, delivery: string): Promise<WebhookDelivery | undefined>;
}
