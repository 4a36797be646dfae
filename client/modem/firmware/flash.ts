import type { PackageHeader } from './package.ts';

/** There is no room in the flash for so much. */
export class FlashFullError extends Error {
  override readonly name = 'FlashFullError';
}

/** There is no memory to work in. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

/** The flash did not take the new firmware: the old one is still there and runs on. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

/**
 * Where a firmware package is kept until it is installed, and how it is installed: what another modem
 * replaces with its own. Calls come one at a time.
 */
export interface FirmwareFlash {
  /** Bytes of package that there is room for. */
  readonly capacity: number;
  /** Bytes of package that are kept now; after a power cut no more than came before it. */
  readonly length: number;
  /** Adds to what is kept. @throws FlashFullError, OutOfMemoryError */
  append(bytes: Uint8Array): void;
  /** When it returns, what was added outlives a power cut. */
  flush(): void;
  /** What is kept, in pieces, from the beginning. */
  read(): Iterable<Uint8Array>;
  /** Forgets what is kept; gives its room back. */
  erase(): void;
  /**
   * Makes the package that is kept the firmware that runs after the next start. It has been checked.
   * Done again after a power cut in the middle of it, for which `powerCut` stands: it ends then, in whatever state.
   * @throws InstallError
   */
  install(header: PackageHeader, powerCut: AbortSignal): Promise<void>;
}
