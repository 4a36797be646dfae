import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StateFileError } from './atomic-file.ts';

/** A process that was killed may still be ending while it is started anew: waited for so long, ms. */
const patience = 1_000;
/** SQLITE_BUSY and SQLITE_LOCKED (https://sqlite.org/rescode.html). */
const taken: readonly number[] = [5, 6];

/**
 * Something that one process at a time may use. The lock is SQLite's on an empty file, so that the system
 * releases it however the process ends.
 */
export class FileLock {
  readonly #path: string;
  readonly #inUse: string;
  #file: DatabaseSync | undefined;

  /** `inUse` is what a person is told where another process has it. */
  constructor(path: string, inUse: string) {
    this.#path = path;
    this.#inUse = inUse;
  }

  /** Idempotent. @throws StateFileError another process has it, or it cannot be locked; the system's error: no folder */
  acquire(): void {
    if (this.#file !== undefined) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    let file: DatabaseSync | undefined;
    try {
      file = new DatabaseSync(this.#path, { timeout: patience });
      file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      file?.close();
      if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) throw error;
      const busy = taken.includes(error.errcode & 0xff);
      throw new StateFileError(busy ? this.#inUse : `${this.#path} cannot be locked: ${error.message}`, {
        cause: error,
      });
    }
    this.#file = file;
  }

  /** Idempotent. */
  release(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
