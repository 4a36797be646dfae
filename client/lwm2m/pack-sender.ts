import type { Clock, Timer } from '../../protocol/clock.ts';
import type { ObservationEnd, Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption } from '../../protocol/coap/options.ts';
import { longestTimer } from './observations.ts';
import type { ReadingQueue } from './reading-queue.ts';
import { type PackFormat, type SealedPack, sealPack } from './sealed-pack.ts';

/** One sensor's readings that go out as packs while its value is observed. */
export interface ReadingStream {
  /** Path of the value, `/42770/0/2`. */
  readonly path: string;
  readonly queue: ReadingQueue;
  /** Takes a reading now, beside the regular ones, that is not put in the queue. Time in µs since the epoch. */
  takeNow(): { readonly time: number; readonly value: number };
}

export interface PackSenderOptions {
  readonly clock: Clock;
  /** How long a reading waits for others to share its pack, ms. */
  readonly packInterval: number;
  /** Notification attributes that hold at a path, in seconds. */
  readonly minimumPeriod: (path: string) => number;
  readonly maximumPeriod: (path: string) => number | undefined;
  readonly onDelivered?: (path: string, readings: number) => void;
}

export interface PackStatistics {
  packsDelivered: number;
  readingsDelivered: number;
  /** Times that a pack went out without being acknowledged; it is kept. */
  packsReturned: number;
}

interface Stream {
  readonly source: ReadingStream;
  observer: Observer | undefined;
  format: PackFormat;
  /** Sent, or about to be, and not acknowledged: its bytes stay as they are. */
  sealed: SealedPack | undefined;
  sentAt: number;
  /** How many readings fill a pack, as the last one showed. */
  full: number;
}

/** After a pack came back although its observer is still there. */
const retryDelay = 1_000;

/**
 * Sends readings in packs, one confirmable pack of the whole device at a time. A pack is sealed once;
 * when it is not acknowledged it is kept and sent again as the very same bytes to the next observer
 * of its path, so that the server sees a repetition for what it is. Acknowledged, it is dropped.
 */
export class PackSender {
  readonly statistics: PackStatistics = { packsDelivered: 0, readingsDelivered: 0, packsReturned: 0 };
  readonly #options: PackSenderOptions;
  readonly #streams: Stream[] = [];
  #next = 0;
  #inFlight: Stream | undefined;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #paused = false;
  #flushing = false;
  #idle: (() => void)[] = [];

  constructor(options: PackSenderOptions) {
    this.#options = options;
  }

  add(source: ReadingStream): void {
    this.#streams.push({
      source,
      observer: undefined,
      format: 'senml-cbor',
      sealed: undefined,
      sentAt: Number.NEGATIVE_INFINITY,
      full: 64,
    });
  }

  stream(path: string): ReadingStream | undefined {
    return this.#streams.find((stream) => stream.source.path === path)?.source;
  }

  /** Readings that are sealed or wait, of all sensors. */
  get pending(): number {
    return this.#streams.reduce((sum, s) => sum + s.source.queue.length + (s.sealed?.readings ?? 0), 0);
  }

  /** Readings that were lost because a queue was full. */
  get dropped(): number {
    return this.#streams.reduce((sum, s) => sum + s.source.queue.dropped, 0);
  }

  /** Packs of this path go to this observer from now on; returns the one before, which gets none any more. */
  observe(path: string, observer: Observer, format: PackFormat): Observer | undefined {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream === undefined) throw new Error(`${path} has no readings`);
    const former = stream.observer;
    stream.observer = observer;
    stream.format = format;
    stream.sentAt = this.#options.clock.now();
    this.wake();
    return former;
  }

  /** That observer is gone; the readings stay. */
  forget(path: string, observer: Observer, _reason: ObservationEnd): void {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream?.observer === observer) stream.observer = undefined;
  }

  /** Forgets all observers, without telling them; the readings stay. */
  clear(): void {
    for (const stream of this.#streams) {
      const { observer } = stream;
      stream.observer = undefined;
      observer?.end();
    }
  }

  /** Sends nothing more until `resume`; resolves when nothing is under way. */
  pause(): Promise<void> {
    this.#paused = true;
    this.#cancelTimer();
    if (this.#inFlight === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** New readings are in a queue, or a period has changed. */
  wake(): void {
    if (this.#paused || this.#inFlight !== undefined) return;
    const now = this.#options.clock.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#streams.length; i++) {
      const index = (this.#next + i) % this.#streams.length;
      const stream = this.#streams[index] as Stream;
      const due = this.#dueAt(stream, now);
      if (due <= now) {
        this.#next = (index + 1) % this.#streams.length;
        this.#send(stream, now);
        return;
      }
      earliest = Math.min(earliest, due);
    }
    this.#setTimer(earliest, now);
  }

  /**
   * Sends what observers are still to get, without waiting for more to share a pack; resolves when they
   * have it, or after the time (ms), or when nobody observes what is left.
   */
  async flush(patience: number): Promise<void> {
    const end = this.#options.clock.now() + patience;
    this.#flushing = true;
    this.wake();
    while (this.#inFlight !== undefined && this.#options.clock.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.setTimer(end - this.#options.clock.now(), resolve);
        this.#idle.push(() => {
          timer.cancel();
          resolve();
        });
      });
    }
    this.#flushing = false;
  }

  close(): void {
    this.#paused = true;
    this.#cancelTimer();
  }

  /** When the stream's next pack may and should go out, on the monotonic clock. */
  #dueAt(stream: Stream, now: number): number {
    if (stream.observer === undefined) return Number.POSITIVE_INFINITY;
    const { source, sentAt } = stream;
    if (this.#flushing) {
      return stream.sealed !== undefined || source.queue.length > 0 ? now : Number.POSITIVE_INFINITY;
    }
    const earliest = sentAt + this.#options.minimumPeriod(source.path) * 1_000;
    if (stream.sealed !== undefined || source.queue.length >= stream.full) return earliest;
    const oldest = source.queue.oldest;
    if (oldest !== undefined) {
      const age = Math.max(0, this.#options.clock.wallTime() - oldest / 1_000);
      return Math.max(earliest, now + this.#options.packInterval - age);
    }
    const maximum = this.#options.maximumPeriod(source.path);
    return maximum === undefined ? Number.POSITIVE_INFINITY : Math.max(earliest, sentAt + maximum * 1_000);
  }

  #send(stream: Stream, now: number): void {
    const { source, observer } = stream;
    if (observer === undefined) return;
    if (stream.sealed === undefined) {
      if (source.queue.length === 0) {
        // The maximum period is over and no regular reading fell into it.
        const { time, value } = source.takeNow();
        source.queue.push(time, value);
      }
      const waiting = source.queue.length;
      stream.sealed = sealPack(source.path, source.queue, stream.format);
      if (stream.sealed.readings < waiting) stream.full = stream.sealed.readings;
    }
    const pack = stream.sealed;
    stream.sentAt = now;
    this.#inFlight = stream;
    observer.notify(
      {
        code: Code.CONTENT,
        options: [contentFormatOption(pack.contentFormat)],
        payload: pack.payload,
      },
      { confirmable: true, keep: true },
      (delivered) => this.#settled(stream, pack, observer, delivered),
    );
  }

  #settled(stream: Stream, pack: SealedPack, observer: Observer, delivered: boolean): void {
    this.#inFlight = undefined;
    if (delivered) {
      stream.sealed = undefined;
      this.statistics.packsDelivered++;
      this.statistics.readingsDelivered += pack.readings;
      this.#options.onDelivered?.(stream.source.path, pack.readings);
    } else {
      this.statistics.packsReturned++;
    }
    if (!this.#paused) {
      if (delivered || stream.observer !== observer) this.wake();
      else if (!this.#flushing) {
        this.#setTimer(this.#options.clock.now() + retryDelay, this.#options.clock.now());
      }
    }
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #setTimer(at: number, now: number): void {
    if (at >= this.#timerAt && this.#timer !== undefined) return;
    this.#cancelTimer();
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timerAt = at;
    this.#timer = this.#options.clock.setTimer(Math.min(Math.max(1, at - now), longestTimer), () => {
      this.#timer = undefined;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }
}
