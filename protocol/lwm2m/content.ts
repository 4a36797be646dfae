import { DecodeError, RequestError } from '../errors.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { ContentFormat } from './content-format.ts';
import { decodeLwm2mCbor, encodeLwm2mCbor } from './lwm2m-cbor.ts';
import { decodeLwm2mJson, encodeLwm2mJson } from './lwm2m-json.ts';
import { decodeOpaque, encodeOpaque } from './opaque.ts';
import { canonicalPath, pathIds } from './path.ts';
import {
  decodeSenmlCbor,
  decodeSenmlCborPaths,
  encodeSenmlCbor,
  encodeSenmlCborPaths,
} from './senml-cbor.ts';
import {
  decodeSenmlJson,
  decodeSenmlJsonPaths,
  encodeSenmlJson,
  encodeSenmlJsonPaths,
} from './senml-json.ts';
import { decodeText, encodeText } from './text.ts';
import { decodeTlv, encodeTlv } from './tlv.ts';
import type { LwM2mRecord, ResourceType, ResourceTypeLookup, ResourceValue } from './value.ts';

/** Formats that carry one value without its name, OMA-TS-LightweightM2M_Core-V1_2 §7.5. */
const singleFormats = {
  [ContentFormat.TEXT]: { encode: encodeText, decode: decodeText },
  [ContentFormat.OPAQUE]: { encode: encodeOpaque, decode: decodeOpaque },
  [ContentFormat.CBOR]: { encode: encodeCbor, decode: decodeCbor },
} as const;

interface TreeFormat {
  encode(
    basePath: string,
    records: readonly LwM2mRecord[],
    lookup: ResourceTypeLookup,
    rootPath: string,
  ): Uint8Array;
  decode(basePath: string, bytes: Uint8Array, lookup: ResourceTypeLookup, rootPath: string): LwM2mRecord[];
}

/** Formats that carry values with their ids; TLV and LwM2M CBOR know no root path. */
const treeFormats = {
  [ContentFormat.TLV]: {
    encode: encodeTlv,
    decode: (basePath, bytes, lookup) => decodeTlv(basePath, bytes, lookup),
  },
  [ContentFormat.SENML_JSON]: { encode: encodeSenmlJson, decode: decodeSenmlJson },
  [ContentFormat.SENML_CBOR]: { encode: encodeSenmlCbor, decode: decodeSenmlCbor },
  [ContentFormat.JSON]: { encode: encodeLwm2mJson, decode: decodeLwm2mJson },
  [ContentFormat.LWM2M_CBOR]: {
    encode: encodeLwm2mCbor,
    decode: (basePath, bytes, lookup) => decodeLwm2mCbor(basePath, bytes, lookup),
  },
} as const satisfies Readonly<Record<number, TreeFormat>>;

/** What this package reads and writes values in. */
export const supportedContentFormats: readonly number[] = [
  ...Object.keys(singleFormats),
  ...Object.keys(treeFormats),
].map(Number);

/**
 * Formats for the paths of a Read-Composite or Observe-Composite: SenML since LwM2M 1.1, and SenML-ETCH
 * (RFC 8790) beside it since 1.2. LwM2M CBOR is none of them: it carries but the answer (§7.5.4).
 */
export const pathListFormats: readonly number[] = [
  ContentFormat.SENML_JSON,
  ContentFormat.SENML_CBOR,
  ContentFormat.SENML_ETCH_JSON,
  ContentFormat.SENML_ETCH_CBOR,
];

/** Whether the format can carry more than one value. */
export function isTreeFormat(format: number): boolean {
  return Object.hasOwn(treeFormats, format);
}

/**
 * Writes records, all at or below `basePath` (canonical; `/` for composite operations, which TLV cannot).
 * Values are written as their definition says, or as their JavaScript type where there is none.
 * `rootPath` is the client's (object-links.ts): it stands in the names of SenML, never in paths here.
 * @throws RequestError a format that is not supported or cannot carry this, a value that does not fit
 */
export function encodeContent(
  format: number,
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  rootPath = '/',
): Uint8Array {
  if (isTreeFormat(format)) {
    return treeFormats[format as keyof typeof treeFormats].encode(
      canonicalPath(basePath),
      records,
      lookup,
      rootPath,
    );
  }
  const single = singleFormat(format);
  if (single === undefined) throw new RequestError(`content format ${format} is not supported`);
  const [record] = records;
  if (record === undefined || records.length > 1) {
    throw new RequestError(`content format ${format} carries one value, not ${records.length}`);
  }
  if (canonicalPath(record.path) !== canonicalPath(basePath)) {
    throw new RequestError(
      `content format ${format} names no paths: ${record.path} cannot be written at ${basePath}`,
    );
  }
  const ids = pathIds(record.path) ?? [];
  if (ids.length < 3) throw new RequestError(`${record.path} is no resource`);
  return single.encode(record.path, resourceType(ids, lookup), record.value);
}

/**
 * Numbers that clients older than the registration of the formats have for them, as in Zephyr and Wakaama; IANA has
 * reserved them since. They are read, and never written.
 */
const draftFormats: Readonly<Record<number, number>> = {
  1541: ContentFormat.TEXT,
  1542: ContentFormat.TLV,
  1543: ContentFormat.JSON,
};

/**
 * Reads what a peer sent for `basePath` (canonical); `rootPath` as for encodeContent.
 * @throws DecodeError
 */
export function decodeContent(
  format: number,
  basePath: string,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mRecord[] {
  if (format === ContentFormat.SENML_CBOR) return decodeSenmlCbor(basePath, bytes, lookup, rootPath);
  const known = draftFormats[format] ?? format;
  if (isTreeFormat(known))
    return treeFormats[known as keyof typeof treeFormats].decode(basePath, bytes, lookup, rootPath);
  const single = singleFormat(known);
  if (single === undefined) throw new DecodeError(`content format ${format} is not supported`);
  const ids = pathIds(basePath) ?? [];
  if (ids.length < 3)
    throw new DecodeError(`content format ${format} carries one value, and ${basePath} has several`);
  return [{ path: basePath, value: single.decode(basePath, resourceType(ids, lookup), bytes) }];
}

/**
 * Reads the values of a new instance of the object `/3` (or of an instance `/3/1`, if that was named): `unnamed` is
 * the instance that those values belong to for which the payload names none. TLV may leave the instance out, and LwM2M CBOR
 * has 65535 for it (§6.3.6 and §7.5.4).
 * @throws DecodeError
 */
export function decodeCreate(
  format: number,
  basePath: string,
  unnamed: number,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mRecord[] {
  if (format === ContentFormat.TLV) return decodeTlv(basePath, bytes, lookup, unnamed);
  if (format === ContentFormat.LWM2M_CBOR) return decodeLwm2mCbor(basePath, bytes, lookup, unnamed);
  return decodeContent(format, basePath, bytes, lookup, rootPath);
}

/**
 * Writes the paths of a composite Read or Observe, §6.3.8 and §6.4.4.
 * @throws RequestError a format that cannot carry them, or a bad path
 */
export function encodePaths(format: number, paths: readonly string[], rootPath = '/'): Uint8Array {
  const canonical = paths.map(canonicalPath);
  switch (format) {
    case ContentFormat.SENML_CBOR:
    case ContentFormat.SENML_ETCH_CBOR:
      return encodeSenmlCborPaths(canonical, rootPath);
    case ContentFormat.SENML_JSON:
    case ContentFormat.SENML_ETCH_JSON:
      return encodeSenmlJsonPaths(canonical, rootPath);
  }
  throw new RequestError(`content format ${format} cannot carry a list of paths`);
}

/**
 * Reads the paths of a composite Read or Observe.
 * @throws DecodeError
 */
export function decodePaths(format: number, bytes: Uint8Array, rootPath = '/'): string[] {
  switch (format) {
    case ContentFormat.SENML_CBOR:
      return decodeSenmlCborPaths(bytes, rootPath);
    case ContentFormat.SENML_JSON:
      return decodeSenmlJsonPaths(bytes, rootPath);
    case ContentFormat.SENML_ETCH_CBOR:
      return atLeastOne(decodeSenmlCborPaths(bytes, rootPath, true));
    case ContentFormat.SENML_ETCH_JSON:
      return atLeastOne(decodeSenmlJsonPaths(bytes, rootPath, true));
  }
  throw new DecodeError(`content format ${format} cannot carry a list of paths`);
}

/** RFC 8790 §3.1. */
function atLeastOne(paths: string[]): string[] {
  if (paths.length === 0) throw new DecodeError('a Fetch Pack without a record');
  return paths;
}

interface SingleFormat {
  encode(path: string, type: ResourceType | undefined, value: ResourceValue): Uint8Array;
  decode(path: string, type: ResourceType | undefined, bytes: Uint8Array): ResourceValue;
}

function singleFormat(format: number): SingleFormat | undefined {
  return Object.hasOwn(singleFormats, format)
    ? singleFormats[format as keyof typeof singleFormats]
    : undefined;
}

function resourceType(ids: readonly number[], lookup: ResourceTypeLookup): ResourceType | undefined {
  return lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
}
