import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import { ConflictError } from '../errors.ts';
import type { LiveStream } from '../events.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { Tenancy } from '../people/tenancy.ts';
import type { Stores } from '../ports/stores.ts';
import type {
  StoredWebhook,
  WebhookDelivery,
  WebhookProgress,
  WebhookSettings,
} from '../ports/webhook-store.ts';
import { DELIVERIES_KEPT, deliveryOf, signedMessage, WebhookLane } from './lane.ts';
import { type Message, testMessage, type WebhookPresenters } from './messages.ts';
import type { SendOutcome, WebhookSender } from './sender.ts';
import { createSecret } from './signature.ts';
import { storedMessage } from './stored-content.ts';

const MAX_WEBHOOKS = 100;
const MAX_OF_TENANT = 20;
/** How long the secret that was replaced signs beside the new one, ms. */
const SECRET_OVERLAP = 86_400_000;

export type WebhookState = 'active' | 'retrying' | 'paused' | 'disabled';

/** What a person gives. */
export type WebhookInput = Pick<WebhookSettings, 'name' | 'url' | 'types' | 'endpoints' | 'enabled'>;

/** A webhook as it is now. Its secret is in `settings`: presenters leave it out. */
export interface ListedWebhook {
  readonly settings: WebhookSettings;
  readonly progress: WebhookProgress;
  readonly state: WebhookState;
  readonly lag: number;
  readonly nextAttemptAt?: number;
}

export interface WebhookStatistics {
  delivered: number;
  failed: number;
}

export interface WebhookServiceOptions {
  readonly stores: Pick<Stores, 'webhooks' | 'events' | 'log'>;
  readonly live: LiveStream;
  /** Whose devices are. */
  readonly tenancy: Pick<Tenancy, 'of'>;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly send: WebhookSender;
  readonly present: WebhookPresenters;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between 0 and 1. */
  readonly random?: () => number;
  readonly onDuration?: (seconds: number) => void;
}

interface Entry {
  settings: WebhookSettings;
  readonly lane: WebhookLane;
  /** As it was told last. */
  told: WebhookState;
  /** Resolves when what somebody changes about it is done: changes go one after the other. */
  turn: Promise<unknown>;
}

/** The webhooks: made, changed, tried out; each follows the logs in a lane of its own. */
export class WebhookService {
  readonly statistics: WebhookStatistics = { delivered: 0, failed: 0 };
  readonly #options: WebhookServiceOptions;
  readonly #entries = new Map<string, Entry>();
  #ending = new AbortController();
  /** Those that are being stored, and will be entries. */
  #adding = 0;

  constructor(options: WebhookServiceOptions) {
    this.#options = options;
  }

  /** May be called again after `close`. */
  async start(): Promise<void> {
    this.#ending = new AbortController();
    for (const webhook of await this.#options.stores.webhooks.list()) this.#enter(webhook);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#entries.values()].map(({ lane }) => lane.stop()));
    this.#entries.clear();
  }

  list(): ListedWebhook[] {
    return [...this.#entries.values()].map(listed);
  }

  get(id: string): ListedWebhook | undefined {
    const entry = this.#entries.get(id);
    return entry && listed(entry);
  }

  /**
   * It is told what happens from now on; of the devices of a tenant alone, where it is one's.
   * @throws RequestError, ConflictError
   */
  async create(input: WebhookInput, tenant?: string): Promise<ListedWebhook> {
    checkUrl(input.url);
    this.#checkShare(tenant);
    if (this.#entries.size + this.#adding >= MAX_WEBHOOKS) {
      throw new ConflictError(`there are ${MAX_WEBHOOKS} webhooks, which is the limit`);
    }
    const now = this.#now();
    const id = `w${BigInt(`0x${randomBytes(8).toString('hex')}`).toString(36)}`;
    const settings = {
      ...input,
      ...(tenant === undefined ? {} : { tenant }),
      id,
      secret: createSecret(),
      createdAt: now,
      updatedAt: now,
    };
    const webhook = { settings, progress: { cursor: this.#options.live.position() } };
    this.#adding++;
    try {
      await this.#options.stores.webhooks.add(webhook);
    } finally {
      this.#adding--;
    }
    return listed(this.#enter(webhook));
  }

  /**
   * Replaces what a person gives. One that was given up goes on from where it stood, where it is enabled.
   * @throws RequestError
   */
  async replace(id: string, input: WebhookInput): Promise<ListedWebhook | undefined> {
    checkUrl(input.url);
    return this.#change(id, (settings) => ({ ...settings, ...input }));
  }

  /** A new secret; the one before signs too, for a day. */
  rotate(id: string): Promise<ListedWebhook | undefined> {
    return this.#change(id, ({ secret, ...settings }) => ({
      ...settings,
      secret: createSecret(),
      previousSecret: { secret, until: this.#now() + SECRET_OVERLAP },
    }));
  }

  async remove(id: string): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    return this.#inTurn(entry, async () => {
      await entry.lane.stop();
      try {
        const removed = await this.#options.stores.webhooks.remove(id);
        this.#entries.delete(id);
        return removed;
      } catch (error) {
        // It is still there, and goes on.
        this.#start(entry);
        throw error;
      }
    });
  }

  /** Sends a message of the type `test`, at once, whatever the state. */
  async test(id: string): Promise<WebhookDelivery | undefined> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const message = testMessage(`test_${randomBytes(9).toString('base64url')}`, entry.settings, this.#now());
    return this.#sendOnce(entry, message, 0, this.#now());
  }

  /**
   * Sends a delivery once more, at once; one that waits for its next attempt, before its time.
   * @throws ConflictError what was in it is not kept any more
   */
  async retry(id: string, deliveryId: string): Promise<WebhookDelivery | undefined> {
    const { stores, present } = this.#options;
    const entry = this.#entries.get(id);
    const delivery = await stores.webhooks.delivery(id, deliveryId);
    if (entry === undefined || delivery === undefined) return undefined;
    const attempt = entry.lane.retryNow(deliveryId);
    if (attempt !== undefined) {
      await attempt;
      return stores.webhooks.delivery(id, deliveryId);
    }
    const message = await storedMessage(delivery, entry.settings, stores, present, this.#options.tenancy);
    if (message === undefined) {
      throw new ConflictError('what was in this delivery is not kept any more, so it cannot be sent again');
    }
    return this.#sendOnce(entry, message, delivery.attempts, delivery.createdAt);
  }

  async #sendOnce(
    entry: Entry,
    message: Message,
    attempts: number,
    createdAt: number,
  ): Promise<WebhookDelivery> {
    const { clock, send, stores } = this.#options;
    const begun = clock.now();
    const outcome = await send(signedMessage(entry.settings, message, this.#now()), this.#ending.signal);
    const duration = clock.now() - begun;
    this.#count(outcome, duration);
    const delivery = deliveryOf(message, outcome, outcome.delivered ? 'delivered' : 'failed', {
      attempts: attempts + 1,
      createdAt,
      updatedAt: this.#now(),
      duration,
    });
    await stores.webhooks.record(entry.settings.id, { delivery, keep: DELIVERIES_KEPT });
    return delivery;
  }

  async #change(
    id: string,
    change: (settings: WebhookSettings) => WebhookSettings,
  ): Promise<ListedWebhook | undefined> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    return this.#inTurn(entry, async () => {
      const before = entry.settings;
      const settings = { ...change(before), updatedAt: this.#now() };
      if (!(await this.#options.stores.webhooks.configure(settings))) return undefined;
      entry.settings = settings;
      // What it is told of has changed: it subscribes anew, from where it stands.
      if (!hasSameWishes(before, settings)) await entry.lane.stop();
      entry.lane.configure(settings);
      const isGivenUp = entry.lane.progress.disabled !== undefined;
      if (settings.enabled && isGivenUp && settings.secret === before.secret) await entry.lane.enable();
      this.#start(entry);
      this.#tell(entry);
      return listed(entry);
    });
  }

  /** After what others change about it. */
  #inTurn<T>(entry: Entry, work: () => Promise<T>): Promise<T> {
    const result = entry.turn.then(work);
    entry.turn = result.catch(() => undefined);
    return result;
  }

  #start({ settings, lane }: Entry): void {
    if (settings.enabled && !this.#ending.signal.aborted) lane.start();
  }

  #enter({ settings, progress }: StoredWebhook): Entry {
    const { live, stores, send, present, clock, log, random = Math.random } = this.#options;
    const entry: Entry = {
      settings,
      lane: new WebhookLane(settings, progress, {
        live,
        store: stores.webhooks,
        send,
        present,
        clock,
        log,
        random,
        onProgress: () => this.#tell(entry),
        onAttempt: (outcome, duration) => this.#count(outcome, duration),
      }),
      told: 'active',
      turn: Promise.resolve(),
    };
    entry.told = stateOf(entry);
    this.#entries.set(settings.id, entry);
    this.#start(entry);
    return entry;
  }

  /** An event, where the state is another than was told last. */
  #tell(entry: Entry): void {
    const state = stateOf(entry);
    if (state === entry.told || this.#entries.get(entry.settings.id) !== entry) return;
    entry.told = state;
    const { id, name, tenant } = entry.settings;
    const { disabled, failure } = entry.lane.progress;
    const reason = state === 'disabled' ? disabled?.reason : failure?.reason;
    this.#options.events.publish('webhook', undefined, this.#now(), {
      webhook: {
        id,
        name,
        ...(tenant === undefined ? {} : { tenant }),
        state,
        ...(reason === undefined ? {} : { reason }),
      },
    });
    if (state === 'disabled') this.#options.log.warn({ webhook: id, reason }, 'a webhook was given up');
  }

  #count(outcome: SendOutcome, duration: number): void {
    this.statistics[outcome.delivered ? 'delivered' : 'failed']++;
    this.#options.onDuration?.(duration / 1000);
  }

  /** @throws ConflictError a tenant has as many as one may: it is not to take those of all others */
  #checkShare(tenant: string | undefined): void {
    if (tenant === undefined) return;
    const own = [...this.#entries.values()].filter(({ settings }) => settings.tenant === tenant);
    if (own.length < MAX_OF_TENANT) return;
    throw new ConflictError(`the tenant has ${MAX_OF_TENANT} webhooks, which is the limit for one`);
  }

  #now(): number {
    return Math.floor(this.#options.clock.wallTime());
  }
}

function listed(entry: Entry): ListedWebhook {
  const { nextAttemptAt, lag, progress } = entry.lane;
  return {
    settings: entry.settings,
    progress,
    state: stateOf(entry),
    lag,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
  };
}

function stateOf({ settings, lane }: Entry): WebhookState {
  if (!settings.enabled) return 'paused';
  if (lane.progress.disabled !== undefined) return 'disabled';
  return lane.progress.failure === undefined ? 'active' : 'retrying';
}

function hasSameWishes(before: WebhookSettings, after: WebhookSettings): boolean {
  const of = ({ types, endpoints, enabled, url }: WebhookSettings) =>
    JSON.stringify([types, endpoints, enabled, url]);
  return of(before) === of(after);
}

/** @throws RequestError */
function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new RequestError('url: a webhook needs an http or https URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new RequestError('url: a webhook may not have a user name or password in it; it is signed instead');
  }
}
