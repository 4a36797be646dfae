/**
 * Bytes that nobody may see by accident: in logs, in JSON, in messages of errors and in a debugger's output it is
 * `[secret]`.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Takes a copy. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** For whoever has to use it; the bytes must not be changed. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
