import { type AuditLog, fitsAudit, type StoredAuditEntry } from '../server/ports/audit-log.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../server/ports/cursor.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

/** Entries that are read at once. */
const stretch = 500;
/** Entries that one page looks through at most, where few fit: the next one goes on behind them. */
const lookedThrough = 10_000;
/** Entries that one step of a trim removes at most. */
const trimStep = 1_000;

const append = loadScript('audit-append');
const trim = loadScript('audit-trim');

/** The audit log on a stream; its ids are the times of the entries. */
export function auditLog(redis: RedisConnection): AuditLog {
  const stream = redis.keys.shared('audit', 'entries');
  return {
    append: async (entries) => {
      if (entries.length === 0) return;
      await redis.run(
        append,
        [stream],
        entries.flatMap((entry) => [Math.floor(entry.at), JSON.stringify(entry)]),
      );
    },
    search: async (query) => {
      const { limit, cursor } = query;
      let from = cursor === undefined ? '+' : `(${placeOf(cursor)}`;
      const items: StoredAuditEntry[] = [];
      for (let looked = 0; looked < lookedThrough; looked += stretch) {
        const rows = await redis.call((client) => client.xrevrange(stream, from, '-', 'COUNT', stretch));
        for (const [id, [, text = '']] of rows) {
          const entry: StoredAuditEntry = { id, ...JSON.parse(text) };
          if (!fitsAudit(entry, query)) continue;
          const last = items.at(-1);
          if (items.length === limit && last !== undefined)
            return { items, next: encodeCursor('audit', last.id) };
          items.push(entry);
        }
        const oldest = rows.at(-1)?.[0];
        if (oldest === undefined || rows.length < stretch) return { items };
        from = `(${oldest}`;
      }
      return { items, next: encodeCursor('audit', from.slice(1)) };
    },
    trim: async ({ before, keep }) => {
      const bounds = [Math.max(0, Math.ceil(before) - 1), keep, trimStep];
      while ((await redis.run(trim, [stream], bounds)) === trimStep);
    },
  };
}

function placeOf(cursor: string): string {
  const place = decodeCursor('audit', cursor, 'string');
  if (!/^\d+-\d+$/.test(place)) throw foreignCursor();
  return place;
}
