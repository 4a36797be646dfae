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
  /** ICCID of the carrier to come back to after a Disconnect. */
  readonly lastIccid: string | undefined;
  /** Seconds. */
  readonly reconnectAfter: number;
  /** When the radio fell silent after a Disconnect; undefined while connected. */
  readonly disconnectedAt: number | undefined;
}

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

export function fileJournal(file: AtomicFile): JournalStorage {
  return {
    read() {
      const text = file.read();
      return text === undefined ? undefined : parseContents(text, file.path);
    },
    write: (contents) => file.write(`${JSON.stringify({ format: 1, ...contents })}\n`),
  };
}

/** The journal of carrier switches: what is taken is written before it is answered, and before the card hears of it. */
export class CommandJournal {
  readonly #storage: JournalStorage;
  #contents: JournalContents;

  constructor(storage: JournalStorage, defaults: { readonly reconnectAfter: number }) {
    this.#storage = storage;
    this.#contents = storage.read() ?? {
      entry: undefined,
      lastCommand: 0,
      lastIccid: undefined,
      reconnectAfter: defaults.reconnectAfter,
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
  finish(outcome: JournalOutcome, more: { readonly lastIccid?: string } = {}): void {
    const { entry } = this.#contents;
    if (entry === undefined) throw new Error('no switch was taken that could end');
    this.#write({ entry: { ...entry, outcome }, ...more });
  }

  set(settings: Partial<Pick<JournalContents, 'reconnectAfter' | 'disconnectedAt' | 'lastIccid'>>): void {
    this.#write(settings);
  }

  #write(change: Partial<JournalContents>): void {
    const next = { ...this.#contents, ...change };
    this.#storage.write(next);
    this.#contents = next;
  }
}

function parseContents(text: string, path: string): JournalContents {
  const parsed = JSON.parse(text) as Partial<Record<keyof JournalContents, unknown>> | null;
  const { lastCommand, reconnectAfter, lastIccid, disconnectedAt } = parsed ?? {};
  const entry = parsed?.entry as Partial<JournalEntry> | undefined;
  const readable =
    typeof lastCommand === 'number' &&
    typeof reconnectAfter === 'number' &&
    (lastIccid === undefined || typeof lastIccid === 'string') &&
    (disconnectedAt === undefined || typeof disconnectedAt === 'number') &&
    (entry === undefined || (typeof entry.target === 'number' && typeof entry.takenAt === 'number'));
  if (!readable) throw new Error(`${path} is no command journal`);
  return {
    lastCommand,
    reconnectAfter,
    lastIccid,
    disconnectedAt,
    entry:
      entry === undefined
        ? undefined
        : { id: entry.id, target: entry.target ?? 0, takenAt: entry.takenAt ?? 0, outcome: entry.outcome },
  };
}
