import { DecodeError } from '../errors.ts';
import { type Code, Code as Codes, isSuccess } from './message.ts';
import type { Block } from './options.ts';

/** What the peer's answer to one block means. */
export type UploadStep = 'next' | 'final';

/** The client's side of a Block1 transfer (RFC 7959 §2.3, §2.5): a large payload on its way out. */
export class BlockUpload {
  readonly #payload: Uint8Array;
  #offset = 0;
  #size: number;

  constructor(payload: Uint8Array, size: number) {
    this.#payload = payload;
    this.#size = size;
  }

  get block(): Block {
    return {
      number: this.#offset / this.#size,
      more: this.#offset + this.#size < this.#payload.length,
      size: this.#size,
    };
  }

  get payload(): Uint8Array {
    return this.#payload.subarray(this.#offset, this.#offset + this.#size);
  }

  get total(): number {
    return this.#payload.length;
  }

  /**
   * Takes the answer to the block that `block` names, and moves on.
   * @throws DecodeError where the answer speaks of another block.
   */
  answered(code: Code, answer: Block | undefined): UploadStep {
    const { number, more, size } = this.block;
    if (code === Codes.REQUEST_ENTITY_TOO_LARGE) {
      // §2.9.3: with a smaller size in Block1 the server invites us to begin again with that.
      if (answer === undefined || answer.size >= size || this.#offset > 0) return 'final';
      this.#size = answer.size;
      return 'next';
    }
    if (!isSuccess(code) || !more) return 'final';
    // An answer without Block1 is one to the whole request; but 2.31 can only mean to go on, and some
    // servers (libcoap's coap-server 4.3) leave the option out of it, against §2.3.
    if (answer === undefined && code !== Codes.CONTINUE) return 'final';
    if (answer !== undefined && answer.number !== number) {
      throw new DecodeError(`an answer to block ${answer.number} where block ${number} was sent`);
    }
    this.#offset += size;
    // §2.5: a smaller size asked for in the answer is taken up from the next block on.
    if (answer !== undefined && answer.size < size) this.#size = answer.size;
    return 'next';
  }
}
