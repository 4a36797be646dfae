import type { Clock, Timer } from '../../../protocol/clock.ts';
import { type Download, DownloadError, type DownloadRequest } from './download.ts';

/** A server that sends nothing for so long has gone, ms. */
const patience = 30_000;

/** Downloads over HTTP and HTTPS (RFC 9110), streamed; an interrupted download goes on by a range request (§14). */
export function httpDownload(clock: Clock): Download {
  return async (request, sink) => {
    const silence = new AbortController();
    let timer: Timer | undefined;
    const heard = (): void => {
      timer?.cancel();
      timer = clock.setTimer(patience, () =>
        silence.abort(new DownloadError('connection', `nothing came for ${patience / 1_000} s`)),
      );
    };
    const signal = AbortSignal.any([request.signal, silence.signal]);
    heard();
    try {
      const response = await network(signal, () => get(request, signal));
      const { offset, total } = await placeOf(response, request);
      sink.begin(offset, total, strongTag(response));
      let received = offset;
      const reader = response.body?.getReader();
      for (;;) {
        const piece = await network(signal, async () => reader?.read());
        if (piece?.value === undefined) break;
        heard();
        received += piece.value.length;
        sink.take(piece.value);
      }
      if (total !== undefined && received !== total) {
        throw new DownloadError('connection', `the connection ended after ${received} of ${total} bytes`);
      }
    } finally {
      timer?.cancel();
      // The server need not send the rest of what nobody takes.
      silence.abort();
    }
  };
}

function get({ uri, offset, entityTag }: DownloadRequest, signal: AbortSignal): Promise<Response> {
  // Compression would make the lengths those of something else.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0 && entityTag !== undefined) {
    headers['range'] = `bytes=${offset}-`;
    headers['if-range'] = entityTag;
  }
  return fetch(uri, { headers, signal, redirect: 'follow' });
}

/** Which part of the whole the answer is, and how large the whole is. @throws DownloadError */
async function placeOf(
  response: Response,
  request: DownloadRequest,
): Promise<{ readonly offset: number; readonly total: number | undefined }> {
  const { status, headers } = response;
  if (status === 200) {
    const length = Number(headers.get('content-length') ?? Number.NaN);
    return { offset: 0, total: Number.isSafeInteger(length) && length >= 0 ? length : undefined };
  }
  if (status === 206) {
    const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(headers.get('content-range') ?? '');
    if (range !== null && Number(range[1]) === request.offset) {
      return { offset: request.offset, total: Number(range[2]) };
    }
  }
  await response.body?.cancel();
  if (status === 416) throw new DownloadError('changed', 'the rest of the package is not there any more');
  const failure = status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'uri' : 'connection';
  throw new DownloadError(failure, `the package's server answered ${status}`);
}

/** Only a strong validator says that two parts are of one whole (RFC 9110 §13.1.5). */
function strongTag({ headers }: Response): string | undefined {
  const tag = headers.get('etag');
  return tag === null || tag.startsWith('W/') ? undefined : tag;
}

async function network<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // What fetch and its streams throw for all that a network does.
    if (!(error instanceof TypeError)) throw error;
    const { cause } = error;
    const unknown = cause instanceof Error && 'code' in cause && cause.code === 'ENOTFOUND';
    const reason = cause instanceof Error ? cause.message : error.message;
    throw new DownloadError(unknown ? 'uri' : 'connection', reason, { cause: error });
  }
}
