import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../protocol/clock.ts';
import { AtomicFile } from './atomic-file.ts';
import type { KeptProgress, PackJournal } from './lwm2m/pack-journal.ts';
import type { ReadingQueue } from './lwm2m/reading-queue.ts';
import type { PackFormat } from './lwm2m/sealed-pack.ts';
import {
  decodeReadingLog,
  encodeHeader,
  type KeptStream,
  type LogRecord,
  packFormats,
  RecordKind,
  recordBytes,
  renumbered,
  withoutDropped,
  writeRecord,
} from './reading-log-format.ts';

export interface ReadingLogOptions {
  readonly path: string;
  readonly clock: Clock;
  /** The sensors' paths, in their order. */
  readonly streams: readonly string[];
  /** It cannot be written any more; readings are in memory only from now on. */
  readonly onFailure: (error: Error) => void;
  /** Bytes from which on the file is written anew without what is settled. */
  readonly compactFrom?: number;
}

/** After what is written the disk is asked to have it, ms: so much a power cut can take. */
const syncInterval = 1_000;
const defaultCompactFrom = 1024 * 1024;
/** Written anew only where at least so much of it is of no use any more. */
const worthwhile = 4;
const bufferBytes = 64 * 1024;

/**
 * The readings of one modem that wait to be sent, in a file: what is taken and what becomes of it is
 * appended, in writes that the caller groups. A kill of the process loses nothing that was flushed, a power
 * cut a second at most. What a cut leaves torn at the end is passed over.
 */
export class ReadingLog implements PackJournal {
  readonly #options: ReadingLogOptions;
  /** What the process before this one left, by path; without readings that are in their queue by now. */
  readonly #kept: Map<string, KeptStream>;
  readonly #queues = new Map<string, ReadingQueue>();
  readonly #buffer = new DataView(new ArrayBuffer(bufferBytes));
  #buffered = 0;
  #file: number | undefined;
  #size = 0;
  #syncTimer: Timer | undefined;
  #syncing = false;

  /** @throws StateFileError another kind of file; the system's errors */
  constructor(options: ReadingLogOptions) {
    this.#options = options;
    mkdirSync(dirname(options.path), { recursive: true });
    // Positions begin anew where the queues do: with the process.
    this.#kept = new Map([...this.#read()].map(([path, stream]) => [path, renumbered(stream)]));
    this.#rewrite(this.#kept);
  }

  follow(path: string, queue: ReadingQueue): void {
    const index = this.#index(path);
    const kept = this.#kept.get(path);
    for (const { time, value } of kept?.readings ?? []) queue.push(time, value);
    if (kept !== undefined) this.#kept.set(path, { ...kept, readings: [] });
    this.#queues.set(path, queue);
    queue.onPush = (time, value) =>
      this.#append({ kind: RecordKind.READING, stream: index, server: 0, a: time, b: value });
  }

  progress(path: string, shortServerId: number): KeptProgress | undefined {
    return this.#kept.get(path)?.servers.get(shortServerId);
  }

  attached(path: string, server: number, position: number, attached: boolean): void {
    this.#append({
      kind: attached ? RecordKind.ATTACHED : RecordKind.DETACHED,
      stream: this.#index(path),
      server,
      a: position,
      b: 0,
    });
  }

  sealed(path: string, server: number, position: number, readings: number, format: PackFormat): void {
    this.#append({
      kind: RecordKind.SEALED,
      stream: this.#index(path),
      server,
      a: position,
      b: readings * packFormats.length + packFormats.indexOf(format),
    });
  }

  settled(path: string, server: number, position: number): void {
    this.#append({ kind: RecordKind.SETTLED, stream: this.#index(path), server, a: position, b: 0 });
  }

  flush(): void {
    if (this.#file === undefined || this.#buffered === 0) return;
    const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#buffered);
    this.#buffered = 0;
    this.#guard((file) => {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
      this.#size += bytes.length;
    });
    const { compactFrom = defaultCompactFrom } = this.#options;
    if (this.#size >= compactFrom && this.#size > worthwhile * this.#liveBytes()) {
      this.#guard(() => this.#rewrite(this.#live()));
    }
    this.#syncSoon();
  }

  /** Flushes, and waits for the disk. Idempotent. */
  close(): void {
    this.flush();
    this.#syncTimer?.cancel();
    this.#guard((file) => fdatasyncSync(file));
    for (const queue of this.#queues.values()) queue.onPush = undefined;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #index(path: string): number {
    const index = this.#options.streams.indexOf(path);
    if (index < 0) throw new Error(`${path} is no stream of ${this.#options.path}`);
    return index;
  }

  #append(record: LogRecord): void {
    if (this.#file === undefined) return;
    if (this.#buffered + recordBytes > bufferBytes) this.flush();
    writeRecord(this.#buffer, this.#buffered, record);
    this.#buffered += recordBytes;
  }

  #read(): Map<string, KeptStream> {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(this.#options.path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
      throw error;
    }
    return decodeReadingLog(this.#options.path, bytes);
  }

  /** What the file holds that is still to be sent: what a full queue has dropped is not. */
  #live(): Map<string, KeptStream> {
    const kept = this.#read();
    for (const [path, queue] of this.#queues) {
      const stream = kept.get(path);
      if (stream !== undefined) kept.set(path, withoutDropped(stream, queue.position));
    }
    return kept;
  }

  /** Leaves only what is given; positions stay as they are. */
  #rewrite(kept: ReadonlyMap<string, KeptStream>): void {
    const { path, streams } = this.#options;
    const records: LogRecord[] = [];
    for (const [stream, each] of streams.entries()) {
      const { next = 0, readings = [], servers = [] } = kept.get(each) ?? {};
      let expected = readings[0]?.position ?? next;
      records.push({ kind: RecordKind.BASE, stream, server: 0, a: expected, b: 0 });
      for (const { position, time, value } of readings) {
        if (position !== expected) {
          records.push({ kind: RecordKind.BASE, stream, server: 0, a: position, b: 0 });
        }
        expected = position + 1;
        records.push({ kind: RecordKind.READING, stream, server: 0, a: time, b: value });
      }
      if (expected !== next) records.push({ kind: RecordKind.BASE, stream, server: 0, a: next, b: 0 });
      for (const [server, { position, attached, sealed }] of servers) {
        const kind = attached ? RecordKind.ATTACHED : RecordKind.DETACHED;
        records.push({ kind, stream, server, a: position, b: 0 });
        if (sealed !== undefined) {
          const b = sealed.readings * packFormats.length + packFormats.indexOf(sealed.format);
          records.push({ kind: RecordKind.SEALED, stream, server, a: position, b });
        }
      }
    }
    const header = encodeHeader(streams);
    const bytes = new Uint8Array(header.length + records.length * recordBytes);
    bytes.set(header);
    const view = new DataView(bytes.buffer);
    for (const [i, record] of records.entries()) writeRecord(view, header.length + i * recordBytes, record);
    new AtomicFile(path).write(bytes);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = openSync(path, 'a', 0o600);
    this.#size = bytes.length;
  }

  /** What the file would hold if it were written anew, at most. */
  #liveBytes(): number {
    let readings = 0;
    for (const queue of this.#queues.values()) readings += queue.length;
    return readings * recordBytes;
  }

  #syncSoon(): void {
    if (this.#syncTimer !== undefined || this.#syncing || this.#file === undefined) return;
    this.#syncTimer = this.#options.clock.setTimer(syncInterval, () => {
      this.#syncTimer = undefined;
      const file = this.#file;
      if (file === undefined) return;
      this.#syncing = true;
      fdatasync(file, (error) => {
        this.#syncing = false;
        // A file that was replaced meanwhile is on disk already.
        if (error !== null && file === this.#file) this.#fail(error);
      });
    });
  }

  #guard(work: (file: number) => void): void {
    if (this.#file === undefined) return;
    try {
      work(this.#file);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      this.#fail(error);
    }
  }

  /** A disk that is full, or gone: half a truth on it is worse than none. */
  #fail(error: Error): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) {
      try {
        ftruncateSync(file, 0);
      } catch (second) {
        if (!(second instanceof Error && 'syscall' in second)) throw second;
      }
      closeSync(file);
    }
    this.#options.onFailure(error);
  }
}
