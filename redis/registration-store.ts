import { bucketOf, bucketOfRegistration } from '../server/ports/bucket.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import {
  type Displacement,
  type Registered,
  type Registration,
  type RegistrationStore,
  type RegistrationUpdate,
  repetitionWindow,
  type Speaker,
  updatedRegistration,
} from '../server/ports/registration-store.ts';
import { AddressBook, type AddressClaim, isNewHolding, isUndisturbed } from './address-book.ts';
import { allBuckets, bucketKeys, byBucket, countAll, runForBuckets } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import {
  decodeRegistration,
  encodeRegistration,
  encodeSpeaker,
  encodeUpdate,
  standardListening,
} from './registration-row.ts';
import { loadScript } from './script.ts';

const register = loadScript('register', 'bucket', 'address');
const update = loadScript('update', 'bucket', 'address', 'speaker');
const own = loadScript('own', 'bucket', 'address');
const deregister = loadScript('deregister', 'bucket', 'end-registration', 'speaker');
const expire = loadScript('expire', 'bucket', 'end-registration');
const due = loadScript('due');
const find = loadScript('find-registration', 'bucket');

/** Registrations of a bucket that are looked at when it is asked which end next. */
const dueOfBucket = 8;

/** Values of an address before and after a claim in the same step; null where there was none. */
type Claimed = [before: string | null, after: string | null];

/** Fence, row before, its fence, claim, whether that row is of the same message and stays. */
type RegisteredRow = [number, string | null, number, ...Claimed, isRepeated?: 1];

/** Endpoint, row before, its fence, fence, expiry, claim. */
type UpdatedRow = [string, string, number, number, string, ...Claimed];

/** Endpoint, row before, its fence, fence, claim. */
type OwnedRow = [string, string, number, number, ...Claimed];

interface Due {
  readonly endpoint: string;
  readonly expiresAt: number;
}

/** Endpoint, row and fence. */
type FoundRow = readonly [string, string, number];

/** Registrations as fields of the hashes of their bucket; who was heard where is in the AddressBook. */
export class RedisRegistrationStore implements RegistrationStore {
  readonly #redis: RedisConnection;
  readonly #addresses: AddressBook;
  readonly #whole: (bucket: number) => readonly string[];
  readonly #updateKeys: (bucket: number) => readonly string[];
  readonly #ownKeys: (bucket: number) => readonly string[];
  readonly #findKeys: (bucket: number) => readonly string[];
  readonly #expiries: readonly string[];

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    this.#addresses = new AddressBook(redis);
    const { keys } = redis;
    const most = ['registrations', 'ids', 'expiries', 'owners', 'devices', 'revision', 'changed'];
    this.#whole = bucketKeys(keys, [...most, 'observations', 'observed']);
    this.#updateKeys = bucketKeys(keys, most);
    this.#ownKeys = bucketKeys(keys, ['registrations', 'ids', 'owners', 'devices', 'revision', 'changed']);
    this.#findKeys = bucketKeys(keys, ['registrations', 'ids', 'owners']);
    this.#expiries = allBuckets.map((bucket) => keys.bucket(bucket, 'expiries'));
  }

  async register(registration: Registration, tenant = ''): Promise<Registered & Displacement> {
    const { endpoint, id, address, node, updatedAt, expiresAt, queueMode, message = '' } = registration;
    const awakeUntil = queueMode ? updatedAt + standardListening : '';
    const row = encodeRegistration(registration);
    const args = [
      ...[endpoint, id, address, node, updatedAt, expiresAt, awakeUntil, row, tenant, message],
      repetitionWindow,
    ];
    const keys = this.#whole(bucketOf(endpoint));
    const claimed = this.#addresses.claimKeys(address);
    const answer = (await this.#redis.run(register, keys, args, claimed)) as RegisteredRow;
    const [fence, before, fenceBefore, addressBefore, addressAfter, isRepeated] = answer;
    const former = before === null ? undefined : decodeRegistration(endpoint, before, fenceBefore);
    if (isRepeated === 1 && former !== undefined) return { replaced: undefined, repeated: former, fence };
    // It is where it was, and nobody else was heard there, as nearly always.
    if (former?.address === address && isUndisturbed(addressBefore, addressAfter)) {
      return { replaced: former, fence };
    }
    const claim = await this.#addresses.claim(address, endpoint, [addressBefore, addressAfter]);
    const [replaced, displacement] = await this.#follow(endpoint, address, former, claim);
    return { replaced, fence, ...displacement };
  }

  async update(
    given: RegistrationUpdate,
    speaker?: Speaker,
  ): Promise<
    ({ readonly registration: Registration; readonly previous: Registration } & Displacement) | undefined
  > {
    const bucket = bucketOfRegistration(given.id);
    if (bucket === undefined) return undefined;
    const { address } = given;
    const keys = this.#updateKeys(bucket);
    const claimKeys = this.#addresses.claimKeys(address);
    const args = [given.id, standardListening, encodeSpeaker(speaker), ...encodeUpdate(given)];
    // Where a claim is a step of its own: whether it has the address already, as nearly always.
    const [answer, holding] = this.#redis.isCluster
      ? await Promise.all([this.#redis.run(update, keys, args, claimKeys), this.#addresses.holding(address)])
      : [await this.#redis.run(update, keys, args, claimKeys)];
    if (answer === null) return undefined;
    const [endpoint, before, fenceBefore, fence, expiresAt, ...claimed] = answer as UpdatedRow;
    const previous = decodeRegistration(endpoint, before, fenceBefore);
    const registration = updatedRegistration(previous, given, Number(expiresAt), fence);
    if (
      previous.address === address &&
      (isUndisturbed(...claimed) || (holding?.endpoint === endpoint && holding.untold.length === 0))
    ) {
      return { registration, previous };
    }
    const claim = await this.#addresses.claim(address, endpoint, claimed);
    const [known, displacement] = await this.#follow(endpoint, address, previous, claim);
    return { registration, previous: known, ...displacement };
  }

  async move(
    id: string,
    address: string,
    node: string,
  ): Promise<({ readonly previousNode: string; readonly fence: number } & Displacement) | undefined> {
    const moved = await this.#own(id, node, address, '');
    if (moved === undefined) return undefined;
    const { previous, fence, claimed } = moved;
    const claim = await this.#addresses.claim(address, previous.endpoint, claimed);
    const [, displacement] = await this.#follow(previous.endpoint, address, previous, claim);
    return { previousNode: previous.node, fence, ...displacement };
  }

  async claim(
    id: string,
    node: string,
    from = '',
  ): Promise<{ readonly registration: Registration; readonly previousNode: string } | undefined> {
    const claimed = await this.#own(id, node, '', from);
    if (claimed === undefined) return undefined;
    const { previous, fence } = claimed;
    return { registration: { ...previous, node, fence }, previousNode: previous.node };
  }

  async deregister(id: string, speaker?: Speaker): Promise<Registration | undefined> {
    const bucket = bucketOfRegistration(id);
    if (bucket === undefined) return undefined;
    const found = (await this.#redis.run(deregister, this.#whole(bucket), [
      id,
      encodeSpeaker(speaker),
    ])) as FoundRow | null;
    if (found === null) return undefined;
    const registration = decodeRegistration(...found);
    await this.#addresses.leave(registration.address, registration.endpoint);
    return registration;
  }

  async expire(now: number, limit: number): Promise<readonly Registration[]> {
    const ended: Registration[] = [];
    try {
      // Those that another call has ended meanwhile are its own, and a bucket may have more than it was asked for:
      // until nothing is due.
      while (ended.length < limit) {
        const next = await this.#due(now, limit - ended.length);
        if (next.length === 0) break;
        await this.#expireThese(now, next, ended);
      }
    } catch (error) {
      // Those that have ended are told now or never; the others are still due.
      if (ended.length === 0) throw error;
    }
    ended.sort((a, b) => a.expiresAt - b.expiresAt);
    await Promise.all(ended.map(({ address, endpoint }) => this.#addresses.leave(address, endpoint)));
    await this.#tidy();
    return ended;
  }

  /** Beside the expiry, which one node of the cluster looks after, at every second. */
  async #tidy(): Promise<void> {
    try {
      await this.#addresses.tidy();
    } catch (error) {
      // What has ended is told all the same; the next look goes on.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  /** Adds those that have ended, also where some buckets do not answer. */
  async #expireThese(now: number, due: readonly Due[], ended: Registration[]): Promise<void> {
    const parts = await Promise.allSettled(
      [...byBucket(due, ({ endpoint }) => endpoint)].map(([bucket, entries]) => {
        const args = [now, ...entries.map(({ endpoint }) => endpoint)];
        return this.#redis.run(expire, this.#whole(bucket), args);
      }),
    );
    let failed: PromiseRejectedResult | undefined;
    for (const part of parts) {
      if (part.status === 'rejected') failed = part;
      else ended.push(...decodeAll(part.value as (string | number)[]));
    }
    if (failed !== undefined) throw failed.reason;
  }

  async nextExpiry(): Promise<number | undefined> {
    const [next] = await this.#due(Number.POSITIVE_INFINITY, 1);
    return next?.expiresAt;
  }

  async byId(id: string): Promise<Registration | undefined> {
    const bucket = bucketOfRegistration(id);
    return bucket === undefined ? undefined : this.#find(bucket, 'id', id);
  }

  byEndpoint(endpoint: string): Promise<Registration | undefined> {
    return this.#find(bucketOf(endpoint), 'endpoint', endpoint);
  }

  async byAddress(address: string): Promise<Registration | undefined> {
    const holding = await this.#addresses.holding(address);
    if (holding?.endpoint === undefined) return undefined;
    const registration = await this.byEndpoint(holding.endpoint);
    if (registration?.address !== address) return undefined;
    // What the address says is newer than what the device has been told.
    const { addressLost: _, ...found } = registration;
    return found;
  }

  count(): Promise<number> {
    return countAll(this.#redis, 'ids');
  }

  /**
   * What follows a claim: the former address is left, and who had the new one is told. The registration before comes
   * back with what is known now of its address.
   */
  async #follow<Before extends Registration | undefined>(
    endpoint: string,
    address: string,
    before: Before,
    claim: AddressClaim,
  ): Promise<readonly [Before, Displacement]> {
    const stayed = before?.address === address;
    const [displacement] = await Promise.all([
      this.#addresses.settle(address, endpoint, claim, stayed),
      before === undefined || stayed ? undefined : this.#addresses.leave(before.address, endpoint),
    ]);
    // It was there, but had not been told that it lost the address, or not come to claim it.
    const lost = stayed && isNewHolding(claim.before, claim.after);
    return [lost ? { ...before, addressLost: true } : before, displacement];
  }

  async #own(
    id: string,
    node: string,
    address: string,
    from: string,
  ): Promise<
    { readonly previous: Registration; readonly fence: number; readonly claimed: Claimed } | undefined
  > {
    const bucket = bucketOfRegistration(id);
    if (bucket === undefined) return undefined;
    const claimKeys = address === '' ? [] : this.#addresses.claimKeys(address);
    const answer = await this.#redis.run(own, this.#ownKeys(bucket), [id, node, address, from], claimKeys);
    if (answer === null) return undefined;
    const [endpoint, before, fenceBefore, fence, ...claimed] = answer as OwnedRow;
    return { previous: decodeRegistration(endpoint, before, fenceBefore), fence, claimed };
  }

  async #find(bucket: number, by: 'id' | 'endpoint', which: string): Promise<Registration | undefined> {
    const found = (await this.#redis.run(find, this.#findKeys(bucket), [by, which])) as FoundRow | null;
    return found === null ? undefined : decodeRegistration(...found);
  }

  /** The next to end of all buckets. */
  async #due(until: number, limit: number): Promise<readonly Due[]> {
    // Few of each bucket: where many are due they are in all buckets, and the next look finds the others.
    const args = [until === Number.POSITIVE_INFINITY ? '+inf' : until, Math.min(limit, dueOfBucket)];
    const lists = await runForBuckets(this.#redis, due, this.#expiries, args);
    const found: Due[] = [];
    for (const list of lists as string[][]) {
      for (let i = 0; i + 1 < list.length; i += 2) {
        found.push({ endpoint: list[i] as string, expiresAt: Number(list[i + 1]) });
      }
    }
    return found.sort((a, b) => a.expiresAt - b.expiresAt).slice(0, limit);
  }
}

/** Of endpoint, row and fence of each. */
function decodeAll(parts: readonly (string | number)[]): readonly Registration[] {
  const found: Registration[] = [];
  for (let i = 0; i + 2 < parts.length; i += 3) {
    found.push(decodeRegistration(...(parts.slice(i, i + 3) as unknown as FoundRow)));
  }
  return found;
}
