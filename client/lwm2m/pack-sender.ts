import type { Clock, Timer } from '../../protocol/clock.ts';
import type { ObservationEnd, Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { longestTimer } from './observations.ts';
import type { PackJournal } from './pack-journal.ts';
import { notifications, type PackOutcome, type PackTransmission } from './pack-transmission.ts';
import type { QueueReader, ReadingQueue } from './reading-queue.ts';
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
  /** Whether the server may read what is at a path, now; default: it may. */
  readonly mayRead?: (path: string) => boolean;
  /** What stands before paths in the names of packs: the client's root path; default `/`, and then nothing. */
  readonly rootPath?: string;
  readonly onDelivered?: (path: string, readings: number) => void;
  /** Where progress is kept beyond the process, and whose it is. */
  readonly journal?: { readonly journal: PackJournal; readonly shortServerId: number };
}

export interface PackStatistics {
  packsDelivered: number;
  readingsDelivered: number;
  /** Times that a pack went out without being acknowledged; it is kept. */
  packsReturned: number;
  /** Packs that the server declined for good; they are dropped. */
  packsRefused: number;
}

/** The periods of one observation, in seconds. */
export interface ReportingPeriods {
  minimumPeriod(): number;
  maximumPeriod(): number | undefined;
}

interface Stream {
  readonly source: ReadingStream;
  readonly reader: QueueReader;
  /** How its packs go out now; undefined: they wait. */
  transmit: PackTransmission | undefined;
  observer: Observer | undefined;
  /** Those of its observation; undefined: those of its path. */
  periods: ReportingPeriods | undefined;
  format: PackFormat;
  /** Sent, or about to be, and not acknowledged: its bytes stay as they are. */
  sealed: SealedPack | undefined;
  /** What a process before this one had sealed: to be sealed the same. */
  again: { readonly position: number; readonly readings: number; readonly format: PackFormat } | undefined;
  sentAt: number;
  /** Not to be tried before, after a pack that came back. */
  notBefore: number;
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
  readonly statistics: PackStatistics = {
    packsDelivered: 0,
    readingsDelivered: 0,
    packsReturned: 0,
    packsRefused: 0,
  };
  readonly #options: PackSenderOptions;
  readonly #streams: Stream[] = [];
  /** How readings go out that nobody observes; undefined: they wait. */
  #unasked: { readonly transmit: PackTransmission; readonly format: PackFormat } | undefined;
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
    const stream: Stream = {
      source,
      reader: source.queue.reader(),
      transmit: undefined,
      observer: undefined,
      periods: undefined,
      format: 'senml-cbor',
      sealed: undefined,
      again: undefined,
      sentAt: Number.NEGATIVE_INFINITY,
      notBefore: Number.NEGATIVE_INFINITY,
      full: 64,
    };
    this.#restore(stream);
    this.#streams.push(stream);
  }

  /** Goes on where the process before this one was: a pack that the server may have had comes again as it was. */
  #restore(stream: Stream): void {
    const { source, reader } = stream;
    const kept = this.#options.journal;
    const progress = kept?.journal.progress(source.path, kept.shortServerId);
    if (progress === undefined) return;
    reader.moveTo(progress.position);
    if (progress.attached) reader.attach();
    const { sealed, position } = progress;
    if (sealed !== undefined) stream.again = { ...sealed, position };
  }

  #nameOf({ path }: ReadingStream): string {
    const { rootPath = '/' } = this.#options;
    return rootPath === '/' ? path : rootPath + path;
  }

  stream(path: string): ReadingStream | undefined {
    return this.#streams.find((stream) => stream.source.path === path)?.source;
  }

  /** Readings that are sealed or wait, of all sensors, or of that path. */
  pending(path?: string): number {
    let sum = 0;
    for (const { source, reader, sealed } of this.#streams) {
      if (path === undefined || path === source.path) sum += reader.length + (sealed?.readings ?? 0);
    }
    return sum;
  }

  /**
   * Packs of this path go to this observer from now on; returns the one before, which gets none any more.
   * `periods` where the observation has its own.
   */
  observe(
    path: string,
    observer: Observer,
    format: PackFormat,
    periods?: ReportingPeriods,
  ): Observer | undefined {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream === undefined) throw new Error(`${path} has no readings`);
    const former = stream.observer;
    stream.observer = observer;
    stream.periods = periods;
    stream.transmit = notifications(observer);
    stream.notBefore = Number.NEGATIVE_INFINITY;
    stream.format = format;
    stream.sentAt = this.#options.clock.now();
    this.#attach(stream);
    this.wake();
    return former;
  }

  /** This observer is told of the path otherwise, until `forget` or `observe`; returns the one before. */
  withhold(path: string, observer: Observer): Observer | undefined {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream === undefined) throw new Error(`${path} has no readings`);
    const former = stream.observer;
    stream.observer = observer;
    stream.transmit = undefined;
    this.#detach(stream);
    return former;
  }

  /** Passes over the readings that wait: they were told otherwise, or were not worth telling. */
  skip(path: string): void {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream === undefined) return;
    this.#attach(stream);
    stream.reader.remove(stream.reader.length);
    if (stream.sealed !== undefined) return;
    this.#note((journal, server) => journal.settled(path, server, stream.reader.position));
  }

  /**
   * Packs of what nobody observes go out this way from now on, without regard to notification attributes;
   * until `clear`, or with undefined no longer.
   */
  sendBy(transmit: PackTransmission | undefined, format: PackFormat = 'senml-cbor'): void {
    // What waits because the server asked for it goes on waiting.
    if (this.#unasked?.transmit === transmit && this.#unasked?.format === format) return;
    this.#unasked = transmit === undefined ? undefined : { transmit, format };
    for (const stream of this.#streams) if (stream.observer === undefined) this.#useUnasked(stream);
    this.wake();
  }

  #useUnasked(stream: Stream): void {
    const unasked = this.#mayRead(stream) ? this.#unasked : undefined;
    stream.transmit = unasked?.transmit;
    stream.notBefore = Number.NEGATIVE_INFINITY;
    if (unasked === undefined) return;
    stream.format = unasked.format;
    this.#attach(stream);
  }

  #mayRead({ source }: Stream): boolean {
    return this.#options.mayRead?.(source.path) ?? true;
  }

  /** Rights come and go: what may not be read any more ends with 4.01, as other observations do. */
  #followRights(stream: Stream): void {
    const { observer } = stream;
    if (stream.transmit === undefined) {
      if (observer === undefined && this.#unasked !== undefined) this.#useUnasked(stream);
      return;
    }
    if (this.#mayRead(stream)) return;
    stream.observer = undefined;
    stream.transmit = undefined;
    this.#detach(stream);
    observer?.notify({ code: Code.UNAUTHORIZED }, { confirmable: true });
  }

  /**
   * That observer is gone; the readings stay, or go out without being asked for. Where the server wants them no
   * more they do not wait for it in particular: another server's progress may then do away with them.
   */
  forget(path: string, observer: Observer, reason: ObservationEnd): void {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream?.observer !== observer) return;
    stream.observer = undefined;
    this.#useUnasked(stream);
    if (this.#unasked !== undefined) this.wake();
    else if (reason === 'deregistered' || reason === 'reset') this.#detach(stream);
  }

  #attach({ source, reader }: Stream): void {
    if (reader.attached) return;
    reader.attach();
    this.#note((journal, server) => journal.attached(source.path, server, reader.position, true));
  }

  #detach({ source, reader }: Stream): void {
    if (!reader.attached) return;
    reader.detach();
    this.#note((journal, server) => journal.attached(source.path, server, reader.position, false));
  }

  #note(tell: (journal: PackJournal, shortServerId: number) => void): void {
    const kept = this.#options.journal;
    if (kept !== undefined) tell(kept.journal, kept.shortServerId);
  }

  /** Forgets all observers, without telling them, and sends nothing by itself; the readings stay. */
  clear(): void {
    this.#unasked = undefined;
    for (const stream of this.#streams) {
      const { observer } = stream;
      stream.observer = undefined;
      stream.transmit = undefined;
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
      this.#followRights(stream);
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
    if (stream.transmit === undefined) return Number.POSITIVE_INFINITY;
    const { source, reader, observer, sentAt } = stream;
    if (this.#flushing) {
      return stream.sealed !== undefined || reader.length > 0 ? now : Number.POSITIVE_INFINITY;
    }
    const { minimumPeriod, maximumPeriod } = this.#options;
    const { periods } = stream;
    const minimum = periods === undefined ? minimumPeriod(source.path) : periods.minimumPeriod();
    const pause = observer === undefined ? 0 : minimum * 1_000;
    const earliest = Math.max(sentAt + pause, stream.notBefore);
    if (stream.sealed !== undefined || stream.again !== undefined || reader.length >= stream.full) {
      return earliest;
    }
    const oldest = reader.oldest;
    if (oldest !== undefined) {
      const age = Math.max(0, this.#options.clock.wallTime() - oldest / 1_000);
      return Math.max(earliest, now + this.#options.packInterval - age);
    }
    if (observer === undefined) return Number.POSITIVE_INFINITY;
    const maximum = periods === undefined ? maximumPeriod(source.path) : periods.maximumPeriod();
    return maximum === undefined ? Number.POSITIVE_INFINITY : Math.max(earliest, sentAt + maximum * 1_000);
  }

  #send(stream: Stream, now: number): void {
    const { transmit } = stream;
    if (transmit === undefined) return;
    stream.sealed ??= this.#seal(stream);
    const pack = stream.sealed;
    stream.sentAt = now;
    this.#inFlight = stream;
    transmit(pack, (outcome) => this.#settled(stream, pack, transmit, outcome));
  }

  #seal(stream: Stream): SealedPack {
    const { source, reader, again } = stream;
    stream.again = undefined;
    if (reader.length === 0) {
      // The maximum period is over and no regular reading fell into it.
      const { time, value } = source.takeNow();
      source.queue.push(time, value);
    }
    const waiting = reader.length;
    const { position } = reader;
    // A queue that is full does not hold all of a former process's pack any more.
    const repeated = again?.position === position && again.readings <= waiting ? again : undefined;
    const format = repeated?.format ?? stream.format;
    const pack = sealPack(this.#nameOf(source), reader, format, repeated?.readings);
    if (repeated === undefined && pack.readings < waiting) stream.full = pack.readings;
    this.#note((journal, server) => {
      journal.sealed(source.path, server, position, pack.readings, format);
      journal.flush();
    });
    return pack;
  }

  #settled(stream: Stream, pack: SealedPack, transmit: PackTransmission, outcome: PackOutcome): void {
    this.#inFlight = undefined;
    const { statistics } = this;
    if (outcome.kind === 'returned') statistics.packsReturned++;
    else {
      stream.sealed = undefined;
      const { source, reader } = stream;
      this.#note((journal, server) => journal.settled(source.path, server, reader.position));
      if (outcome.kind === 'refused') statistics.packsRefused++;
      else {
        statistics.packsDelivered++;
        statistics.readingsDelivered += pack.readings;
        this.#options.onDelivered?.(stream.source.path, pack.readings);
      }
    }
    if (!this.#paused) {
      if (outcome.kind === 'returned' && stream.transmit === transmit) {
        stream.notBefore = this.#options.clock.now() + (outcome.wait ?? retryDelay);
      }
      // A flush that was answered with a refusal has nothing to hurry for any more.
      if (outcome.kind !== 'returned' || !this.#flushing) this.wake();
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
