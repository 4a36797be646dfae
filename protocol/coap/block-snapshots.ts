import { hash } from 'node:crypto';
import { type BlockTransfers, Transfer } from './block-transfers.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { OutgoingResponse } from './exchange.ts';
import { type CoapOption, Code, OptionNumber } from './message.ts';
import { type Block, blockOption, hasOption, uintOption } from './options.ts';
import type { Peer } from './peer.ts';

const NO_BYTES = new Uint8Array(0);
const ETAG_LENGTH = 8;
/** Block numbers have 20 bits (RFC 7959 §2.2): beyond it a body can only be had in larger blocks. */
const MAX_BLOCK_NUMBER = (1 << 20) - 1;

/** A response as it goes into one message. */
export interface BlockResponse {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

/** A large answer that is had block by block. */
export class BlockBody {
  readonly response: OutgoingResponse;
  readonly #options: readonly CoapOption[];
  readonly #preferredSize: number;
  /** The byte after the block that was given last: where who reads it in order goes on. */
  next = 0;

  constructor(response: OutgoingResponse, preferredSize: number) {
    const { options = [], payload = NO_BYTES } = response;
    this.response = response;
    this.#options = hasOption(options, OptionNumber.ETAG)
      ? options
      : // §2.4: an ETag lets the client see whether its blocks are of one representation.
        [
          ...options,
          { number: OptionNumber.ETAG, value: hash('sha256', payload, 'buffer').subarray(0, ETAG_LENGTH) },
        ];
    this.#preferredSize = preferredSize;
  }

  get length(): number {
    return this.response.payload?.length ?? 0;
  }

  slice(asked: Block): BlockResponse {
    const { code, payload = NO_BYTES } = this.response;
    // §2.4: the server may answer in a smaller size; the number is then of that size.
    const size = Math.min(asked.size, this.#preferredSize);
    const offset = asked.number * asked.size;
    if ((offset >= payload.length && offset > 0) || offset / size > MAX_BLOCK_NUMBER) {
      return { code: Code.BAD_REQUEST, options: [], payload: NO_BYTES };
    }
    const more = offset + size < payload.length;
    const blockOptions = [
      ...this.#options,
      blockOption(OptionNumber.BLOCK2, { number: offset / size, more, size }),
    ];
    if (offset === 0) blockOptions.push(uintOption(OptionNumber.SIZE2, payload.length));
    this.next = offset + size;
    return { code, options: blockOptions, payload: payload.subarray(offset, offset + size) };
  }
}

class Snapshot extends Transfer {
  readonly body: BlockBody;
  readonly #budget: ByteBudget;

  constructor(body: BlockBody, budget: ByteBudget) {
    super();
    this.body = body;
    this.#budget = budget;
  }

  override dispose(): void {
    this.#budget.give(this.body.length);
  }
}

/** The keys that the body of a notification is kept under: beside an answer to the same request, not in its place. */
const notified = (key: string) => `notified|${key}`;

/**
 * The server's side of Block2 (RFC 7959 §2.4): a large answer is kept for the peer that asked, so that
 * its blocks fit together and its handler ran once. Blocks may be asked for in any order and size.
 *
 * A request for a further block does not say whether it is of an answer or of a notification (§2.6), and
 * both may be under way at once. It is taken for the one whose next block that is; who gets a block of the
 * other sees that by its ETag, and has his own by asking again.
 */
export class BlockSnapshots {
  readonly #transfers: BlockTransfers;
  readonly #budget: ByteBudget;
  readonly #preferredSize: number;

  constructor(transfers: BlockTransfers, budget: ByteBudget, preferredSize: number) {
    this.#transfers = transfers;
    this.#budget = budget;
    this.#preferredSize = preferredSize;
  }

  /** One further block of a body that is kept, or of `underWay`, notifications' that are not acknowledged; undefined where none is. */
  further(
    peer: Peer,
    keys: readonly string[],
    block: Block,
    underWay: readonly BlockBody[],
  ): { readonly response: BlockResponse; readonly body: BlockBody } | undefined {
    const kept = [...keys, ...keys.map(notified)]
      .map((key) => this.#transfers.get(peer, key))
      .filter((transfer) => transfer instanceof Snapshot);
    const bodies = [...kept.map(({ body }) => body), ...underWay];
    const offset = block.number * block.size;
    const body =
      bodies.find(({ next, length }) => next === offset && next < length) ??
      bodies.find(({ next, length }) => next < length) ??
      bodies[0];
    if (body === undefined) return undefined;
    for (const snapshot of kept) if (snapshot.body === body) this.#transfers.touch(snapshot);
    return { response: body.slice(block), body };
  }

  /**
   * The message for a new answer: the whole of it where it fits, else the block that was asked for
   * (the first unless told), the rest kept under `keys`.
   */
  first(
    peer: Peer,
    keys: readonly string[],
    response: OutgoingResponse,
    asked: Block | undefined,
  ): BlockResponse {
    const { body, ...message } = this.begin(response, asked);
    if (body !== undefined) this.#keep(peer, keys, body);
    return message;
  }

  /** As `first`, but the body is the caller's to keep; undefined where the message is all. */
  begin(
    response: OutgoingResponse,
    asked: Block | undefined,
  ): BlockResponse & { readonly body: BlockBody | undefined } {
    const { code, options = [], payload = NO_BYTES } = response;
    const size = Math.min(asked?.size ?? this.#preferredSize, this.#preferredSize);
    if (payload.length <= size && (asked === undefined || asked.number === 0)) {
      return { code, options, payload, body: undefined };
    }
    const body = new BlockBody(response, this.#preferredSize);
    return { ...body.slice(asked ?? { number: 0, more: false, size }), body };
  }

  /** Keeps the body of a notification that is not sent again, for the blocks that are asked for from now on. */
  keepNotified(peer: Peer, keys: readonly string[], body: BlockBody): void {
    this.#keep(peer, keys.map(notified), body);
  }

  /** A newer notification is under way: what is kept of one before it is out of date. */
  forgetNotified(peer: Peer, keys: readonly string[]): void {
    for (const key of keys) {
      const transfer = this.#transfers.get(peer, notified(key));
      if (transfer !== undefined) this.#transfers.remove(transfer);
    }
  }

  #keep(peer: Peer, keys: readonly string[], body: BlockBody): void {
    for (const key of keys) {
      while (!this.#budget.take(body.length)) if (!this.#transfers.displaceIdlest()) return;
      this.#transfers.add(peer, key, new Snapshot(body, this.#budget));
    }
  }
}
