import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { DecodeError } from '../../protocol/errors.ts';
import {
  attributesOfLink,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DesiredObservation } from './desired-observations.ts';
import type { DeviceRequestOptions, DeviceRequests } from './device-requests.ts';
import type { Troubles } from './observation-troubles.ts';
import { sameAttributes } from './same-attributes.ts';
import { speaks } from './versions.ts';

/**
 * Attributes that are to stand at nodes of the device, by path; none where they go in the Observe request
 * (1.2). Two observations may name the same node: the device keeps one set of attributes for it.
 */
export function attributesOfNodes(
  registration: Pick<Registration, 'version'>,
  desired: readonly Pick<DesiredObservation, 'paths' | 'attributes'>[],
): ReadonlyMap<string, NotificationAttributes> {
  const nodes = new Map<string, NotificationAttributes>();
  if (speaks(registration, '1.2')) return nodes;
  for (const { paths, attributes } of desired) {
    if (attributes === undefined) continue;
    for (const path of paths) nodes.set(path, { ...nodes.get(path), ...attributes });
  }
  return nodes;
}

/** Those of which the device has not refused what is wanted: what it was never given has not drifted. */
export function notRefused(
  desired: readonly DesiredObservation[],
  troubles: Pick<Troubles, 'get'> | undefined,
): readonly DesiredObservation[] {
  return desired.filter(({ key }) => troubles?.get(key)?.state !== 'refused');
}

/**
 * Attributes that the device has at one of the paths of an observation, where they are other than wanted there
 * (Discover, §6.3.2). Undefined where they are as wanted, where none are wanted, and where the device does not
 * tell.
 * @param nodes of `attributesOfNodes`
 * @throws TimeoutError, NotRegisteredError and the like
 */
export async function otherAttributes(
  requests: Pick<DeviceRequests, 'discover'>,
  endpoint: string,
  paths: readonly string[],
  nodes: ReadonlyMap<string, NotificationAttributes>,
  options: DeviceRequestOptions,
): Promise<NotificationAttributes | undefined> {
  for (const path of paths) {
    const wanted = nodes.get(path);
    if (wanted === undefined) continue;
    try {
      const links = await requests.discover(endpoint, path, options);
      const real = attributesOfLink(links.find(({ target }) => target === path)?.attributes ?? {});
      if (!sameAttributes(real, wanted)) return real;
    } catch (error) {
      // It may well observe what it does not let be discovered.
      if (error instanceof CoapResponseError || error instanceof DecodeError) return undefined;
      throw error;
    }
  }
  return undefined;
}
