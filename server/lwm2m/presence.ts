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

/** The gate before every request to a device. */
export interface DevicePresence {
  /**
   * Resolves when a request may go out, in the order of the calls: at once where the device is awake.
   * @throws TimeoutError after `timeout` ms; NotRegisteredError the registration ended; the signal's reason
   */
  awake(registration: Registration, timeout: number, signal?: AbortSignal): Promise<void>;
  /** A datagram of this device came: it listens for its window from now. */
  heard(registrationId: string): void;
  /** It did not answer although it should be awake: it sleeps until it is heard again. */
  silent(registrationId: string): void;
  /** The registration has ended. */
  forget(registrationId: string): void;
  state(registration: Registration): PresenceState;
}
