import { DecodeError } from '../errors.ts';
import type { BlockReassembly } from './block-reassembly.ts';
import type { BlockSnapshots } from './block-snapshots.ts';
import { bodyKey, transferKey } from './block-transfers.ts';
import { unrecognisedCritical } from './critical-options.ts';
import type { PeerIdentity } from './datagram-port.ts';
import type { Seen } from './deduplication.ts';
import type { OutgoingResponse, RequestHandler } from './exchange.ts';
import { type CoapMessage, Code, MessageType, OptionNumber } from './message.ts';
import type { MessageLayer } from './message-layer.ts';
import type { Observers } from './observers.ts';
import { type Block, blockOf, observe as observeOf } from './options.ts';
import type { Peer } from './peer.ts';
import { type BlockContext, type ServerContext, ServerExchange } from './server-exchange.ts';

/** The server role: from a request's message to the handler, whole and once. */
export class ServerRequests implements ServerContext {
  readonly layer: MessageLayer;
  readonly observers: Observers;
  readonly snapshots: BlockSnapshots;
  readonly #reassembly: BlockReassembly;
  readonly #handler: RequestHandler;
  readonly #onFault: (error: unknown) => void;

  constructor(
    layer: MessageLayer,
    observers: Observers,
    snapshots: BlockSnapshots,
    reassembly: BlockReassembly,
    handler: RequestHandler,
    onFault: (error: unknown) => void,
  ) {
    this.layer = layer;
    this.observers = observers;
    this.snapshots = snapshots;
    this.#reassembly = reassembly;
    this.#handler = handler;
    this.#onFault = onFault;
  }

  take(peer: Peer, message: CoapMessage, identity: PeerIdentity | undefined, seen: Seen): void {
    const { options } = message;
    if (unrecognisedCritical(options) !== undefined) {
      // §5.4.1: 4.02 to a confirmable request; a NON is rejected.
      if (message.type === MessageType.CON) this.#refuse(peer, message, seen, { code: Code.BAD_OPTION });
      else this.layer.reject(peer, seen);
      return;
    }
    let observe: number | undefined;
    let hasBlocks = false;
    for (let i = 0; i < options.length; i++) {
      const number = options[i]?.number;
      if (number === OptionNumber.OBSERVE) observe = observeOf(options);
      else if (number === OptionNumber.BLOCK1 || number === OptionNumber.BLOCK2) hasBlocks = true;
      else if (number === OptionNumber.PROXY_URI || number === OptionNumber.PROXY_SCHEME) {
        this.#refuse(peer, message, seen, { code: Code.PROXYING_NOT_SUPPORTED });
        return;
      }
    }
    if (observe !== undefined) observe = this.#observing(peer, message, observe);
    if (!hasBlocks) this.#handle(peer, message, message.payload, identity, seen, observe, undefined);
    else this.#takeBlocks(peer, message, identity, seen, observe);
  }

  /** Ends what the client ends, and drops an Observe option that cannot be honoured (RFC 7641 §2, §4.1). */
  #observing(peer: Peer, message: CoapMessage, observe: number): number | undefined {
    if (message.code !== Code.GET && message.code !== Code.FETCH) return undefined;
    if (observe === 1) {
      this.observers.get(peer, message.token)?.finish('deregistered');
      return 1;
    }
    return observe === 0 && this.observers.hasRoom(peer, message.token) ? 0 : undefined;
  }

  #takeBlocks(
    peer: Peer,
    message: CoapMessage,
    identity: PeerIdentity | undefined,
    seen: Seen,
    observe: number | undefined,
  ): void {
    let block1: Block | undefined;
    let asked: Block | undefined;
    try {
      block1 = blockOf(message.options, OptionNumber.BLOCK1);
      asked = blockOf(message.options, OptionNumber.BLOCK2);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // RFC 7959 §2.2: the reserved block size is answered 4.00.
      this.#refuse(peer, message, seen, { code: Code.BAD_REQUEST });
      return;
    }
    let payload = message.payload;
    let answer: BlockContext['answer'];
    // With Block1 and a Block2 beyond the first, the body has been here before (RFC 7959 §3.3).
    if (block1 !== undefined && (asked === undefined || asked.number === 0)) {
      const result = this.#reassembly.take(peer, transferKey(message), message, block1);
      if ('response' in result) {
        this.#refuse(peer, message, seen, result.response);
        return;
      }
      payload = result.body;
      answer = result.answer;
    }
    if (asked !== undefined && asked.number > 0) {
      const keys = this.bodyKeys(message, payload);
      const notifying = this.observers.notifying(peer, keys);
      const underWay = notifying.flatMap(({ body }) => body ?? []);
      const further = this.snapshots.further(peer, keys, asked, underWay);
      if (further !== undefined) {
        for (const entry of notifying) if (entry.body === further.body) entry.beingRead();
        this.#refuse(peer, message, seen, further.response);
        return;
      }
      if (message.code !== Code.GET && message.code !== Code.FETCH) {
        // Answering would do again what was done: the answer is gone (RFC 7959 §2.7).
        this.#refuse(peer, message, seen, { code: Code.REQUEST_ENTITY_INCOMPLETE });
        return;
      }
    }
    this.#handle(peer, message, payload, identity, seen, observe, { answer, asked });
  }

  /** What the further blocks of the answer may be asked for by: with the body of a FETCH, and without. */
  bodyKeys(message: CoapMessage, payload: Uint8Array): readonly string[] {
    const key = transferKey(message);
    const withBody = bodyKey(key, message.code, payload);
    return withBody === key ? [key] : [withBody, key];
  }

  /** Answers without asking the handler. */
  #refuse(peer: Peer, message: CoapMessage, seen: Seen, response: OutgoingResponse): void {
    new ServerExchange(this, message, message.payload, peer, undefined, seen, undefined, undefined).respond(
      response,
    );
  }

  #handle(
    peer: Peer,
    message: CoapMessage,
    payload: Uint8Array,
    identity: PeerIdentity | undefined,
    seen: Seen,
    observe: number | undefined,
    blocks: BlockContext | undefined,
  ): void {
    const exchange = new ServerExchange(this, message, payload, peer, identity, seen, observe, blocks);
    try {
      this.#handler(exchange);
    } catch (error) {
      this.#onFault(error);
      if (!exchange.answered) exchange.respond({ code: Code.INTERNAL_SERVER_ERROR });
      return;
    }
    if (!exchange.answered && exchange.confirmable) {
      this.layer.deadlines.set(exchange, this.layer.parameters.ackDelay);
    }
  }
}
