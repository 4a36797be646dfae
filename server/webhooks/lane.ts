import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type {
  LiveEntry,
  LivePosition,
  LiveReadings,
  LiveStream,
  LiveSubscription,
  LiveWish,
} from '../events.ts';
import { globMatches, isExact } from '../lwm2m/glob.ts';
import type {
  WebhookDelivery,
  WebhookProgress,
  WebhookSettings,
  WebhookStore,
} from '../ports/webhook-store.ts';
import {
  eventMessage,
  gapMessage,
  type Message,
  readingsMessage,
  type Waiting,
  type WebhookPresenters,
} from './messages.ts';
import { GIVE_UP_AFTER, pauseBeforeRetry } from './retries.ts';
import type { SendOutcome, WebhookSender } from './sender.ts';
import { signedHeaders } from './signature.ts';

/** Items that may wait in memory: beyond it they are read from the logs when it is their turn. */
const MAX_WAITING = 64;
/** Below it more are asked for. */
const LOW_WAITING = 16;
/** Packs of readings in one message, and how long the first of them waits for others, ms. */
const MAX_PACKS = 100;
const GATHER = 200;
/** How often the place of a webhook that has nothing to send is stored, ms. */
const SAVE_INTERVAL = 30_000;
/** Wait after the store refused to take how a message fared, ms. */
const STORE_RETRY = 1_000;
/** Deliveries that are kept of each webhook. */
export const DELIVERIES_KEPT = 500;

export interface LaneOptions {
  readonly live: LiveStream;
  readonly store: WebhookStore;
  readonly send: WebhookSender;
  readonly present: WebhookPresenters;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Its state may have changed. */
  readonly onProgress: () => void;
  readonly onAttempt: (outcome: SendOutcome, duration: number) => void;
}

interface Current {
  readonly message: Message;
  /** Where the webhook stands when it is delivered. */
  readonly end: LivePosition;
  readonly items: number;
  readonly createdAt: number;
  attempts: number;
}

/**
 * One webhook at work: follows the logs from its own place, one message at a time, each until it is delivered or
 * the webhook is given up. The place moves, on disk, behind what was delivered: a server that was killed
 * sends again what it cannot know to have arrived.
 */
export class WebhookLane {
  readonly #options: LaneOptions;
  #settings: WebhookSettings;
  #progress: WebhookProgress;
  #waiting: Waiting[] = [];
  #subscription: LiveSubscription | undefined;
  #held = false;
  #current: Current | undefined;
  #attempt: Promise<SendOutcome> | undefined;
  #retryTimer: Timer | undefined;
  #gatherTimer: Timer | undefined;
  #gathered = false;
  #saveTimer: Timer | undefined;
  #nextAttemptAt: number | undefined;
  #ending = new AbortController();
  #running = false;

  constructor(settings: WebhookSettings, progress: WebhookProgress, options: LaneOptions) {
    this.#settings = settings;
    this.#progress = progress;
    this.#options = options;
  }

  get progress(): WebhookProgress {
    return this.#progress;
  }

  /** When a message that failed is tried again, ms since the epoch. */
  get nextAttemptAt(): number | undefined {
    return this.#nextAttemptAt;
  }

  /** Positions of the logs that it is behind. */
  get lag(): number {
    const newest = this.#options.live.position();
    const { event, log } = this.#place();
    const packs = this.#settings.types.includes('readings') ? newest.log - log : 0;
    const events = this.#settings.types.some((type) => type !== 'readings') ? newest.event - event : 0;
    return Math.max(0, packs) + Math.max(0, events);
  }

  /** Follows the logs from where it stood. Idempotent. */
  start(): void {
    if (this.#running || this.#progress.disabled !== undefined) return;
    this.#running = true;
    this.#ending = new AbortController();
    this.#subscribe();
    this.#saveLater();
  }

  /** Ends what is under way; resolves when its place is stored. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    const place = this.#place();
    this.#running = false;
    this.#subscription?.close();
    for (const timer of [this.#retryTimer, this.#gatherTimer, this.#saveTimer]) timer?.cancel();
    this.#retryTimer = this.#gatherTimer = this.#saveTimer = undefined;
    this.#gathered = false;
    this.#waiting = [];
    this.#current = undefined;
    this.#nextAttemptAt = undefined;
    this.#ending.abort();
    await this.#attempt;
    if (this.#progress.disabled === undefined && isBeyond(place, this.#progress.cursor)) {
      await this.#record({ ...this.#progress, cursor: place }, undefined);
    }
  }

  /** From the next message on. */
  configure(settings: WebhookSettings): void {
    this.#settings = settings;
  }

  /** A webhook that was given up starts anew from where it stood. */
  async enable(): Promise<void> {
    const { disabled: _, failure: __, ...rest } = this.#progress;
    await this.#record(rest, undefined);
  }

  /** Tries what waits for its next attempt now. Undefined where nothing with this id does. */
  retryNow(id: string): Promise<SendOutcome> | undefined {
    if (this.#current?.message.id !== id) return undefined;
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    return this.#attempt ?? this.#begin(this.#current);
  }

  /** What it has delivered everything up to, in memory. */
  #place(): LivePosition {
    if (this.#running && this.#current === undefined && this.#waiting.length === 0 && !this.#held) {
      return this.#subscription?.position() ?? this.#progress.cursor;
    }
    return this.#progress.cursor;
  }

  #subscribe(): void {
    const { live, log } = this.#options;
    this.#held = false;
    this.#subscription = live.subscribe({
      after: this.#progress.cursor,
      wishes: wishesOf(this.#settings),
      tenant: this.#settings.tenant,
      onEntries: (entries) => {
        for (const entry of entries) if (this.#isWanted(entry)) this.#waiting.push(entry);
        this.#pump();
        this.#held = this.#waiting.length >= MAX_WAITING;
        return !this.#held;
      },
      onGap: () => {
        if (this.#waiting.at(-1) !== 'gap') this.#waiting.push('gap');
        // Not before the subscription is there: its place is asked for.
        queueMicrotask(() => this.#pump());
      },
      onError: (error) => {
        log.warn({ error, webhook: this.#settings.id }, 'the logs cannot be read now; tried again');
        this.#waiting = [];
        this.#current = undefined;
        this.#retryTimer?.cancel();
        this.#retryTimer = this.#options.clock.setTimer(STORE_RETRY, () => {
          this.#retryTimer = undefined;
          this.#subscribe();
        });
      },
    });
  }

  #isWanted({ item }: LiveEntry): boolean {
    if (item.kind === 'trace') return false;
    const { endpoints } = this.#settings;
    if (endpoints.length === 0) return true;
    const endpoint = item.kind === 'event' ? item.event.endpoint : item.readings.endpoint;
    return endpoint !== undefined && endpoints.some((glob) => globMatches(glob, endpoint));
  }

  #pump(): void {
    if (!this.#running || this.#attempt !== undefined || this.#retryTimer !== undefined) return;
    this.#current ??= this.#cut();
    if (this.#current !== undefined) void this.#begin(this.#current);
  }

  /** The next message of what waits; undefined where there is none yet. */
  #cut(): Current | undefined {
    const head = this.#waiting[0];
    if (head === undefined) return undefined;
    const { clock, present } = this.#options;
    const now = clock.wallTime();
    const made = (message: Message, end: LivePosition, items: number): Current => ({
      message,
      end,
      items,
      createdAt: now,
      attempts: 0,
    });
    if (head === 'gap') {
      const { cursor } = this.#progress;
      return made(gapMessage(cursor, now), cursor, 1);
    }
    const end = head.position ?? this.#progress.cursor;
    if (head.item.kind === 'event') return made(eventMessage(head.item.event, present), end, 1);
    const packs = this.#packs();
    if (
      packs.length < MAX_PACKS &&
      packs.length === this.#waiting.length &&
      !this.#held &&
      !this.#isGathered()
    ) {
      return undefined;
    }
    this.#gatherTimer?.cancel();
    this.#gatherTimer = undefined;
    this.#gathered = false;
    const last = this.#waiting[packs.length - 1];
    const at = last === undefined || last === 'gap' ? end : (last.position ?? end);
    return made(readingsMessage(packs, now, present), at, packs.length);
  }

  /** The packs that stand first in what waits. */
  #packs(): LiveReadings[] {
    const packs: LiveReadings[] = [];
    for (const entry of this.#waiting) {
      if (entry === 'gap' || entry.item.kind !== 'readings' || packs.length === MAX_PACKS) break;
      packs.push(entry.item.readings);
    }
    return packs;
  }

  /** Whether the first pack has waited for others; it does so from the first time that this is asked. */
  #isGathered(): boolean {
    this.#gatherTimer ??= this.#options.clock.setTimer(GATHER, () => {
      this.#gathered = true;
      this.#pump();
    });
    return this.#gathered;
  }

  #begin(current: Current): Promise<SendOutcome> {
    const attempt = this.#deliver(current).finally(() => {
      this.#attempt = undefined;
      if (this.#current === undefined) this.#resume();
      this.#pump();
    });
    this.#attempt = attempt;
    return attempt;
  }

  async #deliver(current: Current): Promise<SendOutcome> {
    const { clock, send, onAttempt } = this.#options;
    const { message } = current;
    this.#nextAttemptAt = undefined;
    const begun = clock.now();
    const now = clock.wallTime();
    const outcome = await send(signedMessage(this.#settings, message, now), this.#ending.signal);
    const duration = clock.now() - begun;
    // Called off by the end of the lane: whether it arrived nobody knows, and it is sent again.
    if (this.#ending.signal.aborted && !outcome.delivered) return outcome;
    onAttempt(outcome, duration);
    current.attempts++;
    const progress = progressAfter(this.#progress, outcome, current.end, now);
    const state = outcome.delivered ? 'delivered' : progress.disabled === undefined ? 'retrying' : 'failed';
    const delivery = deliveryOf(message, outcome, state, {
      attempts: current.attempts,
      createdAt: current.createdAt,
      updatedAt: clock.wallTime(),
      duration,
    });
    if (outcome.delivered && this.#current === current) {
      this.#waiting.splice(0, current.items);
      this.#current = undefined;
    }
    await this.#record(progress, delivery);
    if (outcome.delivered || !this.#running) return outcome;
    if (progress.disabled !== undefined) {
      // Not awaited: it waits for this very attempt.
      void this.stop();
    } else {
      this.#retryLater(progress.failure?.attempts ?? 1);
    }
    return outcome;
  }

  #retryLater(attempts: number): void {
    const { clock, random } = this.#options;
    const pause = pauseBeforeRetry(attempts, random());
    this.#nextAttemptAt = clock.wallTime() + pause;
    this.#retryTimer = clock.setTimer(pause, () => {
      this.#retryTimer = undefined;
      this.#pump();
    });
  }

  #resume(): void {
    if (!this.#held || this.#waiting.length > LOW_WAITING) return;
    this.#held = false;
    this.#subscription?.resume();
  }

  #saveLater(): void {
    this.#saveTimer = this.#options.clock.setTimer(SAVE_INTERVAL, () => {
      const place = this.#place();
      const saved = isBeyond(place, this.#progress.cursor)
        ? this.#record({ ...this.#progress, cursor: place }, undefined)
        : Promise.resolve();
      void saved.then(() => {
        if (this.#running) this.#saveLater();
      });
    });
  }

  /** Resolves when it is stored; while the store is out it waits, unless the lane ends. */
  async #record(progress: WebhookProgress, delivery: WebhookDelivery | undefined): Promise<void> {
    const { store, clock, log, onProgress } = this.#options;
    this.#progress = progress;
    const step = { progress, keep: DELIVERIES_KEPT, ...(delivery === undefined ? {} : { delivery }) };
    for (let told = false; ; told = true) {
      try {
        await store.record(this.#settings.id, step);
        break;
      } catch (error) {
        if (!told) log.warn({ error, webhook: this.#settings.id }, 'how a webhook fares is not stored now');
        if (!this.#running) break;
        await new Promise<void>((resolve) => clock.setTimer(STORE_RETRY, resolve));
      }
    }
    onProgress();
  }
}

function wishesOf({ types, endpoints }: WebhookSettings): LiveWish[] {
  const wanted = new Set(types);
  if (endpoints.length === 0 || !endpoints.every(isExact)) return [{ types: wanted }];
  return endpoints.map((endpoint) => ({ endpoint, types: wanted }));
}

function isBeyond(place: LivePosition, other: LivePosition): boolean {
  return place.event > other.event || place.log > other.log;
}

/** The message as it goes out now: signed with each secret that counts. */
export function signedMessage(settings: WebhookSettings, { id, body }: Message, now: number) {
  const { url, secret, previousSecret } = settings;
  const secrets =
    previousSecret !== undefined && now < previousSecret.until ? [secret, previousSecret.secret] : [secret];
  return { url, headers: { ...signedHeaders(id, now, body, secrets) }, body };
}

function progressAfter(
  before: WebhookProgress,
  outcome: SendOutcome,
  end: LivePosition,
  now: number,
): WebhookProgress {
  const { failure, ...rest } = before;
  if (outcome.delivered) return { ...rest, cursor: end, lastSuccessAt: now };
  const { reason, status } = outcome;
  const since = failure?.since ?? now;
  const failed = {
    since,
    at: now,
    attempts: (failure?.attempts ?? 0) + 1,
    reason,
    ...(status === undefined ? {} : { status }),
  };
  const progress = { ...before, failure: failed, lastFailure: failed };
  if (status === 410) return { ...progress, disabled: { at: now, reason: 'the receiver is gone (410)' } };
  if (now - since < GIVE_UP_AFTER) return progress;
  return {
    ...progress,
    disabled: { at: now, reason: `nothing was delivered since it failed first: ${reason}` },
  };
}

export function deliveryOf(
  message: Message,
  outcome: SendOutcome,
  state: WebhookDelivery['state'],
  attempt: Pick<WebhookDelivery, 'attempts' | 'createdAt' | 'updatedAt' | 'duration'>,
): WebhookDelivery {
  return {
    id: message.id,
    ...message.about,
    state,
    ...attempt,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...(outcome.delivered ? {} : { reason: outcome.reason }),
  };
}
