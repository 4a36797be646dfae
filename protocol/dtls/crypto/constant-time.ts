import { timingSafeEqual } from 'node:crypto';

/** Whether both are the same, in a time that tells no more than whether their lengths are. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Overwrites secrets that are of no more use. What the runtime copied meanwhile is beyond reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
