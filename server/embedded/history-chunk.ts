import { encodeBody, splitReadings } from '../history/reading-body.ts';
import { charted } from '../history/summary.ts';
import type { HistoryChunk, HistoryReading } from '../ports/history.ts';
import type { LogPosition } from '../ports/telemetry-log.ts';

/**
 * A row of `chunk` without its body: endpoint, path, positions of the oldest and the newest log entry that it has readings
 * of, part, first, last, end of its body in the arena, whether it has anything for a chart.
 */
export type ChunkRow = readonly [string, string, number, number, number, number, number, number, boolean];

/** Chunks on their way to the worker: the rows, and their bodies one after the other. */
export interface EncodedChunks {
  readonly rows: readonly ChunkRow[];
  readonly bodies: Uint8Array<ArrayBuffer>;
}

/**
 * What is appended at once of one series goes into one row, at the position of the newest: a row costs more than all
 * that is in it.
 */
export function encodeChunks(chunks: readonly HistoryChunk[]): EncodedChunks {
  const rows: ChunkRow[] = [];
  const bodies: Uint8Array[] = [];
  let end = 0;
  for (const { endpoint, path, oldest, newest, readings } of bySeries(chunks)) {
    for (const [part, readingsOfPart] of splitReadings(readings).entries()) {
      const body = encodeBody(readingsOfPart);
      bodies.push(body);
      end += body.length;
      const first = readingsOfPart[0]?.takenAt as number;
      const last = readingsOfPart.at(-1)?.takenAt as number;
      const isCharted = readingsOfPart.some(({ value }) => charted(value) !== undefined);
      rows.push([endpoint, path, oldest, newest, part, first, last, end, isCharted]);
    }
  }
  const all = new Uint8Array(end);
  let offset = 0;
  for (const body of bodies) {
    all.set(body, offset);
    offset += body.length;
  }
  return { rows, bodies: all };
}

/** What one series gets at once. */
interface SeriesReadings {
  readonly endpoint: string;
  readonly path: string;
  readonly oldest: LogPosition;
  newest: LogPosition;
  /** In the order of their positions. */
  readonly readings: HistoryReading[];
}

/** A name for each series. */
export function seriesName(endpoint: string, path: string): string {
  // A path begins with a slash and holds no space.
  return `${path} ${endpoint}`;
}

function bySeries(chunks: readonly HistoryChunk[]): Iterable<SeriesReadings> {
  const merged = new Map<string, SeriesReadings>();
  for (const { endpoint, path, position, readings } of byPosition(chunks)) {
    const name = seriesName(endpoint, path);
    const before = merged.get(name);
    if (before === undefined) {
      merged.set(name, { endpoint, path, oldest: position, newest: position, readings: [...readings] });
      continue;
    }
    for (const reading of readings) before.readings.push(reading);
    before.newest = position;
  }
  return merged.values();
}

function byPosition(chunks: readonly HistoryChunk[]): readonly HistoryChunk[] {
  const isRising = chunks.every(({ position }, index) => position >= (chunks[index - 1]?.position ?? 0));
  return isRising ? chunks : chunks.toSorted((a, b) => a.position - b.position);
}
