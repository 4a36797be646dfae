import type { Clock, Timer } from '../../protocol/clock.ts';

/** Records of a session that come by way of the same other node, one after the other, before it gets the session. */
const RECORDS_BEFORE = 32;
/** What is under way with the device has so long to be answered first, ms. */
const PAUSE = 500;
/** Sessions that are counted at once; of more the oldest begin anew. */
const MOST_COUNTED = 4_096;

export interface HandOversOptions {
  readonly clock: Clock;
  /** Gives the session up, and has it in the store when it resolves. */
  readonly release: (id: string) => Promise<void>;
  /** It may be taken from the store now. */
  readonly tell: (node: string, id: string) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * A session whose records come by way of another node again and again, as where the kernel or a balancer has dealt the
 * devices anew, is given to that node: handing on each record would cost more than the record itself.
 */
export class HandOvers {
  readonly #options: HandOversOptions;
  readonly #counts = new Map<string, { readonly node: string; count: number }>();
  readonly #timers = new Map<string, Timer>();
  /** On their way into the store. */
  readonly #leaving = new Set<string>();

  constructor(options: HandOversOptions) {
    this.#options = options;
  }

  /** Nobody may take it, and its records are lost: the device sends them again. */
  isLeaving(id: string): boolean {
    return this.#leaving.has(id);
  }

  /** A record of that session came by way of that node. */
  heard(id: string, node: string): void {
    const counted = this.#counts.get(id);
    if (counted?.node !== node) {
      this.#counts.delete(id);
      this.#counts.set(id, { node, count: 1 });
      const [oldest] = this.#counts.keys();
      if (this.#counts.size > MOST_COUNTED && oldest !== undefined) this.#counts.delete(oldest);
      return;
    }
    counted.count++;
    if (counted.count < RECORDS_BEFORE || this.#timers.has(id)) return;
    this.#timers.set(
      id,
      this.#options.clock.setTimer(PAUSE, () => this.#handOver(id, node)),
    );
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #handOver(id: string, node: string): void {
    const { release, tell, onError } = this.#options;
    this.#timers.delete(id);
    this.#counts.delete(id);
    this.#leaving.add(id);
    release(id)
      .then(() => tell(node, id))
      .catch(onError)
      .finally(() => this.#leaving.delete(id));
  }
}
