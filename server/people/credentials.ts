import { createHash, randomBytes } from 'node:crypto';

const prefixes = { session: 'sys_', token: 'syt_' } as const;
export type SecretKind = keyof typeof prefixes;

/** What a browser or a program shows with each request, and by what it is found. */
export interface IssuedSecret {
  /** 256 random bits, behind letters by which scanners of sources know that it is a secret. */
  readonly secret: string;
  /** Half of a hash: whoever reads it out of the store cannot log in by it. */
  readonly id: string;
}

export function issueSecret(kind: SecretKind): IssuedSecret {
  const secret = `${prefixes[kind]}${randomBytes(32).toString('base64url')}`;
  return { secret, id: idOf(secret) };
}

/** Undefined: it is none that this server could have given. */
export function parseSecret(text: string): { readonly kind: SecretKind; readonly id: string } | undefined {
  if (!/^sy[st]_[\w-]{43}$/.test(text)) return undefined;
  return { kind: text.startsWith(prefixes.session) ? 'session' : 'token', id: idOf(text) };
}

/** No key is needed: nobody can try out 2^256 secrets, so a fast hash is enough, unlike for a password. */
function idOf(secret: string): string {
  return createHash('sha256').update(secret).digest().subarray(0, 16).toString('base64url');
}
