import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

/** A new folder for what one server writes; it is removed at the end of this process, if not before, be it by Ctrl-C or SIGTERM. */
export function temporaryFolder(prefix = 'simyard-bench-'): string {
  if (folders.size === 0) removeAtEnd();
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  // A server that was killed just now may write its last.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

let isRemoving = false;

function removeAtEnd(): void {
  if (isRemoving) return;
  isRemoving = true;
  process.on('exit', () => {
    for (const folder of folders) removeFolder(folder);
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      // Who has an end of its own for it comes to `exit` as well.
      if (process.listenerCount(signal) === 1) process.exit(code);
    });
  }
}
