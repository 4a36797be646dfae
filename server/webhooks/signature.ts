import { createHmac, randomBytes } from 'node:crypto';

// Standard Webhooks 1.0.0: https://www.standardwebhooks.com

const PREFIX = 'whsec_';
/** 24 to 64 bytes are asked for. */
const SECRET_BYTES = 32;

/** `whsec_` and base64 of random bytes. */
export function createSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** What a receiver checks: the content is signed with its id and the time of the attempt, so neither can be changed. */
export interface SignedHeaders {
  readonly 'webhook-id': string;
  /** Seconds since the epoch. */
  readonly 'webhook-timestamp': string;
  /** `v1,` and base64, one for each secret, by space. */
  readonly 'webhook-signature': string;
}

/** @param now of this attempt, ms since the epoch */
export function signedHeaders(
  id: string,
  now: number,
  body: string,
  secrets: readonly string[],
): SignedHeaders {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
