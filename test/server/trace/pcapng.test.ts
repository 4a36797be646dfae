import { describe, expect, test } from 'vitest';
import { Direction } from '../../../protocol/coap/tapped-port.ts';
import { CapturedMessage } from '../../../server/trace/captured-message.ts';
import { encodePcapng } from '../../../server/trace/pcapng.ts';

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** The blocks of a capture, whose two lengths agree. */
function blocks(file: Buffer): Block[] {
  const found: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(file.readUInt32LE(at + length - 4)).toBe(length);
    found.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return found;
}

function capture(peer: string, local: string, direction: Direction = Direction.IN, size = 3): Buffer {
  const data = Uint8Array.of(0x40, 1, 2);
  const message = new CapturedMessage(1, 250.5, direction, peer, size, data);
  const [, , packet] = blocks(encodePcapng([message], local, 1_790_000_000_000, 'Simyard 1'));
  if (packet === undefined) throw new Error('there is no packet');
  const { body } = packet;
  const captured = body.readUInt32LE(12);
  expect(packet.type).toBe(6);
  return body.subarray(20, 20 + captured);
}

/** RFC 1071: over data with its checksum in it the sum is all ones. */
function sum(data: Buffer): number {
  let total = 0;
  for (let at = 0; at < data.length; at += 2) total += (data[at] ?? 0) * 256 + (data[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

describe('a capture file', () => {
  test('has a section, an interface of raw IP, and a packet with time, lengths and direction', () => {
    const message = new CapturedMessage(
      1,
      250.5,
      Direction.OUT,
      '127.0.0.1:40000',
      3,
      Uint8Array.of(1, 2, 3),
    );
    const [section, device, packet] = blocks(
      encodePcapng([message], '127.0.0.1:5683', 1_790_000_000_000, 'Simyard 1'),
    );
    expect(section?.type).toBe(0x0a0d0d0a);
    expect(section?.body.toString('latin1')).toContain('Simyard 1');
    expect([device?.type, device?.body.readUInt16LE(0)]).toEqual([1, 101]);
    const { body = Buffer.alloc(0) } = packet ?? {};
    const micros = BigInt(body.readUInt32LE(4)) * 2n ** 32n + BigInt(body.readUInt32LE(8));
    expect(micros).toBe(1_790_000_000_250_500n);
    expect([body.readUInt32LE(12), body.readUInt32LE(16)]).toEqual([31, 31]);
    // epb_flags: 2 is outbound.
    const options = body.subarray(20 + 32);
    expect([options.readUInt16LE(0), options.readUInt16LE(2), options.readUInt32LE(4)]).toEqual([2, 4, 2]);
  });

  test('has over IPv4 and IPv6 addresses, ports and checksums as they were', () => {
    const v4 = capture('192.0.2.7:40000', '127.0.0.1:5683');
    expect([...v4.subarray(12, 20)]).toEqual([192, 0, 2, 7, 127, 0, 0, 1]);
    expect([v4.readUInt16BE(20), v4.readUInt16BE(22), v4.readUInt16BE(24)]).toEqual([40_000, 5683, 11]);
    expect(sum(v4.subarray(0, 20))).toBe(0xffff);
    const pseudo4 = Buffer.concat([v4.subarray(12, 20), Buffer.from([0, 17, 0, 11]), v4.subarray(20)]);
    expect(sum(pseudo4)).toBe(0xffff);

    const v6 = capture('[2001:db8::7]:40000', '[::1]:5683', Direction.OUT);
    expect(v6.readUInt8(0) >> 4).toBe(6);
    expect([v6.readUInt16BE(4), v6.readUInt8(6)]).toEqual([11, 17]);
    expect(v6.subarray(8, 24).toString('hex')).toBe('00000000000000000000000000000001');
    expect(v6.subarray(24, 40).toString('hex')).toBe('20010db8000000000000000000000007');
    expect([v6.readUInt16BE(40), v6.readUInt16BE(42)]).toEqual([5683, 40_000]);
    const pseudo6 = Buffer.concat([
      v6.subarray(8, 40),
      Buffer.from([0, 0, 0, 11, 0, 0, 0, 17]),
      v6.subarray(40),
    ]);
    expect(sum(pseudo6)).toBe(0xffff);
  });

  test.each([
    ['[fe80::1%eth0]:1', 'fe800000000000000000000000000001'],
    ['[2001:db8:1:2:3:4:5:6]:1', '20010db8000100020003000400050006'],
    ['[::ffff:192.0.2.1]:1', '00000000000000000000ffffc0000201'],
  ])('reads the address %s', (peer, hex) => {
    expect(capture(peer, '[::1]:5683').subarray(8, 24).toString('hex')).toBe(hex);
  });

  test('of a server that listens everywhere has a device of either family', () => {
    expect(capture('192.0.2.7:1', '0.0.0.0:5683').readUInt8(0) >> 4).toBe(4);
    expect(capture('[2001:db8::7]:1', '0.0.0.0:5683').readUInt8(0) >> 4).toBe(6);
    const both = capture('192.0.2.7:1', '[::]:5683');
    expect(both.subarray(8, 24).toString('hex')).toBe('00000000000000000000ffffc0000207');
  });

  test('tells the true length of a datagram that was cut, and no checksum of what is not there', () => {
    const cut = capture('192.0.2.7:1', '127.0.0.1:5683', Direction.IN, 9_000);
    expect([cut.readUInt16BE(2), cut.readUInt16BE(24), cut.readUInt16BE(26)]).toEqual([9_028, 9_008, 0]);
    expect(cut).toHaveLength(31);
  });

  test('shows a peer without a numeric address as an unspecified one', () => {
    expect([...capture('device', 'server').subarray(12, 20)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
