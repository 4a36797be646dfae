import type { Observer } from '../../protocol/coap/exchange.ts';
import type { PackJournal } from './pack-journal.ts';
import type { PackTransmission } from './pack-transmission.ts';
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

/** The periods of one observation, in seconds. */
export interface ReportingPeriods {
  minimumPeriod(): number;
  maximumPeriod(): number | undefined;
}

/** Where progress is kept beyond the process, and whose it is. */
export interface KeptProgressOf {
  readonly journal: PackJournal;
  readonly shortServerId: number;
}

/** One sensor's readings on their way to one server: what waits, what is sealed, and who gets it. Times in ms. */
export class PackStream {
  readonly source: ReadingStream;
  readonly reader: QueueReader;
  /** How its packs go out now; undefined: they wait. */
  transmit: PackTransmission | undefined;
  observer: Observer | undefined;
  /** Those of its observation; undefined: those of its path. */
  periods: ReportingPeriods | undefined;
  format: PackFormat = 'senml-cbor';
  /** Sent, or about to be, and not acknowledged: its bytes stay as they are. */
  sealed: SealedPack | undefined;
  /** A RST ended its observation: readings wait until it is known whether the server knows us at all. */
  inDoubt = false;
  sentAt = Number.NEGATIVE_INFINITY;
  /** Not to be tried before, after a pack that came back. */
  notBefore = Number.NEGATIVE_INFINITY;
  readonly #name: string;
  readonly #kept: KeptProgressOf | undefined;
  /** What a process before this one had sealed: to be sealed the same. */
  #again: { readonly position: number; readonly readings: number; readonly format: PackFormat } | undefined;
  /** How many readings fill a pack, as the last one showed. */
  #full = 64;

  /**
   * Goes on where the process before this one was: a pack that the server may have had comes again as it was.
   * `name` is that of its records.
   */
  constructor(source: ReadingStream, name: string, kept: KeptProgressOf | undefined) {
    this.source = source;
    this.reader = source.queue.reader();
    this.#name = name;
    this.#kept = kept;
    const progress = kept?.journal.progress(source.path, kept.shortServerId);
    if (progress === undefined) return;
    this.reader.moveTo(progress.position);
    if (progress.attached) this.reader.attach();
    const { sealed, position } = progress;
    if (sealed !== undefined) this.#again = { ...sealed, position };
  }

  /** Readings that are sealed or wait. */
  get pending(): number {
    return this.reader.length + (this.sealed?.readings ?? 0);
  }

  /** Whether there is a pack that need not wait for more readings. */
  get isFull(): boolean {
    return this.sealed !== undefined || this.#again !== undefined || this.reader.length >= this.#full;
  }

  /** Readings are kept for this server from now on. */
  attach(): void {
    const { source, reader } = this;
    if (reader.attached) return;
    reader.attach();
    this.#note((journal, server) => journal.attached(source.path, server, reader.position, true));
  }

  /** Readings are not kept for this server in particular. */
  detach(): void {
    const { source, reader } = this;
    if (!reader.attached) return;
    reader.detach();
    this.#note((journal, server) => journal.attached(source.path, server, reader.position, false));
  }

  /** As `detach`, and the queue knows nothing of this server any more. */
  forget(): void {
    this.detach();
    this.reader.close();
  }

  /** Passes over the readings that wait. */
  skip(): void {
    this.attach();
    this.reader.remove(this.reader.length);
    if (this.sealed === undefined) this.#noteSettled();
  }

  /** The pack to send next: the sealed one, or one sealed now, of a reading taken now where none waits. */
  seal(): SealedPack {
    if (this.sealed !== undefined) return this.sealed;
    const { source, reader } = this;
    const again = this.#again;
    this.#again = undefined;
    if (reader.length === 0) {
      const { time, value } = source.takeNow();
      source.queue.push(time, value);
    }
    const waiting = reader.length;
    const { position } = reader;
    // A queue that is full does not hold all of a former process's pack any more.
    const repeated = again?.position === position && again.readings <= waiting ? again : undefined;
    const format = repeated?.format ?? this.format;
    const pack = sealPack(this.#name, reader, format, repeated?.readings);
    if (repeated === undefined && pack.readings < waiting) this.#full = pack.readings;
    this.#note((journal, server) => {
      journal.sealed(source.path, server, position, pack.readings, format);
      journal.flush();
    });
    this.sealed = pack;
    return pack;
  }

  /** The sealed pack is with the server, or given up. */
  settled(): void {
    this.sealed = undefined;
    this.#noteSettled();
  }

  #noteSettled(): void {
    const { source, reader } = this;
    this.#note((journal, server) => journal.settled(source.path, server, reader.position));
  }

  #note(tell: (journal: PackJournal, shortServerId: number) => void): void {
    if (this.#kept !== undefined) tell(this.#kept.journal, this.#kept.shortServerId);
  }
}
