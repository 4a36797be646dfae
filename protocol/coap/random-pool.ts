const POOL_SIZE = 4_096;

/** Random bytes drawn in bulk: one call per token or jitter would cost more than a whole message. */
export class RandomPool {
  readonly #source: (bytes: number) => Uint8Array;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(source: (bytes: number) => Uint8Array) {
    this.#source = source;
  }

  byte(): number {
    if (this.#used >= this.#pool.length) {
      this.#pool = this.#source(POOL_SIZE);
      if (this.#pool.length === 0) throw new RangeError('the random source gave nothing');
      this.#used = 0;
    }
    return this.#pool[this.#used++] as number;
  }

  fill(target: Uint8Array, from = 0): void {
    for (let i = from; i < target.length; i++) target[i] = this.byte();
  }

  /** From 0 to 1, in steps of 1/65535. */
  fraction(): number {
    return ((this.byte() << 8) | this.byte()) / 65_535;
  }
}
