import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** What a modem knows for certain, seen at its socket and its card. Times: µs since the epoch. */
export type LedgerEntry =
  /** The server acknowledged a confirmable message with these readings. */
  | {
      readonly kind: 'acknowledged';
      readonly endpoint: string;
      readonly path: string;
      readonly times: readonly number[];
      readonly values: readonly number[];
    }
  /** The card is about to be driven for this command. */
  | {
      readonly kind: 'executed';
      readonly endpoint: string;
      readonly command: number;
    };

/**
 * Append-only, one line each. What is written when the process is killed is with the kernel and survives; the
 * end of the turn in which it came in is the latest moment that it gets there. What the kill takes was seen by
 * nobody, and is not checked.
 */
export class LedgerWriter {
  readonly #file: number;
  #lines: string[] = [];

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  acknowledged(endpoint: string, path: string, times: readonly number[], values: readonly number[]): void {
    if (this.#lines.length === 0) setImmediate(() => this.flush());
    this.#lines.push(`${JSON.stringify(['a', endpoint, path, times, values])}\n`);
  }

  /** It is there when this returns. */
  executed(endpoint: string, command: number): void {
    this.#lines.push(`${JSON.stringify(['x', endpoint, command])}\n`);
    this.flush();
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }
}

const chunk = 1024 * 1024;

/** All entries of a ledger, in their order; a last line that a kill has torn is passed over. */
export function* readLedger(path: string): Generator<LedgerEntry> {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(chunk);
    let rest = Buffer.alloc(0);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      const bytes = Buffer.concat([rest, buffer.subarray(0, read)]);
      const end = bytes.lastIndexOf(10);
      rest = bytes.subarray(end + 1);
      for (const line of bytes.toString('utf8', 0, end + 1).split('\n')) {
        if (line !== '') yield parseLine(line);
      }
    }
  } finally {
    closeSync(file);
  }
}

function parseLine(line: string): LedgerEntry {
  const [kind, endpoint, ...rest] = JSON.parse(line) as [string, string, ...unknown[]];
  if (kind === 'x') return { kind: 'executed', endpoint, command: rest[0] as number };
  const [path, times, values] = rest as [string, number[], number[]];
  return { kind: 'acknowledged', endpoint, path, times, values };
}
