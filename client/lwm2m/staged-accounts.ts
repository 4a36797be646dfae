import { isAtOrBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { AccountRecords } from './accounts.ts';

/** Objects that accounts are kept in: Security, Server, Access Control. */
export const accountObjects: ReadonlySet<number> = new Set([0, 1, 2]);

/** Values that a bootstrap server can make a client keep until it has finished. */
const mostValues = 2_000;

/**
 * The accounts of a client as a bootstrap changes them. The client goes on with what it has until the bootstrap has
 * finished, so that one which breaks off leaves nothing behind.
 */
export class StagedAccounts {
  readonly #records: Map<string, ResourceValue>;

  constructor(records: AccountRecords) {
    this.#records = new Map(records);
  }

  get records(): AccountRecords {
    return this.#records;
  }

  /** Instance ids of one of the objects, rising. */
  instances(objectId: number): readonly number[] {
    const ids = new Set<number>();
    for (const path of this.#records.keys()) {
      const [object, instance] = pathIds(path) ?? [];
      if (object === objectId && instance !== undefined) ids.add(instance);
    }
    return [...ids].sort((a, b) => a - b);
  }

  value(path: string): ResourceValue | undefined {
    return this.#records.get(path);
  }

  /** What is at and below a path. */
  below(path: string): readonly LwM2mRecord[] {
    return [...this.#records]
      .filter(([each]) => isAtOrBelow(each, path))
      .map(([each, value]) => ({ path: each, value }));
  }

  /** Whether this is the instance of the bootstrap account, which no bootstrap takes away. */
  isBootstrap(instanceId: number): boolean {
    return this.#records.get(`/0/${instanceId}/1`) === true;
  }

  /**
   * Values of one instance take the place of those that it has; of a multiple resource all are replaced.
   * @returns false there are too many
   */
  write(records: readonly LwM2mRecord[]): boolean {
    if (this.#records.size + records.length > mostValues) return false;
    for (const { path } of records) {
      const resource = path.split('/').slice(0, 4).join('/');
      if (resource !== path) this.#removeBelow(resource);
      else this.#removeBelow(path);
    }
    for (const { path, value } of records) this.#records.set(path, value);
    return true;
  }

  /** What is at and below the path is no more, but for the bootstrap account. */
  remove(path: string): void {
    for (const each of [...this.#records.keys()]) {
      const [objectId, instanceId] = pathIds(each) ?? [];
      if (objectId === 0 && instanceId !== undefined && this.isBootstrap(instanceId)) continue;
      if (path === '/' || isAtOrBelow(each, path)) this.#records.delete(each);
    }
  }

  #removeBelow(path: string): void {
    for (const each of [...this.#records.keys()]) if (isAtOrBelow(each, path)) this.#records.delete(each);
  }
}
