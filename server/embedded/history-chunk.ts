import { encodeBody, splitReadings } from '../history/reading-body.ts';
import { charted } from '../history/summary.ts';
import type { HistoryChunk } from '../ports/history.ts';

/** A row of `chunk` without its body: endpoint, path, position, part, first, last, end of its body in the arena, whether it has anything for a chart. */
export type ChunkRow = readonly [string, string, number, number, number, number, number, boolean];

/** Chunks on their way to the worker: the rows, and their bodies one after the other. */
export interface EncodedChunks {
  readonly rows: readonly ChunkRow[];
  readonly bodies: Uint8Array<ArrayBuffer>;
}

export function encodeChunks(chunks: readonly HistoryChunk[]): EncodedChunks {
  const rows: ChunkRow[] = [];
  const bodies: Uint8Array[] = [];
  let end = 0;
  for (const { endpoint, path, position, readings } of chunks) {
    for (const [part, readingsOfPart] of splitReadings(readings).entries()) {
      const body = encodeBody(readingsOfPart);
      bodies.push(body);
      end += body.length;
      const first = readingsOfPart[0]?.takenAt as number;
      const last = readingsOfPart.at(-1)?.takenAt as number;
      const isCharted = readingsOfPart.some(({ value }) => charted(value) !== undefined);
      rows.push([endpoint, path, position, part, first, last, end, isCharted]);
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
