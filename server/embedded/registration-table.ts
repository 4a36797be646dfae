import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { endings, neverSeen } from '../inventory/device-columns.ts';
import {
  type RegistrationRow,
  type RenewalRow,
  registrationSelection,
  rowPlaces,
} from './registration-row.ts';

/** Columns of the table itself, and their places in a row. */
const columns = [
  ...['endpoint', 'id', 'address', 'identity', 'lifetime', 'version', 'binding', 'queue_mode', 'sms'],
  ...['root_path', 'links', 'formats', 'additional', 'registered_at', 'node', 'profiles', 'message'],
];
const places = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18];

/**
 * Registrations on the worker's side, with what they do to devices and observations. It stores what was decided
 * (EmbeddedRegistrations), and decides nothing.
 */
export class RegistrationTable {
  readonly #after;
  readonly #one;
  readonly #put;
  readonly #renew;
  readonly #remove;
  readonly #displace;
  readonly #move;
  readonly #dropObservations;
  readonly #deviceRegistered;
  readonly #deviceHeard;
  readonly #deviceMoved;
  readonly #fence;
  readonly #deviceGone;

  constructor(database: DatabaseSync) {
    const arrays = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    const selection = `SELECT ${registrationSelection} FROM registration r JOIN device d ON d.endpoint = r.endpoint`;
    this.#after = arrays(`${selection} WHERE r.endpoint > ? ORDER BY r.endpoint LIMIT ?`);
    this.#one = arrays(`${selection} WHERE r.endpoint = ?`);
    const others = columns.slice(1).map((column) => `${column} = excluded.${column}`);
    this.#put = database.prepare(
      `INSERT INTO registration (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
       ON CONFLICT (endpoint) DO UPDATE SET ${others.join(', ')}, address_lost = 0`,
    );
    this.#renew = database.prepare(
      `UPDATE registration SET id = ?, address = ?, address_lost = 0, registered_at = ?, node = ?, message = ?
       WHERE endpoint = ?`,
    );
    this.#remove = database.prepare('DELETE FROM registration WHERE endpoint = ?');
    this.#displace = database.prepare('UPDATE registration SET address_lost = 1 WHERE endpoint = ?');
    this.#move = database.prepare(
      'UPDATE registration SET address = ?, address_lost = ?, node = ? WHERE endpoint = ?',
    );
    this.#dropObservations = database.prepare('DELETE FROM observation WHERE registration = ?');
    this.#deviceRegistered = database.prepare(
      `INSERT INTO device (endpoint, search, registered, first_seen, last_seen, awake_until, node, owner, fence,
         updated_at, expires_at, tenant)
       VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?5, 1, ?3, ?6, ?7)
       ON CONFLICT (endpoint) DO UPDATE SET registered = 1, ending = 0,
         first_seen = iif(first_seen = ${neverSeen}, ?3, first_seen), last_seen = max(last_seen, ?3),
         awake_until = ?4, node = ?5, owner = ?5, fence = fence + (owner IS NOT ?5), updated_at = ?3, expires_at = ?6`,
    );
    this.#deviceHeard = database.prepare(
      `UPDATE device SET last_seen = max(last_seen, ?1), awake_until = ?2, updated_at = ?1, expires_at = ?3
       WHERE endpoint = ?4`,
    );
    this.#deviceMoved = arrays(
      `UPDATE device SET node = ?1, owner = ?1, fence = fence + (owner IS NOT ?1) WHERE endpoint = ?2
       RETURNING fence`,
    );
    this.#fence = arrays('SELECT fence FROM device WHERE endpoint = ?');
    this.#deviceGone = database.prepare(
      `UPDATE device SET registered = 0, ending = ?, awake_until = NULL, node = NULL, updated_at = NULL,
         expires_at = NULL WHERE endpoint = ?`,
    );
  }

  /** Those whose endpoints are after that one, in their order. */
  after(endpoint: string, limit: number): readonly RegistrationRow[] {
    return this.#after.all(endpoint, limit) as unknown as readonly RegistrationRow[];
  }

  one(endpoint: string): RegistrationRow | undefined {
    return this.#one.get(endpoint) as unknown as RegistrationRow | undefined;
  }

  /**
   * A registration, with the id of the one that it takes the place of, and the endpoint of the device that had its
   * address. Returns the fence.
   */
  register(
    row: RegistrationRow,
    awakeUntil: number | null,
    replaced: string | undefined,
    displaced: string | undefined,
    tenant: string | undefined,
  ): number {
    if (replaced !== undefined) this.#dropObservations.run(replaced);
    this.#put.run(...places.map((place) => row[place] as string | number | null));
    if (displaced !== undefined) this.#displace.run(displaced);
    const [updatedAt, expiresAt] = [row[rowPlaces.updatedAt] as number, row[rowPlaces.expiresAt] as number];
    const node = row[rowPlaces.node] as string;
    return this.#registered(
      row[rowPlaces.endpoint] as string,
      updatedAt,
      awakeUntil,
      node,
      expiresAt,
      tenant,
    );
  }

  /**
   * As `register`, of one that says what the one that it takes the place of said.
   * @param fence that of the other one, where this node has it already: then the device was only heard again
   */
  renew(
    row: RenewalRow,
    awakeUntil: number | null,
    replaced: string,
    displaced: string | undefined,
    fence: number | undefined,
  ): number {
    const [endpoint, id, address, registeredAt, updatedAt, expiresAt, node, message] = row as readonly [
      ...[endpoint: string, id: string, address: string],
      ...[registeredAt: number, updatedAt: number, expiresAt: number, node: string, message: string | null],
    ];
    this.#dropObservations.run(replaced);
    this.#renew.run(id, address, registeredAt, node, message, endpoint);
    if (displaced !== undefined) this.#displace.run(displaced);
    if (fence === undefined) return this.#registered(endpoint, updatedAt, awakeUntil, node, expiresAt);
    this.#deviceHeard.run(updatedAt, awakeUntil, expiresAt, endpoint);
    return fence;
  }

  #registered(
    endpoint: string,
    updatedAt: number,
    awakeUntil: number | null,
    node: string,
    expiresAt: number,
    tenant?: string,
  ): number {
    const search = endpoint.toLowerCase();
    const shown = search === endpoint ? null : search;
    // Without RETURNING, which has SQLite make a table for each call.
    this.#deviceRegistered.run(endpoint, shown, updatedAt, awakeUntil, node, expiresAt, tenant ?? null);
    return fenceOf(this.#fence.get(endpoint));
  }

  /** The registration says something else than before. Returns the fence. */
  change(row: RegistrationRow, awakeUntil: number | null, displaced: string | undefined): number {
    return this.register(row, awakeUntil, undefined, displaced, undefined);
  }

  /** The device has said that it is still there. */
  hear(endpoint: string, updatedAt: number, expiresAt: number, awakeUntil: number | null): void {
    this.#deviceHeard.run(updatedAt, awakeUntil, expiresAt, endpoint);
  }

  /** Address, whether another one was heard there since, and node. Returns the fence. */
  move(
    endpoint: string,
    address: string,
    addressLost: boolean,
    node: string,
    isOtherNode: boolean,
    displaced: string | undefined,
  ): number {
    this.#move.run(address, addressLost ? 1 : 0, node, endpoint);
    if (displaced !== undefined) this.#displace.run(displaced);
    return fenceOf(isOtherNode ? this.#deviceMoved.get(node, endpoint) : this.#fence.get(endpoint));
  }

  /** Endpoints and ids of registrations that are over. */
  end(steps: readonly (readonly [endpoint: string, id: string])[], how: 'lost' | 'left'): void {
    for (const [endpoint, id] of steps) {
      this.#dropObservations.run(id);
      this.#remove.run(endpoint);
      this.#deviceGone.run(endings[how], endpoint);
    }
  }
}

/** The types of node:sqlite know rows as objects only; these statements give arrays. */
function fenceOf(row: Record<string, SQLOutputValue> | undefined): number {
  return (row as unknown as readonly [number])[0];
}
