import type { DatabaseSync } from 'node:sqlite';
import type { LogPosition } from '../ports/telemetry-log.ts';
import { EntryReader } from './append-batch.ts';
import { KeyIndex } from './key-index.ts';

/** Entries whose hashes make one row of `log_keys`. */
const keyBlock = 4096;

/** Each of the two generations of the key index: the newest 4 to 8 million entries are known, in up to 128 MB. */
export const keyGeneration = 4_194_304;

/** Most segments that one trim step removes, so that appends need not wait long. */
const trimSegments = 256;

/** What became of a batch. Entries that are no duplicates have positions from `first`, in order. */
export interface AppendResult {
  readonly first: LogPosition;
  /** Index in the batch and position of the entry that was there before, by turns. */
  readonly duplicates: readonly number[];
}

/** Segments as they are stored, and the position of the first entry of each. */
export interface LogSegments {
  readonly firsts: readonly LogPosition[];
  readonly segments: readonly Uint8Array<ArrayBuffer>[];
  /** Entries below are trimmed or not asked for. */
  readonly from: LogPosition;
}

const segmentsFrom = `SELECT first, count, entries FROM log_segment
  WHERE first >= coalesce((SELECT max(first) FROM log_segment WHERE first <= ?1), 0) ORDER BY first`;

/** Reads the log, in the thread that writes it or in another. */
export class LogReader {
  readonly #oldest;
  readonly #segmentsFrom;

  constructor(database: DatabaseSync) {
    this.#oldest = database.prepare('SELECT oldest FROM log_bounds');
    this.#segmentsFrom = database.prepare(segmentsFrom);
  }

  /** Whole segments that hold the entries asked for; fewer than these where they have more bytes than that. */
  read(after: LogPosition, limit: number, maxBytes: number): LogSegments {
    const from = Math.max(after + 1, this.#oldest.get()?.['oldest'] as number);
    const firsts: LogPosition[] = [];
    const segments: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    if (limit <= 0) return { firsts, segments, from };
    for (const row of this.#segmentsFrom.iterate(from)) {
      const first = row['first'] as number;
      const end = first + (row['count'] as number);
      if (end <= from) continue;
      const entries = row['entries'] as Uint8Array<ArrayBuffer>;
      firsts.push(first);
      segments.push(entries);
      bytes += entries.length;
      if (bytes >= maxBytes || end >= from + limit) break;
    }
    return { firsts, segments, from };
  }
}

/** The log on the worker's side, but for its reading. */
export class LogTable {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #insertKeys;
  readonly #segmentOf;
  readonly #segmentsFrom;
  readonly #oldestSegments;
  readonly #index = new KeyIndex(keyGeneration);
  /** Hashes of the entries since the last full block. */
  #tail: number[] = [];
  #oldest = 1;
  #next = 1;
  #total = 0;
  #trimmed = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO log_segment (first, count, received_at, total, entries) VALUES (?, ?, ?, ?, ?)',
    );
    this.#insertKeys = database.prepare('INSERT OR REPLACE INTO log_keys (first, hashes) VALUES (?, ?)');
    this.#segmentOf = database.prepare(
      'SELECT first, entries FROM log_segment WHERE first <= ? ORDER BY first DESC LIMIT 1',
    );
    this.#segmentsFrom = database.prepare(segmentsFrom);
    this.#oldestSegments = database.prepare(
      'SELECT first, count, received_at, total FROM log_segment ORDER BY first LIMIT ?',
    );
    this.reload();
    this.#loadKeys();
  }

  /** Reads the bounds anew: at the start, and after a transaction that was rolled back. */
  reload(): void {
    const bounds = this.#database.prepare('SELECT oldest, next, trimmed FROM log_bounds').get();
    const newest = this.#database
      .prepare('SELECT first, count, total FROM log_segment ORDER BY first DESC LIMIT 1')
      .get();
    this.#oldest = bounds?.['oldest'] as number;
    this.#trimmed = bounds?.['trimmed'] as number;
    this.#next = bounds?.['next'] as number;
    this.#total = this.#trimmed;
    if (newest !== undefined) {
      this.#next = Math.max(this.#next, (newest['first'] as number) + (newest['count'] as number));
      this.#total = newest['total'] as number;
    }
    this.#tail = [];
    for (const hash of this.#unblocked()) this.#tail.push(hash);
  }

  /** Appends the entries of one batch as one segment; its memory may be rearranged. */
  append(buffer: Uint8Array, length: number): AppendResult {
    const first = this.#next;
    const reader = new EntryReader(buffer, length);
    const duplicates: number[] = [];
    let position = first;
    let kept = 0;
    let bodies = 0;
    let receivedAt = Number.NEGATIVE_INFINITY;
    for (let index = 0; reader.next(); index++) {
      const hash = reader.hash;
      const end = position;
      const before = this.#index.find(hash, end, (candidate) =>
        this.#isSame(candidate, reader, candidate >= first ? { buffer, kept, first } : undefined),
      );
      if (before !== undefined) {
        duplicates.push(index, before);
        continue;
      }
      if (kept !== reader.start) buffer.copyWithin(kept, reader.start, reader.end);
      kept += reader.end - reader.start;
      bodies += reader.bodyLength;
      receivedAt = Math.max(receivedAt, reader.receivedAt);
      this.#remember(hash, position);
      position += 1;
    }
    if (position > first) {
      this.#total += bodies;
      this.#next = position;
      this.#insert.run(first, position - first, receivedAt, this.#total, buffer.subarray(0, kept));
    }
    return { first, duplicates };
  }

  extent(): { readonly oldest: LogPosition; readonly newest: LogPosition } {
    const newest = this.#next - 1;
    return { oldest: newest === 0 ? 0 : this.#oldest, newest };
  }

  cursor(consumer: string): LogPosition {
    const row = this.#database.prepare('SELECT position FROM log_cursor WHERE consumer = ?').get(consumer);
    return (row?.['position'] as number | undefined) ?? 0;
  }

  commit(consumer: string, position: LogPosition): void {
    this.#database
      .prepare(
        `INSERT INTO log_cursor VALUES (?, ?)
         ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
      )
      .run(consumer, position);
  }

  /** One step of a trim: how many entries it removed, and whether there is more to remove. */
  trim(receivedBefore: number, maxBytes: number): { readonly removed: number; readonly more: boolean } {
    const start = this.#oldest;
    let segmentsGone = 0;
    let more = false;
    for (const row of this.#oldestSegments.all(trimSegments)) {
      const first = row['first'] as number;
      const end = first + (row['count'] as number);
      const total = row['total'] as number;
      // All of it goes where its newest entry is too old, or where what follows it fills the bounds.
      const whole = (row['received_at'] as number) < receivedBefore || this.#total - total >= maxBytes;
      if (!whole) {
        this.#trimWithin(first, receivedBefore, maxBytes);
        more = false;
        break;
      }
      segmentsGone = end;
      this.#oldest = end;
      this.#trimmed = total;
      more = true;
    }
    if (this.#oldest === start) return { removed: 0, more: false };
    this.#database.prepare('DELETE FROM log_segment WHERE first < ?').run(segmentsGone);
    this.#database.prepare('DELETE FROM log_keys WHERE first + ? <= ?').run(keyBlock, this.#oldest);
    this.#database
      .prepare('UPDATE log_bounds SET oldest = ?, next = ?, trimmed = ?')
      .run(this.#oldest, this.#next, this.#trimmed);
    return { removed: this.#oldest - start, more };
  }

  /** Hides the entries at the head of a segment of which some stay. */
  #trimWithin(first: LogPosition, receivedBefore: number, maxBytes: number): void {
    const row = this.#segmentOf.get(first);
    const reader = new EntryReader(row?.['entries'] as Uint8Array);
    for (let position = first; reader.next(); position++) {
      if (position < this.#oldest) continue;
      if (reader.receivedAt >= receivedBefore && this.#total - this.#trimmed <= maxBytes) return;
      this.#trimmed += reader.bodyLength;
      this.#oldest = position + 1;
    }
  }

  #isSame(
    candidate: LogPosition,
    reader: EntryReader,
    current: { readonly buffer: Uint8Array; readonly kept: number; readonly first: LogPosition } | undefined,
  ): boolean {
    if (candidate < this.#oldest) return false;
    let first: number;
    let entries: EntryReader;
    if (current === undefined) {
      const row = this.#segmentOf.get(candidate);
      if (row === undefined) return false;
      first = row['first'] as number;
      entries = new EntryReader(row['entries'] as Uint8Array);
    } else {
      first = current.first;
      entries = new EntryReader(current.buffer, current.kept);
    }
    for (let position = first; entries.next(); position++) {
      if (position === candidate) return entries.sameIdentity(reader);
    }
    return false;
  }

  /** Notes the hash of the entry at a position, and writes a block of them when it is full. */
  #remember(hash: number, position: LogPosition): void {
    this.#index.add(hash, position);
    this.#tail.push(hash);
    if (position % keyBlock !== 0) return;
    const hashes = Uint32Array.from(this.#tail);
    this.#insertKeys.run(position - hashes.length + 1, new Uint8Array(hashes.buffer));
    this.#tail = [];
  }

  /** Fills the index from the blocks of hashes, and from the entries after the last full block. */
  #loadKeys(): void {
    const from = Math.max(this.#oldest, this.#next - 2 * keyGeneration);
    const blocks = this.#database.prepare(
      'SELECT first, hashes FROM log_keys WHERE first > ? ORDER BY first',
    );
    for (const row of blocks.iterate(from - keyBlock)) {
      const bytes = row['hashes'] as Uint8Array;
      const hashes = new Uint32Array(bytes.slice().buffer);
      let position = row['first'] as number;
      for (const hash of hashes) this.#index.add(hash, position++);
    }
    let position = this.#next - this.#tail.length;
    for (const hash of this.#tail) this.#index.add(hash, position++);
  }

  /** Hashes of the entries after the last full block, up to the newest; read from the entries themselves. */
  *#unblocked(): Generator<number> {
    const start = Math.floor((this.#next - 1) / keyBlock) * keyBlock + 1;
    for (const row of this.#segmentsFrom.iterate(start)) {
      const reader = new EntryReader(row['entries'] as Uint8Array);
      for (let position = row['first'] as number; reader.next(); position++) {
        if (position >= start) yield reader.hash;
      }
    }
  }
}
