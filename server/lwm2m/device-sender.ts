import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DevicePresence } from './presence.ts';
import { whenAwake } from './when-awake.ts';

/** The device is at another address now: what was under way goes on there. */
export class DeviceMovedError extends Error {
  override readonly name = 'DeviceMovedError';
  readonly to: PeerAddress;

  constructor(to: PeerAddress) {
    super(`the device moved to ${to}`);
    this.to = to;
  }
}

export interface DeviceSenderOptions {
  readonly endpoint: CoapEndpoint;
  readonly clock: Clock;
  readonly presence?: DevicePresence | undefined;
  /** ms, where a request gives none. */
  readonly timeout: number;
}

/** Sends requests to where devices are, when they listen, and again to where they move meanwhile. */
export class DeviceSender {
  readonly #options: DeviceSenderOptions;
  /** Work under way, by registration. */
  readonly #underWay = new Map<string, Set<AbortController>>();

  constructor(options: DeviceSenderOptions) {
    this.#options = options;
  }

  /** The device of that registration is elsewhere: its requests under way are sent again to where it is. */
  moved(registrationId: string, to: PeerAddress): void {
    for (const request of this.#underWay.get(registrationId) ?? []) request.abort(new DeviceMovedError(to));
  }

  /**
   * One request and its answer, whatever its code. `once`: not sent a second time, for it may have been
   * carried out where nobody heard the answer.
   * @throws TimeoutError; NotRegisteredError the registration ended while the device slept; what the
   *   endpoint throws
   */
  send(registration: Registration, request: OutgoingRequest, once = false): Promise<IncomingResponse> {
    const { endpoint, clock, presence, timeout } = this.#options;
    const deadline = clock.now() + (request.timeout ?? timeout);
    return this.following(registration, request.signal, async (at, signal, sending) => {
      const limits = { timeout: Math.max(1, deadline - clock.now()), signal };
      return whenAwake(presence, clock, at, limits, (left) => {
        if (once) sending();
        return endpoint.request(at.address, { ...request, timeout: left, signal });
      });
    });
  }

  /**
   * Work on a device that is begun anew at its new address when it moves. Who calls `sending` is not begun
   * anew from then on.
   * @throws TimeoutError moved after `sending`; the signal's reason; what `work` throws
   */
  async following<T>(
    registration: Registration,
    signal: AbortSignal | undefined,
    work: (registration: Registration, signal: AbortSignal, sending: () => void) => Promise<T>,
  ): Promise<T> {
    let at = registration;
    let sent = false;
    for (;;) {
      const move = new AbortController();
      this.#begin(registration.id, move);
      try {
        const either = signal === undefined ? move.signal : AbortSignal.any([move.signal, signal]);
        return await work(at, either, () => {
          sent = true;
        });
      } catch (error) {
        if (!(error instanceof DeviceMovedError)) throw error;
        if (sent) {
          const message = 'the device moved while it was asked, and may have done it';
          throw new TimeoutError(message, { cause: error });
        }
        at = { ...registration, address: error.to };
      } finally {
        this.#end(registration.id, move);
      }
    }
  }

  #begin(registrationId: string, request: AbortController): void {
    const requests = this.#underWay.get(registrationId);
    if (requests === undefined) this.#underWay.set(registrationId, new Set([request]));
    else requests.add(request);
  }

  #end(registrationId: string, request: AbortController): void {
    const requests = this.#underWay.get(registrationId);
    requests?.delete(request);
    if (requests?.size === 0) this.#underWay.delete(registrationId);
  }
}
