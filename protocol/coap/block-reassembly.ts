import { type BlockTransfers, Transfer } from './block-transfers.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { OutgoingResponse } from './exchange.ts';
import { type CoapMessage, type CoapOption, Code, OptionNumber } from './message.ts';
import { type Block, blockOption, uintOf, uintOption } from './options.ts';
import type { Peer } from './peer.ts';

/** Seconds after which a client may try again whose transfer found no memory. */
const RETRY_AFTER = 10;

class Reassembly extends Transfer {
  readonly body: BodyBuffer;

  constructor(body: BodyBuffer) {
    super();
    this.body = body;
  }

  override dispose(): void {
    this.body.clear();
  }
}

/** What one Block1 message leads to: the whole body, or an answer to this block alone. */
export type ReassemblyResult =
  | { readonly body: Uint8Array; readonly answer: CoapOption }
  | { readonly response: OutgoingResponse };

/** The server's side of Block1 (RFC 7959 §2.3, §2.5): request bodies are handed on whole, or not at all. */
export class BlockReassembly {
  readonly #transfers: BlockTransfers;
  readonly #budget: ByteBudget;
  readonly #maxBodySize: number;
  readonly #preferredSize: number;

  constructor(transfers: BlockTransfers, budget: ByteBudget, maxBodySize: number, preferredSize: number) {
    this.#transfers = transfers;
    this.#budget = budget;
    this.#maxBodySize = maxBodySize;
    this.#preferredSize = preferredSize;
  }

  take(peer: Peer, key: string, message: CoapMessage, block: Block): ReassemblyResult {
    const { payload } = message;
    // §2.3: what we answer names the same block, in our size if that is smaller.
    const size = Math.min(block.size, this.#preferredSize);
    const answer = blockOption(OptionNumber.BLOCK1, { number: block.number, more: block.more, size });
    if (block.more ? payload.length !== block.size : payload.length > block.size) {
      return refusal(Code.BAD_REQUEST, answer);
    }
    const known = this.#transfers.get(peer, key);
    let transfer = known instanceof Reassembly ? known : undefined;
    if (block.number === 0) {
      const announced = uintOf(message.options, OptionNumber.SIZE1);
      if (announced !== undefined && announced > this.#maxBodySize) return this.#tooLarge();
      if (!block.more) {
        if (transfer !== undefined) this.#transfers.remove(transfer);
        return { body: payload, answer };
      }
      transfer = new Reassembly(new BodyBuffer(this.#budget, this.#maxBodySize));
      this.#transfers.add(peer, key, transfer);
    }
    if (transfer === undefined) return refusal(Code.REQUEST_ENTITY_INCOMPLETE, answer);
    const { body } = transfer;
    const offset = block.number * block.size;
    if (block.more && block.number > 0 && offset + payload.length === body.length) {
      // The block before, once more under a new message id: its answer was lost for good.
      return { response: { code: Code.CONTINUE, options: [answer] } };
    }
    if (offset !== body.length) {
      this.#transfers.remove(transfer);
      return refusal(Code.REQUEST_ENTITY_INCOMPLETE, answer);
    }
    if (block.number > 0) this.#transfers.touch(transfer);
    let result = body.append(payload);
    while (result === 'no-memory' && this.#transfers.displaceIdlest(transfer)) result = body.append(payload);
    if (result !== 'ok') {
      this.#transfers.remove(transfer);
      return result === 'too-large' ? this.#tooLarge() : noMemory();
    }
    if (block.more) return { response: { code: Code.CONTINUE, options: [answer] } };
    const whole = body.take();
    this.#transfers.remove(transfer);
    return { body: whole, answer };
  }

  /**
   * §2.9.3: 4.13 tells in Size1 how much would be taken. It carries no Block1: a smaller block size
   * would not help.
   */
  #tooLarge(): ReassemblyResult {
    return {
      response: {
        code: Code.REQUEST_ENTITY_TOO_LARGE,
        options: [uintOption(OptionNumber.SIZE1, this.#maxBodySize)],
      },
    };
  }
}

function refusal(code: Code, answer: CoapOption): ReassemblyResult {
  return { response: { code, options: [answer] } };
}

function noMemory(): ReassemblyResult {
  return {
    response: { code: Code.SERVICE_UNAVAILABLE, options: [uintOption(OptionNumber.MAX_AGE, RETRY_AFTER)] },
  };
}
