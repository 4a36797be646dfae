import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Registration, RegistrationUpdate } from '../ports/registration-store.ts';

/**
 * A registration as a row and between the threads, in the order of `registrationColumns`; links and other
 * structures are JSON, so that the worker need not build them.
 */
export type RegistrationRow = readonly (string | number | null)[];

/** Columns of the table in the order of a row. */
export const registrationColumns =
  'endpoint, id, address, identity, lifetime, version, binding, queue_mode, sms, root_path, links, formats, additional, registered_at, updated_at, expires_at, node';

const placeholders = registrationColumns.replace(/\w+/g, '?');

export function registrationRow(registration: Registration): RegistrationRow {
  return [
    registration.endpoint,
    registration.id,
    registration.address,
    registration.identity === undefined ? null : JSON.stringify(registration.identity),
    registration.lifetime,
    registration.version,
    registration.binding,
    registration.queueMode ? 1 : 0,
    registration.smsNumber ?? null,
    registration.rootPath,
    JSON.stringify(registration.links),
    JSON.stringify(registration.contentFormats),
    JSON.stringify(registration.additional),
    registration.registeredAt,
    registration.updatedAt,
    registration.expiresAt,
    registration.node,
  ];
}

/** The registration of a row. */
export function registrationOfRow(row: RegistrationRow): Registration {
  const identity = row[3] as string | null;
  const sms = row[8] as string | null;
  return {
    id: row[1] as string,
    endpoint: row[0] as string,
    address: row[2] as string,
    ...(identity === null ? {} : { identity: JSON.parse(identity) }),
    lifetime: row[4] as number,
    version: row[5] as string,
    binding: row[6] as string,
    queueMode: row[7] === 1,
    ...(sms === null ? {} : { smsNumber: sms }),
    rootPath: row[9] as string,
    links: JSON.parse(row[10] as string),
    contentFormats: JSON.parse(row[11] as string),
    additional: JSON.parse(row[12] as string),
    registeredAt: row[13] as number,
    updatedAt: row[14] as number,
    expiresAt: row[15] as number,
    node: row[16] as string,
  };
}

/** Columns that an Update may set: address, identity, lifetime, binding, queue mode, SMS number, root path, links, formats, updated at, node; null: stays. */
export type UpdateRow = readonly (string | number | null)[];

export function updateRow(update: RegistrationUpdate): UpdateRow {
  return [
    update.address,
    update.identity === undefined ? null : JSON.stringify(update.identity),
    update.lifetime ?? null,
    update.binding ?? null,
    update.queueMode === undefined ? null : update.queueMode ? 1 : 0,
    update.smsNumber ?? null,
    update.rootPath ?? null,
    update.links === undefined ? null : JSON.stringify(update.links),
    update.contentFormats === undefined ? null : JSON.stringify(update.contentFormats),
    update.updatedAt,
    update.node,
  ];
}

/** Registrations on the worker's side, with what they do to devices and observations. */
export class RegistrationTable {
  readonly #byEndpoint;
  readonly #byId;
  readonly #put;
  readonly #remove;
  readonly #update;
  readonly #move;
  readonly #dropObservations;
  readonly #deviceRegistered;
  readonly #deviceGone;
  readonly #expired;
  readonly #next;
  readonly #count;

  constructor(database: DatabaseSync) {
    const arrays = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#byEndpoint = arrays(`SELECT ${registrationColumns} FROM registration WHERE endpoint = ?`);
    this.#byId = arrays(`SELECT ${registrationColumns} FROM registration WHERE id = ?`);
    this.#put = database.prepare(
      `INSERT INTO registration (${registrationColumns}) VALUES (${placeholders})
       ON CONFLICT (endpoint) DO UPDATE SET id = excluded.id, address = excluded.address,
         identity = excluded.identity, lifetime = excluded.lifetime, version = excluded.version,
         binding = excluded.binding, queue_mode = excluded.queue_mode, sms = excluded.sms,
         root_path = excluded.root_path, links = excluded.links, formats = excluded.formats,
         additional = excluded.additional, registered_at = excluded.registered_at,
         updated_at = excluded.updated_at, expires_at = excluded.expires_at, node = excluded.node`,
    );
    this.#remove = database.prepare('DELETE FROM registration WHERE endpoint = ?');
    this.#update = arrays(
      `UPDATE registration SET address = ?1, identity = coalesce(?2, identity),
         expires_at = ?10 + coalesce(?3, lifetime) * 1000 + (expires_at - updated_at - lifetime * 1000),
         lifetime = coalesce(?3, lifetime), binding = coalesce(?4, binding),
         queue_mode = coalesce(?5, queue_mode), sms = coalesce(?6, sms),
         root_path = coalesce(?7, root_path), links = coalesce(?8, links),
         formats = coalesce(?9, formats), updated_at = ?10, node = ?11
       WHERE id = ?12 RETURNING ${registrationColumns}`,
    );
    this.#move = database.prepare('UPDATE registration SET address = ?, node = ? WHERE id = ?');
    this.#dropObservations = database.prepare('DELETE FROM observation WHERE registration = ?');
    this.#deviceRegistered = database.prepare(
      `INSERT INTO device (endpoint, search, registered, first_seen, last_seen) VALUES (?1, ?2, 1, ?3, ?3)
       ON CONFLICT (endpoint) DO UPDATE SET registered = 1, last_seen = max(last_seen, ?3)`,
    );
    // While registered, a device's last contact is also that of its registration.
    this.#deviceGone = database.prepare(
      'UPDATE device SET registered = 0, last_seen = max(last_seen, ?) WHERE endpoint = ?',
    );
    this.#expired = arrays(
      `SELECT ${registrationColumns} FROM registration WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`,
    );
    this.#next = arrays('SELECT min(expires_at) FROM registration');
    this.#count = arrays('SELECT count(*) FROM registration');
  }

  /** Returns the row that was replaced. */
  register(row: RegistrationRow): RegistrationRow | undefined {
    const endpoint = row[0] as string;
    const replaced = one(this.#byEndpoint.get(endpoint));
    if (replaced !== undefined) this.#dropObservations.run(replaced[1] as string);
    this.#put.run(...row);
    this.#deviceRegistered.run(endpoint, endpoint.toLowerCase(), row[14] as number);
    return replaced;
  }

  /** Rows after and before. */
  update(id: string, update: UpdateRow): readonly [RegistrationRow, RegistrationRow] | undefined {
    const previous = one(this.#byId.get(id));
    if (previous === undefined) return undefined;
    const row = one(this.#update.get(...update, id));
    return row === undefined ? undefined : [row, previous];
  }

  move(id: string, address: string, node: string): boolean {
    return this.#move.run(address, node, id).changes === 1;
  }

  deregister(id: string): RegistrationRow | undefined {
    const row = one(this.#byId.get(id));
    if (row !== undefined) this.#end(row);
    return row;
  }

  expire(now: number, limit: number): readonly RegistrationRow[] {
    const rows = many(this.#expired.all(now, limit));
    for (const row of rows) this.#end(row);
    return rows;
  }

  nextExpiry(): number | undefined {
    return (one(this.#next.get())?.[0] as number | null) ?? undefined;
  }

  byId(id: string): RegistrationRow | undefined {
    return one(this.#byId.get(id));
  }

  byEndpoint(endpoint: string): RegistrationRow | undefined {
    return one(this.#byEndpoint.get(endpoint));
  }

  count(): number {
    return one(this.#count.get())?.[0] as number;
  }

  #end(row: RegistrationRow): void {
    const endpoint = row[0] as string;
    this.#dropObservations.run(row[1] as string);
    this.#remove.run(endpoint);
    this.#deviceGone.run(row[14] as number, endpoint);
  }
}

/** The types of node:sqlite know rows as objects only; these statements give arrays. */
function one(row: Record<string, SQLOutputValue> | undefined): RegistrationRow | undefined {
  return row as unknown as RegistrationRow | undefined;
}

function many(rows: readonly Record<string, SQLOutputValue>[]): readonly RegistrationRow[] {
  return rows as unknown as readonly RegistrationRow[];
}
