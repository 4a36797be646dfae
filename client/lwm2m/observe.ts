import type { Observer } from '../../protocol/coap/exchange.ts';
import { accept, uriQuery } from '../../protocol/coap/options.ts';
import {
  decodeAttributeQueries,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { checkConsistency } from './attributes.ts';
import { carriesTime, encodeRecords, negotiate } from './formats.ts';
import type { Observed } from './observation.ts';
import { observeReadings } from './observe-readings.ts';
import { type Answer, content, type OperationContext } from './operation.ts';
import { readTarget } from './read.ts';
import { packFormatOf } from './sealed-pack.ts';
import { type Target, targetAt } from './target.ts';
import { checkApplicable } from './write-attributes.ts';

/**
 * Observe, OMA-TS-LightweightM2M_Core §6.4.1. Attributes in the request (1.2) hold for this observation alone.
 * @throws OperationError, DecodeError
 */
export function observe(context: OperationContext, target: Target): Answer {
  const { server, request, lookup, tree, rootPath } = context;
  const attributes = requestedAttributes(uriQuery(request.options));
  if (attributes !== undefined) checkApplicable(target, attributes);
  const { packs, version } = server;
  const wanted = accept(request.options);
  const packFormat = packs?.stream(target.path) === undefined ? undefined : packFormatOf(wanted, version);
  const format = negotiate(wanted, target, version);
  // Found anew each time: instances come and go, and rights may be taken away.
  const values = (): LwM2mRecord[] => readTarget(targetAt(tree, target.path), server);
  const observed = {
    paths: [target.path],
    composite: false,
    ...(attributes === undefined ? {} : { attributes }),
    contentFormat: format,
    timed: carriesTime(format),
    read: values,
    encode: (records: readonly LwM2mRecord[]) =>
      encodeRecords(format, target.path, records, lookup, rootPath),
  };
  return packs !== undefined && packFormat !== undefined
    ? observeReadings(context, observed, packs, packFormat)
    : observeValues(context, observed);
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
