import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { EventType } from '../events.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { DeviceStore } from '../ports/device-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { ObservationService } from './observation-service.ts';
import type { PolicyReconciler } from './policy-reconciler.ts';
import type { RegistrationListener } from './registration-interface.ts';

/** How often `last heard` goes to the store, ms. */
const HEARD_INTERVAL = 2_000;

export interface DeviceLifecycleOptions {
  readonly observations: Pick<ObservationService, 'moved' | 'displaced' | 'forget' | 'replaced'>;
  readonly reconciler: PolicyReconciler;
  readonly devices: Pick<DeviceStore, 'heard' | 'listening'>;
  /** Name of this server node. */
  readonly node: string;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
  /** A registration as events show it. */
  readonly present: (registration: Registration) => Readonly<Record<string, unknown>>;
  /** The device can be reached now: what waits for it may go out. `anew`: it has registered, and forgotten what was asked. */
  readonly onReachable: (endpoint: string, anew: boolean) => void;
  /** The device is at another address: requests under way follow it there. */
  readonly onMoved: (registrationId: string, to: string) => void;
  /** A device that held no registration has registered. */
  readonly onArrived: (endpoint: string) => void;
  /** These were heard here, at that time (ms since the epoch), and another node has them. */
  readonly onElsewhere?: ((heard: ReadonlyMap<string, number>) => void) | undefined;
  /** Another node had the device until now. Resolves when that one has let go of it, or does not answer. */
  readonly onTakenOver?: ((former: Registration, registration: Registration) => Promise<void>) | undefined;
}

/** It was heard elsewhere, or again where another device had been heard meanwhile. */
export function hasMoved(registration: Registration, before: Registration): boolean {
  return registration.address !== before.address || before.addressLost === true;
}

/** What follows when a device comes, moves, is heard or goes: who is told, and in which order. */
export class DeviceLifecycle implements RegistrationListener {
  readonly #options: DeviceLifecycleOptions;
  #heard = new Map<string, number>();
  #listening = new Map<string, number>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: DeviceLifecycleOptions) {
    this.#options = options;
  }

  /** Another registration takes its place: what is wanted of the device is wanted of that one. Before `registered`. */
  replaced(registration: Registration): void {
    this.#options.reconciler.ended(registration);
    this.#options.observations.replaced(registration);
  }

  registered(registration: Registration, replaced: Registration | undefined): void {
    const { reconciler, onArrived, onMoved, onReachable, onTakenOver, node } = this.#options;
    if (replaced === undefined) onArrived(registration.endpoint);
    // What was asked of the former registration is asked where the device is now.
    else if (hasMoved(registration, replaced)) onMoved(replaced.id, registration.address);
    this.#event('registered', registration, replaced === undefined ? {} : { replaced: true });
    onReachable(registration.endpoint, true);
    reconciler.registered(registration);
    // What is asked of it now has nothing to do with what the other node has asked.
    if (replaced !== undefined && replaced.node !== node) void onTakenOver?.(replaced, registration);
  }

  updated(registration: Registration, previous: Registration): void {
    const { reconciler, onReachable } = this.#options;
    if (hasMoved(registration, previous)) this.moved(registration.id, registration.address);
    this.#event('updated', registration, {});
    // Commands first: a person waits for them, and the device's radio may sleep again soon.
    onReachable(registration.endpoint, false);
    const { node, onTakenOver } = this.#options;
    if (previous.node === node || onTakenOver === undefined) {
      reconciler.updated(registration, previous);
      return;
    }
    void onTakenOver(previous, registration).then(() => reconciler.takenOver(registration));
  }

  deregistered(registration: Registration): void {
    this.#forget(registration);
    this.#event('deregistered', registration, {});
  }

  expired(registration: Registration): void {
    this.#forget(registration);
    this.#event('expired', registration, {});
  }

  displaced(registration: Pick<Registration, 'id' | 'endpoint'>): void {
    const { log, observations } = this.#options;
    log.debug({ endpoint: registration.endpoint }, 'another device was heard at its address');
    observations.displaced(registration);
  }

  /** A notification or an Update came from another address. */
  moved(registrationId: string, to: string): void {
    this.#options.observations.moved(registrationId, to);
    this.#options.onMoved(registrationId, to);
    this.#options.reconciler.moved(registrationId, to);
  }

  /** Another node has heard it since: what was heard here before does not count. */
  released(endpoint: string): void {
    this.#heard.delete(endpoint);
    this.#listening.delete(endpoint);
  }

  /** Its registration has ended by way of another node, which has told of it. */
  forgotten(registration: Pick<Registration, 'id' | 'endpoint'>): void {
    this.#forget(registration);
  }

  /** A notification came; `doubt` where it got silence, so that the device may give its observations up. */
  heard(registrationId: string, endpoint: string, doubt: boolean): void {
    this.#noteHeard(endpoint);
    this.#options.reconciler.heard(registrationId, doubt);
  }

  /** Until when a device in queue mode is taken to listen, ms since the epoch. */
  listening(endpoint: string, until: number): void {
    this.#listening.set(endpoint, until);
    this.#flushSoon();
  }

  /** Stores when devices were last heard, and until when they listen. */
  async flush(): Promise<void> {
    const { devices, node } = this.#options;
    const heard = this.#heard;
    const listening = this.#listening;
    this.#heard = new Map();
    this.#listening = new Map();
    const [elsewhere = []] = await Promise.all([
      heard.size === 0 ? undefined : devices.heard(heard, node),
      listening.size === 0 ? undefined : devices.listening(listening),
    ]);
    if (elsewhere.length === 0) return;
    this.#options.onElsewhere?.(new Map(elsewhere.map((endpoint) => [endpoint, heard.get(endpoint) ?? 0])));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.flush();
  }

  #forget(registration: Pick<Registration, 'id' | 'endpoint'>): void {
    this.#options.reconciler.ended(registration);
    this.#options.observations.forget(registration.id);
  }

  #noteHeard(endpoint: string): void {
    this.#heard.set(endpoint, Math.floor(this.#options.clock.wallTime()));
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = this.#options.clock.setTimer(HEARD_INTERVAL, () => {
      this.#timer = undefined;
      this.flush().catch((error: unknown) => {
        this.#options.log.warn({ error }, 'when devices were last heard was not stored');
      });
    });
  }

  #event(type: EventType, registration: Registration, more: Readonly<Record<string, unknown>>): void {
    const { events, clock, present } = this.#options;
    events.publish(type, registration.endpoint, clock.wallTime(), {
      registration: present(registration),
      ...more,
    });
  }
}
