import type { ByteBudget } from './byte-budget.ts';

export type AppendResult = 'ok' | 'too-large' | 'no-memory';

const SMALLEST = 1_024;

/** A body that arrives block by block. Grows as bytes arrive, never by what a peer only announces. */
export class BodyBuffer {
  readonly #budget: ByteBudget;
  readonly #limit: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(budget: ByteBudget, limit: number) {
    this.#budget = budget;
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  append(block: Uint8Array): AppendResult {
    const needed = this.#length + block.length;
    if (needed > this.#limit) return 'too-large';
    if (needed > this.#bytes.length) {
      const capacity = Math.min(this.#limit, Math.max(SMALLEST, this.#bytes.length * 2, needed));
      if (!this.#budget.take(capacity - this.#bytes.length)) return 'no-memory';
      const grown = new Uint8Array(capacity);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(block, this.#length);
    this.#length = needed;
    return 'ok';
  }

  /** Drops what has arrived. */
  clear(): void {
    this.#budget.give(this.#bytes.length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }

  /** The whole body, which is the caller's from then on; the buffer is empty again. */
  take(): Uint8Array {
    const body = this.#bytes.subarray(0, this.#length);
    this.clear();
    return body;
  }
}
