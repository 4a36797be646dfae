import { describe, expect, test } from 'vitest';
import { HandshakeWriter } from '../../../../protocol/dtls/handshake/flight.ts';
import { Reassembly } from '../../../../protocol/dtls/handshake/reassembly.ts';
import {
  decodeHandshakeFragments,
  encodeHandshakeMessage,
  type HandshakeFragment,
} from '../../../../protocol/dtls/messages/handshake-fragment.ts';
import { readRecord } from '../../../../protocol/dtls/records/record.ts';
import { seededRandom } from '../../../support/coap/lossy-link.ts';

const BODY = Uint8Array.from({ length: 300 }, (_, at) => at & 255);

function part(offset: number, length: number, overrides: Partial<HandshakeFragment> = {}): HandshakeFragment {
  return {
    type: 11,
    length: BODY.length,
    messageSeq: 0,
    fragmentOffset: offset,
    fragment: BODY.subarray(offset, offset + length),
    ...overrides,
  };
}

describe('handshake messages in fragments', () => {
  test('are put together whatever the order and however they overlap', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 100; round++) {
      const reassembly = new Reassembly(1_000, 0);
      let message = reassembly.take();
      for (let i = 0; i < 20_000 && message === undefined; i++) {
        const offset = Math.floor(random() * BODY.length);
        const length = Math.floor(random() * (BODY.length - offset + 1));
        reassembly.add(part(offset, length));
        message = reassembly.take();
      }
      expect(message?.body).toEqual(Buffer.from(BODY));
      expect(Buffer.from(message?.whole ?? [])).toEqual(Buffer.from(encodeHandshakeMessage(11, 0, BODY)));
    }
  });

  test('come out in their order, those without a body too', () => {
    const reassembly = new Reassembly(1_000, 5);
    const empty = { length: 0, fragmentOffset: 0, fragment: new Uint8Array(0) };
    expect(reassembly.add(part(0, 300, { messageSeq: 7 }))).toBe(true);
    expect(reassembly.add({ type: 14, messageSeq: 6, ...empty })).toBe(true);
    expect(reassembly.take()).toBeUndefined();
    expect(reassembly.add(part(0, 300, { messageSeq: 5 }))).toBe(true);
    expect([reassembly.take(), reassembly.take(), reassembly.take()].map((one) => one?.sequence)).toEqual([
      5, 6, 7,
    ]);
    expect(reassembly.take()).toBeUndefined();
    expect(reassembly.add(part(0, 300, { messageSeq: 5 }))).toBe(false);
    expect(reassembly.next).toBe(8);
  });

  test('are kept as they came first: one of another length or type changes nothing', () => {
    const reassembly = new Reassembly(1_000, 0);
    reassembly.add(part(0, 150));
    reassembly.add(part(0, 300, { type: 12 }));
    reassembly.add(part(0, 200, { length: 200, fragment: new Uint8Array(200) }));
    reassembly.add(part(0, 160, { fragment: new Uint8Array(160).fill(9) }));
    expect(reassembly.take()).toBeUndefined();
    reassembly.add(part(140, 160));
    const body = reassembly.take()?.body as Uint8Array;
    expect([...body.subarray(0, 150)]).toEqual([...BODY.subarray(0, 150)]);
    expect([...body.subarray(150, 160)]).toEqual(Array(10).fill(9));
  });

  test('that are too long, too far ahead or too many are not kept', () => {
    const reassembly = new Reassembly(400, 0);
    reassembly.add(part(0, 10, { length: 401 }));
    reassembly.add(part(0, 300, { messageSeq: 8 }));
    for (const messageSeq of [1, 2, 3]) reassembly.add(part(0, 300, { messageSeq }));
    reassembly.add(part(0, 300, { messageSeq: 0 }));
    // Twice 400 bytes: two of 300.
    expect(reassembly.take()).toBeUndefined();
    reassembly.clear();
    reassembly.add(part(0, 300));
    expect(reassembly.take()?.sequence).toBe(0);
  });

  test('in very many pieces that lie apart take no more memory for it', () => {
    const reassembly = new Reassembly(10_000, 0);
    for (let offset = 0; offset < 10_000; offset += 2) {
      reassembly.add({
        type: 11,
        length: 10_000,
        messageSeq: 0,
        fragmentOffset: offset,
        fragment: Uint8Array.of(1),
      });
    }
    expect(reassembly.take()).toBeUndefined();
    reassembly.add({
      type: 11,
      length: 10_000,
      messageSeq: 0,
      fragmentOffset: 0,
      fragment: new Uint8Array(10_000).fill(2),
    });
    expect(reassembly.take()?.body).toHaveLength(10_000);
  });
});

describe('a flight', () => {
  test('fits the path: messages are cut, and share datagrams', () => {
    for (const pmtu of [256, 300, 512, 1_232]) {
      const writer = new HandshakeWriter(pmtu, 10);
      const flight = [20, 700, 0, 3_000, 1].map((length, sequence) => ({
        epoch: 0 as const,
        type: 11,
        sequence,
        body: Uint8Array.from({ length }, (_, at) => (at * 7 + sequence) & 255),
      }));
      const datagrams = writer.datagrams(flight);
      const reassembly = new Reassembly(4_000, 0);
      const numbers: number[] = [];
      for (const datagram of datagrams) {
        expect(datagram.length).toBeLessThanOrEqual(pmtu);
        let record = readRecord(datagram, 0, 0);
        while (record !== undefined) {
          numbers.push(record.sequence);
          for (const fragment of decodeHandshakeFragments(record.fragment)) reassembly.add(fragment);
          record = readRecord(datagram, record.end, 0);
        }
      }
      for (const { body } of flight)
        expect(Buffer.from(reassembly.take()?.body ?? [])).toEqual(Buffer.from(body));
      expect(numbers).toEqual(numbers.map((_, at) => 10 + at));
      expect(datagrams.length).toBeLessThanOrEqual(Math.ceil(3_721 / (pmtu - 25)) + 1);
    }
  });
});
