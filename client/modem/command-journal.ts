import type { AtomicFile } from '../atomic-file.ts';

/** Work on the card that was taken, and how it ended once it has. Times: ms since the epoch. */
export interface JournaledWork {
  readonly takenAt: number;
  /** Id of the carrier that the card was on; undefined: on none, or a journal of a former version. */
  readonly from: number | undefined;
  /** Why it is undone, once that is decided: the carrier that it went to has no network. */
  readonly undone: string | undefined;
  readonly outcome: JournalOutcome | undefined;
}

/** A carrier switch. */
export interface JournalEntry extends JournaledWork {
  /** Undefined for a switch without a command id. */
  readonly id: number | undefined;
  /** Carrier id; 15 disconnects. */
  readonly target: number;
}

/** What Remote SIM Provisioning does with profiles. */
export const provisioningActions = ['enable', 'disable', 'delete', 'reset-memory'] as const;
export type ProvisioningAction = (typeof provisioningActions)[number];

/** An operation of Remote SIM Provisioning. */
export interface ProvisioningEntry extends JournaledWork {
  readonly action: ProvisioningAction;
  /** Id of the carrier whose profile it is about; of none: the memory reset. */
  readonly target: number | undefined;
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
  /** The newest operation of Remote SIM Provisioning. Of these two at most one has not ended. */
  readonly provisioning: ProvisioningEntry | undefined;
  /** The highest command id taken; 0 before the first. */
  readonly lastCommand: number;
  /** Id of the carrier to come back to after a Disconnect. */
  readonly lastCarrier: number | undefined;
  /** Its ICCID, in journals of former versions, which did not keep its id. */
  readonly lastIccid: string | undefined;
  /** Seconds. */
  readonly reconnectAfter: number;
  /** Id of the carrier that the card is to be taken back to, where that failed. */
  readonly returnTo: number | undefined;
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
    write: (contents) => file.write(`${JSON.stringify({ format: 2, ...contents })}\n`),
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
      provisioning: undefined,
      lastCommand: 0,
      lastCarrier: undefined,
      lastIccid: undefined,
      reconnectAfter: defaultReconnectAfter,
      returnTo: undefined,
      disconnectedAt: undefined,
    };
  }

  get contents(): JournalContents {
    return this.#contents;
  }

  /** Writes down a switch that begins. */
  take(switched: Pick<JournalEntry, 'id' | 'target' | 'takenAt' | 'from'>): void {
    this.#write({
      entry: { ...switched, undone: undefined, outcome: undefined },
      lastCommand: switched.id ?? this.#contents.lastCommand,
      returnTo: undefined,
    });
  }

  /** Writes down an operation of Remote SIM Provisioning that begins. */
  takeProvisioning(operation: Pick<ProvisioningEntry, 'action' | 'target' | 'takenAt' | 'from'>): void {
    this.#write({
      provisioning: { ...operation, undone: undefined, outcome: undefined },
      returnTo: undefined,
    });
  }

  /** What has not ended. */
  get unfinished(): 'entry' | 'provisioning' | undefined {
    const { entry, provisioning } = this.#contents;
    if (entry !== undefined && entry.outcome === undefined) return 'entry';
    return provisioning !== undefined && provisioning.outcome === undefined ? 'provisioning' : undefined;
  }

  /** Writes down that what has not ended is undone, and why: before the card hears of it. */
  undo(reason: string): void {
    this.#change({ undone: reason });
  }

  /** Writes down how what has not ended ended. */
  finish(outcome: JournalOutcome): void {
    this.#change({ outcome });
  }

  set(
    settings: Partial<
      Pick<JournalContents, 'reconnectAfter' | 'disconnectedAt' | 'lastCarrier' | 'returnTo'>
    >,
  ): void {
    this.#write(settings);
  }

  #change(change: Partial<JournaledWork>): void {
    const { entry, provisioning } = this.#contents;
    const kind = this.unfinished;
    if (kind === 'entry' && entry !== undefined) this.#write({ entry: { ...entry, ...change } });
    else if (kind === 'provisioning' && provisioning !== undefined) {
      this.#write({ provisioning: { ...provisioning, ...change } });
    } else throw new Error('there is nothing that has not ended');
  }

  #write(change: Partial<JournalContents>): void {
    const next = { ...this.#contents, ...change };
    this.#storage.write(next);
    this.#contents = next;
  }
}

/** Formats 1 and 2: the first knew neither Remote SIM Provisioning nor ways back. */
function parseContents(value: Readonly<Record<string, unknown>>): JournalContents | undefined {
  const { format, lastCommand, reconnectAfter, lastCarrier, lastIccid, returnTo, disconnectedAt } = value;
  if ((format !== 1 && format !== 2) || !isNumber(lastCommand) || !isNumber(reconnectAfter)) return undefined;
  if (!isOptional(isNumber, lastCarrier) || !isOptional(isNumber, returnTo)) return undefined;
  if (!isOptional(isText, lastIccid) || !isOptional(isNumber, disconnectedAt)) return undefined;
  const entry = parseOptional(value.entry, parseEntry);
  const provisioning = parseOptional(value.provisioning, parseProvisioning);
  if (entry === 'damaged' || provisioning === 'damaged') return undefined;
  return {
    entry,
    provisioning,
    lastCommand,
    lastCarrier,
    lastIccid,
    reconnectAfter,
    returnTo,
    disconnectedAt,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseEntry(value: Fields): JournalEntry | undefined {
  const { id, target } = value;
  const work = parseWork(value);
  if (work === undefined || !isNumber(target) || !isOptional(isNumber, id)) return undefined;
  return { id, target, ...work };
}

function parseProvisioning(value: Fields): ProvisioningEntry | undefined {
  const { target } = value;
  const action = provisioningActions.find((known) => known === value.action);
  const work = parseWork(value);
  if (work === undefined || action === undefined || !isOptional(isNumber, target)) return undefined;
  return { action, target, ...work };
}

function parseWork(value: Fields): JournaledWork | undefined {
  const { takenAt, from, undone } = value;
  if (!isNumber(takenAt) || !isOptional(isNumber, from) || !isOptional(isText, undone)) return undefined;
  const outcome = parseOptional(value.outcome, parseOutcome);
  return outcome === 'damaged' ? undefined : { takenAt, from, undone, outcome };
}

function parseOutcome({ succeeded, reason, at }: Fields): JournalOutcome | undefined {
  return typeof succeeded === 'boolean' && isText(reason) && isNumber(at)
    ? { succeeded, reason, at }
    : undefined;
}

function parseOptional<T>(
  value: unknown,
  parse: (value: Fields) => T | undefined,
): T | undefined | 'damaged' {
  if (value === undefined) return undefined;
  return (typeof value === 'object' && value !== null ? parse(value as Fields) : undefined) ?? 'damaged';
}

function isOptional<T>(is: (value: unknown) => value is T, value: unknown): value is T | undefined {
  return value === undefined || is(value);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';
