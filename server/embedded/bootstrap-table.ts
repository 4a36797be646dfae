import type { DatabaseSync } from 'node:sqlite';
import type {
  BootstrapAssignment,
  BootstrapBounds,
  BootstrapProfile,
  BootstrapSession,
  BootstrapStore,
} from '../ports/bootstrap-store.ts';
import { bootstrapStates } from '../ports/bootstrap-store.ts';
import { bucketOf } from '../ports/bucket.ts';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';

type AssignmentQuery = Parameters<BootstrapStore['assignments']>[0];
type SessionQuery = Parameters<BootstrapStore['sessions']>[0];

/** Bootstrap profiles, assignments and sessions on the worker's side. */
export class BootstrapTable {
  readonly #profiles;
  readonly #putProfile;
  readonly #removeProfile;
  readonly #assignment;
  readonly #assign;
  readonly #unassign;
  readonly #assignments;
  readonly #running;
  readonly #enter;
  readonly #replace;
  readonly #trimDevice;
  readonly #trimBucket;
  readonly #record;
  readonly #session;
  readonly #sessions;

  constructor(database: DatabaseSync) {
    this.#profiles = database.prepare('SELECT record FROM bootstrap_profile ORDER BY id');
    this.#putProfile = database.prepare('INSERT OR REPLACE INTO bootstrap_profile VALUES (?, ?)');
    this.#removeProfile = database.prepare('DELETE FROM bootstrap_profile WHERE id = ?');
    this.#assignment = database.prepare('SELECT profile FROM bootstrap_assignment WHERE endpoint = ?');
    this.#assign = database.prepare('INSERT OR REPLACE INTO bootstrap_assignment VALUES (?, ?)');
    this.#unassign = database.prepare('DELETE FROM bootstrap_assignment WHERE endpoint = ?');
    this.#assignments = database.prepare(
      `SELECT endpoint, profile FROM bootstrap_assignment WHERE endpoint > ?1 AND (?2 IS NULL OR profile = ?2)
       ORDER BY endpoint LIMIT ?3`,
    );
    this.#running = database.prepare(
      `SELECT record FROM bootstrap_session WHERE endpoint = ? AND state = 'running'`,
    );
    this.#enter = database.prepare(
      'INSERT INTO bootstrap_session (id, endpoint, bucket, state, record) VALUES (?, ?, ?, ?, ?)',
    );
    this.#replace = database.prepare('UPDATE bootstrap_session SET state = ?, record = ? WHERE id = ?');
    this.#trimDevice = database.prepare(
      `DELETE FROM bootstrap_session WHERE endpoint = ?1 AND sequence <=
         (SELECT sequence FROM bootstrap_session WHERE endpoint = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)`,
    );
    this.#trimBucket = database.prepare(
      `DELETE FROM bootstrap_session WHERE bucket = ?1 AND sequence <=
         (SELECT sequence FROM bootstrap_session WHERE bucket = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)`,
    );
    this.#record = database.prepare(
      `UPDATE bootstrap_session SET state = ?, record = ? WHERE id = ? AND state = 'running'`,
    );
    this.#session = database.prepare('SELECT record FROM bootstrap_session WHERE id = ?');
    this.#sessions = database.prepare(
      `SELECT sequence, record FROM bootstrap_session WHERE sequence < ?1 AND (?2 IS NULL OR endpoint = ?2)
         AND state IN (SELECT value FROM json_each(?3)) ORDER BY sequence DESC LIMIT ?4`,
    );
  }

  profiles(): readonly BootstrapProfile[] {
    return this.#profiles.all().map((row) => JSON.parse(row['record'] as string));
  }

  putProfile(profile: BootstrapProfile): void {
    this.#putProfile.run(profile.id, JSON.stringify(profile));
  }

  removeProfile(id: string): boolean {
    return this.#removeProfile.run(id).changes === 1;
  }

  assignment(endpoint: string): string | undefined {
    return this.#assignment.get(endpoint)?.['profile'] as string | undefined;
  }

  assign(endpoint: string, profile: string | undefined): void {
    if (profile === undefined) this.#unassign.run(endpoint);
    else this.#assign.run(endpoint, profile);
  }

  assignments({ profile, limit, cursor }: AssignmentQuery): {
    readonly items: readonly BootstrapAssignment[];
    readonly next?: string;
  } {
    const kind = 'bootstrap assignments';
    const after = cursor === undefined ? '' : decodeCursor(kind, cursor, 'string');
    const rows = this.#assignments.all(after, profile ?? null, limit + 1);
    const items = rows.slice(0, limit).map(
      (row): BootstrapAssignment => ({
        endpoint: row['endpoint'] as string,
        profile: row['profile'] as string,
      }),
    );
    const last = items.at(-1);
    return {
      items,
      ...(rows.length > limit && last !== undefined ? { next: encodeCursor(kind, last.endpoint) } : {}),
    };
  }

  begin(session: BootstrapSession, bounds: BootstrapBounds): BootstrapSession | undefined {
    const { id, endpoint, state, startedAt } = session;
    const row = this.#running.get(endpoint);
    const former: BootstrapSession | undefined = row && {
      ...JSON.parse(row['record'] as string),
      state: 'replaced',
      updatedAt: startedAt,
    };
    if (former !== undefined) this.#replace.run(former.state, JSON.stringify(former), former.id);
    const bucket = bucketOf(endpoint);
    this.#enter.run(id, endpoint, bucket, state, JSON.stringify(session));
    this.#trimDevice.run(endpoint, bounds.ofDevice);
    this.#trimBucket.run(bucket, bounds.ofBucket);
    return former;
  }

  record(session: BootstrapSession): boolean {
    return this.#record.run(session.state, JSON.stringify(session), session.id).changes === 1;
  }

  session(id: string): BootstrapSession | undefined {
    const row = this.#session.get(id);
    return row && JSON.parse(row['record'] as string);
  }

  sessions({ endpoint, states = bootstrapStates, limit, cursor }: SessionQuery): {
    readonly items: readonly BootstrapSession[];
    readonly next?: string;
  } {
    const kind = 'bootstrap sessions';
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor(kind, cursor, 'number');
    const rows = this.#sessions.all(before, endpoint ?? null, JSON.stringify(states), limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1)?.['sequence'];
    return {
      items: shown.map((row) => JSON.parse(row['record'] as string)),
      ...(rows.length > limit && typeof last === 'number' ? { next: encodeCursor(kind, last) } : {}),
    };
  }
}
