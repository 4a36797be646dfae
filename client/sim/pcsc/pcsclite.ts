import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { CardTransportError } from '../card-transport.ts';

/**
 * What we use of the npm package pcsclite 1.0.1, described here because the package is optional: types of it must
 * not be needed either.
 */
export type Pcsclite = () => PcscContext;

/** A connection to the PC/SC daemon that tells of readers. Making one throws where there is no daemon. */
export interface PcscContext {
  on(event: 'reader', listener: (reader: NativeReader) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  close(): void;
}

export interface NativeReader {
  readonly name: string;
  readonly connected: boolean;
  /** A reader of that name with a context of its own. */
  readonly constructor: new (
    name: string,
  ) => NativeReader;
  on(event: 'status', listener: (status: NativeStatus) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  connect(
    options: { readonly share_mode: number; readonly protocol: number },
    done: (error: unknown, protocol: number) => void,
  ): void;
  disconnect(disposition: number, done: (error: unknown) => void): void;
  transmit(
    data: Buffer,
    longestResponse: number,
    protocol: number,
    done: (error: unknown, response: Buffer) => void,
  ): void;
  close(): void;
}

export interface NativeStatus {
  /** Bits of SCARD_STATE below 2^16, above them a count of insertions and removals. */
  readonly state: number;
  readonly atr?: Buffer;
}

/** What brings it: told wherever it is missing. */
const howToBuild =
  'run "npm run build:reader" (on Debian it needs the packages libpcsclite-dev, g++, make and python3)';

/**
 * Loads pcsclite.
 * @throws CardTransportError it is not there, or not built for this Node; says what to do
 */
export function loadPcsclite(load: (name: string) => unknown = createRequire(import.meta.url)): Pcsclite {
  // Seen: with two workers the process dies by a segmentation fault.
  if (!isMainThread) {
    throw new CardTransportError('a PC/SC reader can be used by the main thread of a process only');
  }
  try {
    return load('pcsclite') as Pcsclite;
  } catch (error) {
    throw new CardTransportError(whyNotLoaded(error), { cause: error });
  }
}

function whyNotLoaded(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const text = String(message);
  if (code === 'MODULE_NOT_FOUND') {
    return `PC/SC readers need the npm package pcsclite, which is not installed: ${howToBuild}`;
  }
  if (text.startsWith('Could not locate the bindings file')) {
    return `PC/SC readers need the npm package pcsclite, which is not built yet: ${howToBuild}`;
  }
  if (text.includes('libpcsclite.so')) {
    return 'PC/SC readers need the library libpcsclite.so.1: install the package libpcsclite1 (on Debian)';
  }
  if (/NODE_MODULE_VERSION|did not self-register/.test(text)) {
    return `the npm package pcsclite was built for another version of Node: ${howToBuild}`;
  }
  return `the npm package pcsclite cannot be loaded (${text}): ${howToBuild}`;
}
