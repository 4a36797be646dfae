import { createHash } from 'node:crypto';

/**
 * All messages of a handshake so far, each as if it had been sent in one fragment (RFC 6347 §4.2.6), without the exchange of
 * cookies.
 */
export class Transcript {
  readonly #messages: Uint8Array[] = [];

  /** Adds a message with its header of 12 bytes. */
  add(message: Uint8Array): void {
    this.#messages.push(message);
  }

  /** The hash of all that was added, by node:crypto's name of the algorithm. */
  hash(algorithm = 'sha256'): Uint8Array {
    const hash = createHash(algorithm);
    for (const message of this.#messages) hash.update(message);
    return hash.digest();
  }

  /** All that was added, in one: signatures are made over it (RFC 5246 §7.4.8). */
  bytes(): Uint8Array {
    return Buffer.concat(this.#messages);
  }
}
