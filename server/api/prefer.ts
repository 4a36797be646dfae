import type { FastifyRequest } from 'fastify';
import { RequestError } from '../../protocol/errors.ts';

/** What a caller prefers (RFC 7240), as far as this server knows it. */
export interface Preferences {
  /** §4.1 */
  readonly respondAsync: boolean;
  /** §4.3, ms. */
  readonly wait?: number;
}

/** @throws RequestError a preference that cannot be read */
export function preferencesOf({ headers: { prefer } }: FastifyRequest): Preferences {
  if (prefer === undefined) return { respondAsync: false };
  if (typeof prefer !== 'string') throw new RequestError('one header Prefer is enough');
  let respondAsync = false;
  let wait: number | undefined;
  for (const preference of prefer.split(',')) {
    const [name = '', value] = (preference.split(';')[0] ?? '').split('=').map((part) => part.trim());
    if (name.toLowerCase() === 'respond-async') respondAsync = true;
    // Of a preference that is given twice the first counts (§2).
    if (name.toLowerCase() !== 'wait' || wait !== undefined) continue;
    const seconds = /^"?(\d{1,9})"?$/.exec(value ?? '')?.[1];
    if (seconds === undefined || Number(seconds) < 1 || Number(seconds) > 300) {
      throw new RequestError('Prefer: wait is a whole number of seconds from 1 to 300');
    }
    wait = Number(seconds) * 1000;
  }
  return { respondAsync, ...(wait === undefined ? {} : { wait }) };
}
