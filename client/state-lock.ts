import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StateFileError } from './atomic-file.ts';

/** A modem that was killed may still be ending while it is started anew: waited for so long, ms. */
const patience = 1_000;
/** SQLITE_BUSY and SQLITE_LOCKED (https://sqlite.org/rescode.html). */
const taken: readonly number[] = [5, 6];

/**
 * A modem's state folder, held for this process: two modems on one card and one journal would undo each
 * other's switches. The lock is SQLite's on an empty file, so that the system releases it however the
 * process ends.
 */
export class StateLock {
  readonly #file: DatabaseSync;

  /** @throws StateFileError another process has the folder, or it cannot be locked; the system's error: no folder */
  constructor(folder: string, modem: string) {
    mkdirSync(folder, { recursive: true });
    let file: DatabaseSync | undefined;
    try {
      file = new DatabaseSync(join(folder, 'modem.lock'), { timeout: patience });
      file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      this.#file = file;
    } catch (error) {
      file?.close();
      if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) throw error;
      if (taken.includes(error.errcode & 0xff)) {
        throw new StateFileError(
          `${modem} is already running: its state folder ${folder} is in use; choose another --endpoint or --state`,
          { cause: error },
        );
      }
      throw new StateFileError(`the state folder ${folder} cannot be locked: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Idempotent. */
  release(): void {
    if (this.#file.isOpen) this.#file.close();
  }
}
