import type { Clock, Timer } from '../../protocol/clock.ts';

/** A stretch of a log, as it was read. */
export interface Block<Item> {
  /** It begins behind this position. */
  readonly after: number;
  /** It is complete up to this one. */
  readonly through: number;
  /** The oldest position that the log kept then. */
  readonly oldest: number;
  readonly items: readonly Item[];
}

/** Blocks that are kept for the next who asks. */
const KEPT_BLOCKS = 8;
/** How long they are kept when nobody asks, ms. */
const KEPT_MS = 2_000;
/** Requests that are served from kept blocks before the event loop gets its turn. */
const SERVED_PER_TURN = 16;

interface Request<Item> {
  readonly after: number;
  readonly resolve: (block: Block<Item>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads a log for many who lag behind it, one read at a time, in the order in which they ask. A block
 * that was read for one serves all whose place is within it, so that a thousand that come back at once
 * cost about as many reads as one.
 */
export class BlockReader<Item> {
  readonly #read: (after: number) => Promise<Block<Item>>;
  readonly #clock: Clock;
  #kept: Block<Item>[] = [];
  #requests: Request<Item>[] = [];
  #serving = false;
  #forget: Timer | undefined;

  constructor(read: (after: number) => Promise<Block<Item>>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** A block that `after` is within: its items up to `after` are to be passed over. */
  blockFor(after: number): Promise<Block<Item>> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ after, resolve, reject });
      if (!this.#serving) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    this.#forget?.cancel();
    let served = 0;
    for (let request = this.#requests.shift(); request !== undefined; request = this.#requests.shift()) {
      const { after, resolve, reject } = request;
      const kept = this.#kept.find((block) => block.after <= after && after < block.through);
      if (kept !== undefined) {
        resolve(kept);
        if (++served % SERVED_PER_TURN === 0) await new Promise(setImmediate);
        continue;
      }
      try {
        const block = await this.#read(after);
        this.#kept.push(block);
        if (this.#kept.length > KEPT_BLOCKS) this.#kept.shift();
        resolve(block);
      } catch (error) {
        reject(error);
      }
    }
    this.#serving = false;
    this.#forget = this.#clock.setTimer(KEPT_MS, () => {
      this.#kept = [];
    });
  }
}
