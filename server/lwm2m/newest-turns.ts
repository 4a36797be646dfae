interface Lane {
  /** Told whether their turn has come, the oldest first. */
  readonly waiting: ((isTurn: boolean) => void)[];
}

/**
 * One request at a time for each key, in order of coming. Of those that wait few are kept: where another one comes, the
 * oldest of them gives up its place, for what it says is out of date. Whoever asks without end for one key costs no more
 * memory than these few.
 */
export class NewestTurns {
  readonly #most: number;
  /** Of keys with a request under way; undefined where none waited yet, as most of the time. */
  readonly #lanes = new Map<string, Lane | undefined>();

  /** `most` is how many may wait for each key. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Keys with a request under way. */
  get size(): number {
    return this.#lanes.size;
  }

  /**
   * Undefined: its turn is now. Otherwise resolves when it is, with true; or with false, where newer ones took its
   * place. Whose turn has come says `leave` when it is done.
   */
  enter(key: string): Promise<boolean> | undefined {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      if (!this.#lanes.has(key)) {
        this.#lanes.set(key, undefined);
        return undefined;
      }
      lane = { waiting: [] };
      this.#lanes.set(key, lane);
    }
    const { waiting } = lane;
    if (waiting.length >= this.#most) waiting.shift()?.(false);
    return new Promise((resolve) => waiting.push(resolve));
  }

  leave(key: string): void {
    const next = this.#lanes.get(key)?.waiting.shift();
    if (next === undefined) this.#lanes.delete(key);
    else next(true);
  }
}
