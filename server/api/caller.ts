import type { FastifyReply } from 'fastify';
import { RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';
import { deadlineOf, deviceTimeout } from './deadlines.ts';
import { isKeyed, noteActed } from './idempotency.ts';

/**
 * What a caller may say about how a device is asked, as `DeviceRequests` takes it.
 * @param closing aborts when the server cannot wait for devices any longer
 */
export function requestOptions(
  query: { readonly format?: string; readonly timeout?: number },
  reply: FastifyReply,
  closing: AbortSignal,
): DeviceRequestOptions {
  const { request } = reply;
  const timeout = deviceTimeout(request);
  const keyed = isKeyed(request);
  return {
    ...(query.format === undefined ? {} : { contentFormat: contentFormatId(query.format) }),
    ...(timeout === undefined ? {} : { timeout }),
    signal: untilNobodyWaits(reply, closing, keyed, deadlineOf(request)?.controller),
    ...(keyed ? { beforeSend: async () => noteActed(request) } : {}),
  };
}

/** By what ends them all when the server closes: those that wait. One listener is enough for them. */
const waiting = new WeakMap<AbortSignal, Set<AbortController>>();

function waitingUntil(closing: AbortSignal): Set<AbortController> {
  const known = waiting.get(closing);
  if (known !== undefined) return known;
  const controllers = new Set<AbortController>();
  waiting.set(closing, controllers);
  closing.addEventListener('abort', () => {
    for (const controller of controllers) controller.abort(closing.reason);
  });
  return controllers;
}

/**
 * Aborts when the caller closes the connection before the answer, but where he may ask for that again by a key; or when the
 * server closes.
 * @param controller what is aborted
 */
export function untilNobodyWaits(
  reply: FastifyReply,
  closing: AbortSignal,
  keyed: boolean,
  controller = new AbortController(),
): AbortSignal {
  if (closing.aborted) controller.abort(closing.reason);
  const controllers = waitingUntil(closing);
  controllers.add(controller);
  reply.raw.once('close', () => {
    controllers.delete(controller);
    if (!reply.raw.writableFinished && !keyed) controller.abort();
  });
  return controller.signal;
}

/** Of values, and not of lists of links, paths or changes. */
const offered = Object.keys(ContentFormat).filter(
  (name) => name !== 'LINK_FORMAT' && !name.startsWith('SENML_ETCH'),
);

/** @throws RequestError for a name that LwM2M does not have. */
export function contentFormatId(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const known: Readonly<Record<string, number>> = ContentFormat;
  const id = known[text.toUpperCase()];
  if (id === undefined) {
    throw new RequestError(
      `'${text}' is no content format: ${offered.join(', ')}, or an id; of composite requests also SENML_ETCH_JSON and SENML_ETCH_CBOR`,
    );
  }
  return id;
}
