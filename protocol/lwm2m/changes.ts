import { DecodeError, RequestError } from '../errors.ts';
import { decodeContent, encodeContent } from './content.ts';
import { ContentFormat } from './content-format.ts';
import { decodeLwm2mCborChanges } from './lwm2m-cbor.ts';
import { decodeSenmlCborChanges, encodeSenmlCborChanges } from './senml-cbor.ts';
import { decodeSenmlJsonChanges, encodeSenmlJsonChanges } from './senml-json.ts';
import type { LwM2mChange, LwM2mRecord, ResourceTypeLookup } from './value.ts';

// What a Write-Composite carries (OMA-TS-LightweightM2M_Core-V1_2 §6.3.9): SenML since LwM2M 1.1, and since
// 1.2 SenML-ETCH (RFC 8790) and LwM2M CBOR. Its siblings, the lists of paths, are in content.ts.

const { SENML_JSON, SENML_CBOR, SENML_ETCH_JSON, SENML_ETCH_CBOR, LWM2M_CBOR } = ContentFormat;

/** Formats for the changes of a Write-Composite. */
export const changeFormats: readonly number[] = [
  SENML_JSON,
  SENML_CBOR,
  SENML_ETCH_JSON,
  SENML_ETCH_CBOR,
  LWM2M_CBOR,
];

/**
 * Writes the changes of a Write-Composite. Only SenML-ETCH can remove a resource instance (§7.5.6).
 * @throws RequestError a format that cannot carry them, a value that does not fit
 */
export function encodeChanges(
  format: number,
  changes: readonly LwM2mChange[],
  lookup: ResourceTypeLookup,
  rootPath = '/',
): Uint8Array {
  if (format === SENML_ETCH_CBOR) return encodeSenmlCborChanges(changes, lookup, rootPath);
  if (format === SENML_ETCH_JSON) return encodeSenmlJsonChanges(changes, lookup, rootPath);
  if (!changeFormats.includes(format))
    throw new RequestError(`content format ${format} cannot carry the changes of a composite write`);
  return encodeContent(format, '/', changes.map(withValue), lookup, rootPath);
}

/**
 * Reads the changes of a Write-Composite, in their order.
 * @throws DecodeError
 */
export function decodeChanges(
  format: number,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mChange[] {
  if (format === SENML_ETCH_CBOR) return decodeSenmlCborChanges(bytes, lookup, rootPath);
  if (format === SENML_ETCH_JSON) return decodeSenmlJsonChanges(bytes, lookup, rootPath);
  if (format === LWM2M_CBOR) return decodeLwm2mCborChanges(bytes, lookup);
  if (!changeFormats.includes(format))
    throw new DecodeError(`content format ${format} cannot carry the changes of a composite write`);
  return decodeContent(format, '/', bytes, lookup, rootPath);
}

function withValue({ path, value }: LwM2mChange): LwM2mRecord {
  if (value === null) throw new RequestError(`only SenML-ETCH can remove ${path}`);
  return { path, value };
}
