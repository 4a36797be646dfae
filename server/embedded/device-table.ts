import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { DeviceAttributes, DeviceQuery, DeviceStore } from '../ports/device-store.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { type RegistrationRow, registrationColumns } from './registration-table.ts';

/** Attribute and column, in the order of a DeviceRow. */
const attributeColumns = [
  ['manufacturer', 'manufacturer'],
  ['model', 'model'],
  ['serialNumber', 'serial'],
  ['firmwareVersion', 'firmware'],
  ['iccid', 'iccid'],
  ['imsi', 'imsi'],
  ['imei', 'imei'],
  ['carrier', 'carrier'],
  ['signal', 'signal'],
] as const satisfies readonly (readonly [keyof DeviceAttributes, string])[];

/** Names of the attributes in the order of a DeviceRow. */
export const attributeNames = attributeColumns.map(([name]) => name);

/** Endpoint, first seen, last seen, attributes by attributeNames, awake times configured and learnt; then the registration, nulls where there is none. */
export type DeviceRow = readonly (string | number | null)[];

/** First column of the awake times in a DeviceRow. */
export const awakeTimesOffset = 3 + attributeColumns.length;

/** First column of the registration in a DeviceRow. */
export const registrationOffset = awakeTimesOffset + 2;

/** The registration's part of a DeviceRow. */
export function registrationPart(row: DeviceRow): RegistrationRow | undefined {
  return row[registrationOffset] === null ? undefined : row.slice(registrationOffset);
}

const selection = `
  SELECT d.endpoint, d.first_seen, max(d.last_seen, coalesce(r.updated_at, d.last_seen)),
    ${attributeColumns.map(([, column]) => `d.${column}`).join(', ')}, d.awake_configured, d.awake_learnt,
    ${registrationColumns.replace(/\w+/g, (column) => `r.${column}`)}
  FROM device d LEFT JOIN registration r ON r.endpoint = d.endpoint`;

export type NewAwakeTimes = Parameters<DeviceStore['setAwakeTimes']>[1];

/** The attributes that a search compares with, from the start. */
const prefixColumns = ['serial', 'iccid', 'imsi', 'imei'] as const;

/** The inventory on the worker's side. */
export class DeviceTable {
  readonly #database: DatabaseSync;
  readonly #get;
  readonly #heard;
  readonly #setAwake;
  readonly #set = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#get = this.#arrays(`${selection} WHERE d.endpoint = ?`);
    this.#heard = database.prepare('UPDATE device SET last_seen = max(last_seen, ?) WHERE endpoint = ?');
    this.#setAwake = database.prepare(
      `UPDATE device SET awake_configured = iif(?, ?, awake_configured), awake_learnt = iif(?, ?, awake_learnt)
       WHERE endpoint = ?`,
    );
  }

  get(endpoint: string): DeviceRow | undefined {
    return this.#get.get(endpoint) as unknown as DeviceRow | undefined;
  }

  list(query: DeviceQuery): { items: readonly DeviceRow[]; total: number; next: string | undefined } {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const { search, state } = query;
    if (state !== undefined) {
      conditions.push('d.registered = ?');
      values.push(state === 'registered' ? 1 : 0);
    }
    if (search !== undefined && search !== '') {
      const { condition, bound } = searchCondition(search);
      conditions.push(condition);
      values.push(...bound);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const total = this.#arrays(`SELECT count(*) FROM device d ${where}`).get(
      ...values,
    ) as unknown as number[];
    if (query.cursor !== undefined) {
      conditions.push('d.endpoint > ?');
      values.push(decodeCursor('devices', query.cursor, 'string'));
    }
    const from = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#arrays(`${selection} ${from} ORDER BY d.endpoint LIMIT ?`).all(
      ...values,
      query.limit + 1,
    ) as unknown as DeviceRow[];
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    return {
      items,
      total: total[0] as number,
      next: rows.length > items.length && last ? encodeCursor('devices', last[0] as string) : undefined,
    };
  }

  setAttributes(endpoint: string, attributes: DeviceAttributes): boolean {
    const given = attributeColumns.filter(([name]) => attributes[name] !== undefined);
    const columns = given.map(([, column]) => `${column} = ?`).join(', ') || 'endpoint = endpoint';
    let statement = this.#set.get(columns);
    if (statement === undefined) {
      statement = this.#database.prepare(`UPDATE device SET ${columns} WHERE endpoint = ?`);
      this.#set.set(columns, statement);
    }
    const values = given.map(([name]) => attributes[name] as string | number);
    return statement.run(...values, endpoint).changes === 1;
  }

  setAwakeTimes(endpoint: string, { configured, learnt }: NewAwakeTimes): boolean {
    const given = [configured, learnt].flatMap((time) => [time === undefined ? 0 : 1, time ?? null]);
    return this.#setAwake.run(...given, endpoint).changes === 1;
  }

  heard(times: ReadonlyMap<string, number>): void {
    for (const [endpoint, time] of times) this.#heard.run(time, endpoint);
  }

  /** Removes the device, its last values and what is wanted of it; its series await their removal (HistoryTable.purge). */
  remove(endpoint: string): boolean {
    const removed = this.#database
      .prepare('DELETE FROM device WHERE endpoint = ? AND registered = 0')
      .run(endpoint).changes;
    if (removed === 0) return false;
    for (const table of ['last_value', 'observation_choice', 'written_attributes', 'profile']) {
      this.#database.prepare(`DELETE FROM ${table} WHERE endpoint = ?`).run(endpoint);
    }
    this.#database.prepare('UPDATE series SET endpoint = NULL WHERE endpoint = ?').run(endpoint);
    return true;
  }

  counts(): { known: number; registered: number } {
    const [known, registered] = this.#arrays(
      'SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM registration)',
    ).get() as unknown as [number, number];
    return { known, registered };
  }

  #arrays(sql: string) {
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}

/** Part of the endpoint, or start of a number; the columns compare without case. */
function searchCondition(search: string): { condition: string; bound: SQLInputValue[] } {
  const parts = prefixColumns.map(
    (column) => `SELECT endpoint FROM device WHERE ${column} >= ? AND ${column} < ?`,
  );
  return {
    condition: `(instr(coalesce(d.search, d.endpoint), ?) > 0 OR d.endpoint IN (${parts.join(' UNION ALL ')}))`,
    bound: [search.toLowerCase(), ...prefixColumns.flatMap(() => [search, `${search}\u{10ffff}`])],
  };
}
