import { DecodeError } from '../errors.ts';
import { MAX_NAME_LENGTH, MAX_RECORDS } from './limits.ts';
import { isAtOrBelow, pathIds } from './path.ts';
import { isObjectLink, typedValue } from './typed-value.ts';
import type { LwM2mChange, LwM2mRecord, ResourceType, ResourceTypeLookup, ResourceValue } from './value.ts';

// What reading SenML JSON and SenML CBOR share: RFC 8428 §4 and OMA-TS-LightweightM2M_Core-V1_2 §7.5.6, §7.5.7.

/** SenML labels with their integers in CBOR, RFC 8428 §6 table 4; `vlo` has only its text, LwM2M §7.5.7. */
export const SenmlLabel = {
  bs: -6,
  bv: -5,
  bu: -4,
  bt: -3,
  bn: -2,
  bver: -1,
  n: 0,
  u: 1,
  v: 2,
  vs: 3,
  vb: 4,
  s: 5,
  t: 6,
  ut: 7,
  vd: 8,
  /** Not on the wire. */
  vlo: 9,
} as const;
export type SenmlLabel = (typeof SenmlLabel)[keyof typeof SenmlLabel];

/** The label of a text key; undefined for an unknown one that may be ignored (RFC 8428 §4.4). */
export function senmlLabel(text: string): SenmlLabel | undefined {
  if (Object.hasOwn(SenmlLabel, text)) return SenmlLabel[text as keyof typeof SenmlLabel];
  if (text.endsWith('_'))
    throw new DecodeError(`SenML label '${text.slice(0, 40)}' must be understood, and is not`);
  return undefined;
}

/** The fields of one record as they stand in the payload; one object serves for a whole pack. */
export class SenmlFields {
  bn: string | undefined;
  bt: number | undefined;
  bv: number | undefined;
  n: string | undefined;
  t: number | undefined;
  value: ResourceValue | undefined;
  /** Whether `value` is a `v`, to which the base value is added. */
  numeric = false;
  sum = false;
  /** Whether the value is null: the record is to be removed. Only where `takesNull` allows it. */
  removed = false;
  /** Whether `"v": null` is a value: in Patch Packs alone (RFC 8790 §3.2). */
  readonly takesNull: boolean;

  constructor(takesNull = false) {
    this.takesNull = takesNull;
  }

  clear(): void {
    this.bn = undefined;
    this.bt = undefined;
    this.bv = undefined;
    this.n = undefined;
    this.t = undefined;
    this.value = undefined;
    this.numeric = false;
    this.sum = false;
    this.removed = false;
  }

  setValue(value: ResourceValue): void {
    if (this.value !== undefined || this.removed) throw new DecodeError('a SenML record with two values');
    this.value = value;
  }

  setNull(): void {
    if (this.value !== undefined) throw new DecodeError('a SenML record with two values');
    this.removed = true;
  }

  setName(label: typeof SenmlLabel.bn | typeof SenmlLabel.n, text: string): void {
    if (text.length > MAX_NAME_LENGTH) throw new DecodeError(`a SenML name of ${text.length} characters`);
    if (label === SenmlLabel.n) this.n = text;
    else this.bn = text;
  }
}

/** What is done with each record of a pack, in their order. */
export interface SenmlSink {
  /** Whether records may have null for a value. */
  readonly takesNull?: boolean;
  take(fields: SenmlFields): void;
}

/** A record of a Patch Pack that removes what it names. */
export interface SenmlRemoval {
  readonly path: string;
  /** How many records with a value stand before it. */
  readonly after: number;
}

/** Resolves the records of one pack, RFC 8428 §4.6, to typed values at or below a path. */
export class SenmlResolver implements SenmlSink {
  readonly records: LwM2mRecord[] = [];
  /** What a Patch Pack removes; kept apart, so that no other reader of records meets a null. */
  readonly removals: SenmlRemoval[] = [];
  readonly takesNull: boolean;
  readonly #basePath: string;
  readonly #root: string;
  readonly #lookup: ResourceTypeLookup;
  #bn = '';
  #bt: number | undefined;
  #bv: number | undefined;
  /** The `n` that #path was resolved with; the pack of one sensor resolves its path once. */
  #n: string | undefined;
  #path = '';
  #type: ResourceType | undefined;
  /** Instances that object links of this pack lead to: their values may follow (LwM2M §7.5.6). */
  #linked: Set<string> | undefined;

  constructor(basePath: string, lookup: ResourceTypeLookup, rootPath: string, takesNull = false) {
    this.takesNull = takesNull;
    this.#basePath = basePath;
    this.#root = rootPrefix(rootPath);
    this.#lookup = lookup;
  }

  take(fields: SenmlFields): void {
    if (fields.bn !== undefined && fields.bn !== this.#bn) {
      this.#bn = fields.bn;
      this.#path = '';
    }
    if (fields.bt !== undefined) this.#bt = fields.bt;
    if (fields.bv !== undefined) this.#bv = fields.bv;
    if (fields.value === undefined) {
      if (fields.removed) {
        this.#remove(fields.n);
        return;
      }
      if (fields.n === undefined && fields.t === undefined && !fields.sum) return;
      // RFC 8428 §4.5.4: a value that is missing beside a base value is zero.
      if (this.#bv === undefined || fields.sum)
        throw new DecodeError(`a SenML record without a value: '${this.#bn}${fields.n ?? ''}'`);
      fields.value = 0;
      fields.numeric = true;
    }
    if (this.records.length === MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} values`);
    if (this.#path === '' || fields.n !== this.#n) this.#resolve(fields.n);
    const value = this.#typed(fields);
    if (fields.t === undefined && this.#bt === undefined) {
      this.records.push({ path: this.#path, value });
    } else {
      const time = finite((this.#bt ?? 0) + (fields.t ?? 0));
      this.records.push({ path: this.#path, value, time });
    }
  }

  #remove(n: string | undefined): void {
    if (this.#path === '' || n !== this.#n) this.#resolve(n);
    this.removals.push({ path: this.#path, after: this.records.length });
  }

  #resolve(n: string | undefined): void {
    const path = withoutRoot(n === undefined ? this.#bn : this.#bn + n, this.#root);
    const ids = pathIds(path) ?? [];
    if (ids.length < 3) throw new DecodeError(`SenML name '${path}' is no path of a resource`);
    if (!isAtOrBelow(path, this.#basePath) && this.#linked?.has(`/${ids[0]}/${ids[1]}`) !== true) {
      throw new DecodeError(`SenML name ${path} is not at or below ${this.#basePath}`);
    }
    // With its slash in front it is canonical: pathIds takes no other form.
    this.#path = path;
    this.#n = n;
    this.#type = this.#lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
  }

  #typed(fields: SenmlFields): ResourceValue {
    let value = fields.value as ResourceValue;
    if (fields.numeric && this.#bv !== undefined) value = sum(value as number | bigint, this.#bv);
    const type = this.#type;
    if (typeof value === 'number' && (type === 'float' || type === undefined)) return value;
    const typed = typedValue(this.#path, type, value);
    if (isObjectLink(typed)) {
      this.#linked ??= new Set();
      this.#linked.add(`/${typed.objectId}/${typed.instanceId}`);
    }
    return typed;
  }
}

/**
 * Collects the names alone: what a composite Read or Observe asks for (LwM2M §6.3.8). A Fetch Pack holds
 * names and nothing else (RFC 8790 §3.1); in a SenML pack, which devices of LwM2M 1.1 send, values are passed over.
 */
export class SenmlNames implements SenmlSink {
  readonly paths: string[] = [];
  readonly #root: string;
  readonly #isFetchPack: boolean;
  #bn = '';

  constructor(rootPath: string, isFetchPack: boolean) {
    this.#root = rootPrefix(rootPath);
    this.#isFetchPack = isFetchPack;
  }

  take(fields: SenmlFields): void {
    if (this.#isFetchPack) checkFetchRecord(fields);
    if (fields.bn !== undefined) this.#bn = fields.bn;
    const path = withoutRoot(this.#bn + (fields.n ?? ''), this.#root);
    if (pathIds(path) === undefined) throw new DecodeError(`SenML name '${path}' is no path`);
    if (this.paths.length === MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} paths`);
    this.paths.push(path);
  }
}

/** RFC 8790 §3.1. Times choose among the records of one name; a resource has its newest value only. */
function checkFetchRecord({ bn, n, bt, t, bv, value, sum: hasSum }: SenmlFields): void {
  if (bn === undefined && n === undefined) throw new DecodeError('a record of a Fetch Pack without a name');
  if (value !== undefined || bv !== undefined || hasSum)
    throw new DecodeError('a record of a Fetch Pack with a value');
  if (t !== undefined || bt !== undefined)
    throw new DecodeError('a record of a Fetch Pack that asks for a time');
}

/** What stands before each path in names: nothing, or the root path of a client that has another than `/`. */
export function rootPrefix(rootPath: string): string {
  return rootPath === '/' ? '' : rootPath;
}

function withoutRoot(name: string, root: string): string {
  const path = name.startsWith(root) ? name.slice(root.length) : '';
  if (!path.startsWith('/')) throw new DecodeError(`SenML name '${name}' is no path below ${root || '/'}`);
  return path;
}

/**
 * RFC 8428 §4.4: a pack of a later version than is known must not be read. 10 is the version of
 * RFC 8428, 26 the same with the secondary units of RFC 9100, which change no value.
 */
export function checkVersion(version: number | bigint): void {
  const known = typeof version === 'number' && Number.isInteger(version) && version > 0;
  if (!known || (version > 10 && version !== 26))
    throw new DecodeError(`SenML version ${version} is not supported`);
}

/** A number that must be one that arithmetic can use. */
export function finite(value: number | bigint): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new DecodeError(`${number} where a finite number belongs`);
  return number;
}

function sum(value: number | bigint, base: number): number | bigint {
  if (typeof value === 'bigint' && Number.isSafeInteger(base)) return value + BigInt(base);
  return finite(Number(value) + base);
}

/** What the resolver of a Patch Pack has found, in the order of the pack. */
export function resolvedChanges({ records, removals }: SenmlResolver): LwM2mChange[] {
  const changes: LwM2mChange[] = [];
  let next = 0;
  for (const { path, after } of removals) {
    while (next < after) changes.push(records[next++] as LwM2mRecord);
    changes.push({ path, value: null });
  }
  return [...changes, ...records.slice(next)];
}
