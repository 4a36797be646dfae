import { DecodeError } from '../../protocol/errors.ts';
import type { LiveItem, LivePosition, LiveReadings, LiveStream, LiveSubscription } from '../events.ts';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { decodePack, type Pack } from '../telemetry/pack.ts';
import { historyReadings } from '../telemetry/readings.ts';

/** How much a subscriber that lags reads from the logs at a time. */
const CATCH_UP_EVENTS = 500;
const CATCH_UP_PACKS = 200;

type SubscribeOptions = Parameters<LiveStream['subscribe']>[0];

/**
 * Hands what was appended to the logs to many subscribers. One that keeps up gets each item as it
 * comes; one that does not is not buffered for: it reads on from the logs, at its own pace.
 */
export class LiveHub implements LiveStream {
  readonly #events: EventLog;
  readonly #log: TelemetryLog;
  readonly #forAll = new Set<Subscriber>();
  readonly #byEndpoint = new Map<string, Set<Subscriber>>();
  #position: LivePosition;

  private constructor(events: EventLog, log: TelemetryLog, position: LivePosition) {
    this.#events = events;
    this.#log = log;
    this.#position = position;
  }

  /** Starts where the logs end. */
  static async open(events: EventLog, log: TelemetryLog): Promise<LiveHub> {
    const [eventExtent, logExtent] = await Promise.all([events.extent(), log.extent()]);
    return new LiveHub(events, log, { event: eventExtent.newest, log: logExtent.newest });
  }

  position(): LivePosition {
    return this.#position;
  }

  get subscribers(): number {
    let count = this.#forAll.size;
    for (const set of this.#byEndpoint.values()) count += set.size;
    return count;
  }

  /** An event that is in the log now. Ids rise from call to call. */
  publishEvent(event: StoredEvent): void {
    this.#position = { event: event.id, log: this.#position.log };
    if (this.#forAll.size === 0 && this.#byEndpoint.size === 0) return;
    this.#publish(event.endpoint, { kind: 'event', event });
  }

  /** A pack that is in the log now. Positions rise from call to call. */
  publishPack(pack: Pack, position: LogPosition): void {
    this.#position = { event: this.#position.event, log: position };
    if (this.#forAll.size === 0 && !this.#byEndpoint.has(pack.endpoint)) return;
    this.#publish(pack.endpoint, { kind: 'readings', readings: liveReadings(pack, position) });
  }

  #publish(endpoint: string | undefined, item: LiveItem): void {
    for (const subscriber of this.#forAll) subscriber.live(item);
    if (endpoint === undefined) return;
    const set = this.#byEndpoint.get(endpoint);
    if (set !== undefined) for (const subscriber of set) subscriber.live(item);
  }

  subscribe(options: SubscribeOptions): LiveSubscription {
    const subscriber = new Subscriber(
      options,
      this.#events,
      this.#log,
      () => this.#position,
      () => {
        this.#remove(subscriber, options.endpoint);
      },
    );
    if (options.endpoint === undefined) {
      this.#forAll.add(subscriber);
    } else {
      const set = this.#byEndpoint.get(options.endpoint);
      if (set === undefined) this.#byEndpoint.set(options.endpoint, new Set([subscriber]));
      else set.add(subscriber);
    }
    subscriber.resume();
    return subscriber;
  }

  #remove(subscriber: Subscriber, endpoint: string | undefined): void {
    if (endpoint === undefined) {
      this.#forAll.delete(subscriber);
      return;
    }
    const set = this.#byEndpoint.get(endpoint);
    set?.delete(subscriber);
    if (set?.size === 0) this.#byEndpoint.delete(endpoint);
  }
}

function liveReadings(pack: Pack, position: LogPosition): LiveReadings {
  return {
    position,
    endpoint: pack.endpoint,
    series: pack.series.map((series) => ({
      path: series.path,
      readings: historyReadings(series, pack.receivedAt),
    })),
  };
}

type SubscriberState = 'live' | 'behind' | 'reading' | 'closed';

class Subscriber implements LiveSubscription {
  readonly #options: SubscribeOptions;
  readonly #events: EventLog;
  readonly #log: TelemetryLog;
  readonly #newest: () => LivePosition;
  readonly #onClose: () => void;
  #event: number;
  #logPosition: LogPosition;
  #state: SubscriberState = 'behind';
  /** It can take more again, said while the last read is still being wound up. */
  #resumed = false;

  constructor(
    options: SubscribeOptions,
    events: EventLog,
    log: TelemetryLog,
    newest: () => LivePosition,
    onClose: () => void,
  ) {
    this.#options = options;
    this.#events = events;
    this.#log = log;
    this.#newest = newest;
    this.#onClose = onClose;
    const start = newest();
    // A position from the future is of another store: nothing of it can be replayed.
    const foreign = options.after.event > start.event || options.after.log > start.log;
    this.#event = foreign ? start.event : options.after.event;
    this.#logPosition = foreign ? start.log : options.after.log;
    if (foreign) options.onGap();
  }

  /** An item as it is appended; passed over while the subscriber is behind, for the log has it. */
  live(item: LiveItem): void {
    if (this.#state !== 'live') return;
    // What was published until now is delivered, or of other devices: it need not be read again, and
    // that the logs lose it some day is no gap.
    const newest = this.#newest();
    if (item.kind === 'event') this.#logPosition = newest.log;
    else this.#event = newest.event;
    if (this.#deliver(item)) return;
    this.#state = 'behind';
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
        if (this.#state === 'closed') return;
        this.close();
        this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#onClose();
  }

  /** True when level with the logs; false when the subscriber asked to be held back, or closed. */
  async #catchUp(): Promise<boolean> {
    for (;;) {
      if (this.#event < this.#newest().event) {
        if (!(await this.#replayEvents())) return false;
      } else if (this.#logPosition < this.#newest().log) {
        if (!(await this.#replayPacks())) return false;
      } else {
        // Set here, not by the caller: what is published before its turn comes would be missed.
        if (this.#state === 'reading') this.#state = 'live';
        return true;
      }
    }
  }

  async #replayEvents(): Promise<boolean> {
    const target = this.#newest().event;
    const { endpoint } = this.#options;
    const { oldest } = await this.#events.extent();
    if (this.#closed()) return false;
    if (oldest > this.#event + 1 && this.#event < target && this.#wantsEvents()) this.#options.onGap();
    const query = { after: this.#event, limit: CATCH_UP_EVENTS };
    const events = await this.#events.read(endpoint === undefined ? query : { ...query, endpoint });
    if (this.#closed()) return false;
    for (const event of events) {
      if (!this.#deliver({ kind: 'event', event })) return false;
    }
    if (events.length < CATCH_UP_EVENTS) this.#event = Math.max(this.#event, target);
    return true;
  }

  async #replayPacks(): Promise<boolean> {
    const target = this.#newest().log;
    if (this.#options.types?.has('readings') === false) {
      this.#logPosition = target;
      return true;
    }
    const { oldest } = await this.#log.extent();
    if (this.#closed()) return false;
    if (oldest > this.#logPosition + 1) this.#options.onGap();
    const entries = await this.#log.read(this.#logPosition, CATCH_UP_PACKS);
    if (this.#closed()) return false;
    for (const entry of entries) {
      if (this.#options.endpoint === undefined || this.#options.endpoint === entry.endpoint) {
        let pack: Pack;
        try {
          pack = decodePack(entry.endpoint, entry.receivedAt, entry.body);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          this.#options.onGap();
          this.#logPosition = entry.position;
          continue;
        }
        if (!this.#deliver({ kind: 'readings', readings: liveReadings(pack, entry.position) })) return false;
      } else {
        this.#logPosition = entry.position;
      }
    }
    // Fewer than asked for may be all that fits one answer: only none means the end.
    if (entries.length === 0) this.#logPosition = Math.max(this.#logPosition, target);
    return true;
  }

  /** False when the subscriber cannot take more now; this item it has taken. */
  #deliver(item: LiveItem): boolean {
    let type: string;
    if (item.kind === 'event') {
      if (item.event.id <= this.#event) return true;
      this.#event = item.event.id;
      type = item.event.type;
    } else {
      if (item.readings.position <= this.#logPosition) return true;
      this.#logPosition = item.readings.position;
      type = 'readings';
    }
    if (this.#options.types?.has(type) === false) return true;
    return this.#options.onItem(item, { event: this.#event, log: this.#logPosition });
  }

  #wantsEvents(): boolean {
    const { types } = this.#options;
    if (types === undefined) return true;
    for (const type of types) if (type !== 'readings') return true;
    return false;
  }

  #closed(): boolean {
    return this.#state === 'closed';
  }
}
