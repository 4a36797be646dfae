import type { DatabaseSync } from 'node:sqlite';

/** Removals are kept for so many further changes: far more than there are between two looks at the table. */
const removalsKept = 1_000_000;

/**
 * Numbers the changes of the table of devices, so that who looks at it again finds what is new
 * (`device.change`, `device_removed`). A number that was rolled back is not given again.
 */
export class ChangeCounter {
  readonly #noteRemoval;
  readonly #dropRemovals;
  #last: number;

  constructor(database: DatabaseSync) {
    const row = database
      .prepare(
        `SELECT max(coalesce((SELECT max(change) FROM device), 0),
           coalesce((SELECT max(change) FROM device_removed), 0)) AS last`,
      )
      .get();
    this.#last = row?.['last'] as number;
    this.#noteRemoval = database.prepare('INSERT INTO device_removed (change, endpoint) VALUES (?, ?)');
    this.#dropRemovals = database.prepare('DELETE FROM device_removed WHERE change < ?');
  }

  next(): number {
    this.#last += 1;
    return this.#last;
  }

  removed(endpoint: string): void {
    this.#noteRemoval.run(this.next(), endpoint);
    this.#dropRemovals.run(this.#last - removalsKept);
  }
}
