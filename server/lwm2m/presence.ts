import type { Registration } from '../ports/registration-store.ts';

/** Whether a device can be spoken to now (OMA-TS-LightweightM2M_Transport §6.6, queue mode). Times: ms since the epoch. */
export interface PresenceState {
  /** The device registered with queue mode. */
  readonly queueMode: boolean;
  readonly awake: boolean;
  /** Until when it is taken to listen; absent: always, or asleep. */
  readonly awakeUntil?: number;
  /** How long it listens after it was heard, ms. */
  readonly window: number;
  /** Where the window comes from. */
  readonly source: 'default' | 'configured' | 'learnt' | 'device';
}

/**
 * A turn at a device: the request of whoever has it may go out. One of `answered`, `silent` and `end` says
 * how that went; further calls do nothing.
 */
export interface PresenceTurn {
  /** The device was heard so long ago, ms, that it may sleep by now; 0 where it listens always. */
  readonly quiet: number;
  /** The device answered: it listened, and does so anew for its window. */
  answered(): void;
  /** It did not answer although it should be awake: it sleeps until it is heard again. */
  silent(): void;
  /** The request is over, and nothing is known of the device. */
  end(): void;
}

/** What presence is told by. */
export type PresentRegistration = Pick<Registration, 'id' | 'queueMode' | 'updatedAt'>;

/** The gate before every request to a device. */
export interface DevicePresence {
  /**
   * Resolves when a request may go out: at once where the device listens always. To a device in queue mode
   * requests go one at a time, in the order of the calls, and while it sleeps they wait until it is heard.
   * @throws TimeoutError after `timeout` ms; NotRegisteredError the registration ended; RequestError too many
   *   wait already; the signal's reason
   */
  awake(registration: Registration, timeout: number, signal?: AbortSignal): Promise<PresenceTurn>;
  /** It has registered or updated, and was answered: it listens for its window from now. */
  registered(registration: Registration): void;
  /** A datagram of this device came: it listens for its window from now. */
  heard(registrationId: string): void;
  /** The device has registered anew: what waits for the former registration goes on with this one. */
  replaced(formerId: string, registration: Registration): void;
  /** The registration has ended. */
  forget(registrationId: string): void;
  /** Another node has the device: whoever waits here goes there, by a DeviceElsewhereError. */
  released(registrationId: string): void;
  /** As it was last known; `times` where they are at hand, for a device that was not heard since the start. */
  state(registration: PresentRegistration, times?: AwakeTimes): PresenceState;
}

/** How long a device listens after it was heard, ms, by where that is known from. */
export interface AwakeTimes {
  /** Set by a person: nothing is learnt. */
  readonly configured?: number;
  readonly learnt?: number;
  /** What the device itself says. */
  readonly device?: number;
}
