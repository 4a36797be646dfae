import type { LogPosition } from '../ports/telemetry-log.ts';

/** Slots that a table starts with; a power of two. */
const startSlots = 16_384;

/** Hash → position, open addressing; a slot is 8 bytes. Position 0 marks a free slot. */
class Table {
  count = 0;
  #hashes: Uint32Array;
  #positions: Uint32Array;
  #shift: number;

  constructor(slots: number) {
    this.#hashes = new Uint32Array(slots);
    this.#positions = new Uint32Array(slots);
    this.#shift = Math.clz32(slots) + 1;
  }

  /** Calls back with the low 32 bits of each position that has this hash, until it returns true. */
  find(hash: number, visit: (low: number) => boolean): boolean {
    const mask = this.#hashes.length - 1;
    for (let slot = hash >>> this.#shift; ; slot = (slot + 1) & mask) {
      const low = this.#positions[slot] as number;
      if (low === 0) return false;
      if (this.#hashes[slot] === hash && visit(low)) return true;
    }
  }

  add(hash: number, low: number): void {
    if (this.count * 4 >= this.#hashes.length * 3) this.#grow();
    const mask = this.#hashes.length - 1;
    let slot = hash >>> this.#shift;
    while (this.#positions[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#positions[slot] = low;
    this.count += 1;
  }

  #grow(): void {
    const larger = new Table(this.#hashes.length * 2);
    for (let slot = 0; slot < this.#hashes.length; slot++) {
      const low = this.#positions[slot] as number;
      if (low !== 0) larger.add(this.#hashes[slot] as number, low);
    }
    this.#hashes = larger.#hashes;
    this.#positions = larger.#positions;
    this.#shift = larger.#shift;
  }
}

/**
 * Which keys the newest entries of the log have: an index on disk would dirty a page for each entry, and
 * cost more than the entry. It knows hashes only; whoever asks compares the entry itself. Two
 * generations of at most `generation` entries each: when the younger is full, the older is forgotten.
 */
export class KeyIndex {
  readonly #generation: number;
  #young = new Table(startSlots);
  #old: Table | undefined;

  constructor(generation: number) {
    this.#generation = generation;
  }

  /**
   * Asks `same` for each position below `next` that may have a key of this hash; returns the first that
   * it confirms.
   */
  find(hash: number, next: LogPosition, same: (position: LogPosition) => boolean): LogPosition | undefined {
    let found: LogPosition | undefined;
    const visit = (low: number): boolean => {
      const distance = ((next >>> 0) - low) >>> 0;
      const position = next - distance;
      if (distance === 0 || position <= 0 || !same(position)) return false;
      found = position;
      return true;
    };
    if (this.#young.find(hash, visit)) return found;
    this.#old?.find(hash, visit);
    return found;
  }

  add(hash: number, position: LogPosition): void {
    if (this.#young.count >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Table(startSlots);
    }
    // Position 2^32 and its multiples share their low bits with the mark of a free slot: such an entry
    // is merely not found.
    const low = position >>> 0;
    if (low !== 0) this.#young.add(hash, low);
  }
}
