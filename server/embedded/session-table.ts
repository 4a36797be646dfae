import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  type Keeping,
  MOST_SESSIONS_OF_IDENTITY,
  type NewSession,
  type SessionHolder,
  type SessionPlace,
  type SessionStore,
  type StoredSession,
  type TakenSession,
} from '../ports/session-store.ts';

/** DTLS sessions on the worker's side. */
export class SessionTable {
  readonly #create;
  readonly #trimIdentity;
  readonly #reserve;
  readonly #save;
  readonly #get;
  readonly #take;
  readonly #of;
  readonly #remove;
  readonly #trim;

  constructor(database: DatabaseSync) {
    this.#create = database.prepare(
      `INSERT OR IGNORE INTO dtls_session (id, account, kind, name, node, fence, reserved, state, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#trimIdentity = database.prepare(
      `DELETE FROM dtls_session WHERE id IN (SELECT id FROM dtls_session WHERE account = ? AND kind = ? AND name = ?
       ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ${MOST_SESSIONS_OF_IDENTITY})`,
    );
    this.#reserve = database.prepare(
      'UPDATE dtls_session SET reserved = max(reserved, ?), expires_at = ? WHERE id = ? AND fence = ?',
    );
    this.#save = database.prepare(
      `UPDATE dtls_session SET state = ?, receive_window = ?, expires_at = ?, node = '', fence = fence + 1
       WHERE id = ? AND fence = ?`,
    );
    this.#get = database.prepare('SELECT * FROM dtls_session WHERE id = ?');
    this.#take = database.prepare(
      `UPDATE dtls_session SET node = ?, fence = fence + 1, reserved = reserved + ?, receive_window = NULL,
       expires_at = ? WHERE id = ?`,
    );
    this.#of = database.prepare(
      'SELECT id, node, fence FROM dtls_session WHERE account = ? AND kind = ? AND name = ? ORDER BY created_at, rowid',
    );
    this.#remove = database.prepare('DELETE FROM dtls_session WHERE id = ? AND fence = coalesce(?, fence)');
    this.#trim = database.prepare(
      'DELETE FROM dtls_session WHERE rowid IN (SELECT rowid FROM dtls_session WHERE expires_at <= ? LIMIT ?)',
    );
  }

  create(session: NewSession & Keeping): boolean {
    const { id, account, identity, node, fence, reserved, state, at, keepFor } = session;
    const holder = [account, identity.kind, identity.name] as const;
    const { changes } = this.#create.run(id, ...holder, node, fence, reserved, state, at, at + keepFor);
    if (changes === 0) return false;
    this.#trimIdentity.run(...holder);
    return true;
  }

  reserve(id: string, fence: number, upTo: number, { at, keepFor }: Keeping): boolean {
    return this.#reserve.run(upTo, at + keepFor, id, fence).changes === 1;
  }

  save(id: string, fence: number, saved: Parameters<SessionStore['save']>[2]): boolean {
    const { state, window, at, keepFor } = saved;
    return this.#save.run(state, window, at + keepFor, id, fence).changes === 1;
  }

  take(id: string, fence: number, by: Parameters<SessionStore['take']>[2]): TakenSession | undefined {
    const row = this.#get.get(id);
    if (row === undefined || row['fence'] !== fence) return undefined;
    this.#take.run(by.node, by.numbers, by.at + by.keepFor, id);
    const reserved = row['reserved'] as number;
    return {
      id,
      ...holderOf(row),
      fence: fence + 1,
      writeFrom: reserved,
      reserved: reserved + by.numbers,
      state: row['state'] as Uint8Array,
      window: (row['receive_window'] as Uint8Array | null) ?? undefined,
    };
  }

  read(id: string): StoredSession | undefined {
    const row = this.#get.get(id);
    return (
      row && {
        ...placeOf(row),
        ...holderOf(row),
        state: row['state'] as Uint8Array,
        hasWindow: row['receive_window'] !== null,
      }
    );
  }

  of({ account, identity: { kind, name } }: SessionHolder): readonly SessionPlace[] {
    return this.#of.all(account, kind, name).map(placeOf);
  }

  remove(id: string, fence: number | undefined): boolean {
    return this.#remove.run(id, fence ?? null).changes === 1;
  }

  trim(now: number, limit: number): number {
    return Number(this.#trim.run(now, limit).changes);
  }
}

function holderOf(row: Record<string, SQLOutputValue>): SessionHolder {
  return {
    account: row['account'] as SessionHolder['account'],
    identity: { kind: row['kind'] as SessionHolder['identity']['kind'], name: row['name'] as string },
  };
}

function placeOf(row: Record<string, SQLOutputValue>): SessionPlace {
  return { id: row['id'] as string, node: row['node'] as string, fence: row['fence'] as number };
}
