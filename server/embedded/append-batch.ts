import type { LogEntry, NewLogEntry } from '../ports/telemetry-log.ts';

/**
 * Entries of the log, one after the other in one buffer: what crosses from thread to thread, and what is
 * stored. Per entry, little-endian: uint32 length of the body, uint16 length of the endpoint, uint16
 * length of the key, float64 receivedAt; then endpoint, key (both UTF-8) and body.
 */
const headerSize = 16;

/** The smallest buffer that a batch starts with. */
const startSize = 65_536;

/** UTF-16 units of an endpoint or a key, so that their UTF-8 fits the two bytes of its length. */
const longestText = 20_000;

/** Collects entries into one buffer. */
export class AppendBatch {
  count = 0;
  length = 0;
  #bytes: Buffer;
  #view: DataView;

  constructor(buffer: ArrayBuffer = new ArrayBuffer(startSize)) {
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }

  /** The memory of this batch, to be transferred; the batch is of no use afterwards. */
  get buffer(): ArrayBuffer {
    return this.#bytes.buffer as ArrayBuffer;
  }

  add(entry: NewLogEntry): void {
    const { endpoint, key, body } = entry;
    if (endpoint.length > longestText || key.length > longestText) {
      throw new RangeError('endpoint or key of a log entry is too long');
    }
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(headerSize + (endpoint.length + key.length) * 3 + body.length);
    const start = this.length;
    let offset = start + headerSize;
    const endpointSize = writeText(this.#bytes, endpoint, offset);
    offset += endpointSize;
    const keySize = writeText(this.#bytes, key, offset);
    offset += keySize;
    this.#bytes.set(body, offset);
    this.#view.setUint32(start, body.length, true);
    this.#view.setUint16(start + 4, endpointSize, true);
    this.#view.setUint16(start + 6, keySize, true);
    this.#view.setFloat64(start + 8, entry.receivedAt, true);
    this.length = offset + body.length;
    this.count += 1;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return;
    let size = this.#bytes.length * 2;
    while (size < needed) size *= 2;
    const grown = Buffer.from(new ArrayBuffer(size));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Short ASCII, the usual case, is quicker by hand than by a native call. */
function writeText(bytes: Buffer, text: string, offset: number): number {
  const { length } = text;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return bytes.write(text, offset, 'utf8');
    bytes[offset + index] = unit;
  }
  return length;
}

/** Where the parts of one entry lie in a batch; one object is moved along, to spare allocations. */
export class EntryReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #end: number;
  #start = 0;
  #next = 0;

  constructor(bytes: Uint8Array, length: number = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, length);
    this.#end = length;
  }

  /** Goes to the next entry; false after the last. */
  next(): boolean {
    if (this.#next >= this.#end) return false;
    this.#start = this.#next;
    this.#next =
      this.#start +
      headerSize +
      this.#view.getUint16(this.#start + 4, true) +
      this.#view.getUint16(this.#start + 6, true) +
      this.bodyLength;
    return true;
  }

  /** First byte of this entry. */
  get start(): number {
    return this.#start;
  }

  /** First byte after this entry. */
  get end(): number {
    return this.#next;
  }

  get bodyLength(): number {
    return this.#view.getUint32(this.#start, true);
  }

  get receivedAt(): number {
    return this.#view.getFloat64(this.#start + 8, true);
  }

  /** True where the other entry has the same endpoint and key. */
  sameIdentity(other: EntryReader): boolean {
    const a = this.#start;
    const b = other.#start;
    if (this.#view.getUint32(a + 4, true) !== other.#view.getUint32(b + 4, true)) return false;
    return (
      this.#bytes.compare(
        other.#bytes,
        b + headerSize,
        other.#next - other.bodyLength,
        a + headerSize,
        this.#next - this.bodyLength,
      ) === 0
    );
  }

  /** 32 bits of FNV-1a over endpoint and key, finished as murmur3 does so that all bits are good. */
  get hash(): number {
    const bytes = this.#bytes;
    const end = this.#next - this.bodyLength;
    let hash = 0x811c9dc5;
    for (let index = this.#start + headerSize; index < end; index++) {
      hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** This entry as the port gives it; its body is a view of the batch. */
  entry(position: number): LogEntry {
    const start = this.#start + headerSize;
    const bodyStart = this.#next - this.bodyLength;
    const endpointEnd = start + this.#view.getUint16(this.#start + 4, true);
    return {
      position,
      endpoint: this.#bytes.toString('utf8', start, endpointEnd),
      receivedAt: this.receivedAt,
      body: new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + bodyStart, this.bodyLength),
    };
  }
}
