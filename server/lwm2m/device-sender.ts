import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { type CoapOption, Code } from '../../protocol/coap/message.ts';
import { pathOptions } from '../../protocol/coap/options.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import { devicePath } from './coap-request.ts';
import { type DeviceReach, NotSentError } from './device-reach.ts';
import type { DeviceRequestOptions } from './device-requests.ts';
import { RecentMap } from './recent-map.ts';

export interface DeviceSenderOptions {
  readonly endpoint: Pick<CoapEndpoint, 'request' | 'ping'>;
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
   *   endpoint throws; after `beforeSend`, NotSentError where it ended before anything went out
   */
  send(registration: Registration, request: DeviceRequest, once = false): Promise<IncomingResponse> {
    const { endpoint, reach } = this.#options;
    const { timeout = this.#options.timeout, signal, beforeSend, ...rest } = request;
    const probe = once ? (at: PeerAddress, left: number) => endpoint.ping(at, { timeout: left }) : undefined;
    const limits = { timeout, signal, once, probe, beforeSend };
    return reach.send(registration, limits, async (target, left, either) => {
      let sent = false;
      const onSent = (): void => {
        sent = true;
      };
      const ended = either === undefined ? {} : { signal: either };
      try {
        return await endpoint.request(target, { ...rest, timeout: left, onSent, ...ended });
      } catch (error) {
        const ranOut = error instanceof TimeoutError || either?.aborted === true;
        // It waited for others of its kind all the time (NSTART).
        if (sent || !ranOut || beforeSend === undefined) throw error;
        throw new NotSentError('it was ended before it went out', { cause: error });
      }
    });
  }
}

/** Paths whose options are kept: devices are asked for the same again and again. */
const PATHS_KEPT = 1_000;
const knownPaths = new RecentMap<string, readonly CoapOption[]>(PATHS_KEPT);

function optionsOf(path: string): readonly CoapOption[] {
  const known = knownPaths.get(path);
  if (known !== undefined) return known;
  const options = pathOptions(path);
  knownPaths.set(path, options);
  return options;
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
    options: optionsOf(devicePath(rootPath, path)),
    // What changes something is asked once, whatever a device says of further blocks.
    ...(code === Code.GET || code === Code.FETCH ? {} : { wholeAnswer: false }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
    ...(beforeSend === undefined ? {} : { beforeSend }),
  };
}
