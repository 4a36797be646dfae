import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A file of ours that cannot be understood: somebody else's, or damaged. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

/**
 * A small file that is either as it was or as it is to be, whenever the process or the machine dies:
 * written beside, flushed, renamed over, and the folder flushed. When `write` returns it is on disk.
 */
export class AtomicFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Undefined where there is none yet. */
  read(): string | undefined {
    try {
      return readFileSync(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Its contents as JSON; undefined where there is none yet. @throws StateFileError it is none, or no `what` */
  readJson<T>(
    what: string,
    parse: (value: Readonly<Record<string, unknown>>) => T | undefined,
  ): T | undefined {
    const text = this.read();
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    const known =
      typeof value === 'object' && value !== null ? parse(value as Record<string, unknown>) : undefined;
    if (known === undefined) {
      throw new StateFileError(`${this.path} is no ${what}: restore it, or remove it to begin anew`);
    }
    return known;
  }

  write(contents: string | Uint8Array): void {
    const folder = dirname(this.path);
    mkdirSync(folder, { recursive: true });
    const temporary = `${this.path}.new`;
    const file = openSync(temporary, 'w', 0o600);
    try {
      const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.path);
    const directory = openSync(folder, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}
