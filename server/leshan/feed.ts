import type { Clock, Timer } from '../../protocol/clock.ts';
import type { Registration, RegistrationUpdate } from '../ports/registration-store.ts';
import type { Report } from '../telemetry/ingest.ts';
import { nodeAt, nodesAt } from './nodes.ts';
import { presentRegistration, presentUpdate } from './registrations.ts';

export type LeshanEvent =
  | 'REGISTRATION'
  | 'UPDATED'
  | 'DEREGISTRATION'
  | 'AWAKE'
  | 'SLEEPING'
  | 'NOTIFICATION'
  | 'SEND'
  | 'COAPLOG'
  | 'REQUEST_RESPONSE';

/** Takes one event as it goes over the wire. */
export type LeshanListener = (frame: Buffer) => void;

interface Subscriber {
  readonly endpoint: string | undefined;
  readonly listener: LeshanListener;
}

/** One event of the stream (WHATWG HTML §9.2.6): `data` is one line of JSON. */
export function encodeEvent(event: LeshanEvent, data: object): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** What happens at this node, as the events of the Leshan-compatible interface. Nothing is kept, and nothing replayed. */
export class LeshanFeed {
  readonly #clock: Clock;
  readonly #subscribers = new Set<Subscriber>();
  /** Devices in queue mode that are taken to listen, each with the end of that. */
  readonly #awake = new Map<string, { until: number; timer: Timer }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of one device, or of all. @returns what ends it */
  subscribe(endpoint: string | undefined, listener: LeshanListener): () => void {
    const subscriber = { endpoint, listener };
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
    };
  }

  close(): void {
    for (const { timer } of this.#awake.values()) timer.cancel();
    this.#awake.clear();
    this.#subscribers.clear();
  }

  registered(registration: Registration, replaced: Registration | undefined): void {
    if (replaced !== undefined) this.deregistered(replaced);
    this.publish('REGISTRATION', registration.endpoint, () => presentRegistration(registration, true));
  }

  updated(registration: Registration, update: RegistrationUpdate): void {
    if (!registration.queueMode) this.#forget(registration.endpoint);
    this.publish('UPDATED', registration.endpoint, () => ({
      registration: presentRegistration(registration, true),
      update: presentUpdate(update, registration),
    }));
  }

  /** By its own wish, by the end of its lifetime, or because the device registered anew. */
  deregistered(registration: Registration): void {
    const { endpoint } = registration;
    const awake = this.#awake.has(endpoint);
    this.#forget(endpoint);
    this.publish('DEREGISTRATION', endpoint, () => presentRegistration(registration, awake));
  }

  /** A device in queue mode is taken to listen until then, ms since the epoch; over where that is past. */
  listening(endpoint: string, until: number): void {
    const known = this.#awake.get(endpoint);
    if (until <= this.#clock.wallTime()) {
      if (known !== undefined) this.#asleep(endpoint);
      return;
    }
    if (known !== undefined) {
      // Its timer finds out that it is not over yet, unless it is over earlier.
      const earlier = until < known.until;
      known.until = until;
      if (earlier) this.#await(endpoint, known);
      return;
    }
    const state = { until, timer: this.#timer(endpoint, until) };
    this.#awake.set(endpoint, state);
    this.publish('AWAKE', endpoint, () => ({ ep: endpoint }));
  }

  /** What a device reported is durable. */
  reported({ kind, source, records, lookup }: Report): void {
    if (kind === 'answer') return;
    const { endpoint: ep, path, paths } = source;
    const now = this.#clock.wallTime();
    if (kind === 'send') {
      const places = [...new Set(records.map((record) => record.path))];
      this.publish('SEND', ep, () => ({ ep, val: nodesAt(places, records, lookup, now) }));
    } else if (paths === undefined) {
      this.publish('NOTIFICATION', ep, () => {
        return { ep, kind: 'single', res: path, val: nodeAt(path, records, lookup, now) };
      });
    } else {
      this.publish('NOTIFICATION', ep, () => {
        return { ep, kind: 'composite', val: nodesAt(paths, records, lookup, now), paths };
      });
    }
  }

  /** @param data called where somebody listens */
  publish(event: LeshanEvent, endpoint: string, data: () => object): void {
    let frame: Buffer | undefined;
    for (const subscriber of this.#subscribers) {
      if (subscriber.endpoint !== undefined && subscriber.endpoint !== endpoint) continue;
      frame ??= encodeEvent(event, data());
      subscriber.listener(frame);
    }
  }

  #asleep(endpoint: string): void {
    this.#forget(endpoint);
    this.publish('SLEEPING', endpoint, () => ({ ep: endpoint }));
  }

  #await(endpoint: string, state: { until: number; timer: Timer }): void {
    state.timer.cancel();
    state.timer = this.#timer(endpoint, state.until);
  }

  #timer(endpoint: string, until: number): Timer {
    return this.#clock.setTimer(Math.max(0, until - this.#clock.wallTime()), () => {
      const state = this.#awake.get(endpoint);
      if (state === undefined) return;
      if (state.until > this.#clock.wallTime()) this.#await(endpoint, state);
      else this.#asleep(endpoint);
    });
  }

  #forget(endpoint: string): void {
    this.#awake.get(endpoint)?.timer.cancel();
    this.#awake.delete(endpoint);
  }
}
