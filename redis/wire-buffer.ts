/** Smallest and, from one batch to the next, largest buffer: one that had to grow beyond it is not kept. */
const STARTS_WITH = 65_536;
const LARGEST_KEPT = 4_194_304;
/** Texts up to that length are written by a loop: calling out of JavaScript would take longer. */
const SHORT = 24;
/** Digits of a length, with `$` and two line breaks. */
const FRAME = 24;

/** Keys as they stand on the wire, by the lists that are made once and used again and again. */
const known = new WeakMap<readonly string[], string>();

/** These keys, in this list, are written as a whole from now on. */
export function rememberKeys(keys: readonly string[]): readonly string[] {
  const bulks = keys.map((key) => `$${Buffer.byteLength(key)}\r\n${key}\r\n`).join('');
  // One character for each byte.
  known.set(keys, Buffer.from(bulks).toString('latin1'));
  return keys;
}

/** Commands in the protocol of Redis (RESP), written one after the other into a buffer that is used again. */
export class WireBuffer {
  length = 0;
  #bytes = Buffer.allocUnsafe(STARTS_WITH);

  /** What was written; good until `reset`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
    if (this.#bytes.length > LARGEST_KEPT) this.#bytes = Buffer.allocUnsafe(STARTS_WITH);
  }

  /** What has one character for each byte, as it is. */
  raw(text: string): void {
    this.#reserve(text.length);
    this.length += this.#bytes.write(text, this.length, 'latin1');
  }

  keys(keys: readonly string[]): void {
    const text = known.get(keys);
    if (text !== undefined) this.raw(text);
    else for (let i = 0; i < keys.length; i++) this.bulk(keys[i] as string);
  }

  /** A bulk string; a text is UTF-8. */
  bulk(value: string | number | Uint8Array): void {
    if (typeof value === 'object') this.#bulkBytes(value);
    else this.#bulkText(typeof value === 'string' ? value : String(value));
  }

  #bulkText(text: string): void {
    const { length } = text;
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(FRAME + length * 3);
    const start = this.length;
    this.#head(length);
    if (length <= SHORT) {
      const bytes = this.#bytes;
      let at = this.length;
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) {
          this.#bulkOthers(text, start);
          return;
        }
        bytes[at++] = code;
      }
      this.length = at;
    } else {
      const written = this.#bytes.write(text, this.length, 'utf8');
      if (written !== length) {
        this.#bulkOthers(text, start);
        return;
      }
      this.length += written;
    }
    this.#lineBreak();
  }

  /** Not all of it is ASCII: the length that was written at `start` is not that of its bytes. */
  #bulkOthers(text: string, start: number): void {
    this.length = start;
    this.#bulkBytes(Buffer.from(text, 'utf8'));
  }

  #bulkBytes(bytes: Uint8Array): void {
    this.#reserve(FRAME + bytes.length);
    this.#head(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
    this.#lineBreak();
  }

  #head(length: number): void {
    const bytes = this.#bytes;
    bytes[this.length++] = 0x24;
    if (length < 10) bytes[this.length++] = 0x30 + length;
    else if (length < 100) {
      bytes[this.length++] = 0x30 + Math.floor(length / 10);
      bytes[this.length++] = 0x30 + (length % 10);
    } else this.length += bytes.write(String(length), this.length, 'latin1');
    this.#lineBreak();
  }

  #lineBreak(): void {
    this.#bytes[this.length++] = 0x0d;
    this.#bytes[this.length++] = 0x0a;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return;
    let size = this.#bytes.length * 2;
    while (size < needed) size *= 2;
    const grown = Buffer.allocUnsafe(size);
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}
