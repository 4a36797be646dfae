/**
 * The server's time on the reader's machine: ages and plots must not lie where the reader's clock is
 * wrong. Times in ms since the epoch.
 */
export class ServerClock {
  readonly #local: () => number;
  #offset = 0;

  constructor(local: () => number = () => Date.now()) {
    this.#local = local;
  }

  now(): number {
    return this.#local() + this.#offset;
  }

  /** `serverNow` was written somewhere between sending the request and receiving its answer. */
  adjust(serverNow: number, sentAt: number, receivedAt: number): void {
    const offset = serverNow - (sentAt + receivedAt) / 2;
    // Within what the way there and back may have cost, the clocks agree: no correction by guess.
    this.#offset = Math.abs(offset) <= (receivedAt - sentAt) / 2 + 1 ? 0 : offset;
  }
}
