import { randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Timer } from '../../protocol/clock.ts';
import { untilNobodyWaits } from '../api/caller.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';
import type { Device } from '../ports/device-store.ts';
import type { LeshanRouteOptions } from './dependencies.ts';
import { LeshanRefusal, notRegistered, refusalOf } from './refusals.ts';
import type { LeshanResponse } from './responses.ts';

/** A request to one device. */
export interface Delivery {
  readonly device: RegisteredDevice;
  /** Where it is to one place. */
  readonly path?: string;
  /** ms */
  readonly timeout: number;
  readonly run: (options: DeviceRequestOptions) => Promise<LeshanResponse>;
}

/** The answer of a device that sleeps comes by an event. */
export interface Delayed {
  readonly ep: string;
  readonly path?: string;
  readonly requestId: string;
  readonly delayed: true;
}

export type RegisteredDevice = Device & { readonly registration: NonNullable<Device['registration']> };

/** Requests of one device that may wait for it to wake. */
const MAX_DELAYED = 64;
/** A request that is delayed waits until its device wakes or leaves: as long as a timer can, ms. */
const WAIT = 2 ** 31 - 1;
const DEFAULT_TIMEOUT = 5_000;

/** Of a query, in seconds; what is no number is as if it were not there. */
export function timeoutOf(text: string | undefined): number {
  if (text === undefined || !/^[+-]?\d{1,7}$/.test(text)) return DEFAULT_TIMEOUT;
  return Math.max(1, Number(text) * 1000);
}

/** It was sent, and its time is over: nothing is concluded of the device's sleep from the little time that it had. */
class OutOfTimeError extends Error {
  override readonly name = 'OutOfTimeError';
}

/** Sends requests at once to devices that listen, and later to those that sleep. */
export class LeshanDelivery {
  readonly #options: LeshanRouteOptions;
  /** By endpoint, how many wait. */
  readonly #delayed = new Map<string, number>();

  constructor(options: LeshanRouteOptions) {
    this.#options = options;
  }

  /** @throws LeshanRefusal no device is registered under that name */
  async device(endpoint: string): Promise<RegisteredDevice> {
    const device = await this.#options.stores.devices.get(endpoint);
    if (device?.registration === undefined) throw notRegistered(endpoint);
    return { ...device, registration: device.registration };
  }

  isAwake({ registration, awakeTimes, lastSeen }: RegisteredDevice): boolean {
    const times = {
      ...(awakeTimes === undefined ? {} : { awakeTimes }),
      ...(lastSeen === undefined ? {} : { lastSeen }),
    };
    return this.#options.listening.state(registration, times).awake;
  }

  /**
   * What the device answered; of one that sleeps, that it is asked later: its answer is then an event.
   * @throws what `run` throws, where the device is asked now
   */
  async send(delivery: Delivery, reply: FastifyReply): Promise<LeshanResponse | Delayed> {
    const { device, timeout, run } = delivery;
    if (this.isAwake(device)) {
      return run({ timeout, signal: untilNobodyWaits(reply, this.#options.closing, false) });
    }
    const { endpoint: ep } = device;
    const waiting = this.#delayed.get(ep) ?? 0;
    if (waiting >= MAX_DELAYED) {
      throw new LeshanRefusal(500, `Request rejected: ${waiting} requests wait for '${ep}' already`);
    }
    this.#delayed.set(ep, waiting + 1);
    const { path } = delivery;
    const delayed = {
      ep,
      ...(path === undefined ? {} : { path }),
      requestId: randomUUID(),
      delayed: true as const,
    };
    void this.#sendLater(delivery, delayed);
    return delayed;
  }

  async #sendLater({ device, timeout, run }: Delivery, delayed: Delayed): Promise<void> {
    const { clock, closing, feed, log } = this.#options;
    const { endpoint } = device;
    const late = new AbortController();
    let timer: Timer | undefined;
    const beforeSend = async (): Promise<void> => {
      timer ??= clock.setTimer(timeout, () =>
        late.abort(new OutOfTimeError('the device did not answer in time')),
      );
    };
    try {
      const signal = AbortSignal.any([late.signal, closing]);
      const response = await run({ timeout: WAIT, signal, beforeSend });
      feed.publish('REQUEST_RESPONSE', endpoint, () => ({ ...delayed, response }));
    } catch (error) {
      // Whoever asked has his answer: that it is delayed. Of what never came nothing is told, as Leshan does.
      const expected = error instanceof OutOfTimeError || closing.aborted || refusalOf(error) !== undefined;
      log[expected ? 'debug' : 'error']({ err: error, endpoint }, 'a delayed request was not answered');
    } finally {
      timer?.cancel();
      const left = (this.#delayed.get(endpoint) ?? 1) - 1;
      if (left > 0) this.#delayed.set(endpoint, left);
      else this.#delayed.delete(endpoint);
    }
  }
}
