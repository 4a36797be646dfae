import type { Observer } from '../../protocol/coap/exchange.ts';
import { accept, uriQuery } from '../../protocol/coap/options.ts';
import {
  decodeAttributeQueries,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { checkConsistency } from './attributes.ts';
import { carriesTime, encodeRecords, negotiate } from './formats.ts';
import type { Observed } from './observations.ts';
import { type Answer, content, type OperationContext } from './operation.ts';
import type { PackSender } from './pack-sender.ts';
import { readTarget } from './read.ts';
import { encodeReading, type PackFormat, packFormatOf } from './sealed-pack.ts';
import { type Target, targetAt } from './target.ts';
import { checkApplicable } from './write-attributes.ts';

/**
 * Observe, OMA-TS-LightweightM2M_Core §6.4.1. Attributes in the request (1.2) hold for this observation alone.
 * @throws OperationError, DecodeError
 */
export function observe(context: OperationContext, target: Target): Answer {
  const { server, request, lookup, tree, rootPath } = context;
  const { packs, version } = server;
  const attributes = requestedAttributes(uriQuery(request.options));
  if (attributes !== undefined) checkApplicable(target, attributes);
  const wanted = accept(request.options);
  const stream = packs?.stream(target.path);
  const packFormat = stream === undefined ? undefined : packFormatOf(wanted, version);
  if (packs !== undefined && stream !== undefined && packFormat !== undefined) {
    server.authorize('read', target);
    const { time, value } = stream.takeNow();
    const first = encodeReading(target.path, time, value, packFormat);
    return observePacks(context, target, packs, packFormat, first);
  }
  const format = negotiate(wanted, target, version);
  // Found anew each time: instances come and go, and rights may be taken away.
  const values = (): LwM2mRecord[] => readTarget(targetAt(tree, target.path), server);
  return observeValues(context, {
    paths: [target.path],
    composite: false,
    ...(attributes === undefined ? {} : { attributes }),
    contentFormat: format,
    timed: carriesTime(format),
    read: values,
    encode: (records) => encodeRecords(format, target.path, records, lookup, rootPath),
  });
}

/** Answers with what there is now, and tells of it from then on. @throws OperationError */
export function observeValues(context: OperationContext, observed: Omit<Observed, 'observer'>): Answer {
  const { request, server } = context;
  const records = observed.read();
  const payload = observed.encode(records);
  let ended = false;
  const observer: Observer = request.acceptObserve((reason) => {
    ended = true;
    server.observations.ended(observer, reason);
    context.onLost(reason);
  });
  for (const path of observed.paths) context.onObserve(path, false);
  const begin = (): void => {
    if (!ended) server.observations.add({ ...observed, observer }, records);
  };
  return { ...content(observed.contentFormat, payload), afterwards: [begin] };
}

/**
 * The attributes of an Observe request; undefined: none, so those of the nodes hold.
 * @throws DecodeError a name that is no attribute; OperationError 4.00 they contradict each other
 */
export function requestedAttributes(query: readonly string[]): NotificationAttributes | undefined {
  if (query.length === 0) return undefined;
  const changes = decodeAttributeQueries(query);
  // One without a value has nothing to be removed from.
  const given = Object.entries(changes).filter(([, value]) => value !== null);
  const attributes: NotificationAttributes = Object.fromEntries(given);
  checkConsistency(attributes);
  return attributes;
}

function observePacks(
  context: OperationContext,
  target: Target,
  packs: PackSender,
  format: PackFormat,
  first: { readonly contentFormat: number; readonly payload: Uint8Array },
): Answer {
  let ended = false;
  const observer = context.request.acceptObserve((reason) => {
    ended = true;
    packs.forget(target.path, observer, reason);
    context.onLost(reason);
  });
  context.onObserve(target.path, true);
  const begin = (): void => {
    // One stream of packs per sensor and server: of two observations the newer has it.
    if (!ended) packs.observe(target.path, observer, format)?.end();
  };
  return { ...content(first.contentFormat, first.payload), afterwards: [begin] };
}
