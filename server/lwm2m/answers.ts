import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code, isSuccess } from '../../protocol/coap/message.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { CompositeResult, ReadResult } from './device-requests.ts';

/** @throws CoapResponseError where the answer is no success; DecodeError where it is the answer to a mere part. */
export function expectSuccess(response: IncomingResponse): IncomingResponse {
  if (response.code === Code.CONTINUE)
    throw new DecodeError('2.31 Continue, and there is nothing more to send');
  if (isSuccess(response.code)) return response;
  throw new CoapResponseError(response.code, utf8(response.payload.subarray(0, 500)));
}

/** Whether the device refuses the format, and another one may do. */
export function refusesFormat({ code }: IncomingResponse): boolean {
  return code === Code.NOT_ACCEPTABLE || code === Code.UNSUPPORTED_CONTENT_FORMAT;
}

/**
 * What a device answered to a Read or an Observe.
 * @throws CoapResponseError; DecodeError the answer cannot be read, or holds what is not at or below the path
 */
export function readResult(
  path: string,
  response: IncomingResponse,
  lookup: ResourceTypeLookup,
  rootPath: string,
): ReadResult {
  const { options, payload } = expectSuccess(response);
  const format = contentFormat(options) ?? ContentFormat.TEXT;
  return { path, contentFormat: format, records: decodeContent(format, path, payload, lookup, rootPath) };
}

/**
 * What a device answered to a composite Read or Observe. What was not asked for is left out.
 * @throws CoapResponseError; DecodeError the answer cannot be read, or has nothing of what was asked
 */
export function compositeResult(
  paths: readonly string[],
  response: IncomingResponse,
  lookup: ResourceTypeLookup,
  rootPath: string,
): CompositeResult {
  const { contentFormat: format, records } = readResult('/', response, lookup, rootPath);
  return { paths, contentFormat: format, records: askedFor(paths, records) };
}

/**
 * The records at or below one of the paths.
 * @throws DecodeError there are records, and none is
 */
export function askedFor(paths: readonly string[], records: readonly LwM2mRecord[]): readonly LwM2mRecord[] {
  const wanted = new Set(paths);
  const asked = wanted.has('/') ? records : records.filter(({ path }) => isWanted(path, wanted));
  if (asked.length > 0 || records.length === 0) return asked;
  throw new DecodeError(`nothing that was asked for, but ${records[0]?.path}`);
}

/** Whether the path, or one above it, is in the set: a device may send many records for many paths. */
function isWanted(path: string, wanted: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (wanted.has(path.slice(0, end))) return true;
  }
  return false;
}

export function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Tries formats in order until the device does not refuse the format itself. */
export async function inFormats<Format>(
  formats: readonly Format[],
  ask: (format: Format) => Promise<IncomingResponse>,
): Promise<IncomingResponse> {
  for (const [index, format] of formats.entries()) {
    const response = await ask(format);
    if (!refusesFormat(response) || index === formats.length - 1) return response;
  }
  throw new RequestError('there is no content format that the device and the server both speak');
}
