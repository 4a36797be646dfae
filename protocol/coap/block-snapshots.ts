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

class Snapshot extends Transfer {
  readonly response: OutgoingResponse;
  readonly options: readonly CoapOption[];
  readonly #budget: ByteBudget;

  constructor(response: OutgoingResponse, options: readonly CoapOption[], budget: ByteBudget) {
    super();
    this.response = response;
    this.options = options;
    this.#budget = budget;
  }

  override dispose(): void {
    this.#budget.give(this.response.payload?.length ?? 0);
  }
}

/** A response as it goes into one message. */
export interface BlockResponse {
  readonly code: Code;
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

/**
 * The server's side of Block2 (RFC 7959 §2.4): a large answer is kept for the peer that asked, so that
 * its blocks fit together and its handler ran once. Blocks may be asked for in any order and size.
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

  /** One further block of an answer that is kept; undefined where none is. */
  further(peer: Peer, key: string, block: Block): BlockResponse | undefined {
    const snapshot = this.#transfers.get(peer, key);
    if (!(snapshot instanceof Snapshot)) return undefined;
    this.#transfers.touch(snapshot);
    return this.#slice(snapshot.response, snapshot.options, block);
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
    const payload = response.payload ?? NO_BYTES;
    const size = Math.min(asked?.size ?? this.#preferredSize, this.#preferredSize);
    const options = response.options ?? [];
    if (payload.length <= size && (asked === undefined || asked.number === 0)) {
      return { code: response.code, options, payload };
    }
    const tagged = hasOption(options, OptionNumber.ETAG)
      ? options
      : // §2.4: an ETag lets the client see whether its blocks are of one representation.
        [
          ...options,
          { number: OptionNumber.ETAG, value: hash('sha256', payload, 'buffer').subarray(0, ETAG_LENGTH) },
        ];
    for (const key of keys) this.#keep(peer, key, response, tagged, payload.length);
    return this.#slice(response, tagged, asked ?? { number: 0, more: false, size });
  }

  #keep(
    peer: Peer,
    key: string,
    response: OutgoingResponse,
    options: readonly CoapOption[],
    length: number,
  ): void {
    while (!this.#budget.take(length)) if (!this.#transfers.displaceIdlest()) return;
    this.#transfers.add(peer, key, new Snapshot(response, options, this.#budget));
  }

  #slice(response: OutgoingResponse, options: readonly CoapOption[], asked: Block): BlockResponse {
    const payload = response.payload ?? NO_BYTES;
    // §2.4: the server may answer in a smaller size; the number is then of that size.
    const size = Math.min(asked.size, this.#preferredSize);
    const offset = asked.number * asked.size;
    if ((offset >= payload.length && offset > 0) || offset / size > MAX_BLOCK_NUMBER) {
      return { code: Code.BAD_REQUEST, options: [], payload: NO_BYTES };
    }
    const more = offset + size < payload.length;
    const blockOptions = [
      ...options,
      blockOption(OptionNumber.BLOCK2, { number: offset / size, more, size }),
    ];
    if (offset === 0) blockOptions.push(uintOption(OptionNumber.SIZE2, payload.length));
    return { code: response.code, options: blockOptions, payload: payload.subarray(offset, offset + size) };
  }
}
