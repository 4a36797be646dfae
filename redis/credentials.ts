import { randomBytes } from 'node:crypto';
import { bucketOf } from '../server/ports/bucket.ts';
import {
  type Credential,
  type CredentialStore,
  changedCredential,
  compareCredentials,
  matchesCredential,
  summaryOf,
} from '../server/ports/credential-store.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../server/ports/cursor.ts';
import { allBuckets } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import {
  decodeCredential,
  encodeCredential,
  fieldOf,
  type KeptCredential,
  withSummary,
} from './credential-record.ts';
import { loadScript } from './script.ts';

const claimIdentity = loadScript('credential-claim');
const releaseIdentity = loadScript('credential-release');
const putMember = loadScript('put-credential');
const takeMember = loadScript('take-member');

/**
 * Credentials lie in the bucket of their device, and their identities, which a handshake asks for, in buckets by
 * themselves, with a claim that names the device. First the claim, then the credential; removed the other way round. A
 * claim without its credential, as a node that was killed leaves it, holds nothing.
 */
export function credentialStore(redis: RedisConnection): CredentialStore {
  const { keys } = redis;
  const credentialsKey = (endpoint: string): string => keys.bucket(bucketOf(endpoint), 'credentials');
  const claimsKey = (field: string): string => keys.bucket(bucketOf(field), 'credential-claims');

  const parsed = (endpoint: string, text: string | null): readonly StoredCredential[] => {
    const members: Readonly<Record<string, string>> = text === null ? {} : JSON.parse(text);
    return Object.entries(members).map(([field, kept]) => ({ field, endpoint, kept }));
  };
  const stored = async (endpoint: string): Promise<readonly StoredCredential[]> =>
    parsed(endpoint, await redis.call((client) => client.hget(credentialsKey(endpoint), endpoint)));
  const owner = async (field: string): Promise<string | undefined> => {
    const claim = await redis.call((client) => client.hget(claimsKey(field), field));
    return claim === null ? undefined : ownerOf(claim);
  };
  /** Those whose identity is still their device's: another one may have got it. */
  const effective = async <T extends StoredCredential>(found: readonly T[]): Promise<readonly T[]> => {
    const owners = await Promise.all(found.map(({ field }) => owner(field)));
    return found.filter(({ endpoint }, index) => owners[index] === endpoint);
  };
  const one = async (field: string): Promise<StoredCredential | undefined> => {
    const endpoint = await owner(field);
    if (endpoint === undefined) return undefined;
    return (await stored(endpoint)).find((found) => found.field === field);
  };
  const write = async (
    endpoint: string,
    field: string,
    kept: string,
    expected: 'any' | 'absent' | 'same',
    before = '',
  ): Promise<readonly [was: boolean, written: boolean]> => {
    const args = [endpoint, field, kept, expected, before];
    const [was, written] = (await redis.run(putMember, [credentialsKey(endpoint)], args)) as [number, number];
    return [was === 1, written === 1];
  };
  const take = (field: string, endpoint: string): Promise<unknown> =>
    redis.run(takeMember, [credentialsKey(endpoint)], [endpoint, field]);

  return {
    put: async (credential, mode = 'replace') => {
      const { account, endpoint, identity } = credential;
      const field = fieldOf(account, identity);
      if (mode === 'add') {
        const taken = await one(field);
        if (taken !== undefined) return { stored: false, endpoint: taken.endpoint };
      }
      const random = randomBytes(9).toString('base64url');
      for (let empty = ''; ; ) {
        const args = [field, `${random} ${endpoint}`, endpoint, empty];
        const claim = (await redis.run(claimIdentity, [claimsKey(field)], args)) as string;
        if (claim === '') break;
        const other = ownerOf(claim);
        if ((await stored(other)).some((one) => one.field === field))
          return { stored: false, endpoint: other };
        empty = claim;
      }
      const kept = encodeCredential(credential, random);
      const [was, written] = await write(endpoint, field, kept, mode === 'add' ? 'absent' : 'any');
      if (!written) return { stored: false, endpoint };
      // Another one's put may have found the claim before the credential was there.
      const now = await owner(field);
      if (now !== undefined && now !== endpoint) {
        await take(field, endpoint);
        return { stored: false, endpoint: now };
      }
      return { stored: true, replaced: was };
    },
    get: async (endpoint) =>
      (await effective(await stored(endpoint))).map(credentialOf).sort(compareCredentials),
    find: async (account, identity) => {
      const found = await one(fieldOf(account, identity));
      return found && credentialOf(found);
    },
    change: async (account, identity, change) => {
      const field = fieldOf(account, identity);
      for (;;) {
        const found = await one(field);
        if (found === undefined) return undefined;
        const summary = changedCredential(summaryOf(credentialOf(found)), change);
        const kept = withSummary(found.kept, summary);
        const [, written] = await write(found.endpoint, field, kept, 'same', found.kept);
        if (written) return summary;
      }
    },
    remove: async (account, identity) => {
      const field = fieldOf(account, identity);
      const endpoint = await owner(field);
      if (endpoint === undefined) return false;
      const removed = await take(field, endpoint);
      if (removed === null) return false;
      const [random] = JSON.parse(removed as string) as KeptCredential;
      await redis.run(releaseIdentity, [claimsKey(field)], [field, `${random} ${endpoint}`]);
      return true;
    },
    list: async ({ filter = {}, limit, cursor }) => {
      const [first, after] = cursor === undefined ? [0, ''] : placeOf(cursor);
      const lengths = await Promise.all(
        allBuckets.map((bucket) => redis.call((client) => client.hlen(keys.bucket(bucket, 'credentials')))),
      );
      const found: (StoredCredential & { readonly bucket: number; readonly place: string })[] = [];
      for (const bucket of allBuckets.slice(first)) {
        if (found.length > limit) break;
        if (lengths[bucket] === 0) continue;
        const records = await redis.call((client) => client.hgetall(keys.bucket(bucket, 'credentials')));
        const ordered = Object.entries(records)
          .flatMap(([endpoint, text]) => parsed(endpoint, text))
          .map((one) => ({ ...one, bucket, place: JSON.stringify([one.endpoint, one.field]) }))
          .filter(({ place }) => bucket > first || place > after)
          .filter((found) => matchesCredential(summaryOf(credentialOf(found)), filter))
          .sort((a, b) => (a.place < b.place ? -1 : 1));
        while (ordered.length > 0 && found.length <= limit) {
          found.push(...(await effective(ordered.splice(0, limit + 1 - found.length))));
        }
      }
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map((one) => summaryOf(credentialOf(one))),
        ...(found.length > limit && last !== undefined
          ? { next: encodeCursor('credentials', [last.bucket, last.place]) }
          : {}),
      };
    },
  };
}

interface StoredCredential {
  /** Account, kind and name. */
  readonly field: string;
  readonly endpoint: string;
  readonly kept: string;
}

/** The device that a claim names. */
function ownerOf(claim: string): string {
  return claim.slice(claim.indexOf(' ') + 1);
}

function credentialOf({ field, endpoint, kept }: StoredCredential): Credential {
  return decodeCredential(endpoint, field, kept);
}

function placeOf(cursor: string): readonly [bucket: number, after: string] {
  const [bucket, after] = decodeCursor('credentials', cursor, 'parts');
  if (typeof bucket !== 'number' || !Number.isInteger(bucket) || bucket < 0 || typeof after !== 'string') {
    throw foreignCursor();
  }
  return [bucket, after];
}
