import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type {
  CoapEndpoint,
  IncomingNotification,
  IncomingResponse,
  NotificationHandler,
  OutgoingRequest,
} from '../../protocol/coap/exchange.ts';
import { Code, isSuccess } from '../../protocol/coap/message.ts';
import { pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import { RequestError } from '../../protocol/errors.ts';
import {
  attributeQueries,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { maySpeakFor } from '../enrolment/speakers.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import { devicePath } from './coap-request.ts';
import type { DeviceReach, ReachLimits } from './device-reach.ts';
import { observeRequest } from './observation-target.ts';
import { speaks } from './versions.ts';

/** How requests of observations go out. */
export interface ObservationWay {
  readonly endpoint: CoapEndpoint;
  readonly reach: DeviceReach;
}

/** The request that made the observation; its attributes stand in it where the device speaks 1.2. */
export function requestOf(stored: StoredObservation, registration: Registration): OutgoingRequest {
  const attributes = speaks(registration, '1.2') ? stored.attributes : undefined;
  return observeRequest(stored, registration.rootPath, stored.contentFormat, attributes);
}

/**
 * Writes attributes to each path (§6.3.4) before it is observed, for a device that does not take them in the request.
 * @param left what is left of the time, before each
 * @throws CoapResponseError the device does not take them; RequestError the root has none
 */
export async function attachAttributes(
  { endpoint, reach }: ObservationWay,
  registration: Registration,
  paths: readonly string[],
  attributes: NotificationAttributes,
  left: () => ReachLimits,
): Promise<void> {
  if (paths.includes('/')) throw new RequestError('attributes cannot be written at the root: name objects');
  const queries = queryOptions(attributeQueries(attributes));
  for (const path of paths) {
    const response = await reach.send(registration, left(), (target, timeout, signal) =>
      endpoint.request(target, {
        code: Code.PUT,
        options: [...pathOptions(devicePath(registration.rootPath, path)), ...queries],
        timeout,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    if (!isSuccess(response.code)) {
      throw new CoapResponseError(response.code, `the attributes of ${path} were not taken`);
    }
  }
}

/**
 * Tells the device by the request that made the observation, with Observe 1 (§6.4.3, §6.4.5).
 * @param onNotification of what still comes while it is told
 * @returns what the device answered
 * @throws CoapResponseError
 */
export async function cancelAtDevice(
  { endpoint, reach }: ObservationWay,
  registration: Registration,
  stored: StoredObservation,
  limits: ReachLimits,
  onNotification: NotificationHandler,
): Promise<IncomingResponse> {
  const isSecure = registration.identity !== undefined;
  const response = await reach.send(registration, limits, (to, timeout, signal) => {
    // Taken up anew where it is not live here.
    const observation =
      endpoint.observation(stored.token) ??
      endpoint.restoreObservation(
        { token: stored.token, peer: to.address, request: requestOf(stored, registration) },
        onNotification,
        { followPeer: (_, identity) => maySpeakFor({ endpoint: stored.endpoint, isSecure }, identity) },
      );
    return observation.cancel({ timeout, to, ...(signal === undefined ? {} : { signal }) });
  });
  if (!isSuccess(response.code)) throw new CoapResponseError(response.code);
  return response;
}

/** The answer to an Observe as the first notification, which needs no acknowledgement. */
export function firstNotification(response: IncomingResponse): IncomingNotification {
  const nothing = (): void => undefined;
  return {
    ...response,
    confirmable: false,
    messageId: 0,
    fresh: true,
    observe: undefined,
    accept: nothing,
    reject: nothing,
    ignore: nothing,
  };
}
