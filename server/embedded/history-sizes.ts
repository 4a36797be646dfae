import type { DatabaseSync } from 'node:sqlite';

const hour = 3_600_000_000;

export const readingBytes = 0;
export const rollUpBytes = 1;
type Kind = typeof readingBytes | typeof rollUpBytes;

/** How many bytes history has of each hour: what a bound by size goes by. Changes are written by `flush`. */
export class HistorySizes {
  readonly #add;
  readonly #drop;
  readonly #newestFirst;
  readonly #changes: readonly Map<number, number>[] = [new Map(), new Map()];

  constructor(database: DatabaseSync) {
    this.#add = database.prepare(
      `INSERT INTO history_size VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes`,
    );
    this.#drop = database.prepare('DELETE FROM history_size WHERE kind = ? AND hour = ? AND bytes <= 0');
    this.#newestFirst = database.prepare(
      'SELECT hour, bytes FROM history_size WHERE kind = ? ORDER BY hour DESC',
    );
  }

  /** `time`: µs since the epoch. */
  change(kind: Kind, time: number, bytes: number): void {
    const changes = this.#changes[kind] as Map<number, number>;
    const at = Math.floor(time / hour);
    changes.set(at, (changes.get(at) ?? 0) + bytes);
  }

  flush(): void {
    for (const [kind, changes] of this.#changes.entries()) {
      for (const [at, bytes] of changes) {
        this.#add.run(kind, at, bytes);
        if (bytes < 0) this.#drop.run(kind, at);
      }
      changes.clear();
    }
  }

  /** What was not written is not: the transaction was rolled back. */
  forget(): void {
    for (const changes of this.#changes) changes.clear();
  }

  /** The time before which all must go, in whole hours, so that what stays is within the bound; −∞ where nothing must. */
  excess(kind: Kind, maxBytes: number): number {
    let total = 0;
    for (const row of this.#newestFirst.iterate(kind)) {
      total += row['bytes'] as number;
      if (total > maxBytes) return ((row['hour'] as number) + 1) * hour;
    }
    return Number.NEGATIVE_INFINITY;
  }
}
