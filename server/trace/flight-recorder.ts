import type { Direction } from '../../protocol/coap/tapped-port.ts';

/** What is copied of one datagram at the most: CoAP over UDP stays below it (RFC 7252 §4.6). */
export const MAX_CAPTURED = 2048;
/** The smallest ring that is of any use: a few of the largest records. */
export const SMALLEST_RING = 64 * 1024;

const HEADER = 24;
const MAX_PEER = 255;
const SPACE = 0x20;
/** Records that are passed over without a pause: about a millisecond's. */
const RECORDS_AT_ONCE = 20_000;

/** Kinds of records, beside the two directions. */
const NOTE = 2;
/** What is left over at the end of the ring, too small for the record that came. */
const FILLER = 3;
const KINDS = 7;

/** A record as it lies in the ring: it is what it says only until the visit ends. */
export interface RecordView {
  /** Rises by one with each record. */
  readonly id: number;
  /** The clock's `now()`. */
  readonly time: number;
  /** Undefined for a note. */
  readonly direction: Direction | undefined;
  readonly peer: string;
  /** Where the peer was reached then: the peer itself, unless it is a session. */
  readonly transportAddress: string;
  /** Of the datagram; `data` may be shorter (MAX_CAPTURED). */
  readonly size: number;
  /** A view of the ring. */
  readonly data: Uint8Array;
  /** Whether the peer's address is these bytes, without making a text of it. */
  isPeer(address: Uint8Array): boolean;
}

/**
 * The last datagrams of all devices, and notes between them, in one ring of bytes that is allocated once: writing
 * copies and decodes nothing, and the oldest are overwritten, whoever floods.
 *
 * A record is 24 bytes, the peer's address (of a session with a space and its transport address), and the datagram, filled up to a multiple of 8. The 24 bytes are: the
 * record's whole length, in its low bits the kind (u32); the length of the record before (u32); the time (f64); the
 * datagram's size (u32); how much of it is here (u16); the length of the address (u8).
 */
export class FlightRecorder {
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Uint32Array;
  readonly #times: Float64Array;
  readonly #size: number;
  /** Where the next record goes, and where the oldest one is. */
  #head = 0;
  #tail = 0;
  #used = 0;
  /** Length of the newest record. */
  #last = 0;
  #oldestId: number;
  #nextId: number;

  /** @param firstId of the first record */
  constructor(bytes: number, firstId: number) {
    if (!(bytes >= SMALLEST_RING)) throw new RangeError(`a ring of ${bytes} bytes is too small`);
    this.#size = bytes - (bytes % 8);
    const memory = new ArrayBuffer(this.#size);
    this.#bytes = new Uint8Array(memory);
    this.#halves = new Uint16Array(memory);
    this.#words = new Uint32Array(memory);
    this.#times = new Float64Array(memory);
    this.#oldestId = firstId;
    this.#nextId = firstId;
  }

  /** Of the next record. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Of the oldest record that is kept; `nextId` where there is none. */
  get oldestId(): number {
    return this.#oldestId;
  }

  /** When the oldest record was written; undefined where there is none. */
  get oldestTime(): number | undefined {
    return this.#oldestId === this.#nextId ? undefined : this.#times[(this.#oldestPlace() >> 3) + 1];
  }

  /**
   * Copies a datagram, and returns its id.
   * @param transportAddress where a peer that is a session is reached now
   */
  record(
    direction: Direction,
    data: Uint8Array,
    peer: string,
    time: number,
    transportAddress = peer,
  ): number {
    return this.#write(direction, data, peer, transportAddress === peer ? '' : transportAddress, time);
  }

  /** Copies a note, of at most MAX_CAPTURED bytes. */
  note(data: Uint8Array, time: number): number {
    if (data.length > MAX_CAPTURED) throw new RangeError(`a note of ${data.length} bytes`);
    return this.#write(NOTE, data, '', '', time);
  }

  /**
   * Shows the records with ids from `from` to before `to`, oldest first. Lets others work between; what is
   * overwritten meanwhile is left out.
   */
  async scan(from: number, to: number, visit: (record: RecordView) => void): Promise<void> {
    const cursor = new Cursor(this.#bytes, this.#halves, this.#words, this.#times);
    let place = this.#oldestPlace();
    let id = this.#oldestId;
    for (;;) {
      for (let left = RECORDS_AT_ONCE; left > 0 && id < to && id < this.#nextId; left--) {
        if (id >= from) {
          cursor.at = place;
          cursor.id = id;
          visit(cursor);
        }
        place = this.#placeAfter(place);
        id++;
      }
      if (id >= to || id >= this.#nextId) return;
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (id < this.#oldestId) {
        id = this.#oldestId;
        place = this.#oldestPlace();
      }
    }
  }

  /** Shows records, newest first, until `visit` returns false. */
  scanBack(visit: (record: RecordView) => boolean): void {
    const cursor = new Cursor(this.#bytes, this.#halves, this.#words, this.#times);
    let place = this.#head;
    let length = this.#last;
    for (let id = this.#nextId - 1; id >= this.#oldestId; ) {
      place = (place === 0 ? this.#size : place) - length;
      const word = place >> 2;
      length = this.#words[word + 1] as number;
      if (((this.#words[word] as number) & KINDS) === FILLER) continue;
      cursor.at = place;
      cursor.id = id--;
      if (!visit(cursor)) return;
    }
  }

  /** @param reachedAt empty: the peer is an address itself */
  #write(kind: number, data: Uint8Array, peer: string, reachedAt: string, time: number): number {
    const size = data.length;
    const captured = size > MAX_CAPTURED ? MAX_CAPTURED : size;
    const textLength = reachedAt === '' ? peer.length : peer.length + 1 + reachedAt.length;
    const peerLength = textLength > MAX_PEER ? MAX_PEER : textLength;
    const length = (HEADER + peerLength + captured + 7) & ~7;
    const at = this.#makeRoom(length);
    const bytes = this.#bytes;
    const words = this.#words;
    const word = at >> 2;
    words[word] = length | kind;
    words[word + 1] = this.#last;
    this.#times[(at >> 3) + 1] = time;
    words[word + 4] = size;
    this.#halves[(at >> 1) + 10] = captured;
    bytes[at + 22] = peerLength;
    let to = at + HEADER;
    const end = to + peerLength;
    for (let i = 0; i < peer.length && to < end; i++) bytes[to++] = peer.charCodeAt(i);
    // One text of both would have to be made for each datagram.
    if (to < end) bytes[to++] = SPACE;
    for (let i = 0; to < end; i++) bytes[to++] = reachedAt.charCodeAt(i);
    // Calling into the engine costs more than copying little by hand.
    if (captured <= 24) for (let i = 0; i < captured; i++) bytes[to++] = data[i] as number;
    else bytes.set(captured === size ? data : data.subarray(0, captured), to);
    this.#last = length;
    this.#used += length;
    this.#head = at + length === this.#size ? 0 : at + length;
    return this.#nextId++;
  }

  /** Where so many bytes have room, the oldest records giving way. */
  #makeRoom(length: number): number {
    const rest = this.#size - this.#head;
    if (length > rest) {
      this.#free(rest);
      const word = this.#head >> 2;
      this.#words[word] = rest | FILLER;
      this.#words[word + 1] = this.#last;
      this.#last = rest;
      this.#used += rest;
      this.#head = 0;
    }
    this.#free(length);
    return this.#head;
  }

  #free(length: number): void {
    while (this.#size - this.#used < length) {
      const word = this.#words[this.#tail >> 2] as number;
      const gone = word & ~KINDS;
      if ((word & KINDS) !== FILLER) this.#oldestId++;
      this.#used -= gone;
      this.#tail = this.#tail + gone === this.#size ? 0 : this.#tail + gone;
    }
  }

  #oldestPlace(): number {
    return this.#skipFiller(this.#tail);
  }

  #placeAfter(place: number): number {
    const next = place + ((this.#words[place >> 2] as number) & ~KINDS);
    return this.#skipFiller(next === this.#size ? 0 : next);
  }

  /** A filler is always the last in the ring. Where there are no records, the place is of no use to anybody. */
  #skipFiller(place: number): number {
    return ((this.#words[place >> 2] as number) & KINDS) === FILLER ? 0 : place;
  }
}

class Cursor implements RecordView {
  at = 0;
  id = 0;
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Uint32Array;
  readonly #times: Float64Array;

  constructor(bytes: Uint8Array, halves: Uint16Array, words: Uint32Array, times: Float64Array) {
    this.#bytes = bytes;
    this.#halves = halves;
    this.#words = words;
    this.#times = times;
  }

  get time(): number {
    return this.#times[(this.at >> 3) + 1] as number;
  }

  get direction(): Direction | undefined {
    const kind = (this.#words[this.at >> 2] as number) & KINDS;
    return kind === NOTE ? undefined : (kind as Direction);
  }

  get peer(): string {
    const [peer = ''] = this.#address.split(' ', 1);
    return peer;
  }

  get transportAddress(): string {
    const text = this.#address;
    return text.slice(text.indexOf(' ') + 1);
  }

  get #address(): string {
    const start = this.at + HEADER;
    return String.fromCharCode(...this.#bytes.subarray(start, start + this.#peerLength));
  }

  get size(): number {
    return this.#words[(this.at >> 2) + 4] as number;
  }

  get data(): Uint8Array {
    const start = this.at + HEADER + this.#peerLength;
    return this.#bytes.subarray(start, start + (this.#halves[(this.at >> 1) + 10] as number));
  }

  isPeer(address: Uint8Array): boolean {
    const { length } = address;
    const start = this.at + HEADER;
    const isWhole = this.#peerLength === length;
    if (!isWhole && (this.#peerLength < length || this.#bytes[start + length] !== SPACE)) return false;
    // Addresses differ mostly at their end.
    for (let i = length - 1; i >= 0; i--) if (this.#bytes[start + i] !== address[i]) return false;
    return true;
  }

  get #peerLength(): number {
    return this.#bytes[this.at + 22] as number;
  }
}
