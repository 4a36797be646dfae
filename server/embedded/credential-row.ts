import type { Credential, CredentialSummary, EnrolmentAttributes } from '../ports/credential-store.ts';
import { Secret } from '../ports/secret.ts';

/** Columns of the table in the order of a row. */
export const credentialColumns = [
  'account',
  'kind',
  'name',
  'endpoint',
  'key',
  'state',
  'created_at',
  'changed_at',
  'valid_until',
  'used_at',
  'tenant',
  'fingerprint',
  'serial',
  'mac',
  'imei',
  'iccid',
] as const;

/** A credential as it crosses between threads, in the order of `credentialColumns`; null: there is none. */
export type CredentialRow = readonly (string | number | Uint8Array | null)[];

const firstAttribute = credentialColumns.indexOf('serial');
const attributeNames = [
  'serialNumber',
  'mac',
  'imei',
  'iccid',
] as const satisfies readonly (keyof EnrolmentAttributes)[];

export function credentialRow(credential: Credential): CredentialRow {
  return [
    credential.account,
    credential.identity.kind,
    credential.identity.name,
    credential.endpoint,
    'key' in credential ? credential.key.reveal() : null,
    credential.state,
    credential.createdAt,
    credential.changedAt,
    credential.validUntil ?? null,
    credential.usedAt ?? null,
    credential.tenant ?? null,
    ('fingerprint' in credential ? credential.fingerprint : undefined) ?? null,
    ...attributeNames.map((name) => credential.attributes?.[name] ?? null),
  ];
}

/** The credential of a row, without its key. */
export function summaryOfRow(row: CredentialRow): CredentialSummary {
  const [account, kind, name, endpoint, , state, createdAt, changedAt, validUntil, usedAt] = row;
  const [tenant, fingerprint] = row.slice(10);
  const attributes = Object.fromEntries(
    attributeNames.flatMap((attribute, index) => {
      const value = row[firstAttribute + index];
      return value === null ? [] : [[attribute, value]];
    }),
  );
  return {
    account,
    endpoint,
    identity: { kind, name },
    state,
    createdAt,
    changedAt,
    ...(validUntil === null ? {} : { validUntil }),
    ...(usedAt === null ? {} : { usedAt }),
    ...(tenant === null ? {} : { tenant }),
    ...(fingerprint === null ? {} : { fingerprint }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  } as CredentialSummary;
}

export function credentialOfRow(row: CredentialRow): Credential {
  const key = row[credentialColumns.indexOf('key')];
  const summary = summaryOfRow(row);
  return (key instanceof Uint8Array ? { ...summary, key: new Secret(key) } : summary) as Credential;
}

/** What a search looks into: endpoint and identity, and the numbers, each at the start of a line. */
export function searchTexts(row: CredentialRow): readonly [search: string, numbers: string] {
  const [, , name, endpoint] = row;
  const numbers = row.slice(firstAttribute).filter((number) => number !== null);
  return [
    `${endpoint}\n${name}`.toLowerCase(),
    numbers.map((number) => `\n${number}`.toLowerCase()).join(''),
  ];
}
