import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { DecodeError } from '../../protocol/errors.ts';
import {
  attributesOfLink,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DesiredObservation } from './desired-observations.ts';
import type { DeviceRequestOptions, DeviceRequests } from './device-requests.ts';
import { sameAttributes } from './same-attributes.ts';
import { speaks } from './versions.ts';

/**
 * Attributes that the device has at the paths of an observation, where they are other than wanted (Discover,
 * §6.3.2). Undefined where they are as wanted, where none are wanted, where the device does not tell, and
 * for a device of LwM2M 1.2: there they stand with the observation, and Discover does not show them.
 * @throws TimeoutError, NotRegisteredError and the like
 */
export async function otherAttributes(
  requests: Pick<DeviceRequests, 'discover'>,
  registration: Pick<Registration, 'endpoint' | 'version'>,
  { attributes, paths }: Pick<DesiredObservation, 'attributes' | 'paths'>,
  options: DeviceRequestOptions,
): Promise<NotificationAttributes | undefined> {
  if (attributes === undefined || speaks(registration, '1.2')) return undefined;
  for (const path of paths) {
    try {
      const links = await requests.discover(registration.endpoint, path, options);
      const real = attributesOfLink(links.find(({ target }) => target === path)?.attributes ?? {});
      if (!sameAttributes(real, attributes)) return real;
    } catch (error) {
      // It may well observe what it does not let be discovered.
      if (error instanceof CoapResponseError || error instanceof DecodeError) return undefined;
      throw error;
    }
  }
  return undefined;
}
