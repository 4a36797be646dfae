import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { CredentialSummary, PutCredential } from '../ports/credential-store.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../ports/cursor.ts';

/** A credential as it crosses between threads: kind, name, endpoint, key (null where there is none), when it was stored. */
export type CredentialRow = readonly [
  kind: PeerIdentity['kind'],
  name: string,
  endpoint: string,
  key: Uint8Array | null,
  storedAt: number,
];

/** Credentials on the worker's side. */
export class CredentialTable {
  readonly #put;
  readonly #owner;
  readonly #ofDevice;
  readonly #find;
  readonly #remove;
  readonly #list;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare('INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?)');
    this.#owner = database.prepare('SELECT endpoint FROM credential WHERE kind = ? AND name = ?');
    this.#ofDevice = database.prepare('SELECT * FROM credential WHERE endpoint = ?');
    this.#find = database.prepare('SELECT * FROM credential WHERE kind = ? AND name = ?');
    this.#remove = database.prepare('DELETE FROM credential WHERE kind = ? AND name = ?');
    this.#list = database.prepare(
      `SELECT kind, name, endpoint, stored_at FROM credential WHERE (endpoint, kind, name) > (?, ?, ?)
       ORDER BY endpoint, kind, name LIMIT ?`,
    );
  }

  put(row: CredentialRow): PutCredential {
    const [kind, name, endpoint] = row;
    const owner = this.#owner.get(kind, name)?.['endpoint'] as string | undefined;
    if (owner !== undefined && owner !== endpoint) return { stored: false, endpoint: owner };
    this.#put.run(...row);
    return { stored: true, replaced: owner !== undefined };
  }

  get(endpoint: string): readonly CredentialRow[] {
    return this.#ofDevice.all(endpoint).map(rowOf);
  }

  find({ kind, name }: PeerIdentity): CredentialRow | undefined {
    const row = this.#find.get(kind, name);
    return row && rowOf(row);
  }

  remove({ kind, name }: PeerIdentity): boolean {
    return this.#remove.run(kind, name).changes === 1;
  }

  list(limit: number, cursor: string | undefined): { items: readonly CredentialSummary[]; next?: string } {
    const after = cursor === undefined ? ['', '', ''] : decodeCursor('credentials', cursor, 'parts');
    const [endpoint, kind, name] = after;
    if (typeof endpoint !== 'string' || typeof kind !== 'string' || typeof name !== 'string')
      throw foreignCursor();
    const rows = this.#list.all(endpoint, kind, name, limit + 1);
    const items = rows.slice(0, limit).map((row) => ({
      identity: { kind: row['kind'] as PeerIdentity['kind'], name: row['name'] as string },
      endpoint: row['endpoint'] as string,
      storedAt: row['stored_at'] as number,
    })) as CredentialSummary[];
    const last = items.at(-1);
    if (rows.length <= limit || last === undefined) return { items };
    const { identity } = last;
    return { items, next: encodeCursor('credentials', [last.endpoint, identity.kind, identity.name]) };
  }
}

function rowOf(row: Record<string, SQLOutputValue>): CredentialRow {
  return [
    row['kind'] as PeerIdentity['kind'],
    row['name'] as string,
    row['endpoint'] as string,
    row['key'] as Uint8Array | null,
    row['stored_at'] as number,
  ];
}
