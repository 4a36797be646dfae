import type { Leases } from '../server/ports/cluster-ports.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const take = loadScript('lease-take');
const release = loadScript('lease-release');

/** A lease is a key that runs out by itself; its fencing number outlives it. */
export class RedisLeases implements Leases {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async take(name: string, holder: string, ttl: number): Promise<number | undefined> {
    const keys = [this.#key(name, 'holder'), this.#key(name, 'fence')];
    const fence = (await this.#connection.run(take, keys, [holder, ttl])) as number | null;
    return fence ?? undefined;
  }

  async holder(name: string): Promise<string | undefined> {
    return (await this.#connection.call((client) => client.get(this.#key(name, 'holder')))) ?? undefined;
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#connection.run(release, [this.#key(name, 'holder')], [holder]);
  }

  #key(name: string, part: 'holder' | 'fence'): string {
    return this.#connection.keys.shared(`lease-${name}`, part);
  }
}
