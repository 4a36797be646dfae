import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keepFile } from './kept-file.ts';
import { createSealer, noSealer, SECRET_KEY_LENGTH, type Sealer } from './sealer.ts';

/** Beside the database: who copies the database alone has nothing of what is secret in it. */
export const KEY_FILE = 'secret.key';

/**
 * The keys of a text: each 32 bytes as 64 hex digits or as base64, comma-separated.
 * @throws RangeError one of them is none; the message does not show it
 */
export function parseSecretKeys(text: string): readonly Uint8Array[] {
  return text.split(',').map((part, index) => {
    const key = decodeKey(part.trim());
    if (key === undefined) {
      throw new RangeError(
        `key ${index + 1} is not ${SECRET_KEY_LENGTH} bytes as 64 hex digits or as base64: make one by \`openssl rand -hex 32\``,
      );
    }
    return key;
  });
}

function decodeKey(text: string): Uint8Array | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (!/^[\w+/-]{43}=?$/.test(text)) return undefined;
  const key = Buffer.from(text, text.includes('-') || text.includes('_') ? 'base64url' : 'base64');
  return key.length === SECRET_KEY_LENGTH ? key : undefined;
}

export interface SealerOptions {
  /** Those of the settings. */
  readonly keys: readonly Uint8Array[] | undefined;
  /** Folder of the embedded store; undefined where nodes share one, which no file of this machine is the key of. */
  readonly data: string | undefined;
}

/**
 * What the server seals with: the keys of the settings; or that of the file beside the database, which is made at the
 * first start; or, where nothing is kept, a random one. Where nodes share a store and no key is set, one that says so
 * whenever it is used.
 * @throws Error one line: the file is not to be had, or is no key
 */
export async function openSealer({ keys, data }: SealerOptions): Promise<Sealer> {
  if (keys !== undefined) return createSealer(keys);
  if (data === undefined) return noSealer('DTLS and credentials');
  if (data === ':memory:') return createSealer([randomBytes(SECRET_KEY_LENGTH)]);
  return createSealer(await keysOfFile(join(data, KEY_FILE)));
}

async function keysOfFile(path: string): Promise<readonly Uint8Array[]> {
  const text = await keepFile(path, () => `${randomBytes(SECRET_KEY_LENGTH).toString('hex')}\n`);
  try {
    // More than one, as while they are changed: a line each.
    return parseSecretKeys(text.trim().split(/\s+/).join(','));
  } catch (error) {
    if (error instanceof RangeError) throw new Error(`${path}: ${error.message}`);
    throw error;
  }
}
