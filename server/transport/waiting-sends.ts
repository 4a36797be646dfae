import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';

/** Datagrams that wait for a session, each and all together. */
const MOST_FOR_ONE = 8;
const MOST = 1_024;

export interface WaitingSendsOptions {
  /** Makes the session ready, or sends elsewhere what is given. */
  readonly prepare: (peer: PeerAddress) => Promise<'here' | 'elsewhere' | 'nowhere'>;
  readonly here: (data: Uint8Array, peer: PeerAddress) => void;
  readonly elsewhere: (data: Uint8Array, peer: PeerAddress) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * What is to be sent in sessions that are not in memory, as to a device that was silent since the server was started:
 * it waits until it is known where the session is. Beyond a bound it is lost, as on any network.
 */
export class WaitingSends {
  readonly #options: WaitingSendsOptions;
  readonly #waiting = new Map<PeerAddress, Uint8Array[]>();
  #count = 0;

  constructor(options: WaitingSendsOptions) {
    this.#options = options;
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    const waiting = this.#waiting.get(peer);
    if (this.#count >= MOST || (waiting?.length ?? 0) >= MOST_FOR_ONE) return;
    this.#count++;
    if (waiting !== undefined) {
      waiting.push(data);
      return;
    }
    this.#waiting.set(peer, [data]);
    this.#options.prepare(peer).then(
      (where) => this.#done(peer, where),
      (error: unknown) => {
        this.#done(peer, 'nowhere');
        this.#options.onError(error);
      },
    );
  }

  #done(peer: PeerAddress, where: 'here' | 'elsewhere' | 'nowhere'): void {
    const waiting = this.#waiting.get(peer) ?? [];
    this.#waiting.delete(peer);
    this.#count -= waiting.length;
    if (where === 'nowhere') return;
    const send = where === 'here' ? this.#options.here : this.#options.elsewhere;
    for (const data of waiting) send(data, peer);
  }
}
