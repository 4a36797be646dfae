import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { BusyError } from '../../protocol/errors.ts';

/** What argon2id costs (RFC 9106 §3.1). */
export interface HashCost {
  /** KiB */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** The first of the OWASP Password Storage Cheat Sheet's: 46 MiB, one pass; docs/decisions/0031 has what that takes. */
export const standardCost: HashCost = { memory: 47_104, passes: 1, parallelism: 1 };

const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** At once: the other threads of the pool stay free for files and names, and memory is bounded. */
const AT_ONCE = 2;
/** That wait for their turn: some seconds' worth. */
const MAX_WAITING = 32;

/**
 * Hashes passwords by argon2id, off the main thread, a bounded number at a time: log-ins cannot starve the server. Hashes are
 * in the PHC string format: `$argon2id$v=19$m=47104,t=1,p=1$<salt>$<tag>`.
 */
export class PasswordHasher {
  readonly #cost: HashCost;
  /** What a password is compared with where there is no user: it takes as long, and never fits. */
  readonly #decoy: string;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(cost: HashCost = standardCost) {
    this.#cost = cost;
    this.#decoy = encodeHash(cost, randomBytes(SALT_BYTES), randomBytes(TAG_BYTES));
  }

  /** @throws BusyError so many wait already that no more is taken */
  admit(): void {
    if (this.#waiting.length >= MAX_WAITING) {
      throw new BusyError('so many passwords wait to be checked that no more are taken');
    }
  }

  /** @throws BusyError */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return encodeHash(this.#cost, salt, await this.#derive(password, salt, this.#cost, TAG_BYTES));
  }

  /**
   * Takes as long for a user that is not there.
   * @param hash of `hash`; undefined: there is no such user
   * @throws BusyError
   */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const { cost, salt, tag } = decodeHash(hash ?? this.#decoy);
    const derived = await this.#derive(password, salt, cost, tag.length);
    return timingSafeEqual(derived, tag) && hash !== undefined;
  }

  async #derive(password: string, nonce: Uint8Array, cost: HashCost, tagLength: number): Promise<Buffer> {
    this.admit();
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      // The same text may be typed as different code points (RFC 8265 §4.2).
      const parameters: Argon2Parameters = { message: password.normalize('NFKC'), nonce, tagLength, ...cost };
      return await new Promise((resolve, reject) => {
        argon2('argon2id', parameters, (error, derived) => {
          if (error === null) resolve(derived);
          else reject(error);
        });
      });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function encodeHash({ memory, passes, parallelism }: HashCost, salt: Uint8Array, tag: Uint8Array): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

function decodeHash(text: string): {
  readonly cost: HashCost;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
} {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(text);
  if (match === null) throw new Error('the hash of a password is not in the format in which it was stored');
  const [, memory, passes, parallelism, salt = '', tag = ''] = match;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** Without padding, as the format has it. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
