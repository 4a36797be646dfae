import type { DatabaseSync } from 'node:sqlite';
import { RequestError } from '../../protocol/errors.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import { type DatabaseOptions, damageOf, openDatabase, sqliteCode } from './database.ts';
import type { AppendResult } from './log-table.ts';
import type { Call, Failure, Outcome, Reply, Request } from './messages.ts';
import { createOperations, createQueries, type Operations } from './operations.ts';

/**
 * Result codes that tell of the disk, the file or memory, and not of a mistake of ours: BUSY, LOCKED,
 * NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
 */
const outages: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26]);

/** Of these FULL and BUSY leave the connection sound; after the others it is opened anew. */
const harmless: ReadonlySet<number> = new Set([5, 6, 13]);

type AnyOperation = (...args: readonly unknown[]) => unknown;

/** Runs requests against the database, those that are waiting together in one transaction. */
export class Transactions {
  readonly #options: DatabaseOptions;
  #session: Session | undefined;

  /** @throws StoreUnavailableError the database cannot be opened. */
  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#session = this.#open();
  }

  /** All that the requests ask for has happened and is committed, or is answered by a failure. */
  run(requests: readonly Request[]): Reply {
    const calls = requests.flatMap((request) => request.calls);
    const buffers = requests.flatMap((request) => (request.batch ? [request.batch] : []));
    const writes = buffers.length > 0 || calls.some(([, write]) => write);
    let failure: Failure;
    try {
      this.#session ??= this.#open();
      const session = this.#session;
      if (!writes) {
        return { requests: requests.length, outcomes: session.runAll(calls), batches: [] };
      }
      const { results, outcomes } = session.transact(buffers, calls);
      const batches = buffers.map(({ buffer }, index) => ({
        buffer,
        result: results[index] as AppendResult,
      }));
      return { requests: requests.length, outcomes, batches };
    } catch (error) {
      failure = this.#recover(error);
    }
    // Nothing was written. What only reads may still be answered.
    const session = this.#session;
    const outcomes = calls.map((call): Outcome => {
      const [id, write] = call;
      if (write || session === undefined) return [id, failure, undefined];
      try {
        return session.run(call);
      } catch (error) {
        return [id, this.#failureOf(error), undefined];
      }
    });
    const batches = buffers.map(({ buffer }) => ({ buffer, result: failure }));
    return { requests: requests.length, outcomes, batches };
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #open(): Session {
    try {
      return new Session(this.#options);
    } catch (error) {
      throw damageOf(this.#options, error) ?? error;
    }
  }

  /** A damaged file is named, with what helps: SQLite's own words name none. */
  #failureOf(error: unknown): Failure {
    return failureOf(damageOf(this.#options, error) ?? error);
  }

  /** Makes the database usable again if it can be. @throws what is no outage: a mistake of ours. */
  #recover(error: unknown): Failure {
    const failure = this.#failureOf(error);
    if (failure.fault !== 'unavailable') throw error;
    if (this.#session === undefined) return failure;
    let sound = harmless.has(sqliteCode(error) ?? -1) || this.#options.path === ':memory:';
    try {
      this.#session.rollBack();
    } catch (rollbackError) {
      if (failureOf(rollbackError).fault !== 'unavailable') throw rollbackError;
      sound = false;
    }
    if (!sound) this.close();
    return failure;
  }
}

/** One open connection. */
class Session {
  readonly #database: DatabaseSync;
  /** Undefined where this connection is for reading only. */
  readonly #operations: Operations | undefined;
  /** After a rollback: nothing in memory may be ahead of the tables. */
  readonly #reload: () => void;
  readonly #byName: ReadonlyMap<string, AnyOperation>;
  readonly #begin;
  readonly #commit;
  readonly #savepoint;
  readonly #release;
  readonly #undo;

  constructor(options: DatabaseOptions) {
    this.#database = openDatabase(options);
    this.#operations = options.reader === true ? undefined : createOperations(this.#database);
    const { reads, writes } = this.#operations ?? {};
    const { queries, reload } = createQueries(this.#database);
    this.#reload = () => {
      reload();
      this.#operations?.reload();
    };
    // Names and arguments come from our own other thread, checked there against the same types.
    this.#byName = new Map(Object.entries({ ...queries, ...reads, ...writes }) as [string, AnyOperation][]);
    this.#begin = this.#database.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#database.prepare('COMMIT');
    this.#savepoint = this.#database.prepare('SAVEPOINT operation');
    this.#release = this.#database.prepare('RELEASE operation');
    this.#undo = this.#database.prepare('ROLLBACK TO operation');
  }

  transact(
    batches: readonly { readonly buffer: ArrayBuffer; readonly length: number }[],
    calls: readonly Call[],
  ): { results: readonly AppendResult[]; outcomes: readonly Outcome[] } {
    const log = this.#operations?.log;
    if (log === undefined) throw new Error('this connection is for reading only');
    const append = (): readonly AppendResult[] => {
      this.#begin.run();
      return batches.map(({ buffer, length }) => log.append(new Uint8Array(buffer), length));
    };
    let results = append();
    let outcomes: readonly Outcome[];
    try {
      outcomes = calls.map(this.#plainly);
    } catch (error) {
      if (failureOf(error).fault === 'unavailable') throw error;
      // One has failed, as next to none does: all are done again, each apart from the others.
      this.rollBack();
      results = append();
      outcomes = this.runAll(calls);
    }
    this.#commit.run();
    return { results, outcomes };
  }

  /** @throws whatever it throws */
  readonly #plainly = ([id, , name, args]: Call): Outcome => [
    id,
    undefined,
    (this.#byName.get(name) as AnyOperation)(...args),
  ];

  runAll(calls: readonly Call[]): readonly Outcome[] {
    return calls.map((call) => this.run(call));
  }

  /**
   * Runs one call. One that fails has no effect, and the others stay.
   * @throws an outage, which concerns all of them.
   */
  run([id, write, name, args]: Call): Outcome {
    const operation = this.#byName.get(name) as AnyOperation;
    if (write) this.#savepoint.run();
    try {
      const value = operation(...args);
      if (write) this.#release.run();
      return [id, undefined, value];
    } catch (error) {
      const failure = failureOf(error);
      if (failure.fault === 'unavailable') throw error;
      if (write) {
        this.#undo.run();
        this.#release.run();
        this.#reload();
      }
      return [id, failure, undefined];
    }
  }

  rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    this.#reload();
  }

  close(): void {
    this.#database.close();
  }
}

/** An error as it goes to the other thread. */
export function failureOf(error: unknown): Failure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof RequestError) return { fault: 'request', message };
  const code = sqliteCode(error);
  if (error instanceof StoreUnavailableError || (code !== undefined && outages.has(code))) {
    return { fault: 'unavailable', message };
  }
  return { fault: 'defect', message, stack };
}
