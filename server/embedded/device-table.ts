import type { DatabaseSync } from 'node:sqlite';
import { neverSeen } from '../inventory/device-columns.ts';
import type { DeviceAttributes, DeviceStore, EnrolledDevice } from '../ports/device-store.ts';
import { type RegistrationRow, registrationSelection } from './registration-row.ts';

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

/** Endpoint, first seen, last seen, attributes by attributeNames, awake times configured and learnt, awake until, ending, tenant; then the registration, nulls where there is none. */
export type DeviceRow = readonly (string | number | null)[];

/** First column of the awake times in a DeviceRow. */
export const awakeTimesOffset = 3 + attributeColumns.length;

export const tenantOffset = awakeTimesOffset + 4;

/** First column of the registration in a DeviceRow. */
export const registrationOffset = tenantOffset + 1;

/** The registration's part of a DeviceRow. */
export function registrationPart(row: DeviceRow): RegistrationRow | undefined {
  return row[registrationOffset] === null ? undefined : row.slice(registrationOffset);
}

export const deviceSelection = `
  SELECT d.endpoint, d.first_seen, d.last_seen,
    ${attributeColumns.map(([, column]) => `d.${column}`).join(', ')}, d.awake_configured, d.awake_learnt,
    d.awake_until, d.ending, d.tenant,
    ${registrationSelection}
  FROM device d LEFT JOIN registration r ON r.endpoint = d.endpoint`;

export type NewAwakeTimes = Parameters<DeviceStore['setAwakeTimes']>[1];

/** The inventory on the worker's side. */
export class DeviceTable {
  readonly #database: DatabaseSync;
  readonly #get;
  readonly #enrol;
  readonly #heard;
  readonly #listening;
  readonly #setAwake;
  readonly #setTenant;
  readonly #tenant;
  readonly #set = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#get = this.#arrays(`${deviceSelection} WHERE d.endpoint = ?`);
    this.#enrol = database.prepare(
      `INSERT INTO device (endpoint, search, registered, first_seen, last_seen, serial, iccid, imei, tenant)
       VALUES (?, ?, 0, ${neverSeen}, ${neverSeen}, ?, ?, ?, ?)
       ON CONFLICT (endpoint) DO UPDATE SET serial = coalesce(serial, excluded.serial),
         iccid = coalesce(iccid, excluded.iccid), imei = coalesce(imei, excluded.imei)`,
    );
    this.#heard = database.prepare('UPDATE device SET last_seen = ?1 WHERE endpoint = ?2 AND last_seen < ?1');
    this.#listening = database.prepare(
      'UPDATE device SET awake_until = ? WHERE endpoint = ? AND awake_until IS NOT NULL',
    );
    this.#setAwake = database.prepare(
      `UPDATE device SET awake_configured = iif(?, ?, awake_configured), awake_learnt = iif(?, ?, awake_learnt)
       WHERE endpoint = ?`,
    );
    this.#setTenant = database.prepare('UPDATE device SET tenant = ? WHERE endpoint = ?');
    this.#tenant = this.#arrays('SELECT tenant FROM device WHERE endpoint = ?');
  }

  get(endpoint: string): DeviceRow | undefined {
    return this.#get.get(endpoint) as unknown as DeviceRow | undefined;
  }

  enrol(devices: readonly EnrolledDevice[]): void {
    for (const { endpoint, serialNumber = null, iccid = null, imei = null, tenant = null } of devices) {
      const search = endpoint.toLowerCase();
      const shown = search === endpoint ? null : search;
      this.#enrol.run(endpoint, shown, serialNumber, iccid, imei, tenant);
    }
  }

  setAttributes(endpoint: string, attributes: DeviceAttributes): boolean {
    const given = attributeColumns.filter(([name]) => attributes[name] !== undefined);
    const columns = given.map(([, column]) => `${column} = ?`).join(', ');
    if (columns === '') return this.get(endpoint) !== undefined;
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

  setTenant(endpoint: string, tenant: string | null): boolean {
    return this.#setTenant.run(tenant, endpoint).changes === 1;
  }

  /** Endpoint and tenant of those that are known. */
  tenants(endpoints: readonly string[]): readonly (readonly [string, string | null])[] {
    return endpoints.flatMap((endpoint) => {
      const row = this.#tenant.get(endpoint) as unknown as [string | null] | undefined;
      return row === undefined ? [] : [[endpoint, row[0]] as const];
    });
  }

  heard(times: ReadonlyMap<string, number>): void {
    for (const [endpoint, time] of times) this.#heard.run(time, endpoint);
  }

  listening(until: ReadonlyMap<string, number>): void {
    for (const [endpoint, time] of until) this.#listening.run(time, endpoint);
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

  #arrays(sql: string) {
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}
