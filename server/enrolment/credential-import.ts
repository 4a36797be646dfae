import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { Credential, CredentialAccount, PreSharedKey } from '../ports/credential-store.ts';
import type { DeviceStore } from '../ports/device-store.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { CredentialService } from './credential-service.ts';
import { type CsvRecord, CsvRows } from './csv-rows.ts';
import { identityKey } from './identities.ts';
import { type ImportColumns, type ImportRow, parseHeader, parseRow } from './import-row.ts';

/** Devices of one import. */
export const mostRows = 100_000;
/** Bytes of its file. */
export const mostImportBytes = 64 * 1024 * 1024;
/** Rows that are looked up, or stored, at a time. */
const AT_ONCE = 64;

export interface BadRow {
  /** Of the file; the first is 1. */
  readonly line: number;
  readonly endpoint?: string;
  readonly reason: string;
}

export interface ImportResult {
  readonly dryRun: boolean;
  /** Rows with a device. */
  readonly rows: number;
  /** Stored, or what would be. */
  readonly imported: number;
  /** Were there already, with the same identity and key. */
  readonly unchanged: number;
  readonly errors: readonly BadRow[];
  /** Columns that say nothing to us. */
  readonly ignoredColumns: readonly string[];
}

export interface ImportOptions {
  readonly dryRun: boolean;
  /** Where a row does not say. */
  readonly account: CredentialAccount;
  /** Whoever imports has this tenant, and so have his devices; undefined: the file may say. */
  readonly tenant?: string;
}

export interface CredentialImportOptions {
  readonly service: Pick<CredentialService, 'get' | 'find' | 'enter' | 'imported' | 'tellImport'>;
  readonly devices: Pick<DeviceStore, 'tenants'>;
  readonly clock: Pick<Clock, 'wallTime'>;
}

/**
 * Enrols the devices of a CSV file. Every row is looked at before one is stored: where a row is bad, nothing is, and all
 * bad rows are told. A row whose identity was taken meanwhile, or that the store did not take, is told too; the same
 * file can be imported again, for what is there already counts as unchanged.
 */
export class CredentialImport {
  readonly #options: CredentialImportOptions;

  constructor(options: CredentialImportOptions) {
    this.#options = options;
  }

  /** @throws RequestError it is no such file, or too large; StoreUnavailableError nothing was stored */
  async run(file: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportResult> {
    const { rows, read, errors, ignoredColumns } = await readRows(file, options);
    const { fresh, unchanged } = await this.#compare(rows, options, errors);
    const result = { dryRun: options.dryRun, rows: read, unchanged, ignoredColumns };
    if (options.dryRun || errors.length > 0) {
      return { ...result, imported: options.dryRun ? fresh.length : 0, errors: inOrder(errors) };
    }
    const imported = await this.#store(fresh, errors);
    return { ...result, imported, errors: inOrder(errors) };
  }

  /** Those that are not there yet, and how many are; what contradicts the file or the store is added to the errors. */
  async #compare(
    rows: readonly ImportRow[],
    { tenant }: ImportOptions,
    errors: BadRow[],
  ): Promise<{ readonly fresh: readonly ImportRow[]; readonly unchanged: number }> {
    const { devices } = this.#options;
    const lines = new Map<string, number>();
    const single = rows.filter((row) => {
      const { line, endpoint, account, identity } = row;
      const keys = [`endpoint ${account} ${endpoint}`, identityKey(account, { kind: 'psk', name: identity })];
      const before = keys.map((key) => lines.get(key)).find((found) => found !== undefined);
      for (const key of keys) if (!lines.has(key)) lines.set(key, line);
      if (before === undefined) return true;
      errors.push({ line, endpoint, reason: `the endpoint or the identity is in line ${before} already` });
      return false;
    });
    const fresh: ImportRow[] = [];
    let unchanged = 0;
    for (let from = 0; from < single.length; from += AT_ONCE) {
      const some = single.slice(from, from + AT_ONCE);
      const tenants =
        tenant === undefined ? undefined : await devices.tenants(some.map(({ endpoint }) => endpoint));
      const verdicts = await Promise.all(some.map((row) => this.#verdict(row)));
      for (const [index, row] of some.entries()) {
        const { line, endpoint } = row;
        const isAnothers = tenants?.has(endpoint) === true && tenants.get(endpoint) !== tenant;
        const verdict = isAnothers ? 'the endpoint name is taken' : verdicts[index];
        if (verdict === 'fresh') fresh.push(row);
        else if (verdict === 'unchanged') unchanged++;
        else errors.push({ line, endpoint, reason: verdict as string });
      }
    }
    return { fresh, unchanged };
  }

  /** `fresh`, `unchanged`, or what is wrong. */
  async #verdict({ endpoint, account, identity, key }: ImportRow): Promise<string> {
    const { service } = this.#options;
    const own = (await service.get(endpoint)).filter((one) => one.account === account);
    if (own.some((one) => isTheSame(one, identity, key.reveal()))) return 'unchanged';
    if (own.length > 0) return 'the device has another credential already: rotate it, or delete it first';
    const taken = await service.find(account, { kind: 'psk', name: identity });
    return taken === undefined ? 'fresh' : 'the identity is taken';
  }

  async #store(rows: readonly ImportRow[], errors: BadRow[]): Promise<number> {
    const { service, clock } = this.#options;
    const now = Math.floor(clock.wallTime());
    let imported = 0;
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      const some = rows.slice(from, from + AT_ONCE);
      const entered = await Promise.allSettled(some.map((row) => service.enter(credentialOf(row, now))));
      const stored: Credential[] = [];
      for (const [index, row] of some.entries()) {
        const { line, endpoint } = row;
        const outcome = entered[index] as PromiseSettledResult<boolean>;
        if (outcome.status === 'rejected') {
          if (!(outcome.reason instanceof StoreUnavailableError)) throw outcome.reason;
          errors.push({ line, endpoint, reason: 'the store did not answer: import the file again' });
        } else if (!outcome.value)
          errors.push({ line, endpoint, reason: 'the identity was taken meanwhile' });
        else stored.push(credentialOf(row, now));
      }
      imported += stored.length;
      if (stored.length > 0) await service.imported(stored);
    }
    if (imported > 0) service.tellImport(imported);
    return imported;
  }
}

/** All rows of the file that are right by themselves. */
async function readRows(
  file: AsyncIterable<Uint8Array>,
  { account, tenant }: ImportOptions,
): Promise<{
  readonly rows: readonly ImportRow[];
  /** How many there are, the bad ones too. */
  readonly read: number;
  readonly errors: BadRow[];
  readonly ignoredColumns: readonly string[];
}> {
  const rows: ImportRow[] = [];
  const errors: BadRow[] = [];
  let header: ReturnType<typeof parseHeader> | undefined;
  let read = 0;
  const take = (record: CsvRecord): void => {
    if (header === undefined) {
      header = parseHeader(record);
      return;
    }
    if (++read > mostRows) throw new RequestError(`there are more than ${mostRows} rows: split the file`);
    try {
      rows.push(parseRow(record, header.columns, { account, tenant }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      errors.push({ line: record.line, ...namedIn(record, header.columns), reason: error.message });
    }
  };
  const csv = new CsvRows();
  for await (const text of decoded(file)) for (const record of csv.push(text)) take(record);
  for (const record of csv.end()) take(record);
  if (header === undefined)
    throw new RequestError('the file is empty: its first line has to name the columns');
  return { rows, read, errors, ignoredColumns: header.ignored };
}

/** @throws RequestError it is no UTF-8, or too large */
async function* decoded(file: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let bytes = 0;
  try {
    for await (const part of file) {
      bytes += part.length;
      if (bytes > mostImportBytes) throw new RequestError(`the file is larger than ${mostImportBytes} bytes`);
      yield decoder.decode(part, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError && !(error instanceof RequestError))
      throw new RequestError('the file is not UTF-8');
    throw error;
  }
}

/** So that a person finds the row: its endpoint, as far as there is one. */
function namedIn({ fields }: CsvRecord, columns: ImportColumns): { readonly endpoint?: string } {
  const endpoint = fields[columns.get('endpoint') ?? -1]?.trim().slice(0, 255) ?? '';
  return endpoint === '' ? {} : { endpoint };
}

function isTheSame(credential: Credential, identity: string, key: Uint8Array): boolean {
  if (!('key' in credential) || credential.state !== 'active' || credential.identity.name !== identity)
    return false;
  const known = credential.key.reveal();
  return known.length === key.length && timingSafeEqual(known, key);
}

function credentialOf(
  { account, endpoint, identity, key, tenant, attributes }: ImportRow,
  now: number,
): PreSharedKey {
  return {
    account,
    endpoint,
    identity: { kind: 'psk', name: identity },
    key,
    state: 'active',
    createdAt: now,
    changedAt: now,
    ...(tenant === undefined ? {} : { tenant }),
    ...(attributes === undefined ? {} : { attributes }),
  };
}

function inOrder(errors: readonly BadRow[]): readonly BadRow[] {
  return errors.toSorted((a, b) => a.line - b.line);
}
