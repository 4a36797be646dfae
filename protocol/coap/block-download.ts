import { DecodeError } from '../errors.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { ByteBudget } from './byte-budget.ts';
import { type CoapMessage, type CoapOption, OptionNumber } from './message.ts';
import { type Block, findOption, uintOf } from './options.ts';

function equal(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export type DownloadStep = 'next' | 'complete' | 'changed';

/** The client's side of a Block2 transfer (RFC 7959 §2.4): a large response on its way in. */
export class BlockDownload {
  /** The message that the first block came in: the response is its code and options. */
  first: CoapMessage;
  readonly #limit: number;
  readonly #body: BodyBuffer;
  #etag: Uint8Array | undefined;
  #size = 0;

  constructor(first: CoapMessage, budget: ByteBudget, limit: number) {
    this.first = first;
    this.#limit = limit;
    this.#body = new BodyBuffer(budget, limit);
    this.#etag = findOption(first.options, OptionNumber.ETAG)?.value;
    const announced = uintOf(first.options, OptionNumber.SIZE2);
    if (announced !== undefined && announced > limit) {
      throw new DecodeError(`a body of ${announced} bytes: at most ${limit}`);
    }
  }

  /** The block to ask for next, in the size that the peer uses. */
  get wanted(): Block {
    return { number: this.#body.length / this.#size, more: false, size: this.#size };
  }

  /**
   * Takes one block. 'changed': its ETag is another one, so that what is here is of no use (§2.4).
   * @throws DecodeError where it does not follow what is here, or all together is too large.
   */
  append(message: CoapMessage, block: Block): DownloadStep {
    if (message !== this.first) {
      if (!equal(this.#etag, findOption(message.options, OptionNumber.ETAG)?.value)) return 'changed';
      if (message.code !== this.first.code) throw new DecodeError('blocks of responses with different codes');
    }
    const offset = block.number * block.size;
    if (offset !== this.#body.length) {
      throw new DecodeError(`a block at byte ${offset} where byte ${this.#body.length} comes next`);
    }
    const { length } = message.payload;
    if (block.more ? length !== block.size : length > block.size) {
      throw new DecodeError(`${length} bytes in a block of ${block.size}`);
    }
    this.#size = block.size;
    const result = this.#body.append(message.payload);
    if (result === 'too-large') throw new DecodeError(`a body of more than ${this.#limit} bytes`);
    if (result === 'no-memory') throw new DecodeError('too many large bodies are under way');
    return block.more ? 'next' : 'complete';
  }

  /** The options of the whole: those of the first block, without what spoke of blocks. */
  get options(): readonly CoapOption[] {
    return withoutBlocks(this.first.options);
  }

  take(): Uint8Array {
    return this.#body.take();
  }

  clear(): void {
    this.#body.clear();
  }
}

/** The options of a response without those that the endpoint itself has dealt with. */
export function withoutBlocks(options: readonly CoapOption[]): readonly CoapOption[] {
  for (let i = 0; i < options.length; i++) {
    const { number } = options[i] as CoapOption;
    if (number === OptionNumber.BLOCK1 || number === OptionNumber.BLOCK2 || number === OptionNumber.SIZE2) {
      return options.filter(
        (option) =>
          option.number !== OptionNumber.BLOCK1 &&
          option.number !== OptionNumber.BLOCK2 &&
          option.number !== OptionNumber.SIZE2,
      );
    }
  }
  return options;
}
