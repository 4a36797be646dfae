import { pathIds } from '../protocol/lwm2m/path.ts';
import { isObjectLink } from '../protocol/lwm2m/typed-value.ts';
import type { ResourceValue } from '../protocol/lwm2m/value.ts';
import type { AtomicFile } from './atomic-file.ts';
import type { AccountRecords } from './lwm2m/accounts.ts';
import type { AccountStorage } from './lwm2m/kept-accounts.ts';

/** A value as JSON has it: what JSON has no type for goes by a name. */
type StoredValue =
  | string
  | number
  | boolean
  | { readonly bytes: string }
  | { readonly integer: string }
  | { readonly link: readonly [objectId: number, instanceId: number] };

type StoredRecords = readonly (readonly [path: string, value: StoredValue])[];

/**
 * Accounts in a file, which nobody but its owner can read: there are keys in it. It is either as it was or as it is to
 * be. Reading throws StateFileError.
 */
export function fileAccounts(file: AtomicFile): AccountStorage {
  return {
    read: () =>
      file.readJson('file of accounts', ({ format, current, previous }) => {
        if (format !== 1) return undefined;
        const now = recordsOf(current);
        const before = previous === undefined ? new Map() : recordsOf(previous);
        if (now === undefined || before === undefined) return undefined;
        return { current: now, previous: previous === undefined ? undefined : before };
      }),
    write: ({ current, previous }) => {
      const stored = {
        format: 1,
        current: storedRecords(current),
        ...(previous === undefined ? {} : { previous: storedRecords(previous) }),
      };
      file.write(`${JSON.stringify(stored)}\n`);
    },
  };
}

function storedRecords(records: AccountRecords): StoredRecords {
  return [...records].map(([path, value]) => [path, storedValue(value)]);
}

function storedValue(value: ResourceValue): StoredValue {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (typeof value === 'bigint') return { integer: String(value) };
  if (typeof value === 'object') return { link: [value.objectId, value.instanceId] };
  return value;
}

/** Undefined: it is no such thing. */
function recordsOf(stored: unknown): Map<string, ResourceValue> | undefined {
  if (!Array.isArray(stored)) return undefined;
  const records = new Map<string, ResourceValue>();
  for (const entry of stored) {
    if (!Array.isArray(entry) || entry.length !== 2) return undefined;
    const [path, value] = entry;
    const read = readValue(value);
    if (typeof path !== 'string' || pathIds(path) === undefined || read === undefined) return undefined;
    records.set(path, read);
  }
  return records;
}

function readValue(stored: unknown): ResourceValue | undefined {
  if (typeof stored === 'string' || typeof stored === 'number' || typeof stored === 'boolean') return stored;
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { bytes, integer, link } = stored as Readonly<Record<string, unknown>>;
  if (typeof bytes === 'string' && /^([0-9a-f]{2})*$/.test(bytes)) {
    return new Uint8Array(Buffer.from(bytes, 'hex'));
  }
  if (typeof integer === 'string' && /^-?\d+$/.test(integer)) return BigInt(integer);
  if (!Array.isArray(link)) return undefined;
  const [objectId, instanceId] = link;
  const value = { objectId, instanceId };
  return isObjectLink(value) ? value : undefined;
}
