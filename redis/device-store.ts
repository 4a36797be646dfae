import { pageOf } from '../server/inventory/device-pages.ts';
import { bucketOf } from '../server/ports/bucket.ts';
import {
  type Device,
  type DeviceFilter,
  type DeviceQuery,
  type DeviceStore,
  deviceState,
  type EnrolledDevice,
} from '../server/ports/device-store.ts';
import { bucketKeys, byBucket } from './buckets.ts';
import type { RedisConnection, ScriptArgument } from './connection.ts';
import { decodeDevice, encodeAttributes, encodeAwakeTimes, tenantLine, tenantOf } from './device-row.ts';
import { Inventory, removalsKept } from './inventory.ts';
import { lastValuesKey } from './last-values.ts';
import { loadScript } from './script.ts';

const find = loadScript('find-devices', 'bucket');
const enrol = loadScript('enrol', 'bucket');
const set = loadScript('set-device', 'bucket');
const heard = loadScript('heard', 'bucket');
const remove = loadScript('remove-device');

/** Row of a device, row of its registration, and fence; as find-devices.lua returns it. */
type FoundDevice = readonly [string | null, string | null, number];

export interface DeviceStoreOptions {
  readonly redis: RedisConnection;
  /** What a removed device leaves outside its bucket's script: its history may be large, and goes in steps. */
  readonly purge?: (bucket: number) => Promise<void>;
}

/** The inventory: devices as fields of their bucket, and an index of all of them in this node's memory. */
export class RedisDeviceStore implements DeviceStore {
  readonly #redis: RedisConnection;
  readonly #purge: DeviceStoreOptions['purge'];
  readonly #inventory: Inventory;
  readonly #findKeys: (bucket: number) => readonly string[];
  readonly #setKeys: (bucket: number) => readonly string[];
  readonly #removeKeys: (bucket: number) => readonly string[];

  constructor({ redis, purge }: DeviceStoreOptions) {
    this.#redis = redis;
    this.#purge = purge;
    this.#inventory = new Inventory(redis);
    const { keys } = redis;
    this.#findKeys = bucketKeys(keys, ['devices', 'registrations', 'owners']);
    this.#setKeys = bucketKeys(keys, ['devices', 'revision', 'changed']);
    this.#removeKeys = bucketKeys(keys, [
      ...['devices', 'registrations', 'owners', 'revision', 'changed', 'removed', 'profiles'],
      ...['observation-choices', 'written-attributes', 'history-series', 'history-meta', 'history-removed'],
    ]);
  }

  async get(endpoint: string): Promise<Device | undefined> {
    const found = await this.#find([endpoint]);
    return deviceOf(endpoint, found.get(endpoint));
  }

  async list(query: DeviceQuery): ReturnType<DeviceStore['list']> {
    const index = await this.#inventory.level();
    const { endpoints, total, next } = pageOf(index, query);
    const found = await this.#find(endpoints);
    const items: Device[] = [];
    for (const endpoint of endpoints) {
      const device = deviceOf(endpoint, found.get(endpoint));
      // It may be in another state since the index was level, another's, or gone.
      if (device !== undefined && fits(device, query)) items.push(device);
    }
    return { items, total, ...(next === undefined ? {} : { next }) };
  }

  async facets(...[by, filter, now]: Parameters<DeviceStore['facets']>): ReturnType<DeviceStore['facets']> {
    return (await this.#inventory.level()).facets(by, filter, now);
  }

  async endpoints(
    filter: DeviceFilter,
    { now, after, limit }: Parameters<DeviceStore['endpoints']>[1],
  ): Promise<readonly string[]> {
    return (await this.#inventory.level()).endpoints(filter, now, after, limit);
  }

  async enrol(devices: readonly EnrolledDevice[]): Promise<void> {
    await Promise.all(
      [...byBucket(devices, ({ endpoint }) => endpoint)].map(([bucket, entries]) => {
        const args = entries.flatMap(({ endpoint, tenant = '', ...attributes }) => {
          const lines = encodeAttributes(attributes);
          return [endpoint, tenant, lines.length / 2, ...lines];
        });
        return this.#redis.run(enrol, this.#setKeys(bucket), args);
      }),
    );
  }

  setAttributes(...[endpoint, attributes]: Parameters<DeviceStore['setAttributes']>): Promise<boolean> {
    return this.#set(endpoint, encodeAttributes(attributes));
  }

  setAwakeTimes(...[endpoint, times]: Parameters<DeviceStore['setAwakeTimes']>): Promise<boolean> {
    return this.#set(endpoint, encodeAwakeTimes(times));
  }

  setTenant(endpoint: string, tenant: string | null): Promise<boolean> {
    return this.#set(endpoint, [tenantLine, tenant ?? '']);
  }

  async tenants(endpoints: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const found = new Map<string, string | null>();
    await Promise.all(
      [...byBucket(endpoints, (endpoint) => endpoint)].map(async ([bucket, names]) => {
        const [key] = this.#findKeys(bucket) as [string];
        const rows = await this.#redis.call((client) => client.hmget(key, ...names));
        for (const [index, row] of rows.entries()) {
          if (row !== null) found.set(names[index] as string, tenantOf(row));
        }
      }),
    );
    return found;
  }

  async heard(times: ReadonlyMap<string, number>, node: string): Promise<readonly string[]> {
    return this.#note(times, node, (time) => [time, '']);
  }

  async listening(until: ReadonlyMap<string, number>): Promise<void> {
    await this.#note(until, '', (time) => ['', time]);
  }

  async remove(endpoint: string): Promise<boolean> {
    const bucket = bucketOf(endpoint);
    const keys = [...this.#removeKeys(bucket), lastValuesKey(this.#redis, endpoint)];
    const removed = await this.#redis.run(remove, keys, [endpoint, removalsKept]);
    if (removed !== 1) return false;
    await this.#purge?.(bucket);
    return true;
  }

  async counts(now: number): ReturnType<DeviceStore['counts']> {
    return (await this.#inventory.level()).counts(now);
  }

  close(): void {
    this.#inventory.close();
  }

  async #set(endpoint: string, lines: readonly ScriptArgument[]): Promise<boolean> {
    return (await this.#redis.run(set, this.#setKeys(bucketOf(endpoint)), [endpoint, ...lines])) === 1;
  }

  async #note(
    times: ReadonlyMap<string, number>,
    node: string,
    lines: (time: number) => readonly [ScriptArgument, ScriptArgument],
  ): Promise<readonly string[]> {
    const answers = await Promise.all(
      [...byBucket(times, ([endpoint]) => endpoint)].map(([bucket, entries]) => {
        const args = entries.flatMap(([endpoint, time]) => [endpoint, ...lines(time)]);
        return this.#redis.run(heard, this.#setKeys(bucket), [node, ...args]);
      }),
    );
    return (answers as string[][]).flat();
  }

  async #find(endpoints: readonly string[]): Promise<ReadonlyMap<string, FoundDevice>> {
    const found = new Map<string, FoundDevice>();
    await Promise.all(
      [...byBucket(endpoints, (endpoint) => endpoint)].map(async ([bucket, names]) => {
        const answers = await this.#redis.run(find, this.#findKeys(bucket), names);
        for (const [index, answer] of (answers as FoundDevice[]).entries()) {
          found.set(names[index] as string, answer);
        }
      }),
    );
    return found;
  }
}

function deviceOf(endpoint: string, found: FoundDevice | undefined): Device | undefined {
  if (found === undefined || found[0] === null) return undefined;
  const [row, registration, fence] = found;
  return decodeDevice(endpoint, row, registration === null ? undefined : { row: registration, fence });
}

function fits(device: Device, { filter, now }: DeviceQuery): boolean {
  if (filter?.tenant?.includes(device.tenant ?? '') === false) return false;
  if (filter?.states === undefined) return true;
  const state = deviceState(device, now);
  const registered = device.registration !== undefined ? 'registered' : 'unregistered';
  return filter.states.includes(state) || filter.states.includes(registered);
}
