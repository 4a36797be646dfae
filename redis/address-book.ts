import { BUCKETS, bucketDigits, bucketOf } from '../server/ports/bucket.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { Displacement } from '../server/ports/registration-store.ts';
import { bucketKeys } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { decodeLocation } from './registration-row.ts';
import { loadScript } from './script.ts';

const claimAddress = loadScript('claim-address', 'bucket', 'address');
const leaveAddress = loadScript('leave-address', 'bucket', 'address');
const settleAddress = loadScript('settle-address', 'bucket');
const markAddress = loadScript('mark-address', 'bucket');

/** Addresses that one look tidies. */
const addressesAtOnce = 20;

/** A claim, and whose it is: lines of the value of an address. */
interface Claim {
  readonly number: string;
  /** Undefined: nobody's. */
  readonly endpoint: string | undefined;
}

/** Who has an address, and who is still to be told that it lost it. */
export interface Holding extends Claim {
  readonly untold: readonly Claim[];
}

/** What an address was before a claim, and what it is. */
export interface AddressClaim {
  readonly before: Holding | undefined;
  readonly after: Holding;
}

/**
 * Who was heard last at each address. Addresses are in other slots than their devices (`sy:{aXX}:…`, by hash of the
 * address), so that a claim is a step of its own, behind the one in the device's bucket. Who is displaced is noted
 * beside the address until its bucket has been told; if the node ends in between, whoever is heard there next tells it.
 */
export class AddressBook {
  readonly #redis: RedisConnection;
  readonly #keys: (slot: number) => readonly string[];
  #tidied = { slot: 0, cursor: '0' };

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    this.#keys = bucketKeys(redis.keys, ['addresses', 'claims'], (slot, name) =>
      redis.keys.shared(`a${bucketDigits(slot)}`, name),
    );
  }

  /** Who has it; undefined: nobody ever had, or has left it. */
  async holding(address: string): Promise<Holding | undefined> {
    const value = await this.#redis.call((client) => client.hget(this.#key(address), address));
    return value === null ? undefined : decodeHolding(value);
  }

  /** The keys by which a script of the device's bucket claims the address in the same step; none on a cluster. */
  claimKeys(address: string): readonly string[] {
    return this.#redis.isCluster ? [] : this.#keys(bucketOf(address));
  }

  /** The device has the address from now on: by `claimed`, which a script with the keys of `claimKeys` has returned, or by a step of its own. */
  async claim(
    address: string,
    endpoint: string,
    [before, after]: readonly (string | null | undefined)[] = [],
  ): Promise<AddressClaim> {
    if (typeof after === 'string') return decodeClaim(before, after);
    const keys = this.#keys(bucketOf(address));
    const answer = await this.#redis.run(claimAddress, keys, [address, endpoint]);
    return decodeClaim(...(answer as [string | null, string]));
  }

  /**
   * It is nobody's from now on, if it was this device's and that has not come back. Where the store does not answer it
   * stays: whoever asks for it finds that the device is not there, and the next claim takes it.
   */
  async leave(address: string, endpoint: string): Promise<void> {
    try {
      const registrations = this.#redis.keys.bucket(bucketOf(endpoint), 'registrations');
      const keys = this.#redis.isCluster ? [this.#key(address)] : [this.#key(address), registrations];
      const left = await this.#redis.run(leaveAddress, keys, [address, endpoint]);
      if (left !== 1 || !this.#redis.isCluster) return;
      // The device's bucket is elsewhere: who came back before this has claimed what was left now.
      const row = await this.#redis.call((client) => client.hget(registrations, endpoint));
      if (row === null || decodeLocation(row).address !== address) return;
      await this.settle(address, endpoint, await this.claim(address, endpoint), true);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  /**
   * What follows a claim.
   * @param stayed the device was at the address already: another one may just be telling it that it lost it
   */
  async settle(
    address: string,
    endpoint: string,
    { before, after }: AddressClaim,
    stayed: boolean,
  ): Promise<Displacement> {
    if (isNewHolding(before, after) && (stayed || before?.endpoint !== undefined)) {
      await this.#mark(endpoint, address, after.number, 'held');
    }
    if (after.untold.length === 0) return {};
    const marked = await Promise.all(
      after.untold.map(({ number, endpoint: other }) => this.#mark(other as string, address, number, 'lost')),
    );
    const told = after.untold.flatMap((claim) => [claim.number, encodeEndpoint(claim.endpoint as string)]);
    const holder = (await this.#redis.run(settleAddress, [this.#key(address)], [address, ...told])) as
      | readonly [string, string]
      | null;
    if (holder !== null) {
      // One that was told so may have been heard there again meanwhile.
      const [number, encoded] = holder;
      const again = after.untold.find((claim) => encodeEndpoint(claim.endpoint as string) === encoded);
      if (again !== undefined) await this.#mark(again.endpoint as string, address, number, 'held');
    }
    const index = after.untold.findIndex((claim) => claim.endpoint === before?.endpoint);
    const displaced = marked[index] ?? marked.find((one) => one !== undefined);
    return displaced === undefined ? {} : { displaced };
  }

  /**
   * Looks at the next few addresses: who is not there any more leaves, and who is still to be told is. What a node that
   * ended in the middle of its work has left is found so, some time.
   */
  async tidy(): Promise<void> {
    const { slot, cursor } = this.#tidied;
    const key = this.#keys(slot)[0] as string;
    const [next, parts] = await this.#redis.call((client) =>
      client.hscan(key, cursor, 'COUNT', addressesAtOnce),
    );
    this.#tidied = next === '0' ? { slot: (slot + 1) % BUCKETS, cursor: '0' } : { slot, cursor: next };
    for (let i = 0; i + 1 < parts.length; i += 2) {
      await this.#tidyOne(parts[i] as string, decodeHolding(parts[i + 1] as string));
    }
  }

  async #tidyOne(address: string, holding: Holding): Promise<void> {
    const { endpoint, untold } = holding;
    if (untold.length > 0)
      await this.settle(address, endpoint ?? '', { before: holding, after: holding }, false);
    if (endpoint === undefined) return;
    const registrations = this.#redis.keys.bucket(bucketOf(endpoint), 'registrations');
    const row = await this.#redis.call((client) => client.hget(registrations, endpoint));
    if (row === null || decodeLocation(row).address !== address) await this.leave(address, endpoint);
  }

  async #mark(
    endpoint: string,
    address: string,
    number: string,
    what: 'lost' | 'held',
  ): Promise<Displacement['displaced']> {
    const keys = [this.#redis.keys.bucket(bucketOf(endpoint), 'registrations')];
    const found = (await this.#redis.run(markAddress, keys, [endpoint, address, number, what])) as
      | readonly [string, string]
      | null;
    return found === null ? undefined : { id: found[0], endpoint, node: found[1] };
  }

  #key(address: string): string {
    return this.#keys(bucketOf(address))[0] as string;
  }
}

/**
 * Whether a claim, by its values before and after, found the device there already, and nobody who is still to be told
 * that he lost the address: nothing follows from it.
 */
export function isUndisturbed(before: string | null, after: string | null): boolean {
  return after !== null && before === after && after.indexOf('\n') === after.lastIndexOf('\n');
}

/** Whether it was somebody else's, or nobody's, before. */
export function isNewHolding(before: Holding | undefined, after: Holding): boolean {
  return before?.number !== after.number;
}

/** As scripts/shared/address.lua does: a name may have a line break in it. */
function encodeEndpoint(endpoint: string): string {
  return endpoint.replaceAll('%', '%25').replaceAll('\n', '%0A');
}

function decodeEndpoint(text: string): string {
  return text.replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function decodeClaim(before: string | null | undefined, after: string): AddressClaim {
  const holding = decodeHolding(after);
  if (typeof before !== 'string') return { before: undefined, after: holding };
  return { before: before === after ? holding : decodeHolding(before), after: holding };
}

function decodeHolding(value: string): Holding {
  const lines = value.split('\n');
  const claims: Claim[] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const encoded = lines[i + 1] as string;
    claims.push({
      number: lines[i] as string,
      endpoint: encoded === '' ? undefined : decodeEndpoint(encoded),
    });
  }
  const [current, ...untold] = claims;
  return { ...(current as Claim), untold };
}
