import type { AtomicFile } from '../atomic-file.ts';

/** A carrier switch that was taken, and how it ended once it has. Times: ms since the epoch. */
export interface JournalEntry {
  /** Undefined for a switch without a command id. */
  readonly id: number | undefined;
  /** Carrier id; 15 disconnects. */
  readonly target: number;
  readonly takenAt: number;
  readonly outcome: JournalOutcome | undefined;
}

export interface JournalOutcome {
  readonly succeeded: boolean;
  readonly reason: string;
  readonly at: number;
}

/** What the modem remembers of its carriers, whatever happens to its process. */
export interface JournalContents {
  /** The newest switch; undefined before the first. */
  readonly entry: JournalEntry | undefined;
  /** The highest command id taken; 0 before the first. */
  readonly lastCommand: number;
  /** Id of the carrier to come back to after a Disconnect. */
  readonly lastCarrier: number | undefined;
  /** Its ICCID, in journals of former versions, which did not keep its id. */
  readonly lastIccid: string | undefined;
  /** Seconds. */
  readonly reconnectAfter: number;
  /** When the radio fell silent after a Disconnect; undefined while connected. */
  readonly disconnectedAt: number | undefined;
}

/** Seconds. */
const defaultReconnectAfter = 600;

/** Where a journal is kept. When `write` returns it is there. */
export interface JournalStorage {
  read(): JournalContents | undefined;
  write(contents: JournalContents): void;
}

export function volatileJournal(): JournalStorage {
  let contents: JournalContents | undefined;
  return {
    read: () => contents,
    write: (next) => {
      contents = next;
    },
  };
}

/** A journal in a file. Reading throws StateFileError. */
export function fileJournal(file: AtomicFile): JournalStorage {
  return {
    read: () => file.readJson('command journal', parseContents),
    write: (contents) => file.write(`${JSON.stringify({ format: 1, ...contents })}\n`),
  };
}

/** The journal of carrier switches: what is taken is written before it is answered, and before the card hears of it. */
export class CommandJournal {
  readonly #storage: JournalStorage;
  #contents: JournalContents;

  /** @throws what reading the storage throws */
  constructor(storage: JournalStorage) {
    this.#storage = storage;
    this.#contents = storage.read() ?? {
      entry: undefined,
      lastCommand: 0,
      lastCarrier: undefined,
      lastIccid: undefined,
      reconnectAfter: defaultReconnectAfter,
      disconnectedAt: undefined,
    };
  }

  get contents(): JournalContents {
    return this.#contents;
  }

  /** Writes down a switch that begins. */
  take(id: number | undefined, target: number, takenAt: number): void {
    this.#write({
      entry: { id, target, takenAt, outcome: undefined },
      lastCommand: id ?? this.#contents.lastCommand,
    });
  }

  /** Writes down how the newest switch ended. */
  finish(outcome: JournalOutcome): void {
    const { entry } = this.#contents;
    if (entry === undefined) throw new Error('no switch was taken that could end');
    this.#write({ entry: { ...entry, outcome } });
  }

  set(settings: Partial<Pick<JournalContents, 'reconnectAfter' | 'disconnectedAt' | 'lastCarrier'>>): void {
    this.#write(settings);
  }

  #write(change: Partial<JournalContents>): void {
    const next = { ...this.#contents, ...change };
    this.#storage.write(next);
    this.#contents = next;
  }
}

function parseContents(value: Readonly<Record<string, unknown>>): JournalContents | undefined {
  const { format, entry, lastCommand, reconnectAfter, lastCarrier, lastIccid, disconnectedAt } = value;
  if (format !== 1 || typeof lastCommand !== 'number' || typeof reconnectAfter !== 'number') return undefined;
  if (lastCarrier !== undefined && typeof lastCarrier !== 'number') return undefined;
  if (lastIccid !== undefined && typeof lastIccid !== 'string') return undefined;
  if (disconnectedAt !== undefined && typeof disconnectedAt !== 'number') return undefined;
  const rest = { lastCommand, reconnectAfter, lastCarrier, lastIccid, disconnectedAt };
  if (entry === undefined) return { ...rest, entry };
  const parsed = parseEntry(entry);
  return parsed === undefined ? undefined : { ...rest, entry: parsed };
}

function parseEntry(value: unknown): JournalEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, target, takenAt, outcome } = value as Readonly<Record<string, unknown>>;
  if (typeof target !== 'number' || typeof takenAt !== 'number') return undefined;
  if (id !== undefined && typeof id !== 'number') return undefined;
  if (outcome === undefined) return { id, target, takenAt, outcome };
  if (typeof outcome !== 'object' || outcome === null) return undefined;
  const { succeeded, reason, at } = outcome as Readonly<Record<string, unknown>>;
  if (typeof succeeded !== 'boolean' || typeof reason !== 'string' || typeof at !== 'number')
    return undefined;
  return { id, target, takenAt, outcome: { succeeded, reason, at } };
}
