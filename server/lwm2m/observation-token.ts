import { randomBytes } from 'node:crypto';
import { bucketDigits, bucketOf } from '../ports/bucket.ts';

/** Nobody guesses these: a notification that bears the token tells where its device is. */
const RANDOM_BYTES = 6;

/** A new token of 8 bytes, in lower-case hex: the slot of the node that makes it, the bucket of the device, random ones. */
export function observationToken(slot: number, endpoint: string): string {
  const node = slot.toString(16).padStart(2, '0');
  return node + bucketDigits(bucketOf(endpoint)) + randomBytes(RANDOM_BYTES).toString('hex');
}
