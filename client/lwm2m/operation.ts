import type { IncomingRequest, ObservationEnd, OutgoingResponse } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormat, contentFormatOption } from '../../protocol/coap/options.ts';
import { decodeContent, supportedContentFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { ObjectTree } from './object-tree.ts';
import { OperationError } from './operation-error.ts';
import type { ServerContext } from './server-context.ts';

/** Everything that one operation of a server works with. */
export interface OperationContext {
  readonly server: ServerContext;
  readonly request: IncomingRequest;
  readonly tree: ObjectTree;
  readonly lookup: ResourceTypeLookup;
  /** Where our objects are, `/` or as in `/lwm2m` (OMA-TS-LightweightM2M_Transport §6.4.1). */
  readonly rootPath: string;
  /** An observation that this request makes has ended, and not because the server asked for it in so many words. */
  onLost(reason: ObservationEnd): void;
  /** An observation was established: of values, or in packs. */
  onObserve(path: string, packs: boolean): void;
}

/** What an operation answers, and what happens when the answer has been handed to the network. */
export interface Answer extends OutgoingResponse {
  readonly afterwards?: readonly (() => void)[];
}

/** 2.05 with a payload. */
export function content(format: number, payload: Uint8Array): Answer {
  return { code: Code.CONTENT, options: [contentFormatOption(format)], payload };
}

/**
 * The records of a request's payload; plain text where it names no format.
 * @throws OperationError 4.15 the format is not ours; DecodeError
 */
export function requestRecords({ request, lookup, rootPath }: OperationContext, path: string): LwM2mRecord[] {
  const format = contentFormat(request.options) ?? ContentFormat.TEXT;
  if (!supportedContentFormats.includes(format)) {
    throw new OperationError(Code.UNSUPPORTED_CONTENT_FORMAT, `content format ${format} is not supported`);
  }
  return decodeContent(format, path, request.payload, lookup, rootPath);
}
