import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import type { Code } from '../../protocol/coap/message.ts';
import { pathOptions } from '../../protocol/coap/options.ts';
import type { Registration } from '../ports/registration-store.ts';
import { devicePath } from './coap-request.ts';
import type { DeviceReach } from './device-reach.ts';
import type { DeviceRequestOptions } from './device-requests.ts';

export interface DeviceSenderOptions {
  readonly endpoint: CoapEndpoint;
  readonly reach: DeviceReach;
  /** ms, where a request gives none. */
  readonly timeout: number;
}

/** A request, and what is to be done before it goes out. */
export interface DeviceRequest extends OutgoingRequest {
  readonly beforeSend?: () => Promise<void>;
}

/** Sends requests to where devices are, when they listen; what is under way follows a device that moves. */
export class DeviceSender {
  readonly #options: DeviceSenderOptions;

  constructor(options: DeviceSenderOptions) {
    this.#options = options;
  }

  /**
   * One request and its answer, whatever its code. `once`: not for a device that registers anew meanwhile,
   * for it may carry it out a second time.
   * @throws TimeoutError; NotRegisteredError the registration ended while the device slept; what the
   *   endpoint throws
   */
  send(registration: Registration, request: DeviceRequest, once = false): Promise<IncomingResponse> {
    const { endpoint, reach } = this.#options;
    const { timeout = this.#options.timeout, signal, beforeSend, ...rest } = request;
    const probe = once ? (at: PeerAddress, left: number) => endpoint.ping(at, { timeout: left }) : undefined;
    return reach.send(registration, { timeout, signal, once, probe, beforeSend }, (target, left, either) =>
      endpoint.request(target, {
        ...rest,
        timeout: left,
        ...(either === undefined ? {} : { signal: either }),
      }),
    );
  }
}

/** A request for a path of the device, as the caller wants it sent. */
export function deviceRequest(
  { rootPath }: Registration,
  code: Code,
  path: string,
  { timeout, signal, beforeSend }: DeviceRequestOptions,
): DeviceRequest {
  return {
    code,
    options: pathOptions(devicePath(rootPath, path)),
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
    ...(beforeSend === undefined ? {} : { beforeSend }),
  };
}
