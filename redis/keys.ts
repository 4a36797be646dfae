import { bucketDigits } from '../server/ports/bucket.ts';

/**
 * Builds every key. What stands in braces is the hash tag: keys with the same tag share a slot of a Redis
 * Cluster, and one script may change them together.
 */
export interface Keys {
  readonly prefix: string;
  /** Of the devices of one bucket: `sy:{b2a}:registrations`. */
  bucket(bucket: number, name: string): string;
  /** Of the whole cluster, in a slot by its tag: `sy:{log}:entries`. */
  shared(tag: string, name: string): string;
  /** A publish/subscribe channel. */
  channel(name: string): string;
}

export function createKeys(prefix: string): Keys {
  const tags = Array.from({ length: 256 }, (_, bucket) => `${prefix}:{b${bucketDigits(bucket)}}:`);
  return {
    prefix,
    bucket: (bucket, name) => `${tags[bucket]}${name}`,
    shared: (tag, name) => `${prefix}:{${tag}}:${name}`,
    channel: (name) => `${prefix}:${name}`,
  };
}
