import type { Clock } from '../../protocol/clock.ts';
import { type CardPresence, type CardTransport, CardTransportError } from './card-transport.ts';

/** How long a card may take for one APDU, ms: longer than the slowest of them works, generating keys included. */
export const defaultCardDeadline = 10_000;

/**
 * A card, or a reader, that never answers must not hold up a modem for ever: what is asked of the transport ends
 * within a deadline. After a silence the card's state is unknown, so that nothing else is sent before a reset, or a
 * new connection, has worked; what the card says too late is dropped.
 */
export class BoundedTransport implements CardTransport {
  readonly #transport: CardTransport;
  readonly #clock: Clock;
  readonly #deadline: number;
  /** What was not answered, until the card is up again. */
  #silence: string | undefined;

  /** `deadline`: ms for each call. */
  constructor(transport: CardTransport, clock: Clock, deadline = defaultCardDeadline) {
    this.#transport = transport;
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /** @throws CardAbsentError, CardTransportError */
  async connect(): Promise<Uint8Array> {
    const atr = await this.#within('to being powered up', () => this.#transport.connect());
    this.#silence = undefined;
    return atr;
  }

  /** @throws CardAbsentError, CardTransportError */
  transmit(command: Uint8Array): Promise<Uint8Array> {
    if (this.#silence !== undefined) return Promise.reject(new CardTransportError(this.#silence));
    return this.#within('', () => this.#transport.transmit(command));
  }

  /** @throws CardAbsentError, CardTransportError */
  async reset(): Promise<Uint8Array> {
    const atr = await this.#within('to a reset', () => this.#transport.reset());
    this.#silence = undefined;
    return atr;
  }

  close(): Promise<void> {
    return this.#within('to being closed', () => this.#transport.close());
  }

  /** Tells nothing where the transport cannot. */
  subscribe(listener: (presence: CardPresence) => void): () => void {
    return this.#transport.subscribe?.(listener) ?? (() => {});
  }

  #within<T>(what: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#deadline, () => {
        const to = what === '' ? '' : ` ${what}`;
        this.#silence = `the card did not answer${to} within ${this.#deadline / 1_000} s`;
        reject(new CardTransportError(this.#silence));
      });
      const ended = (): void => timer.cancel();
      // Also what throws at once is an answer.
      new Promise<T>((begun) => begun(work())).finally(ended).then(resolve, reject);
    });
  }
}
