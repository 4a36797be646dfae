import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { AuditEntry, AuditLog, AuditQuery, StoredAuditEntry } from '../ports/audit-log.ts';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';

/** Entries that one call removes at most: others have their turn between two. */
const removedPerCall = 1_000;

const columns = ['actor', 'action', 'target', 'source', 'outcome', 'tenant'] as const;

/** The audit log on the worker's side, and on the side of queries. */
export class AuditTable {
  readonly #database: DatabaseSync;
  readonly #add;
  readonly #trimAge;
  readonly #trimCount;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#add = database.prepare(
      `INSERT INTO audit (at, actor, action, target, source, outcome, tenant, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#trimAge = database.prepare(
      'DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)',
    );
    this.#trimCount = database.prepare(
      'DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id DESC LIMIT ? OFFSET ?)',
    );
  }

  append(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      const { at, actor, action, target = null, source, outcome } = entry;
      const tenant = actor.tenant ?? null;
      this.#add.run(at, actor.name, action, target, source, outcome, tenant, JSON.stringify(entry));
    }
  }

  search(query: AuditQuery): { readonly items: readonly StoredAuditEntry[]; readonly next?: string } {
    const { limit, cursor, from, to } = query;
    const conditions = ['id < ?'];
    const values: SQLInputValue[] = [
      cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor('audit', cursor, 'number'),
    ];
    for (const name of columns) {
      const value = query[name];
      if (value === undefined) continue;
      conditions.push(`${name} = ?`);
      values.push(value);
    }
    if (from !== undefined) {
      conditions.push('at >= ?');
      values.push(from);
    }
    if (to !== undefined) {
      conditions.push('at < ?');
      values.push(to);
    }
    const rows = this.#database
      .prepare(`SELECT id, record FROM audit WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`)
      .all(...values, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1)?.['id'];
    return {
      items: shown.map((row) => ({ id: String(row['id']), ...JSON.parse(row['record'] as string) })),
      ...(rows.length > limit && typeof last === 'number' ? { next: encodeCursor('audit', last) } : {}),
    };
  }

  /** True where there may be more to remove. */
  trim({ before, keep }: Parameters<AuditLog['trim']>[0]): boolean {
    const byAge = Number(this.#trimAge.run(before, removedPerCall).changes);
    const byCount = Number(this.#trimCount.run(removedPerCall, keep).changes);
    return byAge === removedPerCall || byCount === removedPerCall;
  }
}
