/** What one device may send: a bucket that fills at `rate` a second, up to `burst`. */
export class PacketAllowance {
  readonly #rate: number;
  readonly #burst: number;
  #left: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(rate: number, burst: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#left = burst;
  }

  /**
   * False where there is nothing left.
   * @param now ms, monotonic
   */
  take(now: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, ((now - this.#at) / 1000) * this.#rate));
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
