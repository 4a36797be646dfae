import type { DatabaseSync } from 'node:sqlite';
import type { EndpointProbe } from './event-marks.ts';

interface Summary {
  readonly first: number;
  /** Bits of the types that it holds. */
  readonly types: number;
  readonly hasTrouble: boolean;
  /** The filter of its endpoints; null: any may be in it. */
  readonly endpoints: Uint8Array | null;
}

/** What a segment must hold to be of use. */
export interface SegmentWish {
  readonly endpoint: EndpointProbe | undefined;
  /** Bits of types, one of which must be there; undefined: of any. */
  readonly types: number | undefined;
  readonly trouble: boolean;
}

/**
 * What the segments of a connection hold, in memory: who looks for the few events of one device or type among a million
 * reads no segment in vain. Each takes some 250 bytes.
 */
export class EventSummaries {
  readonly #read;
  /** By `first`. */
  #segments: Summary[] = [];

  constructor(database: DatabaseSync) {
    this.#read = database.prepare(
      'SELECT first, types, trouble, endpoints FROM event_segment WHERE first >= ? ORDER BY first',
    );
  }

  /** After a rollback. */
  forget(): void {
    this.#segments = [];
  }

  /** Takes in what the tables have gained since it was last called; what is before `oldest` is forgotten. */
  refresh(oldest: number): void {
    const gone = this.#indexOf(oldest);
    if (gone > 0) this.#segments.splice(0, gone);
    // The last one may have grown.
    const last = this.#segments.pop();
    for (const row of this.#read.iterate(last?.first ?? 0)) {
      this.#segments.push({
        first: row['first'] as number,
        types: row['types'] as number,
        hasTrouble: row['trouble'] === 1,
        endpoints: row['endpoints'] as Uint8Array | null,
      });
    }
  }

  /** The segments that may hold events from `id` on, oldest first, by the ids of their first events. */
  *from(id: number, wish: SegmentWish): Generator<number> {
    for (let index = Math.max(0, this.#indexOf(id)); index < this.#segments.length; index++) {
      const segment = this.#segments[index] as Summary;
      if (isCandidate(segment, wish)) yield segment.first;
    }
  }

  /** The segments that may hold events up to `id`, newest first. */
  *upTo(id: number, wish: SegmentWish): Generator<number> {
    for (let index = this.#indexOf(id); index >= 0; index--) {
      const segment = this.#segments[index] as Summary;
      if (isCandidate(segment, wish)) yield segment.first;
    }
  }

  /** The last segment that begins at that id or before it; -1 where none does. */
  #indexOf(id: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#segments[middle] as Summary).first <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function isCandidate({ types, hasTrouble, endpoints }: Summary, wish: SegmentWish): boolean {
  return (
    (wish.types === undefined || (types & wish.types) !== 0) &&
    (!wish.trouble || hasTrouble) &&
    (wish.endpoint === undefined || endpoints === null || wish.endpoint.mayBeIn(endpoints))
  );
}
