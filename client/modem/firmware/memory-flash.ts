import type { Clock } from '../../../protocol/clock.ts';
import { type FirmwareFlash, FlashFullError, OutOfMemoryError } from './flash.ts';
import type { PackageHeader } from './package.ts';

/** What the packages of all modems of this process that keep nothing on disk may hold together, bytes. */
const sharedLimit = 256 * 1024 * 1024;
let sharedUse = 0;

/** How long the simulated flash works on a new firmware, ms. */
const installTime = 2_000;

/** The work of a simulated flash on a new firmware: it takes its time, or until the power is cut. */
export function simulatedInstall(clock: Clock, powerCut: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(installTime, resolve);
    powerCut.addEventListener('abort', () => {
      timer.cancel();
      resolve();
    });
  });
}

/** A flash that lasts as long as the process. */
export class MemoryFlash implements FirmwareFlash {
  readonly capacity: number;
  readonly #clock: Clock;
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.capacity) {
      throw new FlashFullError(`no room for ${bytes.length} bytes more behind ${this.#length}`);
    }
    if (sharedUse + bytes.length > sharedLimit) {
      throw new OutOfMemoryError('the packages of all modems of this process have taken its memory');
    }
    sharedUse += bytes.length;
    this.#length += bytes.length;
    this.#pieces.push(bytes.slice());
  }

  flush(): void {}

  read(): Iterable<Uint8Array> {
    return this.#pieces;
  }

  erase(): void {
    sharedUse -= this.#length;
    this.#pieces = [];
    this.#length = 0;
  }

  install(_header: PackageHeader, powerCut: AbortSignal): Promise<void> {
    return simulatedInstall(this.#clock, powerCut);
  }
}
