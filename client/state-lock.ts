import { join } from 'node:path';
import { FileLock } from './file-lock.ts';

/**
 * A modem's state folder, held for this process: two modems on one card and one journal would undo each
 * other's switches.
 */
export class StateLock {
  readonly #lock: FileLock;

  /** @throws StateFileError another process has the folder, or it cannot be locked; the system's error: no folder */
  constructor(folder: string, modem: string) {
    this.#lock = new FileLock(
      join(folder, 'modem.lock'),
      `${modem} is already running: its state folder ${folder} is in use; choose another --endpoint or --state`,
    );
    this.#lock.acquire();
  }

  /** Idempotent. */
  release(): void {
    this.#lock.release();
  }
}
