import { encodeHandshakeMessage, type HandshakeFragment } from '../messages/handshake-fragment.ts';

/** Messages that may come before the one that is next. */
const AHEAD = 8;
/** Parts of a message that lie apart from each other. */
const MOST_PARTS = 64;

/** A handshake message that is complete. */
export interface HandshakeMessage {
  readonly type: number;
  readonly sequence: number;
  readonly body: Uint8Array;
  /** With its header, as if it had been sent in one fragment: what the transcript takes. */
  readonly whole: Uint8Array;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

interface Partial {
  readonly type: number;
  readonly body: Buffer;
  /** What has come, in order, without overlap or contact. */
  parts: readonly Range[];
}

/**
 * Puts the messages of a handshake together and in order (RFC 6347 §4.2.2, §4.2.3). Fragments may come in any order, overlap, and
 * come again; what has come first stays. Bounded: what is too long or too far ahead is not kept, and comes again.
 */
export class Reassembly {
  readonly #maxMessage: number;
  readonly #partials = new Map<number, Partial>();
  #bytes = 0;
  #next: number;

  /** `next`: the number of the first message that is awaited. All messages together may wait with twice `maxMessage` bytes. */
  constructor(maxMessage: number, next: number) {
    this.#maxMessage = maxMessage;
    this.#next = next;
  }

  /** The number of the message that is awaited. */
  get next(): number {
    return this.#next;
  }

  /** False where the fragment is of a message that was taken before: the peer sends again. */
  add({ type, length, messageSeq: sequence, fragmentOffset, fragment }: HandshakeFragment): boolean {
    if (sequence < this.#next) return false;
    if (sequence >= this.#next + AHEAD || length > this.#maxMessage) return true;
    let partial = this.#partials.get(sequence);
    if (partial === undefined) {
      if (this.#bytes + length > 2 * this.#maxMessage) return true;
      partial = { type, body: Buffer.alloc(length), parts: [] };
      this.#bytes += length;
      this.#partials.set(sequence, partial);
    }
    if (partial.type === type && partial.body.length === length) fill(partial, fragmentOffset, fragment);
    return true;
  }

  /** The next message, once all of it is there. */
  take(): HandshakeMessage | undefined {
    const sequence = this.#next;
    const partial = this.#partials.get(sequence);
    if (partial === undefined) return undefined;
    const { type, body, parts } = partial;
    const [first] = parts;
    if (body.length > 0 && (first?.from !== 0 || first.to !== body.length)) return undefined;
    this.#partials.delete(sequence);
    this.#bytes -= body.length;
    this.#next++;
    return { type, sequence, body, whole: encodeHandshakeMessage(type, sequence, body) };
  }

  clear(): void {
    this.#partials.clear();
    this.#bytes = 0;
  }
}

/** Copies what is not there yet. */
function fill(partial: Partial, offset: number, data: Uint8Array): void {
  const end = offset + data.length;
  const parts: Range[] = [];
  let from = offset;
  let to = end;
  let at = offset;
  for (const part of partial.parts) {
    if (part.to < offset || part.from > end) {
      parts.push(part);
      continue;
    }
    if (part.from > at) partial.body.set(data.subarray(at - offset, part.from - offset), at);
    at = Math.max(at, part.to);
    from = Math.min(from, part.from);
    to = Math.max(to, part.to);
  }
  if (parts.length >= MOST_PARTS) return;
  if (at < end) partial.body.set(data.subarray(at - offset), at);
  parts.push({ from, to });
  partial.parts = parts.sort((a, b) => a.from - b.from);
}
