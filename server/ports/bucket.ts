/** Buckets that devices fall into; fixed when a database is made. */
export const BUCKETS = 256;

/** Which bucket a device is in, 0 to 255: FNV-1a, folded. All that a store keeps of a device it keeps there. */
export function bucketOf(endpoint: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < endpoint.length; i++) hash = Math.imul(hash ^ endpoint.charCodeAt(i), 0x01000193);
  return ((hash >>> 24) ^ (hash >>> 16) ^ (hash >>> 8) ^ hash) & 0xff;
}

/** Two lower-case hex digits: registration ids begin with them. */
export function bucketDigits(bucket: number): string {
  return bucket.toString(16).padStart(2, '0');
}

/** The bucket that a registration id names; undefined where it names none. */
export function bucketOfRegistration(id: string): number | undefined {
  return /^[0-9a-f]{2}/.test(id) ? Number.parseInt(id.slice(0, 2), 16) : undefined;
}

/**
 * The bucket that an observation token (lower-case hex) names: its second byte, behind the one that names the
 * worker which made it. Undefined for one that is too short.
 */
export function bucketOfToken(token: string): number | undefined {
  return /^[0-9a-f]{4}/.test(token) ? Number.parseInt(token.slice(2, 4), 16) : undefined;
}
