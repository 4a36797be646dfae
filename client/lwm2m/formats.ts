import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { encodeContent, isTreeFormat, supportedContentFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { OperationError } from './operation-error.ts';
import type { Target } from './target.ts';

/** The version of LwM2M that the client speaks. */
export type LwM2mVersion = '1.0' | '1.1' | '1.2';

/**
 * The `ct` of our registration (OMA-TS-LightweightM2M_Core §6.2.1): what carries more than one value, and CBOR.
 * Text and opaque every server takes for granted.
 */
export function announcedFormats(version: LwM2mVersion): readonly number[] {
  const { CBOR, SENML_JSON, SENML_CBOR, TLV, LWM2M_CBOR } = ContentFormat;
  const old = [TLV, ContentFormat.JSON];
  if (version === '1.0') return old;
  const formats = [CBOR, SENML_JSON, SENML_CBOR, ...old];
  return version === '1.1' ? formats : [...formats, LWM2M_CBOR];
}

/** Formats whose records keep the times at which they were taken. */
export function carriesTime(format: number): boolean {
  return (
    format === ContentFormat.SENML_JSON ||
    format === ContentFormat.SENML_CBOR ||
    format === ContentFormat.JSON
  );
}

/** What is answered where the server does not say: TLV was mandatory in 1.0, SenML CBOR came with 1.1. */
function defaultFormat(version: LwM2mVersion): number {
  return version === '1.0' ? ContentFormat.TLV : ContentFormat.SENML_CBOR;
}

/** The format to answer in. @throws OperationError 4.06 */
export function negotiate(accept: number | undefined, target: Target, version: LwM2mVersion): number {
  const format = accept ?? defaultFormat(version);
  const single = target.resource !== undefined && !isMultiple(target);
  if (!supportedContentFormats.includes(format) || (!isTreeFormat(format) && !single)) {
    throw new OperationError(Code.NOT_ACCEPTABLE, `content format ${format} cannot carry ${target.path}`);
  }
  if (format === ContentFormat.OPAQUE && target.resource?.definition.type !== 'opaque') {
    throw new OperationError(Code.NOT_ACCEPTABLE, `${target.path} is not opaque`);
  }
  return format;
}

function isMultiple(target: Target): boolean {
  return target.resource?.definition.multiple === true && target.resourceInstance === undefined;
}

/** Encodes what was read at `path`. @throws OperationError 4.06 the format cannot carry it */
export function encodeRecords(
  format: number,
  path: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  rootPath: string,
): Uint8Array {
  try {
    return encodeContent(format, path, records, lookup, rootPath);
  } catch (error) {
    if (error instanceof RequestError) throw new OperationError(Code.NOT_ACCEPTABLE, error.message);
    throw error;
  }
}
