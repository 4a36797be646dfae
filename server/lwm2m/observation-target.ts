import type { OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import { encodePaths } from '../../protocol/lwm2m/content.ts';
import {
  attributeQueries,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import { devicePath, withAccept, withContent } from './coap-request.ts';
import { compositeAccept, pathListFormat } from './composite-formats.ts';

/** What is observed: one node, or several by one composite observation. */
export interface ObservationTarget {
  /** Canonical; one, but for a composite observation. */
  readonly paths: readonly string[];
  readonly composite?: boolean;
  /** In the request where the device speaks 1.2; written beforehand where it speaks an older version. */
  readonly attributes?: NotificationAttributes;
  /** Asked for; without it the best that the device speaks. */
  readonly contentFormat?: number;
}

/** A target, or the path of a single node. */
export type TargetLike = ObservationTarget | string;

export function targetOf(target: TargetLike): ObservationTarget {
  return typeof target === 'string' ? { paths: [target] } : target;
}

/**
 * The same for all targets of the same paths, in any order and however they are asked for: of those there
 * is one observation at a time. A composite one of a single path is another than the plain one.
 */
export function targetKey({ paths, composite }: Pick<ObservationTarget, 'paths' | 'composite'>): string {
  if (composite !== true) return paths[0] ?? '/';
  return `composite ${[...paths].sort().join(' ')}`;
}

/** Where the records of its answers and notifications lie. */
export function targetBase({ paths, composite }: Pick<ObservationTarget, 'paths' | 'composite'>): string {
  return composite === true ? '/' : (paths[0] ?? '/');
}

/**
 * The request that makes the observation, the Observe option excepted: the same bytes each time, for an
 * active cancellation repeats it (§6.4.5, RFC 7641 §3.6).
 * @param attributes those that stand in the request
 */
export function observeRequest(
  { paths, composite }: Pick<StoredObservation, 'paths' | 'composite'>,
  rootPath: string,
  format: number | undefined,
  attributes: NotificationAttributes | undefined,
): OutgoingRequest {
  const queries = attributes === undefined ? [] : queryOptions(attributeQueries(attributes));
  if (composite !== true) {
    const path = devicePath(rootPath, paths[0] ?? '/');
    return withAccept({ code: Code.GET, options: [...pathOptions(path), ...queries] }, format);
  }
  const listFormat = pathListFormat(format);
  const request: OutgoingRequest = {
    code: Code.FETCH,
    options: [...pathOptions(devicePath(rootPath, '/')), ...queries],
  };
  return withAccept(
    withContent(request, listFormat, encodePaths(listFormat, paths, rootPath)),
    compositeAccept(format),
  );
}
