import type { LiveEntry, LivePosition, LiveStream, LiveSubscription } from '../events.ts';
import { itemIsSeen, type TenantsByEndpoint } from '../people/tenancy.ts';
import type { LogPosition } from '../ports/telemetry-log.ts';
import type { Block } from './block-reader.ts';
import type { Replay, Replayed } from './replay.ts';
import type { Wishes } from './wishes.ts';

/** What is read from the logs is handed over so many at a time: it bounds what a slow subscriber holds. */
const ENTRIES_AT_ONCE = 32;

export type SubscribeOptions = Parameters<LiveStream['subscribe']>[0];
type SubscriberState = 'live' | 'behind' | 'reading' | 'closed';

/** What a subscriber needs of the hub. */
export interface SubscriberHost {
  readonly replay: Replay;
  newest(): LivePosition;
  /** Whose these devices are. */
  recall(endpoints: Iterable<string>): Promise<TenantsByEndpoint>;
  /** Whether all that was published for its wishes has been handed over. */
  isDelivered(): boolean;
  /** How many traces were never made ready for those who share its wishes. */
  passedBy(): number;
  /** It turned live, or is no longer. */
  onLive(live: boolean): void;
  onClose(): void;
}

/** Entries that were published within one turn, for all who share wishes. */
export interface Batch {
  readonly entries: readonly LiveEntry[];
  /** The first event and the first pack in it; Infinity where there is none. */
  readonly firstEvent: number;
  readonly firstPack: LogPosition;
  /** Where one stands who has all of it. */
  readonly end: LivePosition;
}

export class Subscriber implements LiveSubscription {
  readonly #options: SubscribeOptions;
  readonly #wishes: Wishes;
  readonly #host: SubscriberHost;
  #event: number;
  #log: LogPosition;
  #state: SubscriberState = 'behind';
  /** It can take more again, said while the last read is still being wound up. */
  #resumed = false;
  /** It has been live: from then on it is told when it is behind. */
  #hasBeenLive = false;
  /** Its place is one that the logs have, as far as that is known. */
  #placed = false;
  /** It was told that it is behind. */
  #slow = false;
  /** Traces that it was not given while it was slow, and what the host had passed by when that began. */
  #missed = 0;
  #passedBefore = 0;

  constructor(options: SubscribeOptions, wishes: Wishes, host: SubscriberHost) {
    this.#options = options;
    this.#wishes = wishes;
    this.#host = host;
    this.#event = options.after.event;
    this.#log = options.after.log;
  }

  /** Whether it was too slow, and is not yet live again. */
  get isSlow(): boolean {
    return this.#slow;
  }

  position(): LivePosition {
    const place = { event: this.#event, log: this.#log };
    if (this.#state !== 'live' || !this.#host.isDelivered()) return place;
    const newest = this.#host.newest();
    // What is live here may be behind what another node had told it.
    return { event: Math.max(place.event, newest.event), log: Math.max(place.log, newest.log) };
  }

  /** What was published; passed over while the subscriber is behind, for the logs have it. */
  live(batch: Batch): void {
    if (this.#state !== 'live') {
      for (const { item } of batch.entries) if (item.kind === 'trace') this.#missed++;
      return;
    }
    const isNew = batch.firstEvent > this.#event && batch.firstPack > this.#log;
    // It may have read a part of them from the logs, while they waited to be handed over.
    const entries = isNew ? batch.entries : batch.entries.filter((entry) => this.#isAhead(entry));
    this.#event = Math.max(this.#event, batch.end.event);
    this.#log = Math.max(this.#log, batch.end.log);
    if (entries.length > 0 && !this.#hand(entries)) this.#turn('behind');
  }

  /** What was published goes on from the logs, as for one that was too slow, though it was not. */
  fallBehind(): void {
    if (this.#state !== 'live') return;
    this.#turn('behind');
    this.resume();
  }

  resume(): void {
    if (this.#state === 'reading') this.#resumed = true;
    if (this.#state !== 'behind') return;
    this.#state = 'reading';
    this.#resumed = false;
    this.#catchUp().then(
      (level) => {
        // It said so itself when it was level, and may have been held back and resumed since.
        if (level || this.#state !== 'reading') return;
        this.#state = 'behind';
        if (this.#resumed) this.resume();
      },
      (error: unknown) => {
        if (this.#isClosed()) return;
        this.close();
        this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#turn('closed');
    this.#host.onClose();
  }

  /** True when level with the logs; false when the subscriber asked to be held back, or closed. */
  async #catchUp(): Promise<boolean> {
    if (!this.#placed) await this.#findPlace();
    for (;;) {
      const newest = this.#host.newest();
      if (this.#event < newest.event) {
        if (!(await this.#replayEvents(newest.event))) return false;
      } else if (this.#log < newest.log) {
        if (!(await this.#replayPacks(newest.log))) return false;
      } else {
        // Set here, not by the caller: what is published before its turn comes would be missed.
        if (this.#state === 'reading') this.#turn('live');
        return true;
      }
    }
  }

  /**
   * A place beyond the end of the logs is of another store: nothing of it can be replayed. One that is only ahead of what
   * is live here was told by another node, and what comes up to there is passed over.
   */
  async #findPlace(): Promise<void> {
    const start = this.#host.newest();
    if (this.#event > start.event || this.#log > start.log) {
      const end = await this.#host.replay.ends();
      if (this.#event > end.event || this.#log > end.log) {
        this.#event = start.event;
        this.#log = start.log;
        if (!this.#isClosed()) this.#options.onGap();
      }
    }
    this.#placed = true;
  }

  async #replayEvents(target: number): Promise<boolean> {
    if (!this.#wishes.wantsEvents) {
      this.#event = target;
      return true;
    }
    const block = await this.#host.replay.events(this.#event, this.#wishes.onlyEndpoint);
    return this.#take(
      block,
      await this.#tenantsOf(block),
      () => this.#event,
      (position) => {
        this.#event = position;
      },
    );
  }

  async #replayPacks(target: LogPosition): Promise<boolean> {
    if (!this.#wishes.wantsReadings) {
      this.#log = target;
      return true;
    }
    const block = await this.#host.replay.packs(this.#log);
    return this.#take(
      block,
      await this.#tenantsOf(block),
      () => this.#log,
      (position) => {
        this.#log = position;
      },
    );
  }

  /** Whose the devices of a block are; undefined for who may see all. */
  async #tenantsOf({ items }: Block<Replayed>): Promise<TenantsByEndpoint | undefined> {
    if (this.#wishes.tenant === undefined) return undefined;
    const wanted = items.filter(({ type, endpoint }) => this.#wishes.wants(type, endpoint));
    return this.#host.recall(wanted.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint])));
  }

  #isSeen({ item, type, endpoint }: Replayed, tenants: TenantsByEndpoint | undefined): boolean {
    const { tenant } = this.#wishes;
    if (tenant === undefined || tenants === undefined) return true;
    const about =
      item?.kind === 'event' ? item.event : { type, ...(endpoint === undefined ? {} : { endpoint }) };
    return itemIsSeen(tenant, about, tenants) === true;
  }

  /** Hands over what is wanted of a block. False when the subscriber cannot take more now, or closed. */
  #take(
    block: Block<Replayed>,
    tenants: TenantsByEndpoint | undefined,
    at: () => number,
    move: (position: number) => void,
  ): boolean {
    if (this.#isClosed()) return false;
    if (block.oldest > at() + 1) this.#options.onGap();
    let entries: LiveEntry[] = [];
    const hand = (): boolean => {
      const given = entries;
      entries = [];
      return given.length === 0 || this.#hand(given);
    };
    const start = at();
    for (const replayed of block.items) {
      const { position, endpoint, type, item } = replayed;
      if (position <= start) continue;
      move(position);
      if (!this.#wishes.wants(type, endpoint) || !this.#isSeen(replayed, tenants)) continue;
      if (item === undefined) {
        const takes = hand();
        this.#options.onGap();
        if (!takes) return false;
        continue;
      }
      entries.push({ item, position: { event: this.#event, log: this.#log } });
      if (entries.length >= ENTRIES_AT_ONCE && !hand()) return false;
    }
    move(Math.max(at(), block.through));
    return hand();
  }

  /** False when the subscriber cannot take more now, or closed meanwhile. */
  #hand(entries: readonly LiveEntry[]): boolean {
    const takes = this.#options.onEntries(entries);
    if (this.#isClosed()) return false;
    if (!takes && this.#hasBeenLive && !this.#slow) {
      this.#slow = true;
      this.#missed = 0;
      this.#passedBefore = this.#host.passedBy();
      this.#options.onPace?.('behind');
    }
    return takes;
  }

  #isAhead({ item }: LiveEntry): boolean {
    if (item.kind === 'event') return item.event.id > this.#event;
    return item.kind === 'trace' || item.readings.position > this.#log;
  }

  #turn(state: SubscriberState): void {
    const was = this.#state;
    if (was === 'closed') return;
    this.#state = state;
    if ((was === 'live') !== (state === 'live')) this.#host.onLive(state === 'live');
    if (state !== 'live') return;
    this.#hasBeenLive = true;
    if (!this.#slow) return;
    this.#slow = false;
    this.#options.onPace?.('level', this.#missed + this.#host.passedBy() - this.#passedBefore);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}
