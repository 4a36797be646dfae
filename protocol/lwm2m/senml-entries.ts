import { RequestError } from '../errors.ts';
import { MAX_RECORDS } from './limits.ts';
import { isAtOrBelow, pathIds } from './path.ts';
import { rootPrefix } from './senml.ts';
import { naturalType, valueToWrite } from './typed-value.ts';
import type { LwM2mChange, LwM2mRecord, ResourceType, ResourceTypeLookup, ResourceValue } from './value.ts';

// What writing SenML JSON and SenML CBOR share: which fields each record has.

/** One record to write: its fields, those that are needed. */
export interface SenmlEntry {
  readonly bn?: string;
  readonly bt?: number;
  readonly n?: string;
  readonly t?: number;
  readonly type: ResourceType;
  readonly value: ResourceValue;
}

/**
 * Chooses base name and base time so that a reader who resolves them gets exactly the records.
 * @throws RequestError a value that does not fit its type, or a path that is not of a resource below the base
 */
export function senmlEntries(
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  rootPath: string,
): SenmlEntry[] {
  if (records.length > MAX_RECORDS) throw new RequestError(`more than ${MAX_RECORDS} values`);
  const shared = commonName(records);
  const bn = rootPrefix(rootPath) + shared;
  const timed = records.length > 0 && records.every(({ time }) => time !== undefined);
  let bt = 0;
  // Packs repeat one path: it is looked at once.
  let checked: string | undefined;
  let type: ResourceType | undefined;
  return records.map(({ path, value, time }, index): SenmlEntry => {
    if (path !== checked) {
      const ids = pathIds(path) ?? [];
      if (ids.length < 3 || !isAtOrBelow(path, basePath)) {
        throw new RequestError(`${path} is no resource at or below ${basePath}`);
      }
      checked = path;
      type = lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
    }
    if (time !== undefined && !Number.isFinite(time)) throw new RequestError(`${path}: taken at ${time}`);
    const fitted = valueToWrite(path, type, value);
    const name = path.slice(shared.length);
    let times: { readonly bt?: number; readonly t?: number } = {};
    if (timed && time !== undefined) {
      // A base that rounds when a time is added to it is replaced: times stay exact.
      const rebase = index === 0 || bt + (time - bt) !== time;
      if (rebase) {
        bt = time;
        times = { bt };
      } else if (time !== bt) times = { t: time - bt };
    } else if (time !== undefined) times = { t: time };
    return {
      ...(index === 0 && bn !== '' ? { bn } : {}),
      ...(name === '' ? {} : { n: name }),
      ...times,
      type: type ?? naturalType(fitted),
      value: fitted,
    };
  });
}

/**
 * The entries of a Patch Pack (RFC 8790 §3.2), each with its whole name; null where the record removes what it names.
 * @throws RequestError a value that does not fit, or a removal of what is no resource instance
 */
export function patchEntries(
  changes: readonly LwM2mChange[],
  lookup: ResourceTypeLookup,
  rootPath: string,
): { readonly n: string; readonly entry: SenmlEntry | null }[] {
  if (changes.length > MAX_RECORDS) throw new RequestError(`more than ${MAX_RECORDS} changes`);
  return changes.map(({ path, value }) => {
    const n = rootPrefix(rootPath) + path;
    if (value === null) {
      if (pathIds(path)?.length !== 4)
        throw new RequestError(`${path} is no resource instance: nothing else can be removed so`);
      return { n, entry: null };
    }
    const [entry] = senmlEntries('/', [{ path, value }], lookup, '/');
    const { type, value: fitted } = entry as SenmlEntry;
    return { n, entry: { n, type, value: fitted } };
  });
}

/** The path itself where all records share it, else the levels that they share, up to a slash; at least nothing. */
function commonName(records: readonly LwM2mRecord[]): string {
  const first = records[0]?.path ?? '';
  if (records.every(({ path }) => path === first)) return first;
  let name = first.slice(0, first.lastIndexOf('/') + 1);
  while (name.length > 1 && !records.every(({ path }) => path.startsWith(name))) {
    name = name.slice(0, name.lastIndexOf('/', name.length - 2) + 1);
  }
  return name.length > 1 ? name : '';
}
