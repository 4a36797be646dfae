import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { BusyError, TimeoutError } from '../../protocol/errors.ts';
import { DeviceElsewhereError, NotRegisteredError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import { AwakeWindow } from './awake-window.ts';
import type {
  AwakeTimes,
  DevicePresence,
  PresenceState,
  PresenceTurn,
  PresentRegistration,
} from './presence.ts';
import { RecentMap } from './recent-map.ts';

/** Requests that wait for one device. */
const MAX_WAITING = 64;
/** Registrations that are remembered to have been heard before anything else is known of them, at the least. */
const STRANGERS = 4_096;
/** Registrations that are remembered to have ended: who read one right before must not wait for it. */
const ENDED = 4_096;

export interface PresenceWindowsOptions {
  readonly clock: Clock;
  /** ms that a device listens after it was heard, where nothing better is known: MAX_TRANSMIT_WAIT unless told. */
  readonly window: number;
  readonly log: Logger;
  /** What is known of a device's listening; may reject, and then nothing is known. */
  readonly load: (registration: Registration) => Promise<AwakeTimes>;
  /** The device is heard after it was taken to sleep. */
  readonly onAwake?: (endpoint: string) => void;
  /** Until when the device is taken to listen now, ms since the epoch. Called often: at each of its datagrams. */
  readonly onListening?: (endpoint: string, until: number) => void;
  /** A window was learnt. */
  readonly onLearnt: (endpoint: string, window: number) => void;
}

/** Who waits for a device to be heard. */
interface Waiter {
  readonly go: () => void;
  readonly fail: (error: unknown) => void;
}

/** What is kept of one registration in queue mode. Idle, it has neither timer nor promise. */
interface Sleeper {
  readonly endpoint: string;
  readonly window: AwakeWindow;
  /** `Clock.now` when it was last heard. */
  heardAt: number;
  /** It did not answer since. */
  silent: boolean;
  /** Somebody has his turn. */
  busy: boolean;
  waiters: Waiter[] | undefined;
}

const always: PresenceTurn = {
  quiet: 0,
  answered: () => undefined,
  silent: () => undefined,
  end: () => undefined,
};

/**
 * Presence by windows: a device in queue mode listens for a time after each of its datagrams
 * (OMA-TS-LightweightM2M_Transport §6.6: at least MAX_TRANSMIT_WAIT unless it is known better), and the
 * server learns how long. Only registrations in queue mode have state here.
 */
export class PresenceWindows implements DevicePresence {
  readonly #options: PresenceWindowsOptions;
  readonly #sleepers = new Map<string, Sleeper>();
  /** `Clock.now` by registration: heard since the start, but by nobody who knew whether it sleeps. */
  readonly #strangers = new RecentMap<string, number>(STRANGERS);
  /** Registrations that have ended, with the one that took the place of each. */
  readonly #ended = new RecentMap<string, string | null>(ENDED);

  constructor(options: PresenceWindowsOptions) {
    this.#options = options;
  }

  awake(registration: Registration, timeout: number, signal?: AbortSignal): Promise<PresenceTurn> {
    if (!registration.queueMode) return Promise.resolve(always);
    const now = this.#successor(registration.id);
    if (now === null) return Promise.reject(new NotRegisteredError(registration.endpoint));
    const known = this.#sleepers.get(now);
    // What took its place listens always.
    if (known === undefined && now !== registration.id) return Promise.resolve(always);
    const sleeper = known ?? this.#sleeper(registration);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (!sleeper.busy && sleeper.waiters === undefined && this.#listens(sleeper)) {
      return Promise.resolve(this.#turn(sleeper));
    }
    if ((sleeper.waiters?.length ?? 0) >= MAX_WAITING) {
      return Promise.reject(new BusyError(`${MAX_WAITING} requests wait for '${sleeper.endpoint}' already`));
    }
    return this.#wait(sleeper, timeout, signal);
  }

  registered(registration: Registration): void {
    const { id, queueMode } = registration;
    const known = this.#sleepers.get(id);
    if (!queueMode) {
      this.#strangers.delete(id);
      if (known === undefined) return;
      // It listens always from now on.
      this.#sleepers.delete(id);
      for (const waiter of [...(known.waiters ?? [])]) waiter.go();
      return;
    }
    if (known === undefined) this.#sleeper(registration);
    this.heard(id);
  }

  heard(registrationId: string): void {
    const sleeper = this.#sleepers.get(registrationId);
    const now = this.#options.clock.now();
    if (sleeper === undefined) {
      this.#strangers.set(registrationId, now);
      return;
    }
    const slept = !this.#listens(sleeper);
    sleeper.heardAt = now;
    sleeper.silent = false;
    this.#tell(sleeper);
    this.#next(sleeper);
    if (slept) this.#options.onAwake?.(sleeper.endpoint);
  }

  replaced(formerId: string, registration: Registration): void {
    const former = this.#sleepers.get(formerId);
    const own = this.#sleepers.get(registration.id);
    this.#sleepers.delete(formerId);
    this.#strangers.delete(formerId);
    this.#ended.set(formerId, registration.id);
    if (former !== undefined) {
      this.#sleepers.set(registration.id, former);
      // Who knew of the new registration before it was told here waits for a device that listens.
      for (const waiter of [...(own?.waiters ?? [])]) waiter.go();
    }
    this.registered(registration);
  }

  forget(registrationId: string): void {
    this.#strangers.delete(registrationId);
    this.#ended.set(registrationId, null);
    const sleeper = this.#sleepers.get(registrationId);
    if (sleeper === undefined) return;
    this.#sleepers.delete(registrationId);
    for (const waiter of [...(sleeper.waiters ?? [])]) waiter.fail(new NotRegisteredError(sleeper.endpoint));
  }

  released(registrationId: string): void {
    this.#strangers.delete(registrationId);
    const sleeper = this.#sleepers.get(registrationId);
    if (sleeper === undefined) return;
    this.#sleepers.delete(registrationId);
    for (const waiter of [...(sleeper.waiters ?? [])])
      waiter.fail(new DeviceElsewhereError(sleeper.endpoint));
  }

  state(registration: PresentRegistration, times?: AwakeTimes): PresenceState {
    const { queueMode } = registration;
    const known = this.#sleepers.get(registration.id);
    const window = known?.window ?? new AwakeWindow(this.#options.window, times);
    const { length, source } = window;
    if (!queueMode) return { queueMode, awake: true, window: length, source };
    const { clock } = this.#options;
    const heardAt = known?.heardAt ?? this.#lastHeard(registration);
    const left = known?.silent === true ? 0 : heardAt + length - clock.now();
    if (left <= 0) return { queueMode, awake: false, window: length, source };
    return {
      queueMode,
      awake: true,
      awakeUntil: Math.floor(clock.wallTime() + left),
      window: length,
      source,
    };
  }

  /** What is known of the device's listening has changed: set by a person, or said by the device. */
  changed(registrationId: string, times: AwakeTimes): void {
    const sleeper = this.#sleepers.get(registrationId);
    if (sleeper === undefined) return;
    sleeper.window.set(times);
    this.#tell(sleeper);
    this.#next(sleeper);
  }

  /** Registrations in queue mode that are known here. */
  get size(): number {
    return this.#sleepers.size;
  }

  #listens(sleeper: Sleeper): boolean {
    return !sleeper.silent && this.#options.clock.now() < sleeper.heardAt + sleeper.window.length;
  }

  #turn(sleeper: Sleeper): PresenceTurn {
    const { clock, onLearnt } = this.#options;
    sleeper.busy = true;
    const since = sleeper.heardAt;
    const begun = clock.now();
    let over = false;
    const end = (how?: () => boolean): void => {
      if (over) return;
      over = true;
      sleeper.busy = false;
      if (how?.() === true) onLearnt(sleeper.endpoint, sleeper.window.length);
      if (how !== undefined) this.#tell(sleeper);
      this.#next(sleeper);
    };
    // Where it spoke meanwhile, its listening proves nothing of the window that was then.
    const undisturbed = (): boolean => sleeper.heardAt === since;
    return {
      quiet: begun - since,
      end: () => end(),
      answered: () =>
        end(() => {
          const learnt = undisturbed() && sleeper.window.listened(clock.now() - since);
          sleeper.heardAt = clock.now();
          sleeper.silent = false;
          return learnt;
        }),
      silent: () =>
        end(() => {
          if (!undisturbed()) return false;
          sleeper.silent = true;
          return sleeper.window.missed(begun - since);
        }),
    };
  }

  #wait(sleeper: Sleeper, timeout: number, signal: AbortSignal | undefined): Promise<PresenceTurn> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', aborted);
        const waiters = sleeper.waiters ?? [];
        waiters.splice(waiters.indexOf(waiter), 1);
        if (waiters.length === 0) sleeper.waiters = undefined;
      };
      const waiter: Waiter = {
        go: () => {
          leave();
          resolve(this.#turn(sleeper));
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const aborted = (): void => waiter.fail(signal?.reason);
      const timer: Timer = this.#options.clock.setTimer(timeout, () => waiter.fail(this.#asleep(sleeper)));
      signal?.addEventListener('abort', aborted);
      sleeper.waiters ??= [];
      sleeper.waiters.push(waiter);
    });
  }

  #asleep(sleeper: Sleeper): TimeoutError {
    const { clock } = this.#options;
    if (this.#listens(sleeper)) return new TimeoutError('other requests to the device took too long');
    const heard = new Date(clock.wallTime() - (clock.now() - sleeper.heardAt)).toISOString();
    const hold = `POST /api/devices/${encodeURIComponent(sleeper.endpoint)}/requests`;
    return new TimeoutError(
      `the device sleeps (queue mode); it was last heard at ${heard}. ${hold} holds a request until it wakes`,
    );
  }

  #tell(sleeper: Sleeper): void {
    const { clock, onListening } = this.#options;
    if (onListening === undefined) return;
    const left = sleeper.silent ? 0 : sleeper.heardAt + sleeper.window.length - clock.now();
    onListening(sleeper.endpoint, Math.floor(clock.wallTime() + left));
  }

  #next(sleeper: Sleeper): void {
    if (!sleeper.busy && this.#listens(sleeper)) sleeper.waiters?.[0]?.go();
  }

  #sleeper(registration: Registration): Sleeper {
    const { id, endpoint } = registration;
    const known = this.#sleepers.get(id);
    if (known !== undefined) return known;
    const window = new AwakeWindow(this.#options.window, undefined);
    const sleeper: Sleeper = {
      endpoint,
      window,
      heardAt: this.#lastHeard(registration),
      silent: false,
      busy: false,
      waiters: undefined,
    };
    this.#strangers.delete(id);
    this.#sleepers.set(id, sleeper);
    this.#options.load(registration).then(
      (times) => {
        window.set(times);
        this.#tell(sleeper);
        this.#next(sleeper);
      },
      (error: unknown) => {
        this.#options.log.warn({ error, endpoint }, 'how long the device listens could not be looked up');
      },
    );
    return sleeper;
  }

  /** The registration that took the place of one that ended, if any did; null where the device has none any more. */
  #successor(id: string): string | null {
    let now: string | null = id;
    for (let next = this.#ended.get(id); next !== undefined; ) {
      now = next;
      next = next === null ? undefined : this.#ended.get(next);
    }
    return now;
  }

  /** `Clock.now` when it spoke last, as far as its registration tells. */
  #lastHeard({ id, updatedAt }: PresentRegistration): number {
    const { clock } = this.#options;
    return this.#strangers.get(id) ?? clock.now() - Math.max(0, clock.wallTime() - updatedAt);
  }
}
