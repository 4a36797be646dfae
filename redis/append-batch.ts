import { hash } from 'node:crypto';
import type { NewLogEntry } from '../server/ports/telemetry-log.ts';

/** Bytes of the digest of endpoint and key: by chance, two of eight million are not the same. */
const digestSize = 12;
const headerSize = digestSize + 8;

/** The smallest buffer that a batch starts with. */
const startSize = 65_536;

/** UTF-16 units of an endpoint, so that its UTF-8 fits the two bytes of its length. */
const longestEndpoint = 20_000;

/** Entries on their way to the log, packed as `scripts/log-append.lua` reads them. */
export class AppendBatch {
  count = 0;
  length = 0;
  #bytes = Buffer.allocUnsafe(startSize);

  /** What was added; to be read before more is. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  add({ endpoint, key, receivedAt, body }: NewLogEntry): void {
    if (endpoint.length > longestEndpoint) throw new RangeError('endpoint of a log entry is too long');
    const time = String(receivedAt);
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(headerSize + endpoint.length * 3 + time.length + body.length);
    const bytes = this.#bytes;
    const start = this.length;
    bytes.write(hash('sha1', `${endpoint.length}:${endpoint}${key}`, 'hex'), start, digestSize, 'hex');
    let offset = start + headerSize;
    const endpointSize = bytes.write(endpoint, offset, 'utf8');
    offset += endpointSize;
    const timeSize = bytes.write(time, offset, 'latin1');
    offset += timeSize;
    bytes.set(body, offset);
    bytes.writeUInt32LE(body.length, start + digestSize);
    bytes.writeUInt16LE(endpointSize, start + digestSize + 4);
    bytes.writeUInt16LE(timeSize, start + digestSize + 6);
    this.length = offset + body.length;
    this.count += 1;
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
