import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../../protocol/clock.ts';
import { type FirmwareFlash, FlashFullError } from './flash.ts';
import { simulatedInstall } from './memory-flash.ts';
import type { PackageHeader } from './package.ts';

const pieceLength = 65_536;

/** A flash in a file, open only while a package comes in. */
export class FileFlash implements FirmwareFlash {
  readonly capacity: number;
  readonly #path: string;
  readonly #clock: Clock;
  #length: number;
  #file: number | undefined;

  /** @throws the system's error where the file is there and cannot be looked at */
  constructor(path: string, clock: Clock, capacity: number) {
    this.#path = path;
    this.#clock = clock;
    this.capacity = capacity;
    this.#length = existsSync(path) ? statSync(path).size : 0;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.capacity) {
      throw new FlashFullError(`no room for ${bytes.length} bytes more behind ${this.#length}`);
    }
    if (this.#file === undefined) {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#file = openSync(this.#path, 'a', 0o600);
    }
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
      throw new FlashFullError(error.message);
    } finally {
      this.#length += written;
    }
  }

  flush(): void {
    if (this.#file === undefined) return;
    fsyncSync(this.#file);
    closeSync(this.#file);
    this.#file = undefined;
  }

  *read(): Generator<Uint8Array> {
    if (this.#length === 0) return;
    const file = openSync(this.#path, 'r');
    try {
      for (let at = 0; at < this.#length; ) {
        const piece = new Uint8Array(Math.min(pieceLength, this.#length - at));
        const read = readSync(file, piece, 0, piece.length, at);
        if (read === 0) return;
        at += read;
        yield piece.subarray(0, read);
      }
    } finally {
      closeSync(file);
    }
  }

  erase(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#length = 0;
    rmSync(this.#path, { force: true });
  }

  install(_header: PackageHeader, powerCut: AbortSignal): Promise<void> {
    return simulatedInstall(this.#clock, powerCut);
  }
}
