import { RequestError } from '../../protocol/errors.ts';
import { requireEndpoint } from '../lwm2m/registration-request.ts';
import { tenantPattern } from '../people/tenant-pattern.ts';
import {
  type CredentialAccount,
  credentialAccounts,
  type EnrolmentAttributes,
} from '../ports/credential-store.ts';
import { Secret } from '../ports/secret.ts';
import type { CsvRecord } from './csv-rows.ts';
import { checkIdentityName, parseKey } from './identities.ts';

/** One device of an import. */
export interface ImportRow {
  readonly line: number;
  readonly account: CredentialAccount;
  readonly endpoint: string;
  readonly identity: string;
  readonly key: Secret;
  readonly tenant?: string;
  readonly attributes?: EnrolmentAttributes;
}

/** Names that a column may have, in lower case and without what separates words. */
const columns = {
  endpoint: ['endpoint', 'ep', 'endpointname', 'endpointclientname'],
  serialNumber: ['serialnumber', 'serial', 'sn'],
  mac: ['mac', 'macaddress'],
  imei: ['imei'],
  iccid: ['iccid'],
  identity: ['identity', 'pskidentity'],
  key: ['key', 'psk', 'pskkey', 'keyhex'],
  account: ['account'],
  tenant: ['tenant'],
} as const;
type Column = keyof typeof columns;

/** Which field is which. */
export type ImportColumns = ReadonlyMap<Column, number>;

const required: readonly Column[] = ['endpoint', 'identity', 'key'];

/** The first line. @throws RequestError a column that is needed is missing, or is there twice */
export function parseHeader({ line, fields, problem }: CsvRecord): {
  readonly columns: ImportColumns;
  /** Names of columns that say nothing to us. */
  readonly ignored: readonly string[];
} {
  if (problem !== undefined) throw new RequestError(`line ${line}: ${problem}`);
  const found = new Map<Column, number>();
  const ignored: string[] = [];
  for (const [index, field] of fields.entries()) {
    const name = field.toLowerCase().replaceAll(/[\s_.-]/g, '');
    const column = (Object.keys(columns) as Column[]).find((one) =>
      (columns[one] as readonly string[]).includes(name),
    );
    if (column === undefined) ignored.push(field.trim().slice(0, 100));
    else if (found.has(column)) throw new RequestError(`line ${line}: the column ${column} is there twice`);
    else found.set(column, index);
  }
  const missing = required.filter((column) => !found.has(column));
  if (missing.length > 0) {
    throw new RequestError(
      `line ${line}: the first line has to name the columns, and has no ${missing.join(', no ')}; ` +
        `known are ${Object.keys(columns).join(', ')}`,
    );
  }
  return { columns: found, ignored };
}

/** @throws RequestError what is wrong with it; the key is never shown */
export function parseRow(
  { line, fields, problem }: CsvRecord,
  known: ImportColumns,
  given: { readonly account: CredentialAccount; readonly tenant: string | undefined },
): ImportRow {
  if (problem !== undefined) throw new RequestError(problem);
  const width = Math.max(...known.values()) + 1;
  if (fields.length < width)
    throw new RequestError(`there are ${fields.length} fields, and ${width} columns`);
  const field = (column: Column): string => fields[known.get(column) ?? -1]?.trim() ?? '';
  const endpoint = requireEndpoint({ endpoint: field('endpoint') });
  const identity = field('identity');
  checkIdentityName(identity);
  const key = new Secret(parseKey(field('key')));
  const attributes = {
    ...optional(
      'serialNumber',
      field('serialNumber'),
      /^[\x20-\x7e]{1,64}$/,
      'is longer than 64 characters, or not ASCII',
    ),
    ...optional(
      'mac',
      field('mac').toUpperCase(),
      /^[\dA-F]{2}([:-]?[\dA-F]{2}){5}([:-]?[\dA-F]{2}){0,2}$/,
      'is not 6 or 8 bytes in hex',
    ),
    ...optional('imei', field('imei').replaceAll(/[\s-]/g, ''), /^\d{14,16}$/, 'is not 14 to 16 digits'),
    ...optional(
      'iccid',
      field('iccid').replaceAll(/\s/g, ''),
      /^\d{17,20}[\dF]{0,2}$/i,
      'is not 18 to 22 digits',
    ),
  };
  const tenant = given.tenant ?? field('tenant');
  if (tenant !== '' && !new RegExp(tenantPattern).test(tenant)) {
    throw new RequestError('the tenant is not 1 to 64 of a-z, 0-9 and -');
  }
  return {
    line,
    account: accountOf(field('account'), given.account),
    endpoint,
    identity,
    key,
    ...(tenant === '' ? {} : { tenant }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

function accountOf(text: string, otherwise: CredentialAccount): CredentialAccount {
  if (text === '') return otherwise;
  const account = credentialAccounts.find((one) => one === text.toLowerCase());
  if (account === undefined)
    throw new RequestError(`the account is none of ${credentialAccounts.join(', ')}`);
  return account;
}

/** @throws RequestError it is there, and is no such number */
function optional(
  name: keyof EnrolmentAttributes,
  value: string,
  pattern: RegExp,
  problem: string,
): EnrolmentAttributes {
  if (value === '') return {};
  if (!pattern.test(value)) throw new RequestError(`the ${spoken[name]} ${problem}`);
  return { [name]: value };
}

const spoken: Readonly<Record<keyof EnrolmentAttributes, string>> = {
  serialNumber: 'serial number',
  mac: 'MAC address',
  imei: 'IMEI',
  iccid: 'ICCID',
};
