import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { endings, neverSeen } from '../inventory/device-columns.ts';
import { decodeLinks, encodeLinks } from '../ports/link-rows.ts';
import {
  isSpeakersOwn,
  type Registration,
  type RegistrationUpdate,
  repetitionWindow,
  type Speaker,
} from '../ports/registration-store.ts';
import type { ChangeCounter } from './change-counter.ts';

/**
 * A registration as a row and between the threads, in the order of `registrationColumns`; links and other
 * structures are JSON, so that the worker need not build them.
 */
export type RegistrationRow = readonly (string | number | null)[];

/** Columns of the table in the order of a row. */
export const registrationColumns =
  'endpoint, id, address, identity, lifetime, version, binding, queue_mode, sms, root_path, links, formats, additional, registered_at, updated_at, expires_at, node, profiles, message';

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
    encodeLinks(registration.links),
    JSON.stringify(registration.contentFormats),
    JSON.stringify(registration.additional),
    registration.registeredAt,
    registration.updatedAt,
    registration.expiresAt,
    registration.node,
    registration.profiles === undefined ? null : JSON.stringify(registration.profiles),
    registration.message ?? null,
  ];
}

/** The registration of a row. */
export function registrationOfRow(row: RegistrationRow): Registration {
  const identity = row[3] as string | null;
  const sms = row[8] as string | null;
  const profiles = row[profilesColumn] as string | null;
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
    links: decodeLinks(row[10] as string),
    contentFormats: JSON.parse(row[11] as string),
    additional: JSON.parse(row[12] as string),
    registeredAt: row[13] as number,
    updatedAt: row[14] as number,
    expiresAt: row[15] as number,
    node: row[16] as string,
    ...(profiles === null ? {} : { profiles: JSON.parse(profiles) }),
    ...(typeof row[messageColumn] === 'string' ? { message: row[messageColumn] } : {}),
    ...(row[addressLostColumn] === 1 ? { addressLost: true } : {}),
    ...(typeof row[fenceColumn] === 'number' ? { fence: row[fenceColumn] } : {}),
  };
}

/** Id, endpoint and node of a registration whose address another device has now. */
export type DisplacedRow = readonly [string, string, string];

/** What an Update changes, as column number (in registrationColumns) and value by turns. */
export type UpdateRow = readonly (string | number | null)[];

/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms: how long a device in queue mode is taken to listen after it has spoken. */
const standardListening = 93_000;

const identityColumn = 3;
const lifetimeColumn = 4;
const queueModeColumn = 7;
const linksColumn = 10;
const formatsColumn = 11;
const registeredColumn = 13;
const updatedColumn = 14;
const expiresColumn = 15;
const nodeColumn = 16;
const profilesColumn = 17;
const messageColumn = 18;
/** Not of the table: whether another device was heard at its address since, where the statement tells. */
const addressLostColumn = 19;

/** Not of the table either: that of the device. */
const fenceColumn = 20;

/** As columns after the others. */
const addressLost = `NOT EXISTS
  (SELECT 1 FROM device_address a WHERE a.address = registration.address AND a.endpoint = registration.endpoint)`;
const fence = '(SELECT fence FROM device d WHERE d.endpoint = registration.endpoint)';

export function updateRow(update: RegistrationUpdate): UpdateRow {
  const changes: (string | number | null)[] = [2, update.address, 14, update.updatedAt, 16, update.node];
  if (update.identity !== undefined) changes.push(identityColumn, JSON.stringify(update.identity));
  if (update.lifetime !== undefined) changes.push(lifetimeColumn, update.lifetime);
  if (update.binding !== undefined) changes.push(6, update.binding);
  if (update.queueMode !== undefined) changes.push(7, update.queueMode ? 1 : 0);
  if (update.smsNumber !== undefined) changes.push(8, update.smsNumber);
  if (update.rootPath !== undefined) changes.push(9, update.rootPath);
  if (update.links !== undefined) changes.push(linksColumn, encodeLinks(update.links));
  if (update.contentFormats !== undefined) changes.push(formatsColumn, JSON.stringify(update.contentFormats));
  if (update.profiles !== undefined) changes.push(profilesColumn, JSON.stringify(update.profiles));
  return changes;
}

/** Registrations on the worker's side, with what they do to devices and observations. */
export class RegistrationTable {
  readonly #byEndpoint;
  readonly #byId;
  readonly #put;
  readonly #remove;
  readonly #update;
  readonly #updateLinks;
  readonly #addressed;
  readonly #leftAddress;
  readonly #holder;
  readonly #byAddress;
  readonly #move;
  readonly #claim;
  readonly #dropObservations;
  readonly #deviceRegistered;
  readonly #deviceHeard;
  readonly #deviceMoved;
  readonly #deviceGone;
  readonly #expired;
  readonly #next;
  readonly #count;
  readonly #change: ChangeCounter;

  constructor(database: DatabaseSync, change: ChangeCounter) {
    this.#change = change;
    const arrays = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    const located = `SELECT ${registrationColumns}, ${addressLost}, ${fence} FROM registration`;
    this.#byEndpoint = arrays(`${located} WHERE endpoint = ?`);
    this.#byId = arrays(`${located} WHERE id = ?`);
    this.#put = database.prepare(
      `INSERT INTO registration (${registrationColumns}) VALUES (${placeholders})
       ON CONFLICT (endpoint) DO UPDATE SET id = excluded.id, address = excluded.address,
         identity = excluded.identity, lifetime = excluded.lifetime, version = excluded.version,
         binding = excluded.binding, queue_mode = excluded.queue_mode, sms = excluded.sms,
         root_path = excluded.root_path, links = excluded.links, formats = excluded.formats,
         additional = excluded.additional, registered_at = excluded.registered_at,
         updated_at = excluded.updated_at, expires_at = excluded.expires_at, node = excluded.node,
         profiles = excluded.profiles, message = excluded.message`,
    );
    this.#remove = database.prepare('DELETE FROM registration WHERE endpoint = ?');
    this.#update = database.prepare(
      `UPDATE registration SET address = ?, identity = ?, lifetime = ?, binding = ?, queue_mode = ?, sms = ?,
         root_path = ?, updated_at = ?, expires_at = ?, node = ? WHERE endpoint = ?`,
    );
    this.#updateLinks = database.prepare(
      'UPDATE registration SET links = ?, formats = ?, profiles = ? WHERE endpoint = ?',
    );
    this.#addressed = database.prepare(
      `INSERT INTO device_address VALUES (?1, ?2)
       ON CONFLICT (address) DO UPDATE SET endpoint = excluded.endpoint WHERE endpoint <> excluded.endpoint`,
    );
    this.#holder = arrays(
      `SELECT r.id, r.endpoint, r.node FROM device_address a JOIN registration r ON r.endpoint = a.endpoint
       WHERE a.address = ? AND a.endpoint <> ?`,
    );
    this.#leftAddress = database.prepare('DELETE FROM device_address WHERE address = ? AND endpoint = ?');
    this.#byAddress = arrays(
      `SELECT ${registrationColumns.replace(/\w+/g, (column) => `r.${column}`)}, 0, d.fence
       FROM device_address a JOIN registration r ON r.endpoint = a.endpoint
         JOIN device d ON d.endpoint = a.endpoint WHERE a.address = ?`,
    );
    this.#move = database.prepare('UPDATE registration SET address = ?, node = ? WHERE id = ?');
    this.#dropObservations = database.prepare('DELETE FROM observation WHERE registration = ?');
    this.#deviceRegistered = arrays(
      `INSERT INTO device (endpoint, search, registered, first_seen, last_seen, awake_until, node, change, owner, fence,
         tenant)
       VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, ?5, 1, ?7)
       ON CONFLICT (endpoint) DO UPDATE SET registered = 1, ending = 0,
         first_seen = iif(first_seen = ${neverSeen}, ?3, first_seen), last_seen = max(last_seen, ?3),
         awake_until = ?4, node = ?5, change = ?6, owner = ?5, fence = fence + (owner IS NOT ?5)
       RETURNING fence`,
    );
    this.#deviceHeard = arrays(
      `UPDATE device SET last_seen = max(last_seen, ?1), awake_until = ?2, node = ?3, change = ?4, owner = ?3,
         fence = fence + (owner IS NOT ?3) WHERE endpoint = ?5 RETURNING fence`,
    );
    this.#deviceMoved = arrays(
      `UPDATE device SET node = ?1, change = ?2, owner = ?1, fence = fence + (owner IS NOT ?1)
       WHERE endpoint = ?3 RETURNING fence`,
    );
    this.#claim = database.prepare('UPDATE registration SET node = ? WHERE id = ?');
    this.#deviceGone = database.prepare(
      `UPDATE device SET registered = 0, ending = ?, awake_until = NULL, node = NULL, change = ?
       WHERE endpoint = ?`,
    );
    this.#expired = arrays(
      `SELECT ${registrationColumns}, 0, ${fence} FROM registration WHERE expires_at <= ?
       ORDER BY expires_at LIMIT ?`,
    );
    this.#next = arrays('SELECT min(expires_at) FROM registration');
    this.#count = arrays('SELECT count(*) FROM registration');
  }

  /**
   * The row that was replaced, the fence, who had the address before, and whether nothing was done, for that row is
   * of the same message and stays.
   */
  register(
    row: RegistrationRow,
    tenant: string | undefined,
  ): readonly [RegistrationRow | undefined, number, DisplacedRow | undefined, boolean] {
    const endpoint = row[0] as string;
    const replaced = one(this.#byEndpoint.get(endpoint));
    if (replaced !== undefined && isRepetition(row, replaced)) {
      return [replaced, replaced[fenceColumn] as number, undefined, true];
    }
    if (replaced !== undefined) this.#dropObservations.run(replaced[1] as string);
    this.#put.run(...row);
    const displaced = this.#heardAt(row[2] as string, endpoint, replaced);
    const search = endpoint.toLowerCase();
    const owned = this.#deviceRegistered.get(
      endpoint,
      search === endpoint ? null : search,
      row[updatedColumn] as number,
      listeningUntil(row),
      row[nodeColumn] as string,
      this.#change.next(),
      tenant ?? null,
    );
    return [replaced, fenceOf(owned), displaced, false];
  }

  /** The row before, the new expiry, the fence, and who had the address before. */
  update(
    id: string,
    changes: UpdateRow,
    speaker: Speaker,
  ): readonly [RegistrationRow, number, number, DisplacedRow | undefined] | undefined {
    const previous = this.#own(id, speaker);
    if (previous === undefined) return undefined;
    const row = [...previous];
    for (let index = 0; index < changes.length; index += 2) {
      row[changes[index] as number] = changes[index + 1] as string | number | null;
    }
    const end = (of: RegistrationRow) =>
      (of[updatedColumn] as number) + (of[lifetimeColumn] as number) * 1000;
    const grace = (previous[expiresColumn] as number) - end(previous);
    const expiresAt = end(row) + grace;
    const [endpoint, , address, identity, lifetime, , binding, queueMode, sms, rootPath] =
      row as RegistrationRow as [
        string,
        string,
        string,
        string | null,
        number,
        string,
        string,
        number,
        string | null,
        string,
      ];
    const updatedAt = row[updatedColumn] as number;
    const node = row[nodeColumn] as string;
    this.#update.run(
      address,
      identity,
      lifetime,
      binding,
      queueMode,
      sms,
      rootPath,
      updatedAt,
      expiresAt,
      node,
      endpoint,
    );
    const listed = [linksColumn, formatsColumn, profilesColumn];
    if (listed.some((column) => row[column] !== previous[column])) {
      this.#updateLinks.run(...listed.map((column) => row[column] as string | null), endpoint);
    }
    const owned = this.#deviceHeard.get(updatedAt, listeningUntil(row), node, this.#change.next(), endpoint);
    return [previous, expiresAt, fenceOf(owned), this.#heardAt(address, endpoint, previous)];
  }

  /** The node before, the fence, and who had the address before; undefined where `id` is unknown. */
  move(
    id: string,
    address: string,
    node: string,
  ): readonly [string, number, DisplacedRow | undefined] | undefined {
    const previous = one(this.#byId.get(id));
    if (previous === undefined) return undefined;
    this.#move.run(address, node, id);
    const fence = this.#take(previous, node);
    const displaced = this.#heardAt(address, previous[0] as string, previous);
    return [previous[nodeColumn] as string, fence, displaced];
  }

  /** The row before and the fence; undefined where `id` is unknown, or its node is not `from`. */
  claim(id: string, node: string, from?: string): readonly [RegistrationRow, number] | undefined {
    const previous = one(this.#byId.get(id));
    if (previous === undefined || (from !== undefined && from !== previous[nodeColumn])) return undefined;
    this.#claim.run(node, id);
    return [previous, this.#take(previous, node)];
  }

  /** The registration, where it is the speaker's own. */
  #own(id: string, speaker: Speaker): RegistrationRow | undefined {
    const row = one(this.#byId.get(id));
    if (row === undefined) return undefined;
    const identity = row[identityColumn] ?? undefined;
    return isSpeakersOwn({ endpoint: row[0] as string, identity }, speaker) ? row : undefined;
  }

  /** The fence of the device that is this node's from now on. */
  #take(previous: RegistrationRow, node: string): number {
    if (node === previous[nodeColumn]) return previous[fenceColumn] as number;
    return fenceOf(this.#deviceMoved.get(node, this.#change.next(), previous[0] as string));
  }

  /**
   * The address is this device's from now on, whoever had it; the one that it had before is nobody's.
   * Returns who had it.
   */
  #heardAt(address: string, endpoint: string, before: RegistrationRow | undefined): DisplacedRow | undefined {
    if (before !== undefined && before[2] === address) {
      // The usual case: it speaks from where it was heard last.
      if (before[addressLostColumn] === 0) return undefined;
    } else if (before !== undefined) {
      this.#leftAddress.run(before[2] as string, endpoint);
    }
    const displaced = one(this.#holder.get(address, endpoint)) as DisplacedRow | undefined;
    this.#addressed.run(address, endpoint);
    return displaced;
  }

  byAddress(address: string): RegistrationRow | undefined {
    return one(this.#byAddress.get(address));
  }

  deregister(id: string, speaker: Speaker): RegistrationRow | undefined {
    const row = this.#own(id, speaker);
    if (row !== undefined) this.#end(row, endings.left);
    return row;
  }

  expire(now: number, limit: number): readonly RegistrationRow[] {
    const rows = many(this.#expired.all(now, limit));
    for (const row of rows) this.#end(row, endings.lost);
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

  #end(row: RegistrationRow, ending: number): void {
    const endpoint = row[0] as string;
    this.#dropObservations.run(row[1] as string);
    this.#remove.run(endpoint);
    this.#leftAddress.run(row[2] as string, endpoint);
    this.#deviceGone.run(ending, this.#change.next(), endpoint);
  }
}

/** Until when the device is taken to listen after what it sent now; null: always. */
function listeningUntil(row: RegistrationRow): number | null {
  return row[queueModeColumn] === 1 ? (row[updatedColumn] as number) + standardListening : null;
}

function fenceOf(row: Record<string, SQLOutputValue> | undefined): number {
  return one(row)?.[0] as number;
}

/** The types of node:sqlite know rows as objects only; these statements give arrays. */
function one(row: Record<string, SQLOutputValue> | undefined): RegistrationRow | undefined {
  return row as unknown as RegistrationRow | undefined;
}

function many(rows: readonly Record<string, SQLOutputValue>[]): readonly RegistrationRow[] {
  return rows as unknown as readonly RegistrationRow[];
}

/** Whether that row is of the message that has made this one. */
function isRepetition(row: RegistrationRow, made: RegistrationRow): boolean {
  return (
    row[messageColumn] !== null &&
    row[messageColumn] === made[messageColumn] &&
    row[2] === made[2] &&
    (row[registeredColumn] as number) - (made[registeredColumn] as number) < repetitionWindow
  );
}
