import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { RequestTarget } from '../../protocol/coap/request-target.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DevicePresence } from './presence.ts';

/**
 * For so long a move is remembered although nothing is under way, ms: who read the registration from the
 * store just before would ask where the device no longer is.
 */
const RECENT = 5_000;
/** A device that was heard within this time is taken to listen still, ms. */
const PROBE_AFTER = 3_000;

export interface ReachLimits {
  /** ms, waiting included. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Not for a device that has registered anew meanwhile: it may have restarted, knows nothing of what it was
   * sent, and would carry it out a second time.
   */
  readonly once?: boolean;
  /**
   * Asks the device whether it is there, and rejects where it is not. Called where it may sleep by now although
   * its window is not over: what may be carried out once only is not to be sent in vain.
   */
  readonly probe?: ((at: PeerAddress, timeLeft: number) => Promise<unknown>) | undefined;
  /** Called when the device listens, right before `send`; what it rejects with ends the matter. */
  readonly beforeSend?: (() => Promise<void>) | undefined;
}

export interface DeviceReachOptions {
  readonly clock: Clock;
  /** Whether devices listen; absent: they always do. */
  readonly presence?: DevicePresence;
}

/** Where the device of one registration is, for what is under way to it. */
interface Place {
  readonly target: RequestTarget;
  users: number;
  /** `Clock.now` of the last move. */
  movedAt: number;
  /** Ends what must not reach the device twice. */
  readonly once: Set<AbortController>;
}

/** The way to devices: when they listen, and to where they are, also where they move meanwhile. */
export class DeviceReach {
  readonly #options: DeviceReachOptions;
  readonly #places = new Map<string, Place>();

  constructor(options: DeviceReachOptions) {
    this.#options = options;
  }

  /**
   * Sends when the device listens, and tells its presence what came of it. `send` gets where the device is,
   * the time that is left, and what ends it.
   * @throws what `send` throws; TimeoutError, NotRegisteredError, the signal's reason before it is called;
   *   TimeoutError where the device registered anew although it was to be sent once
   */
  async send<T>(
    registration: Registration,
    { timeout, signal, once = false, probe, beforeSend }: ReachLimits,
    send: (target: RequestTarget, timeLeft: number, signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const { clock, presence } = this.#options;
    const deadline = clock.now() + timeout;
    const place = this.#enter(registration);
    try {
      const turn = await presence?.awake(registration, timeout, signal);
      const end = once ? new AbortController() : undefined;
      if (end !== undefined) place.once.add(end);
      const either =
        end === undefined || signal === undefined
          ? (end?.signal ?? signal)
          : AbortSignal.any([end.signal, signal]);
      try {
        if (probe !== undefined && turn !== undefined && turn.quiet > PROBE_AFTER) {
          await answeredOrMoved(place.target, (at) => probe(at, Math.max(1, deadline - clock.now())));
        }
        await beforeSend?.();
        const answer = await send(place.target, Math.max(1, deadline - clock.now()), either);
        turn?.answered();
        return answer;
      } catch (error) {
        if (error instanceof TimeoutError && end?.signal.aborted !== true) turn?.silent();
        throw error;
      } finally {
        turn?.end();
        if (end !== undefined) place.once.delete(end);
      }
    } finally {
      this.#leave(registration.id, place);
    }
  }

  /** A datagram of the device came that was no answer. */
  heard(registrationId: string): void {
    this.#places.get(registrationId)?.target.heard();
    this.#options.presence?.heard(registrationId);
  }

  /** The device has registered, or updated: it listens, and what it says of queue mode counts from now on. */
  registered(registration: Registration): void {
    this.#places.get(registration.id)?.target.heard();
    this.#options.presence?.registered(registration);
  }

  /** The device is at another address: what is under way goes on there, as the same messages. */
  moved(registrationId: string, to: PeerAddress): void {
    const now = this.#options.clock.now();
    const place = this.#places.get(registrationId) ?? newPlace(to);
    // Last among the places: they are in the order of their moves.
    this.#places.delete(registrationId);
    this.#places.set(registrationId, place);
    place.movedAt = now;
    place.target.moveTo(to);
    this.#sweep(now);
  }

  /** The device has registered anew: what is under way goes on where it is now, but for what must not reach it twice. */
  replaced(former: Registration, registration: Registration): void {
    const place = this.#places.get(former.id);
    for (const end of [...(place?.once ?? [])]) {
      end.abort(new TimeoutError('the device registered anew while it was asked, and may have done it'));
    }
    if (former.address !== registration.address) this.moved(former.id, registration.address);
    this.#options.presence?.replaced(former.id, registration);
  }

  #enter({ id, address }: Registration): Place {
    const known = this.#places.get(id);
    const usable =
      known !== undefined && (known.users > 0 || this.#options.clock.now() - known.movedAt < RECENT);
    const place = usable ? known : newPlace(address);
    if (!usable) this.#places.set(id, place);
    place.users++;
    return place;
  }

  #leave(registrationId: string, place: Place): void {
    place.users--;
    if (place.users > 0 || this.#options.clock.now() - place.movedAt < RECENT) return;
    if (this.#places.get(registrationId) === place) this.#places.delete(registrationId);
  }

  /** Drops what was kept for moves that are no longer recent. */
  #sweep(now: number): void {
    for (const [id, place] of this.#places) {
      if (now - place.movedAt < RECENT) return;
      if (place.users === 0) this.#places.delete(id);
    }
  }
}

/** A device that comes from another address has spoken just now, and so has it with an answer. */
function answeredOrMoved(target: RequestTarget, probe: (at: PeerAddress) => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const follower = { movedTo: () => done, heard: () => done() };
    const done = (): void => {
      target.unfollow(follower);
      resolve();
    };
    target.follow(follower);
    probe(target.address).then(done, (error: unknown) => {
      target.unfollow(follower);
      reject(error);
    });
  });
}

function newPlace(address: PeerAddress): Place {
  return { target: new RequestTarget(address), users: 0, movedAt: Number.NEGATIVE_INFINITY, once: new Set() };
}
