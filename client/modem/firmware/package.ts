import { createHash, type Hash } from 'node:crypto';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';

/**
 * The firmware package of the simulated modem, version 1. All numbers are big-endian.
 *
 * | bytes | |
 * |---|---|
 * | 4 | `SYFW` |
 * | 1 | format version: 1 |
 * | 2 | lowest hardware that takes it: major, minor; 0.0 is any |
 * | 4 | length of the content |
 * | 1, n | name, UTF-8, 1 to 64 bytes |
 * | 1, n | version, UTF-8, 1 to 64 bytes |
 * | 32 | SHA-256 of all before it and of the content |
 * | … | content |
 */
export interface PackageHeader {
  readonly name: string;
  readonly version: string;
  /** Undefined: any. */
  readonly minimumHardware: HardwareVersion | undefined;
  /** Bytes of content. */
  readonly contentLength: number;
}

/** `1.0` is [1, 0]. */
export type HardwareVersion = readonly [major: number, minor: number];

const magic = Uint8Array.of(0x53, 0x59, 0x46, 0x57);
const formatVersion = 1;
const longestText = 64;
const digestLength = 32;
/** What stands before the name: magic, format, hardware, content's length. */
const fixedLength = 11;
/** No header is longer. */
export const longestHeader = fixedLength + 2 * (1 + longestText) + digestLength;
/** No content is longer: its length has four bytes. */
const longestContent = 2 ** 32 - 1;

/** Why a package cannot be taken, each with its Update Result. */
export type PackageFlaw = 'type' | 'integrity';

/** A package that cannot be taken: no package of this modem, or damaged. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
  readonly flaw: PackageFlaw;

  constructor(flaw: PackageFlaw, message: string) {
    super(message);
    this.flaw = flaw;
  }
}

/** Makes a package. @throws RequestError a name, a version or a content that has no place in it */
export function encodePackage(
  header: Omit<PackageHeader, 'contentLength'>,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (content.length > longestContent) throw new RequestError('the content is too long for a package');
  const [major, minor] = header.minimumHardware ?? [0, 0];
  if (![major, minor].every((part) => Number.isInteger(part) && part >= 0 && part <= 255)) {
    throw new RequestError(`hardware ${major}.${minor}: each part is 0 to 255`);
  }
  const name = shortText('name', header.name);
  const version = shortText('version', header.version);
  const headerLength = fixedLength + 2 + name.length + version.length + digestLength;
  const bytes = new Uint8Array(headerLength + content.length);
  bytes.set(magic);
  bytes[4] = formatVersion;
  bytes[5] = major;
  bytes[6] = minor;
  new DataView(bytes.buffer).setUint32(7, content.length);
  bytes[fixedLength] = name.length;
  bytes.set(name, fixedLength + 1);
  bytes[fixedLength + 1 + name.length] = version.length;
  bytes.set(version, fixedLength + 2 + name.length);
  const signed = headerLength - digestLength;
  const digest = createHash('sha256').update(bytes.subarray(0, signed)).update(content).digest();
  bytes.set(digest, signed);
  bytes.set(content, headerLength);
  return bytes;
}

function shortText(what: string, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < 1 || bytes.length > longestText) {
    throw new RequestError(`the ${what} of a package has 1 to ${longestText} bytes`);
  }
  return bytes;
}

interface ParsedHeader extends PackageHeader {
  readonly length: number;
  readonly digest: Uint8Array;
}

/**
 * Reads a header as far as it is there; undefined: there is too little of it yet.
 * @throws PackageError it is none
 */
export function decodeHeader(bytes: Uint8Array): ParsedHeader | undefined {
  for (let i = 0; i < Math.min(magic.length, bytes.length); i++) {
    if (bytes[i] !== magic[i]) throw new PackageError('type', 'this is no firmware package of this modem');
  }
  if (bytes.length > 4 && bytes[4] !== formatVersion) {
    throw new PackageError('type', `firmware packages of format ${bytes[4]} are not known`);
  }
  const nameLength = bytes[fixedLength];
  if (nameLength === undefined) return undefined;
  const versionLength = bytes[fixedLength + 1 + nameLength];
  if (nameLength < 1 || nameLength > longestText) throw damagedHeader();
  if (versionLength === undefined) return undefined;
  if (versionLength < 1 || versionLength > longestText) throw damagedHeader();
  const signed = fixedLength + 2 + nameLength + versionLength;
  if (bytes.length < signed + digestLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hardware: HardwareVersion = [view.getUint8(5), view.getUint8(6)];
  return {
    name: text(bytes.subarray(fixedLength + 1, fixedLength + 1 + nameLength)),
    version: text(bytes.subarray(fixedLength + 2 + nameLength, signed)),
    minimumHardware: hardware[0] === 0 && hardware[1] === 0 ? undefined : hardware,
    contentLength: view.getUint32(7),
    length: signed + digestLength,
    digest: bytes.slice(signed, signed + digestLength),
  };
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw damagedHeader();
  }
}

function damagedHeader(): PackageError {
  return new PackageError('integrity', 'the header of the firmware package is damaged');
}

/** Checks a package while it comes in, in pieces of any size; keeps nothing of its content. */
export class PackageReader {
  readonly #hardware: HardwareVersion;
  #start = new Uint8Array(0);
  #header: ParsedHeader | undefined;
  #hash: Hash | undefined;
  #received = 0;

  /** `hardware` is the modem's own. */
  constructor(hardware: HardwareVersion) {
    this.#hardware = hardware;
  }

  /** Undefined until it has come. */
  get header(): PackageHeader | undefined {
    return this.#header;
  }

  /** Bytes of the whole package; undefined until the header has come. */
  get total(): number | undefined {
    return this.#header === undefined ? undefined : this.#header.length + this.#header.contentLength;
  }

  get received(): number {
    return this.#received;
  }

  /** @throws PackageError it is no package, not for this hardware, or longer than it says */
  push(bytes: Uint8Array): void {
    this.#received += bytes.length;
    if (this.#hash !== undefined) {
      this.#checkLength();
      this.#hash.update(bytes);
      return;
    }
    const start = new Uint8Array(this.#start.length + bytes.length);
    start.set(this.#start);
    start.set(bytes, this.#start.length);
    const header = decodeHeader(start);
    if (header === undefined) {
      this.#start = start;
      return;
    }
    this.#start = new Uint8Array(0);
    this.#header = header;
    this.#checkHardware(header);
    this.#checkLength();
    this.#hash = createHash('sha256')
      .update(start.subarray(0, header.length - digestLength))
      .update(start.subarray(header.length));
  }

  /** It has come whole. @throws PackageError it has not, or not as it was made */
  finish(): PackageHeader {
    const header = this.#header;
    if (header === undefined || this.#hash === undefined || this.#received !== this.total) {
      throw new PackageError('integrity', `the firmware package ends after ${this.#received} bytes`);
    }
    if (!this.#hash.digest().equals(header.digest)) {
      throw new PackageError('integrity', 'the firmware package is not what its SHA-256 says');
    }
    return header;
  }

  #checkHardware({ minimumHardware }: PackageHeader): void {
    if (minimumHardware === undefined) return;
    const [major, minor] = minimumHardware;
    const [ownMajor, ownMinor] = this.#hardware;
    if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
      throw new PackageError('type', `the firmware is for hardware ${major}.${minor} and later`);
    }
  }

  #checkLength(): void {
    if (this.#received > (this.total ?? Number.POSITIVE_INFINITY)) {
      throw new PackageError('integrity', 'there is more behind the end of the firmware package');
    }
  }
}

/** `1.0` as two numbers. @throws DecodeError */
export function parseHardwareVersion(text: string): HardwareVersion {
  const match = /^(\d{1,3})\.(\d{1,3})$/.exec(text);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || major > 255 || minor > 255) {
    throw new DecodeError(`${text} is no hardware version such as 1.0`);
  }
  return [major, minor];
}
