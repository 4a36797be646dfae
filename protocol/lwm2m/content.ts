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

/** Formats that carry one value without its name, OMA-TS-LightweightM2M_Core-V1_2 §7.4. */
const singleFormats = {
  [ContentFormat.TEXT]: { encode: encodeText, decode: decodeText },
  [ContentFormat.OPAQUE]: { encode: encodeOpaque, decode: decodeOpaque },
  [ContentFormat.CBOR]: { encode: encodeCbor, decode: decodeCbor },
} as const;

/** Formats that carry values with their ids. */
const treeFormats = {
  [ContentFormat.TLV]: { encode: encodeTlv, decode: decodeTlv },
  [ContentFormat.SENML_JSON]: { encode: encodeSenmlJson, decode: decodeSenmlJson },
  [ContentFormat.SENML_CBOR]: { encode: encodeSenmlCbor, decode: decodeSenmlCbor },
  [ContentFormat.JSON]: { encode: encodeLwm2mJson, decode: decodeLwm2mJson },
  [ContentFormat.LWM2M_CBOR]: { encode: encodeLwm2mCbor, decode: decodeLwm2mCbor },
} as const;

/** What this package reads and writes values in. */
export const supportedContentFormats: readonly number[] = [
  ...Object.keys(singleFormats),
  ...Object.keys(treeFormats),
].map(Number);

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
  if (isTreeFormat(format))
    return treeFormats[format as keyof typeof treeFormats].decode(basePath, bytes, lookup, rootPath);
  const single = singleFormat(format);
  if (single === undefined) throw new DecodeError(`content format ${format} is not supported`);
  const ids = pathIds(basePath) ?? [];
  if (ids.length < 3)
    throw new DecodeError(`content format ${format} carries one value, and ${basePath} has several`);
  return [{ path: basePath, value: single.decode(basePath, resourceType(ids, lookup), bytes) }];
}

/**
 * Writes the paths of a composite Read or Observe, §6.3.8 and §6.4.4.
 * @throws RequestError a format other than SenML, or a bad path
 */
export function encodePaths(format: number, paths: readonly string[], rootPath = '/'): Uint8Array {
  const canonical = paths.map(canonicalPath);
  if (format === ContentFormat.SENML_CBOR) return encodeSenmlCborPaths(canonical, rootPath);
  if (format === ContentFormat.SENML_JSON) return encodeSenmlJsonPaths(canonical, rootPath);
  throw new RequestError(`content format ${format} cannot carry a list of paths`);
}

/**
 * Reads the paths of a composite Read or Observe.
 * @throws DecodeError
 */
export function decodePaths(format: number, bytes: Uint8Array, rootPath = '/'): string[] {
  if (format === ContentFormat.SENML_CBOR) return decodeSenmlCborPaths(bytes, rootPath);
  if (format === ContentFormat.SENML_JSON) return decodeSenmlJsonPaths(bytes, rootPath);
  throw new DecodeError(`content format ${format} cannot carry a list of paths`);
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
