import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError } from '../ports/errors.ts';
import { databaseFile } from './database-file.ts';
import { migrate } from './schema.ts';

/** What the worker is started with. */
export interface DatabaseOptions {
  /** A folder, or `:memory:`. */
  readonly path: string;
  /** False: a commit survives the end of the process, but not that of the machine. */
  readonly durable: boolean;
  /** Opens what another thread of this process has open already, for reading only. */
  readonly reader?: boolean;
  /** Upper bound of the file in pages of 4096 bytes, for tests of a full disk. */
  readonly maxPages?: number;
}

const busy = 5;
const locked = 6;
const corrupt = 11;
const notADatabase = 26;

/** The result code of SQLite (https://sqlite.org/rescode.html), primary; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

/**
 * Holds the folder for this process until closed. The lock is SQLite's own on an empty file, so that the
 * system releases it however the process ends, and the database itself stays readable to backup tools.
 * @throws StoreUnavailableError another process has it.
 */
export function lockFolder(path: string): DatabaseSync | undefined {
  if (path === ':memory:') return undefined;
  const where = `data folder '${path}'`;
  try {
    // Readings, secrets of webhooks and hashes of passwords are for nobody else on this machine.
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StoreUnavailableError(`${where} cannot be made: ${(error as Error).message}`, { cause: error });
  }
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(path, 'simyard.lock'));
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    const code = sqliteCode(error);
    if (code === busy || code === locked) {
      throw new StoreUnavailableError(`${where} is in use by another server`, { cause: error });
    }
    throw new StoreUnavailableError(`${where} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** What helps where SQLite finds that the file is damaged, or never was one of its own; undefined for any other error. */
export function damageOf(options: DatabaseOptions, error: unknown): StoreUnavailableError | undefined {
  const code = sqliteCode(error);
  if (code !== corrupt && code !== notADatabase) return undefined;
  const { message } = error as Error;
  const file = databaseFile(options.path);
  const said =
    code === corrupt ? `'${file}' is damaged: ${message}` : `'${file}' cannot be opened: ${message}`;
  return new StoreUnavailableError(
    `${said}; restore a backup of it, or move it away, with its -wal and -shm files, to start empty`,
    { cause: error },
  );
}

/** Opens the database of a folder that this process holds, at this program's schema. */
export function openDatabase(options: DatabaseOptions): DatabaseSync {
  const file = databaseFile(options.path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 5000 });
    if (options.reader === true) {
      database.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON');
      return database;
    }
    // The WAL is copied back every 4 MB: in steps small enough not to show in the latency of appends.
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${options.durable ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = 1000;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA cache_size = -65536;
      PRAGMA temp_store = MEMORY;
    `);
    migrate(database);
    if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreUnavailableError) throw error;
    const damage = damageOf(options, error);
    if (damage !== undefined) throw damage;
    throw new StoreUnavailableError(`'${file}' cannot be opened: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
