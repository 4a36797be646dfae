import type { FastifyReply } from 'fastify';
import { RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';

/** What a caller may say about how a device is asked, as `DeviceRequests` takes it. */
export function requestOptions(
  query: { readonly format?: string; readonly timeout?: number },
  reply: FastifyReply,
): DeviceRequestOptions {
  return {
    ...(query.format === undefined ? {} : { contentFormat: contentFormat(query.format) }),
    ...(query.timeout === undefined ? {} : { timeout: query.timeout }),
    signal: callerGone(reply),
  };
}

/** Aborts when the caller closes the connection before the answer: nobody waits for the device any more. */
function callerGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** @throws RequestError for a name that LwM2M does not have. */
function contentFormat(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const known: Readonly<Record<string, number>> = ContentFormat;
  const id = known[text.toUpperCase()];
  if (id === undefined) {
    throw new RequestError(
      `'${text}' is no content format: ${Object.keys(ContentFormat).join(', ')}, or an id`,
    );
  }
  return id;
}
