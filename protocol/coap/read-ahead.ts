/** Datagrams that the event loop hands over in one turn at the most (libuv): where so many come, the kernel may hold more. */
const ONE_READ = 32;
/** Handled in one turn when all is read. */
const HANDLED_PER_TURN = 32;
/** What may wait here: datagrams, and bytes of them. */
const MAX_WAITING = 16_384;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Takes datagrams out of the kernel's buffer before they are handled, where they come faster than they can be handled.
 * That buffer holds some hundred of them by the usual limit of Linux (net.core.rmem_max), and drops the rest of a burst,
 * which then comes again seconds later. Where no more come than one turn reads, each is handled as it comes. The order
 * stays as it was.
 */
export class ReadAhead<Source> {
  readonly #handle: (data: Uint8Array, from: Source) => void;
  readonly #defer: (run: () => void) => void;
  /** Datagrams of this turn; while they are handled as they come, since it was last looked whether more come than that. */
  #taken = 0;
  #isReading = false;
  /** They may have come in several turns: whether more come than one reads, the next turn tells. */
  #isFirstTurn = false;
  #waiting: { readonly data: Uint8Array; readonly from: Source }[] = [];
  /** The first of them that is not handled. */
  #next = 0;
  #bytes = 0;

  /** @param defer has something run in the next turn of the event loop, behind what is read in this one */
  constructor(
    handle: (data: Uint8Array, from: Source) => void,
    defer: (run: () => void) => void = setImmediate,
  ) {
    this.#handle = handle;
    this.#defer = defer;
  }

  take(data: Uint8Array, from: Source): void {
    this.#taken++;
    if (!this.#isReading) {
      if (this.#taken >= ONE_READ) {
        this.#isReading = true;
        this.#isFirstTurn = true;
        this.#taken = 0;
        this.#defer(this.#run);
      }
      this.#handle(data, from);
      return;
    }
    // Full: what comes is read as fast as it is handled, and no faster.
    while (this.#count >= MAX_WAITING || (this.#count > 0 && this.#bytes + data.length > MAX_BYTES))
      this.#handleNext();
    this.#waiting.push({ data, from });
    this.#bytes += data.length;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#bytes = 0;
  }

  get #count(): number {
    return this.#waiting.length - this.#next;
  }

  readonly #run = (): void => {
    const isMore = this.#taken >= ONE_READ;
    const isFirstTurn = this.#isFirstTurn;
    this.#taken = 0;
    this.#isFirstTurn = false;
    if (!isMore) {
      for (let left = Math.min(HANDLED_PER_TURN, this.#count); left > 0; left--) this.#handleNext();
      if (this.#count === 0 && !isFirstTurn) {
        this.#isReading = false;
        return;
      }
    }
    this.#defer(this.#run);
  };

  #handleNext(): void {
    const first = this.#waiting[this.#next++];
    // Its place is given back now and then, for to move the others up each time would cost more than to handle them.
    if (this.#next >= 1_024 || this.#next === this.#waiting.length) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
    if (first === undefined) return;
    this.#bytes -= first.data.length;
    this.#handle(first.data, first.from);
  }
}
