import { DecodeError } from '../errors.ts';
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from './bytes.ts';
import { jsonNumber, jsonText, numberText, parseExactJson } from './exact-json.ts';
import { MAX_NAME_LENGTH, MAX_RECORDS } from './limits.ts';
import { lwm2mJsonIds } from './lwm2m-json-name.ts';
import { finite } from './senml.ts';
import { senmlEntries } from './senml-entries.ts';
import { formatObjectLink, parseObjectLink, typedValue } from './typed-value.ts';
import type {
  LwM2mRecord,
  ObjectLinkValue,
  ResourceType,
  ResourceTypeLookup,
  ResourceValue,
} from './value.ts';

// The JSON of LwM2M 1.0, content format 11543: OMA-TS-LightweightM2M-V1_0 §6.4.4. An object with a base
// name, a base time and entries: {"bn":"/3/0/","e":[{"n":"9","v":100}]}. SenML JSON took its place.

/** The keys of which an entry has one. */
const VALUE_KEYS = ['v', 'sv', 'bv', 'ov'] as const;
type ValueKey = (typeof VALUE_KEYS)[number];
type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Base name and base time are chosen as in SenML, but stand once. Names are without the client's root path:
 * version 1.0 says nothing of it there.
 * @throws RequestError
 */
export function encodeLwm2mJson(
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
): Uint8Array {
  const entries = senmlEntries(basePath, records, lookup, '/');
  // Where one base time would round another time, there is none, and each entry has its own time.
  const rebased = entries.some(({ bt }, index) => index > 0 && bt !== undefined);
  const bt = rebased ? undefined : entries[0]?.bt;
  const empty = basePath === '/' ? undefined : `${basePath}/`;
  const bn = entries.length === 0 ? empty : entries[0]?.bn;
  const texts = entries.map(({ n, t, type, value }, index) => {
    const time = rebased ? records[index]?.time : t;
    const fields = n === undefined ? [] : [`"n":${JSON.stringify(n)}`];
    if (time !== undefined) fields.push(`"t":${numberText(time)}`);
    return `{${[...fields, valueText(type, value)].join(',')}}`;
  });
  const head = bn === undefined ? [] : [`"bn":${JSON.stringify(bn)}`];
  if (bt !== undefined) head.push(`"bt":${numberText(bt)}`);
  return encodeUtf8(`{${[...head, `"e":[${texts.join(',')}]`].join(',')}}`);
}

function valueText(type: ResourceType, value: ResourceValue): string {
  switch (type) {
    case 'string':
    case 'corelnk':
      return `"sv":${JSON.stringify(value)}`;
    case 'boolean':
      return `"bv":${String(value)}`;
    case 'opaque':
      return `"sv":"${encodeBase64(value as Uint8Array, 'standard')}"`;
    case 'objlnk':
      return `"ov":"${formatObjectLink(value as ObjectLinkValue)}"`;
    default:
      return `"v":${numberText(value as number | bigint)}`;
  }
}

/**
 * Reads names with the client's root path or without, and takes a base name to end with a slash where a
 * name follows: devices write both. Bytes of a resource that nobody knows come as the text that they are in.
 * @throws DecodeError
 */
export function decodeLwm2mJson(
  basePath: string,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mRecord[] {
  // No bytes at all stand for no records, as in SenML.
  if (bytes.length === 0) return [];
  const { bn, bt, e } = objectOf(parseExactJson(decodeUtf8(bytes)));
  if (!Array.isArray(e)) throw new DecodeError('LwM2M JSON: no array of entries');
  if (e.length > MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} values`);
  const baseName = nameOf('bn', bn);
  const baseTime = timeOf('bt', bt);
  let path: string | undefined;
  let name: string | undefined;
  let type: ResourceType | undefined;
  return (e as unknown[]).map((item): LwM2mRecord => {
    const entry = objectOf(item);
    const n = nameOf('n', entry.n);
    // The entries of one sensor resolve their path once.
    if (path === undefined || n !== name) {
      const ids = lwm2mJsonIds(baseName, n, basePath, rootPath);
      path = `/${ids.join('/')}`;
      name = n;
      type = lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
    }
    const given = entryValue(entry);
    const opaque = type === 'opaque' && typeof given === 'string';
    const value = typedValue(path, type, opaque ? decodeBase64(given) : given);
    const t = timeOf('t', entry.t);
    if (t === undefined && baseTime === undefined) return { path, value };
    return { path, value, time: finite((baseTime ?? 0) + (t ?? 0)) };
  });
}

function objectOf(value: unknown): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new DecodeError('LwM2M JSON: an object is missing');
}

function nameOf(key: string, value: unknown): string {
  if (value === undefined) return '';
  const text = textOf(key, value);
  if (text.length > MAX_NAME_LENGTH) throw new DecodeError(`LwM2M JSON: ${text.length} characters in ${key}`);
  return text;
}

function timeOf(key: string, value: unknown): number | undefined {
  return value === undefined ? undefined : finite(numberOf(key, value));
}

function entryValue(entry: JsonObject): ResourceValue {
  const [key, second] = VALUE_KEYS.filter((candidate) => entry[candidate] !== undefined);
  if (key === undefined || second !== undefined)
    throw new DecodeError('LwM2M JSON: not one value in an entry');
  return readers[key](entry[key]);
}

const readers: Readonly<Record<ValueKey, (value: unknown) => ResourceValue>> = {
  v: (value) => numberOf('v', value),
  sv: (value) => textOf('sv', value),
  bv: (value) => (typeof value === 'boolean' ? value : wrong('bv')),
  ov: (value) => parseObjectLink(textOf('ov', value)) ?? wrong('ov'),
};

function numberOf(key: string, value: unknown): number | bigint {
  return jsonNumber(value) ?? wrong(key);
}

function textOf(key: string, value: unknown): string {
  return jsonText(value) ?? wrong(key);
}

function wrong(key: string): never {
  throw new DecodeError(`LwM2M JSON: ${key} has a value of the wrong kind`);
}
