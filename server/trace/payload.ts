import type { ObjectRegistry } from '../../objects/registry.ts';
import { type CoapMessage, Code, OptionNumber } from '../../protocol/coap/message.ts';
import { type Block, blockOf, contentFormat } from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeUtf8 } from '../../protocol/lwm2m/bytes.ts';
import { decodeChanges } from '../../protocol/lwm2m/changes.ts';
import { decodeContent, decodePaths, isTreeFormat } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { withoutRoot } from '../lwm2m/coap-request.ts';
import type { Annotation } from './conversation.ts';

/** What a payload says, by its Content-Format and the operation that it belongs to. */
export interface DecodedPayload {
  readonly text?: string;
  /** Values; null where a resource instance is removed. */
  readonly values?: readonly (LwM2mRecord | LwM2mChange)[];
  readonly links?: readonly Link[];
  /** What a composite request asks for. */
  readonly paths?: readonly string[];
  /** It is a part of a body, which is decoded nowhere. */
  readonly fragment?: Block;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** What must be known of a device to read what it says. */
export interface PayloadContext {
  readonly registry: ObjectRegistry;
  readonly rootPath: string;
}

const textFormats: readonly (number | undefined)[] = [
  undefined,
  ContentFormat.TEXT,
  ContentFormat.LINK_FORMAT,
  ContentFormat.SENML_JSON,
  ContentFormat.SENML_ETCH_JSON,
  ContentFormat.JSON,
];

/** Reads the payload of a message that has one. `cut`: the end of it was not captured. */
export function decodePayload(
  message: CoapMessage,
  { path, request }: Annotation,
  cut: boolean,
  context: PayloadContext,
): DecodedPayload {
  const format = contentFormat(message.options);
  const text = textFormats.includes(format) ? textOf(message.payload) : undefined;
  try {
    const fragment = fragmentOf(message);
    if (fragment !== undefined) return { ...(text === undefined ? {} : { text }), fragment };
    if (cut) return { ...(text === undefined ? {} : { text }), problem: 'its end was not kept' };
    const decoded = decodeWhole(message, format, path, request, context);
    return decoded ?? (text === undefined ? {} : { text });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { ...(text === undefined ? {} : { text }), problem: error.message };
  }
}

/** Undefined where there is no more to it than text, or bytes. */
function decodeWhole(
  { code, payload }: CoapMessage,
  format: number | undefined,
  path: string | undefined,
  request: CoapMessage | undefined,
  { registry, rootPath }: PayloadContext,
): DecodedPayload | undefined {
  // A diagnostic payload (RFC 7252 §5.5.2).
  if (code >> 5 >= 4) return undefined;
  const isRequest = code >> 5 === 0;
  if (format === ContentFormat.LINK_FORMAT || (format === undefined && isRequest && isRegistration(path))) {
    return { links: parseLinks(decodeUtf8(payload)) };
  }
  if (format === undefined) return undefined;
  if (code === Code.FETCH) return { paths: decodePaths(format, payload, rootPath) };
  if (code === Code.IPATCH) return { values: decodeChanges(format, payload, registry, rootPath) };
  const isComposite = request?.code === Code.FETCH || request?.code === Code.IPATCH || path === '/dp';
  const base = path === undefined || isComposite ? undefined : withoutRoot(path, rootPath);
  const ids = base === undefined ? undefined : pathIds(base);
  // An Execute's arguments are text (§6.3.5), and what is no path of LwM2M has no types.
  if (code === Code.POST && (ids?.length ?? 0) >= 3) return undefined;
  if (isTreeFormat(format)) {
    const isNamed = base !== undefined && ids !== undefined;
    if (!isNamed && format === ContentFormat.TLV) {
      throw new DecodeError('the request that it answers is not here, and TLV does not tell the path');
    }
    return { values: decodeContent(format, isNamed ? base : '/', payload, registry, rootPath) };
  }
  if (base === undefined || (ids?.length ?? 0) < 3) return undefined;
  return { values: decodeContent(format, base, payload, registry, rootPath) };
}

/** `/rd` and what is below it. */
function isRegistration(path: string | undefined): boolean {
  return path === '/rd' || path?.startsWith('/rd/') === true;
}

/** The block that a message carries; undefined where it is the whole body (RFC 7959 §2.2). */
function fragmentOf({ code, options }: CoapMessage): Block | undefined {
  const carries = code >> 5 === 0 ? OptionNumber.BLOCK1 : OptionNumber.BLOCK2;
  const block = blockOf(options, carries);
  return block !== undefined && (block.more || block.number > 0) ? block : undefined;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
