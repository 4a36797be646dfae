import type { HistoryReading } from '../ports/history.ts';

/**
 * Readings of one body are within this time of each other, µs: bodies that reach beyond the end of a range begin at
 * most this much before it, which bounds the search for them.
 */
export const longestSpan = 3_600_000_000;

/**
 * How an engine keeps readings. Format 1, numbers that were received together: byte 0 format, bytes 4 to 7 count,
 * 8 to 15 receivedAt (float64), 16 to 23 takenAt of the first reading (float64); then per reading its
 * takenAt − that of the first (uint32, µs), then per reading the value (float64). Little-endian. Format 3, numbers that were
 * received at several times: as format 1, but with the number of times (float64) in place of receivedAt, and behind the
 * values for each time that so many readings in a row have: how many (float64), and the time (float64). Format 2,
 * everything else: byte 0 format, then JSON `[[takenAt, receivedAt, value, claimedAt?], …]`.
 */
const numeric = 1;
const json = 2;
const severalTimes = 3;
const headerSize = 24;

/** By takenAt, in parts that are each no longer than longestSpan. */
export function splitReadings(readings: readonly HistoryReading[]): readonly (readonly HistoryReading[])[] {
  const ordered = isOrdered(readings) ? readings : readings.toSorted((a, b) => a.takenAt - b.takenAt);
  const first = ordered[0];
  const last = ordered.at(-1);
  if (first === undefined || last === undefined) return [];
  if (last.takenAt - first.takenAt <= longestSpan) return [ordered];
  const parts: HistoryReading[][] = [];
  let start = Number.NEGATIVE_INFINITY;
  for (const reading of ordered) {
    if (reading.takenAt - start > longestSpan) {
      parts.push([]);
      start = reading.takenAt;
    }
    parts.at(-1)?.push(reading);
  }
  return parts;
}

function isOrdered(readings: readonly HistoryReading[]): boolean {
  for (let index = 1; index < readings.length; index++) {
    if ((readings[index]?.takenAt as number) < (readings[index - 1]?.takenAt as number)) return false;
  }
  return true;
}

/** Readings by takenAt, not empty, within longestSpan. */
export function encodeBody(readings: readonly HistoryReading[]): Uint8Array {
  const { takenAt: first, receivedAt } = readings[0] as HistoryReading;
  /** How often another time of receipt follows. */
  let changes = 0;
  let plain = true;
  let before = receivedAt;
  for (const reading of readings) {
    if (reading.receivedAt !== before) changes += 1;
    before = reading.receivedAt;
    plain &&=
      typeof reading.value === 'number' &&
      reading.claimedAt === undefined &&
      Number.isInteger(reading.takenAt - first);
  }
  if (!plain) {
    const text = JSON.stringify(
      readings.map(({ takenAt, receivedAt, value, claimedAt }) =>
        claimedAt === undefined ? [takenAt, receivedAt, value] : [takenAt, receivedAt, value, claimedAt],
      ),
    );
    const body = Buffer.from(`\0${text}`);
    body[0] = json;
    return body;
  }
  const times = changes === 0 ? 0 : changes + 1;
  const body = new Uint8Array(headerSize + readings.length * 12 + times * 16);
  const view = new DataView(body.buffer);
  view.setUint8(0, changes === 0 ? numeric : severalTimes);
  view.setUint32(4, readings.length, true);
  view.setFloat64(8, changes === 0 ? receivedAt : times, true);
  view.setFloat64(16, first, true);
  let time = headerSize;
  let value = headerSize + readings.length * 4;
  for (const reading of readings) {
    view.setUint32(time, reading.takenAt - first, true);
    view.setFloat64(value, reading.value as number, true);
    time += 4;
    value += 8;
  }
  if (changes > 0) writeTimes(view, value, readings);
  return body;
}

function writeTimes(view: DataView, start: number, readings: readonly HistoryReading[]): void {
  let at = start;
  let count = 0;
  for (const [index, { receivedAt }] of readings.entries()) {
    count += 1;
    if (readings[index + 1]?.receivedAt === receivedAt) continue;
    view.setFloat64(at, count, true);
    view.setFloat64(at + 8, receivedAt, true);
    at += 16;
    count = 0;
  }
}

/** Calls back for each reading of a body, by takenAt. */
export function decodeBody(
  body: Uint8Array,
  visit: (takenAt: number, receivedAt: number, value: HistoryReading['value'], claimedAt?: number) => void,
): void {
  if (body[0] === json) {
    const readings: [number, number, HistoryReading['value'] | null, number?][] = JSON.parse(
      Buffer.from(body.buffer, body.byteOffset + 1, body.length - 1).toString(),
    );
    for (const [takenAt, receivedAt, value, claimedAt] of readings) {
      visit(takenAt, receivedAt, value ?? Number.NaN, claimedAt);
    }
    return;
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const count = view.getUint32(4, true);
  const first = view.getFloat64(16, true);
  const isOfSeveral = body[0] === severalTimes;
  let receivedAt = view.getFloat64(8, true);
  let ofTime = isOfSeveral ? 0 : count;
  let nextTime = headerSize + count * 12;
  for (let index = 0; index < count; index++) {
    if (ofTime === 0) {
      ofTime = view.getFloat64(nextTime, true);
      receivedAt = view.getFloat64(nextTime + 8, true);
      nextTime += 16;
    }
    ofTime -= 1;
    visit(
      first + view.getUint32(headerSize + index * 4, true),
      receivedAt,
      view.getFloat64(headerSize + count * 4 + index * 8, true),
    );
  }
}
