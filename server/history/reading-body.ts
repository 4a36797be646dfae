import type { HistoryReading } from '../ports/history.ts';

/**
 * Readings of one body are within this time of each other, µs: bodies that reach beyond the end of a range begin at
 * most this much before it, which bounds the search for them.
 */
export const longestSpan = 3_600_000_000;

/**
 * How an engine keeps readings. Format 1, numbers that were received together: byte 0 format, bytes 4 to 7 count,
 * 8 to 15 receivedAt (float64), 16 to 23 takenAt of the first reading (float64); then per reading its
 * takenAt − that of the first (uint32, µs), then per reading the value (float64). Little-endian. Format 2, everything else: byte 0 format, then JSON
 * `[[takenAt, receivedAt, value, claimedAt?], …]`.
 */
const numeric = 1;
const json = 2;
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
  const plain = readings.every(
    (reading) =>
      typeof reading.value === 'number' &&
      reading.receivedAt === receivedAt &&
      reading.claimedAt === undefined &&
      Number.isInteger(reading.takenAt - first),
  );
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
  const body = new Uint8Array(headerSize + readings.length * 12);
  const view = new DataView(body.buffer);
  view.setUint8(0, numeric);
  view.setUint32(4, readings.length, true);
  view.setFloat64(8, receivedAt, true);
  view.setFloat64(16, first, true);
  let time = headerSize;
  let value = headerSize + readings.length * 4;
  for (const reading of readings) {
    view.setUint32(time, reading.takenAt - first, true);
    view.setFloat64(value, reading.value as number, true);
    time += 4;
    value += 8;
  }
  return body;
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
  const receivedAt = view.getFloat64(8, true);
  const first = view.getFloat64(16, true);
  for (let index = 0; index < count; index++) {
    visit(
      first + view.getUint32(headerSize + index * 4, true),
      receivedAt,
      view.getFloat64(headerSize + count * 4 + index * 8, true),
    );
  }
}
