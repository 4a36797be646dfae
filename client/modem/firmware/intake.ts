import { DownloadError, type DownloadSink } from './download.ts';
import { type FirmwareFlash, FlashFullError, OutOfMemoryError } from './flash.ts';
import {
  type HardwareVersion,
  longestHeader,
  PackageError,
  type PackageHeader,
  PackageReader,
} from './package.ts';
import { type FirmwareFault, UpdateResult } from './states.ts';

/** A package on its way into the flash: checked as it comes, so that what cannot be taken ends at once. */
export class PackageIntake implements DownloadSink {
  readonly #flash: FirmwareFlash;
  readonly #hardware: HardwareVersion;
  readonly #fault: FirmwareFault | undefined;
  readonly #onTag: (entityTag: string | undefined) => void;
  #reader: PackageReader;

  /** Goes on with what the flash holds. `onTag` is told the tag that the representation is known by. */
  constructor(
    flash: FirmwareFlash,
    hardware: HardwareVersion,
    fault: FirmwareFault | undefined,
    onTag: (entityTag: string | undefined) => void,
  ) {
    this.#flash = flash;
    this.#hardware = hardware;
    this.#fault = fault;
    this.#onTag = onTag;
    this.#reader = readFlash(flash, hardware);
  }

  get received(): number {
    return this.#reader.received;
  }

  /** Bytes of the whole; undefined until it is known. */
  get total(): number | undefined {
    return this.#reader.total;
  }

  /** @throws FlashFullError, OutOfMemoryError, DownloadError */
  begin(offset: number, total: number | undefined, entityTag: string | undefined): void {
    if (this.#fault === 'no-ram') throw new OutOfMemoryError('no memory for the download');
    this.#checkRoom(total ?? 0);
    if (offset === 0) this.restart();
    else if (offset !== this.#flash.length) throw new DownloadError('changed', 'another part came');
    this.#onTag(entityTag);
  }

  /** @throws FlashFullError, PackageError, DownloadError */
  take(bytes: Uint8Array): void {
    const before = this.#reader.received;
    const damaged = this.#fault === 'integrity' && before === 0 ? damage(bytes) : bytes;
    this.#reader.push(damaged);
    this.#checkRoom(this.#reader.total ?? 0);
    this.#flash.append(damaged);
    if (this.#fault === 'connection' && this.#reader.received > (this.#reader.total ?? 0) / 2) {
      throw new DownloadError('connection', 'the connection was lost');
    }
  }

  /** Whole: in the flash for good. @throws PackageError */
  finish(): PackageHeader {
    const header = this.#reader.finish();
    this.#flash.flush();
    return header;
  }

  /** From the first byte again. */
  restart(): void {
    if (this.#flash.length > 0) this.#flash.erase();
    this.#reader = new PackageReader(this.#hardware);
  }

  #checkRoom(total: number): void {
    if (this.#fault === 'no-storage' || total > this.#flash.capacity) {
      throw new FlashFullError(`no room for a package of ${total} bytes: at most ${this.#flash.capacity}`);
    }
  }
}

/** What the flash holds, checked. @throws PackageError */
export function readFlash(flash: FirmwareFlash, hardware: HardwareVersion): PackageReader {
  const reader = new PackageReader(hardware);
  for (const piece of flash.read()) reader.push(piece);
  return reader;
}

/** With one bit of the content, or of the last byte, turned over. */
function damage(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = Math.min(longestHeader, copy.length - 1);
  if (at >= 0) copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

/** The Update Result that says why a package did not come; undefined: the error is none that has one. */
export function resultOf(error: unknown): UpdateResult | undefined {
  if (error instanceof FlashFullError) return UpdateResult.NOT_ENOUGH_STORAGE;
  if (error instanceof OutOfMemoryError) return UpdateResult.OUT_OF_MEMORY;
  if (error instanceof PackageError) {
    return error.flaw === 'type' ? UpdateResult.UNSUPPORTED_PACKAGE : UpdateResult.INTEGRITY_FAILURE;
  }
  if (!(error instanceof DownloadError)) return undefined;
  if (error.failure === 'uri') return UpdateResult.INVALID_URI;
  return error.failure === 'protocol' ? UpdateResult.UNSUPPORTED_PROTOCOL : UpdateResult.CONNECTION_LOST;
}
