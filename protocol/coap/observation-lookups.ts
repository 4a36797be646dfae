import type { PeerIdentity } from './datagram-port.ts';
import type { Seen } from './deduplication.ts';
import type { ObservationResolver, ResolvedObservation } from './exchange.ts';
import type { CoapMessage } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import type { Observations } from './observations.ts';
import type { Peer } from './peer.ts';

/** Notifications that wait for what their token means: of one token, and of all together. */
const MAX_WAITING_PER_TOKEN = 16;
const MAX_WAITING = 4_096;

interface Waiting {
  readonly message: CoapMessage;
  readonly from: Peer;
  readonly identity: PeerIdentity | undefined;
  readonly seen: Seen;
  readonly generation: number;
}

/** Asks who observes with tokens that nobody here holds, as after a restart. */
export class ObservationLookups {
  readonly #layer: MessageLayer;
  readonly #observations: Observations;
  readonly #resolve: ObservationResolver;
  readonly #onFault: (error: unknown) => void;
  readonly #waiting = new Map<string, Waiting[]>();
  #total = 0;

  constructor(
    layer: MessageLayer,
    observations: Observations,
    resolve: ObservationResolver,
    onFault: (error: unknown) => void,
  ) {
    this.#layer = layer;
    this.#observations = observations;
    this.#resolve = resolve;
    this.#onFault = onFault;
  }

  take(
    token: string,
    message: CoapMessage,
    from: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
  ): void {
    const known = this.#waiting.get(token);
    if (this.#total >= MAX_WAITING || (known !== undefined && known.length >= MAX_WAITING_PER_TOKEN)) {
      this.#layer.statistics.refused++;
      from.seen?.forget(seen);
      return;
    }
    this.#total++;
    const waiting: Waiting = { message, from, identity, seen, generation: seen.generation };
    if (known !== undefined) {
      known.push(waiting);
      return;
    }
    const all = [waiting];
    this.#waiting.set(token, all);
    let done = false;
    const finish = (found: ResolvedObservation | 'unknown' | 'unavailable') => {
      if (done) return;
      done = true;
      this.#waiting.delete(token);
      this.#total -= all.length;
      this.#found(token, all, found);
    };
    try {
      this.#resolve(token, from.address, identity, finish);
    } catch (error) {
      finish('unavailable');
      this.#onFault(error);
    }
  }

  #found(
    token: string,
    all: readonly Waiting[],
    found: ResolvedObservation | 'unknown' | 'unavailable',
  ): void {
    let entry = this.#observations.get(token);
    if (entry === undefined && typeof found === 'object') {
      entry = this.#observations.restore(found.key, found.onNotification, found.followPeer ?? true);
    }
    for (const { message, from, identity, seen, generation } of all) {
      if (seen.generation !== generation) continue;
      if (entry !== undefined && this.#observations.take(entry, message, from, identity, seen)) continue;
      if (found === 'unavailable') from.seen?.forget(seen);
      else this.#layer.reject(from, seen);
    }
  }
}
