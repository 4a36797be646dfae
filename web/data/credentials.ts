import type { ApiClient } from './api-client.ts';
import type {
  ApiCredential,
  ApiCredentialBody,
  ApiCredentialImport,
  ApiCredentialRotationBody,
  ApiCredentialSelection,
  ApiCredentialsAnswer,
  ApiDeviceCredentials,
  ApiIssuedCredential,
} from './api-types.ts';
import { counted } from './numbers.ts';
import { ProblemError } from './problem.ts';

const root = '/api/credentials';
const at = (endpoint: string) => `${root}/${encodeURIComponent(endpoint)}`;
/** As many as one page of the API has. */
const pageSize = 100;
/** Bad rows of a file that are shown; the number of all is told. */
export const shownBadRows = 200;

/** What the list shows. */
export interface CredentialFilter {
  readonly search: string;
  readonly account: '' | ApiCredential['account'];
  readonly state: '' | ApiCredential['state'];
}

export function parseCredentialFilter(query: string): CredentialFilter {
  const parameters = new URLSearchParams(query);
  const account = parameters.get('account');
  const state = parameters.get('state');
  return {
    search: parameters.get('search') ?? '',
    account: account === 'server' || account === 'bootstrap' ? account : '',
    state: state === 'active' || state === 'revoked' ? state : '',
  };
}

export function credentialQuery(filter: CredentialFilter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== '');
  return String(new URLSearchParams(Object.fromEntries(given)));
}

export interface CredentialList {
  readonly items: readonly ApiCredential[];
  /** Whether there are more. */
  readonly more: boolean;
}

/** So many pages of the list. */
export async function fetchCredentials(
  api: ApiClient,
  filter: CredentialFilter,
  pages: number,
  signal?: AbortSignal,
): Promise<CredentialList> {
  const items: ApiCredential[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pages; page++) {
    const answer = await api.get<ApiCredentialsAnswer>(root, { ...filter, limit: pageSize, cursor }, signal);
    items.push(...answer.items);
    if (answer.next === null) return { items, more: false };
    cursor = answer.next;
  }
  return { items, more: true };
}

/** None where the device has none. */
export async function fetchDeviceCredentials(
  api: ApiClient,
  endpoint: string,
  signal?: AbortSignal,
): Promise<readonly ApiCredential[]> {
  try {
    return (await api.get<ApiDeviceCredentials>(at(endpoint), {}, signal)).items;
  } catch (error) {
    if (error instanceof ProblemError && error.problem.code === 'unknown_credential') return [];
    throw error;
  }
}

export function createCredential(api: ApiClient, body: ApiCredentialBody): Promise<ApiIssuedCredential> {
  return api.send('POST', root, body);
}

export function rotateCredential(
  api: ApiClient,
  endpoint: string,
  body: ApiCredentialRotationBody,
): Promise<ApiIssuedCredential> {
  return api.send('POST', `${at(endpoint)}/rotate`, body);
}

export function revokeCredential(
  api: ApiClient,
  endpoint: string,
  selection: ApiCredentialSelection,
): Promise<ApiDeviceCredentials> {
  return api.send('POST', `${at(endpoint)}/revoke`, selection);
}

export function removeCredential(
  api: ApiClient,
  endpoint: string,
  { account, identity }: Pick<ApiCredential, 'account' | 'identity'>,
): Promise<void> {
  return api.send('DELETE', `${at(endpoint)}?${new URLSearchParams({ account, identity })}`);
}

/** What a file would do, or has done. */
export function importCredentials(
  api: ApiClient,
  file: Blob,
  { dryRun, account }: { readonly dryRun: boolean; readonly account: ApiCredential['account'] },
): Promise<ApiCredentialImport> {
  return api.upload(`${root}/import?dryRun=${dryRun}&account=${account}`, 'text/csv', file);
}

export function exportHref(filter: CredentialFilter): string {
  const query = credentialQuery(filter);
  return query === '' ? '/api/credentials-export' : `/api/credentials-export?${query}`;
}

/** How a credential is said. */
export const typeNames: Readonly<Record<ApiCredential['type'], string>> = {
  psk: 'Pre-shared key',
  rpk: 'Raw public key',
  x509: 'Certificate',
};

export const accountNames: Readonly<Record<ApiCredential['account'], string>> = {
  server: 'LwM2M server',
  bootstrap: 'Bootstrap server',
};

/** Its state in a word, and how it looks. */
export function stateWords(
  { state, validUntil, usedAt }: Pick<ApiCredential, 'state' | 'validUntil' | 'usedAt'>,
  now: number,
): { readonly word: string; readonly look: 'good' | 'waiting' | 'bad' | 'quiet' } {
  if (state === 'revoked') return { word: 'revoked', look: 'bad' };
  if (validUntil !== undefined && validUntil <= now) return { word: 'expired', look: 'bad' };
  if (validUntil !== undefined) return { word: 'being replaced', look: 'waiting' };
  return usedAt === undefined ? { word: 'never used', look: 'quiet' } : { word: 'active', look: 'good' };
}

/** A credential as it stands in the form. */
export interface CredentialForm {
  readonly endpoint: string;
  readonly type: ApiCredential['type'];
  readonly account: ApiCredential['account'];
  readonly identity: string;
  readonly key: string;
  readonly publicKey: string;
  readonly certificate: string;
}

export const emptyCredential: CredentialForm = {
  endpoint: '',
  type: 'psk',
  account: 'server',
  identity: '',
  key: '',
  publicKey: '',
  certificate: '',
};

/** What the form says, as the API takes it; and what has to be mended first, by field. */
export function credentialOfForm(form: CredentialForm): {
  readonly body: ApiCredentialBody;
  readonly faults: ReadonlyMap<string, string>;
} {
  const faults = new Map<string, string>();
  const { type, account } = form;
  const endpoint = form.endpoint.trim();
  const identity = form.identity.trim();
  const key = form.key.replaceAll(/[\s:]/g, '');
  if (endpoint === '') faults.set('endpoint', 'The name that the device registers under');
  if (endpoint.length > 255) faults.set('endpoint', 'At most 255 characters');
  if (new TextEncoder().encode(identity).length > 128) faults.set('identity', 'At most 128 bytes');
  if (type === 'psk' && key !== '') {
    if (!/^(?:[\da-f]{2})+$/i.test(key)) faults.set('key', 'Hex digits, two for each byte');
    else if (key.length > 128) faults.set('key', 'At most 64 bytes');
  }
  if (type === 'rpk' && form.publicKey.trim() === '') faults.set('publicKey', 'Paste the public key');
  const named = identity === '' || type === 'rpk' ? {} : { identity };
  const proof =
    type === 'psk'
      ? key === ''
        ? {}
        : { key }
      : type === 'rpk'
        ? { publicKey: form.publicKey.trim() }
        : form.certificate.trim() === ''
          ? {}
          : { certificate: form.certificate.trim() };
  return { body: { endpoint, type, account, ...named, ...proof }, faults };
}

/** What a dry run says of a file: `3 devices would be enrolled, 1 is there already, 2 rows are bad`. */
export function importWords({ dryRun, imported, unchanged, errors }: ApiCredentialImport): string {
  const parts = [
    `${counted(imported, 'device')} ${dryRun ? 'can be' : imported === 1 ? 'was' : 'were'} enrolled`,
  ];
  if (unchanged > 0) parts.push(`${unchanged} ${unchanged === 1 ? 'is' : 'are'} there already`);
  if (errors.length > 0)
    parts.push(`${counted(errors.length, 'row')} ${errors.length === 1 ? 'is' : 'are'} bad`);
  return parts.join(', ');
}
