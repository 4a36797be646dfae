import { DecodeError } from '../../../protocol/errors.ts';

/**
 * What a virtual card and vpcd, the reader driver of vsmartcard, say to each other over TCP: a length of two
 * bytes, big-endian, then so many bytes. Of one byte it is a control message, of more an APDU.
 */
export const Control = {
  POWER_OFF: 0,
  POWER_ON: 1,
  RESET: 2,
  /** The only one that gets an answer. It comes continually: by it pcscd learns whether there is a card. */
  GET_ATR: 4,
} as const;

/** @throws RangeError more than a length of two bytes can tell */
export function encodeFrame(body: Uint8Array): Uint8Array {
  if (body.length > 0xffff) throw new RangeError(`a frame carries at most 65535 bytes, not ${body.length}`);
  const frame = new Uint8Array(2 + body.length);
  frame.set([body.length >> 8, body.length & 0xff]);
  frame.set(body, 2);
  return frame;
}

export interface FrameEvents {
  /** A length came alone: its body is still under way. */
  readonly onHeader: (length: number) => void;
  readonly onFrame: (body: Uint8Array) => void;
}

/** Puts frames together out of a stream of bytes. */
export class FrameReader {
  readonly #events: FrameEvents;
  #kept: Uint8Array = new Uint8Array(0);
  /** Whether the length at the head of `#kept` has been told. */
  #told = false;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** @throws DecodeError a frame of nothing: the peer does not speak this protocol */
  push(bytes: Uint8Array): void {
    let rest = this.#kept.length === 0 ? bytes : concatenated(this.#kept, bytes);
    for (;;) {
      const [high, low] = rest;
      if (high === undefined || low === undefined) break;
      const length = (high << 8) | low;
      if (length === 0) throw new DecodeError('vpcd sent a frame of 0 bytes');
      if (rest.length < 2 + length) {
        if (!this.#told && rest.length === 2) {
          this.#told = true;
          this.#events.onHeader(length);
        }
        break;
      }
      this.#told = false;
      const body = rest.slice(2, 2 + length);
      rest = rest.subarray(2 + length);
      this.#events.onFrame(body);
    }
    this.#kept = rest.slice();
  }
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
