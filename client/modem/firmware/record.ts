import type { AtomicFile } from '../../atomic-file.ts';
import { FirmwareState, Severity, UpdateResult } from './states.ts';

/** Name and version of a firmware. */
export interface FirmwareName {
  readonly name: string;
  readonly version: string;
}

/** What the modem remembers of its firmware, whatever happens to its process. */
export interface FirmwareRecord {
  readonly state: FirmwareState;
  readonly result: UpdateResult;
  /** Seconds since the epoch; undefined: the state has never changed. */
  readonly changedAt: number | undefined;
  /** Package URI; empty: none. */
  readonly uri: string;
  /** Of the representation at the URI, of which a part may be in the flash. */
  readonly entityTag: string | undefined;
  readonly severity: number;
  /** Seconds. */
  readonly maximumDeferPeriod: number;
  readonly automatic: boolean;
  /** When a deferred update begins by itself, ms since the epoch. */
  readonly deferredUntil: number | undefined;
  /** The package in the flash, once it is whole and checked. */
  readonly staged: FirmwareName | undefined;
  /** What runs; undefined: what the modem was made with. */
  readonly running: FirmwareName | undefined;
}

export const newRecord: FirmwareRecord = {
  state: FirmwareState.IDLE,
  result: UpdateResult.INITIAL,
  changedAt: undefined,
  uri: '',
  entityTag: undefined,
  severity: Severity.MANDATORY,
  maximumDeferPeriod: 0,
  automatic: false,
  deferredUntil: undefined,
  staged: undefined,
  running: undefined,
};

/** Where the record is kept. When `write` returns it is there. */
export interface FirmwareStorage {
  read(): FirmwareRecord | undefined;
  write(record: FirmwareRecord): void;
}

export function volatileFirmware(): FirmwareStorage {
  let kept: FirmwareRecord | undefined;
  return {
    read: () => kept,
    write: (record) => {
      kept = record;
    },
  };
}

/** The record in a file. Reading throws StateFileError. */
export function fileFirmware(file: AtomicFile): FirmwareStorage {
  return {
    read: () => file.readJson('record of firmware', parseRecord),
    write: (record) => file.write(`${JSON.stringify({ format: 1, ...record })}\n`),
  };
}

function parseRecord(value: Readonly<Record<string, unknown>>): FirmwareRecord | undefined {
  const { format, state, result, uri, severity, maximumDeferPeriod, automatic } = value;
  const { changedAt, entityTag, deferredUntil, staged, running } = value;
  const known =
    format === 1 &&
    isOneOf(state, FirmwareState) &&
    isOneOf(result, UpdateResult) &&
    typeof uri === 'string' &&
    typeof severity === 'number' &&
    typeof maximumDeferPeriod === 'number' &&
    typeof automatic === 'boolean' &&
    (changedAt === undefined || typeof changedAt === 'number') &&
    (entityTag === undefined || typeof entityTag === 'string') &&
    (deferredUntil === undefined || typeof deferredUntil === 'number') &&
    (staged === undefined || isName(staged)) &&
    (running === undefined || isName(running));
  if (!known) return undefined;
  return {
    state,
    result,
    changedAt,
    uri,
    entityTag,
    severity,
    maximumDeferPeriod,
    automatic,
    deferredUntil,
    staged,
    running,
  };
}

function isOneOf<Value extends number>(
  value: unknown,
  table: Readonly<Record<string, Value>>,
): value is Value {
  return Object.values(table).some((each) => each === value);
}

function isName(value: unknown): value is FirmwareName {
  if (typeof value !== 'object' || value === null) return false;
  const { name, version } = value as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && typeof version === 'string';
}
