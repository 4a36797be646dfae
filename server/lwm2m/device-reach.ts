import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { RequestTarget } from '../../protocol/coap/request-target.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import { AddressLostError, DeviceElsewhereError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DevicePresence } from './presence.ts';

/**
 * For so long a move is remembered although nothing is under way, ms: who read the registration from the
 * store just before would ask where the device no longer is.
 */
const RECENT = 5_000;
/** A device that was heard within this time is taken to listen still, ms. */
const PROBE_AFTER = 3_000;
/** A caller with less patience than this cannot tell a device that sleeps from a slow one, ms: two retransmissions. */
const PATIENT = 9_000;

export interface ReachLimits {
  /** ms, waiting included. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Not for a device that has registered anew or left meanwhile: it may have restarted, knows nothing of what it was
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

/** The address of a device of which none is known. */
const NOWHERE: PeerAddress = '';

/** What a device answers after it has left comes within this time, ms. */
const LAST_WORD = 2_000;

/** Nothing was sent: who asked has ended it right before, and it may go out another time. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/** Where a device is, for what is under way to it. */
interface Place {
  readonly target: RequestTarget;
  /** The registration that it is known by, and the one before while somebody may still know the device by that. */
  readonly ids: Set<string>;
  users: number;
  /** `Clock.now` of the last move. */
  movedAt: number;
  /** Another device is there now: nothing is sent before this one speaks. */
  lost: boolean;
  /** Ends what is under way, or waits. */
  asked: Set<AbortController>;
  /** Those of them that must not reach the device twice. */
  once: Set<AbortController>;
}

/** The way to devices: when they listen, and to where they are, also where they move meanwhile. */
export class DeviceReach {
  readonly #options: DeviceReachOptions;
  /** By registration. */
  readonly #places = new Map<string, Place>();
  /** Those that have moved lately, in the order of their moves. */
  readonly #moved = new Set<Place>();

  constructor(options: DeviceReachOptions) {
    this.#options = options;
  }

  /**
   * Sends when the device listens, and tells its presence what came of it. `send` gets where the device is,
   * the time that is left, and what ends it.
   * @throws what `send` throws; TimeoutError, NotRegisteredError, the signal's reason before it is called;
   *   NotSentError where that came after `beforeSend`; TimeoutError where the device registered anew, or its
   *   registration ended, although it was to be sent once; AddressLostError another device is where it was
   */
  async send<T>(
    registration: Registration,
    { timeout, signal, once = false, probe, beforeSend }: ReachLimits,
    send: (target: RequestTarget, timeLeft: number, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, presence } = this.#options;
    const deadline = clock.now() + timeout;
    const place = this.#enter(registration);
    const end = new AbortController();
    const ended = end.signal;
    // By hand: a signal that follows two others costs more than the request that it ends.
    const calledOff = (): void => end.abort(signal?.reason);
    if (signal?.aborted === true) calledOff();
    else signal?.addEventListener('abort', calledOff);
    try {
      if (place.lost) throw new AddressLostError(registration.endpoint);
      place.asked.add(end);
      const turn = await presence?.awake(registration, timeout, ended);
      const patience = deadline - clock.now();
      try {
        // Whoever gives up in the very moment in which his turn comes has nothing begun.
        ended.throwIfAborted();
        if (probe !== undefined && turn !== undefined && turn.quiet > PROBE_AFTER) {
          const ask = (at: PeerAddress): Promise<unknown> => probe(at, Math.max(1, deadline - clock.now()));
          await answeredOrHeard(place.target, ask, ended);
        }
        if (beforeSend !== undefined) {
          await beforeSend();
          if (ended.aborted)
            throw new NotSentError('it was ended before it went out', { cause: ended.reason });
        }
        // From here on it may reach the device.
        if (once) place.once.add(end);
        const answer = await send(place.target, Math.max(1, deadline - clock.now()), ended);
        turn?.answered();
        return answer;
      } catch (error) {
        const silence = error instanceof TimeoutError && !error.acknowledged && patience >= PATIENT;
        if (silence && error !== ended.reason) turn?.silent();
        throw error;
      } finally {
        turn?.end();
        place.once.delete(end);
      }
    } finally {
      signal?.removeEventListener('abort', calledOff);
      place.asked.delete(end);
      this.#leave(place);
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
    const place = this.#places.get(registrationId) ?? this.#settle(registrationId, newPlace(to));
    this.#moved.delete(place);
    this.#moved.add(place);
    place.movedAt = now;
    place.lost = false;
    place.target.moveTo(to);
    this.#sweep(now);
  }

  /**
   * Another device was heard at its address: what is under way to it is ended, and no more is sent before `moved` or
   * `replaced` tells where it is.
   */
  lost({ id, endpoint }: Pick<Registration, 'id' | 'endpoint'>): void {
    const now = this.#options.clock.now();
    const place = this.#places.get(id) ?? this.#settle(id, newPlace(NOWHERE));
    this.#moved.delete(place);
    this.#moved.add(place);
    place.movedAt = now;
    place.lost = true;
    endAll(place.asked, () => new AddressLostError(endpoint));
    this.#sweep(now);
  }

  /**
   * The device has registered anew: what is under way goes on where it is now, and follows it from then on, but
   * for what must not reach it twice.
   */
  replaced(former: Registration, registration: Registration): void {
    const place = this.#places.get(former.id);
    endAll(
      place?.once ?? [],
      () => new TimeoutError('the device registered anew while it was asked, and may have done it'),
    );
    if (former.address !== registration.address || former.addressLost === true)
      this.moved(former.id, registration.address);
    if (place !== undefined && place.users > 0) this.#inherit(place, former.id, registration.id);
    place?.target.heard();
    this.#options.presence?.replaced(former.id, registration);
  }

  /**
   * The registration has ended: the device may restart, and must not be asked twice. An answer may be right
   * behind, as to an Execute for which it left.
   */
  ended(registrationId: string): void {
    const place = this.#places.get(registrationId);
    if (place !== undefined && place.once.size > 0) {
      const asked = [...place.once];
      this.#options.clock.setTimer(LAST_WORD, () => {
        endAll(
          asked,
          () =>
            new TimeoutError('the registration ended while the device was asked, and it may have done it'),
        );
      });
    }
    this.#options.presence?.forget(registrationId);
  }

  /**
   * Another node has the device. What is under way goes on from here at the address `at`, where devices cannot tell the
   * two nodes apart; otherwise it is for that node to ask, but for what must not reach the device twice: of that the
   * answer may be right behind. `anew`: it has registered anew there.
   */
  released(
    { id, endpoint }: Pick<Registration, 'id' | 'endpoint'>,
    { at, anew }: { readonly at: PeerAddress | undefined; readonly anew: boolean },
  ): void {
    const place = this.#places.get(id);
    if (place !== undefined && place.users > 0) {
      const once = [...place.once];
      if (anew) {
        endAll(
          once,
          () => new TimeoutError('the device registered anew while it was asked, and may have done it'),
        );
      } else if (at !== undefined) this.moved(id, at);
      else {
        this.#options.clock.setTimer(LAST_WORD, () => {
          endAll(
            once,
            () =>
              new TimeoutError('the device went to another node while it was asked, and may have done it'),
          );
        });
      }
      if (anew || at === undefined) {
        const others = [...place.asked].filter((end) => !place.once.has(end));
        endAll(others, () => new DeviceElsewhereError(endpoint));
      }
    }
    this.#options.presence?.released(id);
  }

  /** What is under way by the former registration is known by the new one too. */
  #inherit(place: Place, former: string, id: string): void {
    const own = this.#places.get(id);
    if (own === undefined) {
      for (const older of place.ids) if (older !== former) this.#remove(older, place);
      this.#settle(id, place);
      return;
    }
    // Somebody knew of the new registration before it was told here.
    place.once = own.once;
    for (const end of place.asked) own.asked.add(end);
    place.asked = own.asked;
    own.target.follow({
      movedTo: (to) => {
        place.target.moveTo(to);
        return () => undefined;
      },
      heard: () => place.target.heard(),
    });
  }

  #enter({ id, address, addressLost = false }: Registration): Place {
    const known = this.#places.get(id);
    const usable =
      known !== undefined && (known.users > 0 || this.#options.clock.now() - known.movedAt < RECENT);
    const place = usable ? known : this.#settle(id, { ...newPlace(address), lost: addressLost });
    place.users++;
    return place;
  }

  #leave(place: Place): void {
    place.users--;
    if (this.#options.clock.now() - place.movedAt >= RECENT) this.#forget(place);
  }

  /** Drops what was kept for moves that are no longer recent. */
  #sweep(now: number): void {
    for (const place of this.#moved) {
      if (now - place.movedAt < RECENT) return;
      this.#moved.delete(place);
      this.#forget(place);
    }
  }

  #settle(id: string, place: Place): Place {
    place.ids.add(id);
    this.#places.set(id, place);
    return place;
  }

  #forget(place: Place): void {
    if (place.users > 0) return;
    this.#moved.delete(place);
    for (const id of place.ids) this.#remove(id, place);
  }

  #remove(id: string, place: Place): void {
    place.ids.delete(id);
    if (this.#places.get(id) === place) this.#places.delete(id);
  }
}

/**
 * Resolves where the device answers the probe, and where it is heard otherwise meanwhile: one that comes from
 * another address has spoken just now, and so has one that has registered anew.
 */
function answeredOrHeard(
  target: RequestTarget,
  probe: (at: PeerAddress) => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      target.unfollow(follower);
      signal?.removeEventListener('abort', aborted);
    };
    const done = (): void => {
      leave();
      resolve();
    };
    const failed = (error: unknown): void => {
      leave();
      reject(error);
    };
    const aborted = (): void => failed(signal?.reason);
    const follower = { movedTo: () => done, heard: done };
    target.follow(follower);
    signal?.addEventListener('abort', aborted);
    probe(target.address).then(done, failed);
  });
}

function endAll(asked: Iterable<AbortController>, reason: () => Error): void {
  // The last first: one that ends would let the next go out.
  for (const end of [...asked].reverse()) end.abort(reason());
}

function newPlace(address: PeerAddress): Place {
  const target = new RequestTarget(address);
  return {
    target,
    ids: new Set(),
    users: 0,
    movedAt: Number.NEGATIVE_INFINITY,
    lost: false,
    asked: new Set(),
    once: new Set(),
  };
}
