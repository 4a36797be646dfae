import { DecodeError } from '../errors.ts';
import { decodeMessage } from './codec.ts';
import type { PeerIdentity } from './datagram-port.ts';
import type { Seen } from './deduplication.ts';
import type { StrayDatagram, StrayForwarder } from './exchange.ts';
import { type CoapMessage, MessageType } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import type { Peer } from './peer.ts';

/** What an ACK, an RST or a response says; undefined for anything else, which is never another process's. */
export function decodeStray(data: Uint8Array): CoapMessage | undefined {
  try {
    const message = decodeMessage(data);
    const { type } = message;
    const codeClass = message.code >> 5;
    const isStray =
      type === MessageType.ACK || type === MessageType.RST || (codeClass >= 2 && codeClass <= 5);
    return isStray ? message : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Responses that wait for whether another process takes them, all together. */
const MAX_WAITING = 4_096;

/** Offers to other processes what is theirs, and goes on with what they do not take. */
export class Strays {
  readonly #layer: MessageLayer;
  readonly #forwarder: StrayForwarder;
  readonly #prefix: Uint8Array;
  readonly #onFault: (error: unknown) => void;
  #waiting = 0;

  constructor(
    layer: MessageLayer,
    forwarder: StrayForwarder,
    prefix: Uint8Array,
    onFault: (error: unknown) => void,
  ) {
    this.#layer = layer;
    this.#forwarder = forwarder;
    this.#prefix = prefix;
    this.#onFault = onFault;
  }

  /** Whether another process may have made that token. */
  isForeign(token: Uint8Array): boolean {
    return token.length > 0 && !this.#prefix.every((byte, at) => byte === token[at]);
  }

  reply(messageId: number, stray: StrayDatagram): void {
    this.#layer.statistics.forwarded++;
    try {
      this.#forwarder.reply(messageId, stray);
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** Calls `otherwise` where nobody else takes it; not where it went out of date meanwhile. */
  response(
    message: CoapMessage,
    data: Uint8Array,
    from: Peer,
    identity: PeerIdentity | undefined,
    seen: Seen,
    otherwise: () => void,
  ): void {
    if (this.#waiting >= MAX_WAITING) {
      this.#layer.statistics.refused++;
      from.seen?.forget(seen);
      return;
    }
    const { generation } = seen;
    this.#waiting++;
    let decided = false;
    const done = (taken: boolean): void => {
      if (decided) return;
      decided = true;
      this.#waiting--;
      if (seen.generation !== generation) return;
      if (!taken) {
        otherwise();
        return;
      }
      this.#layer.statistics.forwarded++;
      // Who took it answers it. A duplicate of it goes the same way, for that one's memory of duplicates.
      from.seen?.forget(seen);
    };
    try {
      this.#forwarder.response(message.token, { data, peer: from.address, identity }, done);
    } catch (error) {
      done(false);
      this.#onFault(error);
    }
  }
}
