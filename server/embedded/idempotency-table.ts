import type { DatabaseSync } from 'node:sqlite';
import type { IdempotencyStore, KeptAnswer, KeyState } from '../ports/idempotency-store.ts';

/** How long a key is kept, ms. */
const lifetime = 86_400_000;
/** Old keys that one call removes at most. */
const keysPerCall = 100;

/** Keys of requests on the worker's side. */
export class IdempotencyTable {
  readonly #drop;
  readonly #get;
  readonly #full;
  readonly #set;
  readonly #takeOver;
  readonly #finish;
  readonly #release;

  constructor(database: DatabaseSync) {
    this.#drop = database.prepare(
      `DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE since <= ? ORDER BY since LIMIT ?)`,
    );
    this.#get = database.prepare('SELECT * FROM idempotency WHERE key = ? AND since > ?');
    this.#full = database.prepare('SELECT 1 FROM idempotency ORDER BY since LIMIT 1 OFFSET ?');
    this.#set = database.prepare(
      'INSERT OR REPLACE INTO idempotency (key, fingerprint, holder, since) VALUES (?, ?, ?, ?)',
    );
    this.#takeOver = database.prepare(
      'UPDATE idempotency SET holder = ? WHERE key = ? AND holder = ? AND status IS NULL',
    );
    this.#finish = database.prepare(
      'UPDATE idempotency SET status = ?, headers = ?, body = ? WHERE key = ? AND holder = ?',
    );
    this.#release = database.prepare(
      'DELETE FROM idempotency WHERE key = ? AND holder = ? AND status IS NULL',
    );
  }

  /** Undefined: no more are taken. */
  begin({
    key,
    fingerprint,
    holder,
    at,
    limit,
  }: Parameters<IdempotencyStore['begin']>[0]): KeyState | undefined {
    this.#drop.run(at - lifetime, keysPerCall);
    const row = this.#get.get(key, at - lifetime);
    if (row !== undefined) {
      const before = { fingerprint: row['fingerprint'] as string };
      if (row['status'] === null) {
        return { state: 'open', ...before, holder: row['holder'] as string, since: row['since'] as number };
      }
      return {
        state: 'answered',
        ...before,
        answer: {
          status: row['status'] as number,
          headers: JSON.parse(row['headers'] as string),
          ...(row['body'] === null ? {} : { body: row['body'] as string }),
        },
      };
    }
    if (this.#full.get(limit - 1) !== undefined) return undefined;
    this.#set.run(key, fingerprint, holder, at);
    return { state: 'begun' };
  }

  takeOver(key: string, from: string, to: string): boolean {
    return this.#takeOver.run(to, key, from).changes === 1;
  }

  finish(key: string, holder: string, { status, headers, body }: KeptAnswer): void {
    this.#finish.run(status, JSON.stringify(headers), body ?? null, key, holder);
  }

  release(key: string, holder: string): void {
    this.#release.run(key, holder);
  }
}
