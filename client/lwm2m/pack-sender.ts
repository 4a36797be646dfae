import type { Clock, Timer } from '../../protocol/clock.ts';
import type { ObservationEnd, Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { longestTimer } from './observations.ts';
import { type KeptProgressOf, PackStream, type ReadingStream, type ReportingPeriods } from './pack-stream.ts';
import { notifications, type PackOutcome, type PackTransmission } from './pack-transmission.ts';
import type { PackFormat, SealedPack } from './sealed-pack.ts';

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
  readonly journal?: KeptProgressOf;
}

export interface PackStatistics {
  packsDelivered: number;
  readingsDelivered: number;
  /** Times that a pack went out without being acknowledged; it is kept. */
  packsReturned: number;
  /** Packs that the server declined for good; they are dropped. */
  packsRefused: number;
}

/** After a pack came back although its observer is still there. */
const retryDelay = 1_000;
/** Who falls silent waits so long for the pack under way, ms: a server that is away does not hold up all else. */
const pausePatience = 5_000;

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
  readonly #streams: PackStream[] = [];
  /** How readings go out that nobody observes; undefined: they wait. */
  #unasked: { readonly transmit: PackTransmission; readonly format: PackFormat } | undefined;
  #next = 0;
  #inFlight: PackStream | undefined;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #paused = false;
  #flushing = false;
  #idle: (() => void)[] = [];

  constructor(options: PackSenderOptions) {
    this.#options = options;
  }

  add(source: ReadingStream): void {
    const { rootPath = '/', journal } = this.#options;
    const name = rootPath === '/' ? source.path : rootPath + source.path;
    this.#streams.push(new PackStream(source, name, journal));
  }

  stream(path: string): ReadingStream | undefined {
    return this.#streams.find((stream) => stream.source.path === path)?.source;
  }

  /** Readings that are sealed or wait, of all sensors, or of that path. */
  pending(path?: string): number {
    let sum = 0;
    for (const { source, pending } of this.#streams) {
      if (path === undefined || path === source.path) sum += pending;
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
    stream.attach();
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
    stream.detach();
    return former;
  }

  /** Passes over the readings that wait: they were told otherwise, or were not worth telling. */
  skip(path: string): void {
    this.#streams.find((each) => each.source.path === path)?.skip();
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

  #useUnasked(stream: PackStream): void {
    const unasked = this.#mayRead(stream) ? this.#unasked : undefined;
    stream.transmit = unasked?.transmit;
    stream.notBefore = Number.NEGATIVE_INFINITY;
    if (unasked === undefined) return;
    stream.format = unasked.format;
    stream.attach();
  }

  #mayRead({ source }: PackStream): boolean {
    return this.#options.mayRead?.(source.path) ?? true;
  }

  /** Rights come and go: what may not be read any more ends with 4.01, as other observations do. */
  #followRights(stream: PackStream): void {
    const { observer } = stream;
    if (stream.transmit === undefined) {
      if (observer === undefined && this.#unasked !== undefined) this.#useUnasked(stream);
      return;
    }
    if (this.#mayRead(stream)) return;
    stream.observer = undefined;
    stream.transmit = undefined;
    stream.detach();
    observer?.notify({ code: Code.UNAUTHORIZED }, { confirmable: true });
  }

  /**
   * That observer is gone; the readings stay, or go out without being asked for. Where the server wants them no
   * more they do not wait for it in particular: another server's progress may then do away with them. After a RST
   * that is not so before `known`.
   */
  forget(path: string, observer: Observer, reason: ObservationEnd): void {
    const stream = this.#streams.find((each) => each.source.path === path);
    if (stream?.observer !== observer) return;
    stream.observer = undefined;
    this.#useUnasked(stream);
    if (this.#unasked !== undefined) this.wake();
    else if (reason === 'deregistered') stream.detach();
    else if (reason === 'reset') stream.inDoubt = true;
  }

  /** The server has said that it knows us: what it reset it wants no more. */
  known(): void {
    for (const stream of this.#streams) {
      if (stream.inDoubt && stream.observer === undefined) stream.detach();
      stream.inDoubt = false;
    }
  }

  /** Forgets all observers, without telling them, and sends nothing by itself; the readings stay. */
  clear(): void {
    this.#unasked = undefined;
    for (const stream of this.#streams) {
      const { observer } = stream;
      stream.observer = undefined;
      stream.transmit = undefined;
      stream.inDoubt = false;
      observer?.end();
    }
  }

  /** Sends nothing more until `resume`; resolves when nothing is under way, or what is has had its time. */
  pause(): Promise<void> {
    this.#paused = true;
    this.#cancelTimer();
    if (this.#inFlight === undefined) return Promise.resolve();
    return this.#untilIdle(pausePatience);
  }

  /** When the pack under way is settled, or after that time, ms. */
  #untilIdle(patience: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(patience, resolve);
      this.#idle.push(() => {
        timer.cancel();
        resolve();
      });
    });
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
      const stream = this.#streams[index] as PackStream;
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
      await this.#untilIdle(end - this.#options.clock.now());
    }
    this.#flushing = false;
  }

  /** After `close`: no queue keeps readings for this server any more. */
  forgetReadings(): void {
    for (const stream of this.#streams) stream.forget();
  }

  close(): void {
    this.#paused = true;
    this.#cancelTimer();
  }

  /** When the stream's next pack may and should go out, on the monotonic clock. */
  #dueAt(stream: PackStream, now: number): number {
    if (stream.transmit === undefined) return Number.POSITIVE_INFINITY;
    const { source, reader, observer, sentAt } = stream;
    if (this.#flushing) {
      return stream.pending > 0 ? now : Number.POSITIVE_INFINITY;
    }
    const { minimumPeriod, maximumPeriod } = this.#options;
    const { periods } = stream;
    const minimum = periods === undefined ? minimumPeriod(source.path) : periods.minimumPeriod();
    const pause = observer === undefined ? 0 : minimum * 1_000;
    const earliest = Math.max(sentAt + pause, stream.notBefore);
    if (stream.isFull) return earliest;
    const oldest = reader.oldest;
    if (oldest !== undefined) {
      const age = Math.max(0, this.#options.clock.wallTime() - oldest / 1_000);
      return Math.max(earliest, now + this.#options.packInterval - age);
    }
    if (observer === undefined) return Number.POSITIVE_INFINITY;
    const maximum = periods === undefined ? maximumPeriod(source.path) : periods.maximumPeriod();
    return maximum === undefined ? Number.POSITIVE_INFINITY : Math.max(earliest, sentAt + maximum * 1_000);
  }

  #send(stream: PackStream, now: number): void {
    const { transmit } = stream;
    if (transmit === undefined) return;
    const pack = stream.seal();
    stream.sentAt = now;
    this.#inFlight = stream;
    transmit(pack, (outcome) => this.#settled(stream, pack, transmit, outcome));
  }

  #settled(stream: PackStream, pack: SealedPack, transmit: PackTransmission, outcome: PackOutcome): void {
    this.#inFlight = undefined;
    const { statistics } = this;
    if (outcome.kind === 'returned') statistics.packsReturned++;
    else {
      stream.settled();
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
