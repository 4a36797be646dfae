import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { EndpointClosedError, ResetError } from '../../../protocol/coap/errors.ts';
import type { CoapEndpoint, IncomingResponse } from '../../../protocol/coap/exchange.ts';
import { Code, formatCode, OptionNumber } from '../../../protocol/coap/message.ts';
import {
  type Block,
  blockOf,
  findOption,
  pathOptions,
  queryOptions,
  stringOption,
  uintOf,
} from '../../../protocol/coap/options.ts';
import { DecodeError, RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { toHex } from '../../sim/hex.ts';
import { type Download, DownloadError } from './download.ts';

/** Finds the address of a host. @throws the resolver's error, with a `syscall` of getaddrinfo */
export type ResolveHost = (host: string, port: number) => Promise<PeerAddress>;

const defaultPort = 5683;
const largestBlock = 1024;
const smallestBlock = 16;

/**
 * Downloads by block-wise GETs (RFC 7959 §2.4), one block after the other, so that nothing but a block is
 * held, and an interrupted download goes on where it was. The ETag says whether it may.
 */
export function coapDownload(endpoint: () => CoapEndpoint, resolve: ResolveHost): Download {
  return async ({ uri, offset, entityTag, signal }, sink) => {
    // What a power cut left of a block.
    if (offset % smallestBlock !== 0)
      throw new DownloadError('changed', 'the first part ends within a block');
    const options = requestOptions(uri);
    const peer = await resolveHost(resolve, uri);
    let at = offset;
    let tag = entityTag;
    let size = blockSizeAt(at);
    for (let first = true; ; first = false) {
      signal.throwIfAborted();
      const block2: Block = { number: at / size, more: false, size };
      const response = await exchange(endpoint().request(peer, { code: Code.GET, options, block2, signal }));
      checkCode(response);
      const block = blockFrom(response, at);
      const found = findOption(response.options, OptionNumber.ETAG)?.value;
      const foundTag = found === undefined ? undefined : toHex(found);
      // Without a tag nobody can tell whether the rest belongs to what is there.
      const same = foundTag === tag && (!first || at === 0 || tag !== undefined);
      if (!same && at > 0) throw new DownloadError('changed', 'the package changed between its blocks');
      if (first) {
        tag = foundTag;
        sink.begin(at, uintOf(response.options, OptionNumber.SIZE2), tag);
      }
      sink.take(response.payload);
      if (!block.more) return;
      at += response.payload.length;
      size = Math.min(block.size, blockSizeAt(at));
    }
  };
}

/** The largest block that begins at this byte. */
function blockSizeAt(offset: number): number {
  let size = largestBlock;
  while (size > smallestBlock && offset % size !== 0) size /= 2;
  return size;
}

/** RFC 7252 §6.4. */
function requestOptions(uri: URL) {
  try {
    const literal = uri.hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(uri.hostname);
    const path = uri.pathname === '' || uri.pathname === '/' ? [] : uri.pathname.slice(1).split('/');
    const query = uri.search === '' ? [] : uri.search.slice(1).split('&');
    return [
      ...(literal ? [] : [stringOption(OptionNumber.URI_HOST, uri.hostname.toLowerCase())]),
      ...path.flatMap((segment) => {
        const text = decodeURIComponent(segment);
        // What pathOptions takes apart is one segment here.
        return text.includes('/') ? [stringOption(OptionNumber.URI_PATH, text)] : segmentOption(text);
      }),
      ...queryOptions(query.map((argument) => decodeURIComponent(argument))),
    ];
  } catch (error) {
    if (!(error instanceof URIError || error instanceof RequestError)) throw error;
    throw new DownloadError('uri', `no CoAP URI: ${uri.href}`, { cause: error });
  }
}

function segmentOption(text: string) {
  return text === '' ? [stringOption(OptionNumber.URI_PATH, '')] : pathOptions(text);
}

async function resolveHost(resolve: ResolveHost, uri: URL): Promise<PeerAddress> {
  const host = uri.hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    return await resolve(host, uri.port === '' ? defaultPort : Number(uri.port));
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && error.syscall === 'getaddrinfo')) throw error;
    const unknown = 'code' in error && error.code === 'ENOTFOUND';
    throw new DownloadError(unknown ? 'uri' : 'connection', error.message, { cause: error });
  }
}

async function exchange(request: Promise<IncomingResponse>): Promise<IncomingResponse> {
  try {
    return await request;
  } catch (error) {
    const lost =
      error instanceof TimeoutError ||
      error instanceof ResetError ||
      error instanceof DecodeError ||
      error instanceof RequestError ||
      error instanceof EndpointClosedError;
    throw lost ? new DownloadError('connection', error.message, { cause: error }) : error;
  }
}

function checkCode({ code }: IncomingResponse): void {
  if (code === Code.CONTENT) return;
  // What the client is told that it did wrong will be wrong the next time too.
  const failure = code >> 5 === 4 ? 'uri' : 'connection';
  throw new DownloadError(failure, `the package's server answered ${formatCode(code)}`);
}

/** The block that came; what is no block is the whole. @throws DownloadError it is not the one at that byte */
function blockFrom(response: IncomingResponse, at: number): Block {
  let block: Block | undefined;
  try {
    block = blockOf(response.options, OptionNumber.BLOCK2);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DownloadError('connection', error.message, { cause: error });
  }
  const { length } = response.payload;
  const found = block ?? { number: 0, more: false, size: Math.max(largestBlock, length) };
  const fits = found.more ? length === found.size : length <= found.size;
  if (found.number * found.size !== at || !fits) {
    throw new DownloadError('connection', `a block at byte ${found.number * found.size}, wanted at ${at}`);
  }
  return found;
}
