import { randomBytes } from 'node:crypto';
import { bucketOf } from '../server/ports/bucket.ts';
import {
  type Credential,
  type CredentialStore,
  type CredentialSummary,
  compareIdentities,
} from '../server/ports/credential-store.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../server/ports/cursor.ts';
import { Secret } from '../server/ports/secret.ts';
import { allBuckets } from './buckets.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const claimIdentity = loadScript('credential-claim');
const releaseIdentity = loadScript('credential-release');
const setMember = loadScript('set-member');
const takeMember = loadScript('take-member');

type Identity = Parameters<CredentialStore['find']>[0];

/** What is kept of a credential: the random part of its claim, the key as base64 or null, when it was stored. */
type Kept = readonly [claim: string, key: string | null, storedAt: number];

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
    return Object.entries(members).map(([field, kept]) => ({
      field,
      endpoint,
      kept: JSON.parse(kept) as Kept,
    }));
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
  const take = (field: string, endpoint: string): Promise<unknown> =>
    redis.run(takeMember, [credentialsKey(endpoint)], [endpoint, field]);

  return {
    put: async (credential) => {
      const { endpoint, identity, storedAt } = credential;
      const field = fieldOf(identity);
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
      const key = 'key' in credential ? Buffer.from(credential.key.reveal()).toString('base64') : null;
      const kept: Kept = [random, key, storedAt];
      const replaced = await redis.run(
        setMember,
        [credentialsKey(endpoint)],
        [endpoint, field, JSON.stringify(kept)],
      );
      // Another one's put may have found the claim before the credential was there.
      const now = await owner(field);
      if (now !== undefined && now !== endpoint) {
        await take(field, endpoint);
        return { stored: false, endpoint: now };
      }
      return { stored: true, replaced: replaced === 1 };
    },
    get: async (endpoint) =>
      (await effective(await stored(endpoint)))
        .map(credentialOf)
        .sort((a, b) => compareIdentities(a.identity, b.identity)),
    find: async (identity) => {
      const field = fieldOf(identity);
      const endpoint = await owner(field);
      if (endpoint === undefined) return undefined;
      const found = (await stored(endpoint)).find((one) => one.field === field);
      return found && credentialOf(found);
    },
    remove: async (identity) => {
      const field = fieldOf(identity);
      const endpoint = await owner(field);
      if (endpoint === undefined) return false;
      const removed = await take(field, endpoint);
      if (removed === null) return false;
      const [random] = JSON.parse(removed as string) as Kept;
      await redis.run(releaseIdentity, [claimsKey(field)], [field, `${random} ${endpoint}`]);
      return true;
    },
    list: async ({ limit, cursor }) => {
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
          .sort((a, b) => (a.place < b.place ? -1 : 1));
        while (ordered.length > 0 && found.length <= limit) {
          found.push(...(await effective(ordered.splice(0, limit + 1 - found.length))));
        }
      }
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map((one) => {
          const { identity, endpoint, storedAt } = credentialOf(one);
          return { identity, endpoint, storedAt } as CredentialSummary;
        }),
        ...(found.length > limit && last !== undefined
          ? { next: encodeCursor('credentials', [last.bucket, last.place]) }
          : {}),
      };
    },
  };
}

interface StoredCredential {
  /** Kind and name. */
  readonly field: string;
  readonly endpoint: string;
  readonly kept: Kept;
}

function fieldOf({ kind, name }: Identity): string {
  return `${kind} ${name}`;
}

/** The device that a claim names. */
function ownerOf(claim: string): string {
  return claim.slice(claim.indexOf(' ') + 1);
}

function credentialOf({ field, endpoint, kept: [, key, storedAt] }: StoredCredential): Credential {
  const space = field.indexOf(' ');
  const identity = { kind: field.slice(0, space), name: field.slice(space + 1) } as Identity;
  const credential = { identity, endpoint, storedAt };
  return (
    key === null ? credential : { ...credential, key: new Secret(Buffer.from(key, 'base64')) }
  ) as Credential;
}

function placeOf(cursor: string): readonly [bucket: number, after: string] {
  const [bucket, after] = decodeCursor('credentials', cursor, 'parts');
  if (typeof bucket !== 'number' || !Number.isInteger(bucket) || bucket < 0 || typeof after !== 'string') {
    throw foreignCursor();
  }
  return [bucket, after];
}
