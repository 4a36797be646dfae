import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type {
  CredentialAccount,
  CredentialChange,
  CredentialFilter,
  Identity,
  PutCredential,
} from '../ports/credential-store.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../ports/cursor.ts';
import { type CredentialRow, credentialColumns, searchTexts } from './credential-row.ts';

const columns = credentialColumns.join(', ');
/** A list shows no keys. */
const listed = credentialColumns.map((column) => (column === 'key' ? 'NULL' : column)).join(', ');
const which = 'account = ? AND kind = ? AND name = ?';

/** Credentials on the worker's side. */
export class CredentialTable {
  readonly #database: DatabaseSync;
  readonly #put;
  readonly #owner;
  readonly #ofDevice;
  readonly #find;
  readonly #summary;
  readonly #remove;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const arrays = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    const places = [...credentialColumns, 'search', 'numbers'].map(() => '?').join(', ');
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO credential (${columns}, search, numbers) VALUES (${places})`,
    );
    this.#owner = database.prepare(`SELECT endpoint FROM credential WHERE ${which}`);
    this.#ofDevice = arrays(`SELECT ${columns} FROM credential WHERE endpoint = ?`);
    this.#find = arrays(`SELECT ${columns} FROM credential WHERE ${which}`);
    this.#summary = arrays(`SELECT ${listed} FROM credential WHERE ${which}`);
    this.#remove = database.prepare(`DELETE FROM credential WHERE ${which}`);
  }

  put(row: CredentialRow, mode: 'add' | 'replace'): PutCredential {
    const [account, kind, name, endpoint] = row as readonly string[] as [string, string, string, string];
    const owner = this.#owner.get(account, kind, name)?.['endpoint'] as string | undefined;
    if (owner !== undefined && (owner !== endpoint || mode === 'add')) {
      return { stored: false, endpoint: owner };
    }
    this.#put.run(...row, ...searchTexts(row));
    return { stored: true, replaced: owner !== undefined };
  }

  get(endpoint: string): readonly CredentialRow[] {
    return this.#ofDevice.all(endpoint) as unknown as readonly CredentialRow[];
  }

  find(account: CredentialAccount, { kind, name }: Identity): CredentialRow | undefined {
    return this.#find.get(account, kind, name) as unknown as CredentialRow | undefined;
  }

  /** The row afterwards, without its key. */
  change(
    account: CredentialAccount,
    { kind, name }: Identity,
    { state, validUntil, usedAt, changedAt, tenant }: CredentialChange,
  ): CredentialRow | undefined {
    const values: readonly (readonly [string, SQLInputValue | undefined])[] = [
      ['state', state],
      ['valid_until', validUntil],
      ['used_at', usedAt],
      ['changed_at', changedAt],
      ['tenant', tenant],
    ];
    const given = values.filter((entry): entry is [string, SQLInputValue] => entry[1] !== undefined);
    if (given.length > 0) {
      const assignments = given.map(([column]) => `${column} = ?`).join(', ');
      this.#database
        .prepare(`UPDATE credential SET ${assignments} WHERE ${which}`)
        .run(...given.map(([, value]) => value), account, kind, name);
    }
    return this.#summary.get(account, kind, name) as unknown as CredentialRow | undefined;
  }

  remove(account: CredentialAccount, { kind, name }: Identity): boolean {
    return this.#remove.run(account, kind, name).changes === 1;
  }

  list(
    filter: CredentialFilter,
    limit: number,
    cursor: string | undefined,
  ): { readonly items: readonly CredentialRow[]; readonly next?: string } {
    const after = cursor === undefined ? ['', '', '', ''] : decodeCursor('credentials', cursor, 'parts');
    if (after.length !== 4 || !after.every((part) => typeof part === 'string')) throw foreignCursor();
    const conditions = ['(endpoint, account, kind, name) > (?, ?, ?, ?)'];
    const values: SQLInputValue[] = [...(after as string[])];
    for (const column of ['account', 'kind', 'state', 'tenant'] as const) {
      const value = filter[column];
      if (value === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(value);
    }
    if (filter.search !== undefined && filter.search !== '') {
      const wanted = filter.search.toLowerCase();
      conditions.push('(instr(search, ?) > 0 OR instr(numbers, ?) > 0)');
      values.push(wanted, `\n${wanted}`);
    }
    const statement = this.#database.prepare(
      `SELECT ${listed} FROM credential WHERE ${conditions.join(' AND ')}
       ORDER BY endpoint, account, kind, name LIMIT ?`,
    );
    statement.setReturnArrays(true);
    const rows = statement.all(...values, limit + 1) as unknown as readonly CredentialRow[];
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    if (rows.length <= limit || last === undefined) return { items };
    const [account, kind, name, endpoint] = last as readonly string[] as [string, string, string, string];
    return { items, next: encodeCursor('credentials', [endpoint, account, kind, name]) };
  }
}
