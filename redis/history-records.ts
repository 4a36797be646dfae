import { longestSpan } from '../server/history/reading-body.ts';
import { decodeMinutes, encodeMinutes, quarter, type Summaries, Summary } from '../server/history/summary.ts';

/**
 * By how much a member may end after a reading of it was taken, µs: a record is no longer than longestSpan, and the
 * records of one member end within a quarter.
 */
export const memberSpan = longestSpan + quarter;

/**
 * A member of a series' readings is one or more records, one after the other: length of the body (uint32), position of
 * the log entry (float64), part of it (uint16), body (server/history/reading-body.ts). Little-endian.
 */
const recordHeader = 14;

export function encodeRecord(position: number, part: number, body: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(recordHeader + body.length);
  record.writeUInt32LE(body.length, 0);
  record.writeDoubleLE(position, 4);
  record.writeUInt16LE(part, 12);
  record.set(body, recordHeader);
  return record;
}

/** Calls back for each record of a member. */
export function decodeRecords(
  member: Buffer,
  visit: (position: number, part: number, body: Uint8Array) => void,
): void {
  for (let at = 0; at < member.length; ) {
    const end = at + recordHeader + member.readUInt32LE(at);
    visit(member.readDoubleLE(at + 4), member.readUInt16LE(at + 12), member.subarray(at + recordHeader, end));
    at = end;
  }
}

export type StoredSummary = Pick<Summary, 'count' | 'min' | 'max' | 'mean' | 'last' | 'lastAt'>;

/**
 * A member of a series' roll-ups: start of the quarter (float64), count (uint32), min, max, mean, last, lastAt (float64),
 * then its minutes (server/history/summary.ts), none where its readings are gone. Little-endian.
 */
const summarySize = 52;

/** Empty where nothing of the quarter has a place in a chart. */
export function encodeRollUp(start: number, minutes: Summaries): Buffer {
  const whole = new Summary();
  for (const [, summary] of minutes.entries()) whole.merge(summary);
  if (whole.count === 0) return Buffer.alloc(0);
  return Buffer.concat([encodeSummary(start, whole), encodeMinutes(start, minutes)]);
}

export function encodeSummary(start: number, { count, min, max, mean, last, lastAt }: StoredSummary): Buffer {
  const bytes = Buffer.allocUnsafe(summarySize);
  bytes.writeDoubleLE(start, 0);
  bytes.writeUInt32LE(count, 8);
  for (const [index, value] of [min, max, mean, last, lastAt].entries()) {
    bytes.writeDoubleLE(value, 12 + index * 8);
  }
  return bytes;
}

export function decodeRollUp(bytes: Buffer): { readonly start: number; readonly summary: StoredSummary } {
  return {
    start: bytes.readDoubleLE(0),
    summary: {
      count: bytes.readUInt32LE(8),
      min: bytes.readDoubleLE(12),
      max: bytes.readDoubleLE(20),
      mean: bytes.readDoubleLE(28),
      last: bytes.readDoubleLE(36),
      lastAt: bytes.readDoubleLE(44),
    },
  };
}

export function decodeRollUpMinutes(
  bytes: Buffer,
  visit: (start: number, summary: StoredSummary) => void,
): void {
  decodeMinutes(bytes.readDoubleLE(0), bytes.subarray(summarySize), visit);
}

/** What is kept of a series as a whole; times in µs since the epoch. */
export interface SeriesState {
  /** Newest log position that it has had. */
  readonly position: number;
  /** Readings before may be gone: their quarters are not made of readings again. */
  readonly sealed: number;
  /** When its oldest reading was taken, or before; ∞ where it has none. */
  readonly oldest: number;
  /** Start of its oldest roll-up, or before; ∞ where it has none. */
  readonly oldestRollUp: number;
  /** Readings taken before, of positions up to `hiddenPosition`, were removed; members hold some of them still. */
  readonly hiddenBefore: number;
  readonly hiddenPosition: number;
  /** Rises where members are put together or removed: who reads stretch by stretch begins again. */
  readonly version: number;
}

/** Nine float64, little-endian, the last two the stretch that was last marked as due; then path, space and endpoint. */
export function decodeState(bytes: Buffer): SeriesState {
  return {
    position: bytes.readDoubleLE(0),
    sealed: bytes.readDoubleLE(8),
    oldest: bytes.readDoubleLE(16),
    oldestRollUp: bytes.readDoubleLE(24),
    hiddenBefore: bytes.readDoubleLE(32),
    hiddenPosition: bytes.readDoubleLE(40),
    version: bytes.readDoubleLE(48),
  };
}

/** As scripts and sorted sets read a number. */
export function numberText(number: number): string {
  if (Number.isFinite(number)) return String(number);
  return number > 0 ? 'inf' : '-inf';
}
