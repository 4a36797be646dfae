import { ContentType } from '../messages/constants.ts';
import { encodeHandshakeFragment, HANDSHAKE_HEADER_LENGTH } from '../messages/handshake-fragment.ts';
import { MAX_PLAINTEXT, plainRecord, RECORD_HEADER } from '../records/record.ts';
import type { SecuredEpoch } from '../records/secured-epoch.ts';

/** One message of a flight. `type` is undefined for ChangeCipherSpec, which is no handshake message. */
export interface FlightMessage {
  readonly epoch: 0 | 1;
  readonly type: number | undefined;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** Makes the datagrams of a flight once more, with new record numbers. */
export type RepeatFlight = () => readonly Uint8Array[];

/** A fragment is not made shorter than that to fill what is left of a datagram. */
const SHORTEST_FRAGMENT = 32;

/** RFC 5246 §7.1. */
export function changeCipherSpec(): FlightMessage {
  return { epoch: 0, type: undefined, sequence: 0, body: Uint8Array.of(1) };
}

/** Writes the records of a handshake: those of epoch 0, and those of epoch 1 once there are keys. */
export class HandshakeWriter {
  /** The number of the next record of epoch 0. */
  #sequence: number;
  readonly #pmtu: number;
  /** The most bytes of plaintext in a record (RFC 6066 §4). */
  maxPlaintext = MAX_PLAINTEXT;
  secured: SecuredEpoch | undefined;

  constructor(pmtu: number, sequence: number) {
    this.#pmtu = pmtu;
    this.#sequence = sequence;
  }

  /** A record with a number of its own. */
  record(epoch: 0 | 1, type: number, content: Uint8Array): Uint8Array {
    if (epoch === 0) return plainRecord(type, this.#sequence++, content);
    if (this.secured === undefined) throw new Error('a protected record before there are keys');
    return this.secured.seal(type, content);
  }

  /**
   * The datagrams of a flight, none longer than the path takes, with as many messages in each as there is room for (RFC 6347
   * §4.2.3). Whenever a flight is sent again, its records have new numbers.
   */
  datagrams(flight: readonly FlightMessage[]): Uint8Array[] {
    const datagrams: Uint8Array[] = [];
    let records: Uint8Array[] = [];
    let used = 0;
    const flush = () => {
      if (records.length === 1) datagrams.push(records[0] as Uint8Array);
      else if (records.length > 1) datagrams.push(Buffer.concat(records));
      records = [];
      used = 0;
    };
    const put = (epoch: 0 | 1, type: number, content: Uint8Array) => {
      const record = this.record(epoch, type, content);
      if (used + record.length > this.#pmtu) flush();
      records.push(record);
      used += record.length;
    };
    for (const { epoch, type, sequence, body } of flight) {
      if (type === undefined) {
        put(epoch, ContentType.CHANGE_CIPHER_SPEC, body);
        continue;
      }
      const overhead =
        (epoch === 0 ? RECORD_HEADER : (this.secured?.overhead ?? 0)) + HANDSHAKE_HEADER_LENGTH;
      // The peer's connection id may be so long that nothing else fits the path: it is the peer's path then.
      const fits = Math.max(this.#pmtu - overhead, SHORTEST_FRAGMENT);
      const longest = Math.min(fits, this.maxPlaintext - HANDSHAKE_HEADER_LENGTH);
      let offset = 0;
      do {
        const left = body.length - offset;
        const room = Math.min(this.#pmtu - used - overhead, longest);
        if (room < Math.min(left, SHORTEST_FRAGMENT)) flush();
        const length = Math.min(left, used === 0 ? longest : room);
        put(
          epoch,
          ContentType.HANDSHAKE,
          encodeHandshakeFragment({
            type,
            length: body.length,
            messageSeq: sequence,
            fragmentOffset: offset,
            fragment: body.subarray(offset, offset + length),
          }),
        );
        offset += length;
      } while (offset < body.length);
    }
    flush();
    return datagrams;
  }
}
