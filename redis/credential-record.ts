import type {
  Credential,
  CredentialAccount,
  CredentialSummary,
  Identity,
} from '../server/ports/credential-store.ts';
import { Secret } from '../server/ports/secret.ts';

/**
 * What is kept of a credential: the random part of its claim, the key as base64 or null, when it was made, and the
 * rest. A program of before knows the first three.
 */
export type KeptCredential = readonly [claim: string, key: string | null, createdAt: number, rest?: KeptRest];

type KeptRest = Partial<Omit<Credential, 'account' | 'identity' | 'endpoint' | 'createdAt' | 'key'>> & {
  readonly fingerprint?: string;
};

/** The member of a record: kind and name, with the account before where it is not that of an LwM2M server. */
export function fieldOf(account: CredentialAccount, { kind, name }: Identity): string {
  return account === 'server' ? `${kind} ${name}` : `${account} ${kind} ${name}`;
}

function identityOf(field: string): { readonly account: CredentialAccount; readonly identity: Identity } {
  const account = field.startsWith('bootstrap ') ? 'bootstrap' : 'server';
  const own = account === 'server' ? field : field.slice('bootstrap '.length);
  const space = own.indexOf(' ');
  return { account, identity: { kind: own.slice(0, space) as Identity['kind'], name: own.slice(space + 1) } };
}

export function encodeCredential(credential: Credential, claim: string): string {
  const { account: _, identity: __, endpoint: ___, createdAt, ...rest } = credential;
  if (!('key' in rest)) return JSON.stringify([claim, null, createdAt, rest] satisfies KeptCredential);
  const { key, ...open } = rest;
  const text = Buffer.from(key.reveal()).toString('base64');
  return JSON.stringify([claim, text, createdAt, open] satisfies KeptCredential);
}

/** The same record with other words about the same credential: its claim and key stay. */
export function withSummary(kept: string, summary: CredentialSummary): string {
  const [claim, key] = JSON.parse(kept) as KeptCredential;
  const { account: _, identity: __, endpoint: ___, createdAt, ...rest } = summary;
  return JSON.stringify([claim, key, createdAt, rest] satisfies KeptCredential);
}

export function decodeCredential(endpoint: string, field: string, kept: string): Credential {
  const [, key, createdAt, rest] = JSON.parse(kept) as KeptCredential;
  const credential = {
    ...identityOf(field),
    endpoint,
    state: 'active',
    createdAt,
    changedAt: createdAt,
    ...rest,
  };
  return (
    key === null ? credential : { ...credential, key: new Secret(Buffer.from(key, 'base64')) }
  ) as Credential;
}
