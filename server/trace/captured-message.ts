import { decodeMessage } from '../../protocol/coap/codec.ts';
import type { CoapMessage } from '../../protocol/coap/message.ts';
import type { Direction } from '../../protocol/coap/tapped-port.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { RecordView } from './flight-recorder.ts';

/** One datagram out of the ring, decoded when somebody asks. */
export class CapturedMessage {
  readonly id: number;
  /** The clock's `now()`. */
  readonly time: number;
  readonly direction: Direction;
  readonly peer: string;
  /** `host:port` of the peer then, as people are shown it. */
  readonly transportAddress: string;
  /** Of the datagram. */
  readonly size: number;
  /** Its bytes, or the first of them. */
  readonly data: Uint8Array;
  #decoded: CoapMessage | string | undefined;

  constructor(
    id: number,
    time: number,
    direction: Direction,
    peer: string,
    size: number,
    data: Uint8Array,
    transportAddress = peer,
  ) {
    this.id = id;
    this.time = time;
    this.direction = direction;
    this.peer = peer;
    this.transportAddress = transportAddress;
    this.size = size;
    this.data = data;
  }

  /** A copy of what the ring has. */
  static of(record: RecordView, direction: Direction): CapturedMessage {
    const { id, time, peer, size, data, transportAddress } = record;
    return new CapturedMessage(id, time, direction, peer, size, new Uint8Array(data), transportAddress);
  }

  get truncated(): boolean {
    return this.size > this.data.length;
  }

  /** Undefined where it is malformed. */
  get message(): CoapMessage | undefined {
    const decoded = this.#decode();
    return typeof decoded === 'string' ? undefined : decoded;
  }

  /** What is wrong with it; undefined where nothing is. */
  get malformed(): string | undefined {
    const decoded = this.#decode();
    return typeof decoded === 'string' ? decoded : undefined;
  }

  #decode(): CoapMessage | string {
    if (this.#decoded !== undefined) return this.#decoded;
    try {
      this.#decoded = decodeMessage(this.data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#decoded = error.message;
    }
    return this.#decoded;
  }
}
