/**
 * A map that keeps what was set lately and forgets the rest: at least the newest `kept` keys, at most twice as
 * many. Every call costs the same however many keys there were.
 */
export class RecentMap<Key, Value> {
  readonly #kept: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  constructor(kept: number) {
    this.#kept = kept;
  }

  get(key: Key): Value | undefined {
    const newer = this.#newer.get(key);
    return newer === undefined ? this.#older.get(key) : newer;
  }

  set(key: Key, value: Value): void {
    if (this.#newer.size >= this.#kept && !this.#newer.has(key)) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }

  delete(key: Key): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }
}
