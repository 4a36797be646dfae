import { expect, test } from 'vitest';
import type { DatagramHandler, DatagramPort } from '../../../protocol/coap/datagram-port.ts';
import { joinPorts } from '../../../server/transport/join-ports.ts';
import { shownAddress } from '../../../server/transport/session-address.ts';

const SESSION = 'dtls:0011223344556677';

class TestPort implements DatagramPort {
  readonly local: string;
  readonly sent: string[] = [];
  handler: DatagramHandler | undefined;
  closed = 0;
  constructor(local: string) {
    this.local = local;
  }
  send(data: Uint8Array, peer: string): void {
    this.sent.push(`${Buffer.from(data)} to ${peer}`);
  }
  onDatagram(handler: DatagramHandler): void {
    this.handler = handler;
  }
  onError(): void {}
  async close(): Promise<void> {
    this.closed++;
  }
  transportAddress(peer: string): string | undefined {
    return peer === SESSION ? '198.51.100.7:40001' : undefined;
  }
}

test('sessions go by DTLS, everything else by UDP, and both are received', async () => {
  const [udp, dtls] = [new TestPort('u:1'), new TestPort('d:1')];
  const port = joinPorts(udp, dtls);
  const received: unknown[] = [];
  port.onDatagram((data, peer, identity) =>
    received.push([Buffer.from(data).toString(), peer, identity?.name]),
  );
  port.send(Buffer.from('a'), '192.0.2.1:5683');
  port.send(Buffer.from('b'), SESSION);
  udp.handler?.(Buffer.from('c'), '192.0.2.1:5683', undefined);
  dtls.handler?.(Buffer.from('d'), SESSION, { kind: 'psk', name: 'id' });
  expect([udp.sent, dtls.sent]).toEqual([['a to 192.0.2.1:5683'], [`b to ${SESSION}`]]);
  expect(received).toEqual([
    ['c', '192.0.2.1:5683', undefined],
    ['d', SESSION, 'id'],
  ]);
  expect(port.local).toBe('u:1');
  await port.close();
  expect([udp.closed, dtls.closed]).toEqual([1, 1]);
});

test('a session is where it is reached; one that is not here is its own name', () => {
  const port = joinPorts(new TestPort('u:1'), new TestPort('d:1'));
  expect(port.transportAddress(SESSION)).toBe('198.51.100.7:40001');
  expect(port.transportAddress('dtls:ffffffffffffffff')).toBe('dtls:ffffffffffffffff');
  expect(port.transportAddress('192.0.2.1:5683')).toBe('192.0.2.1:5683');
});

test('with one of them alone the other’s peers are not reached', () => {
  const [udp, dtls] = [new TestPort('u:1'), new TestPort('d:1')];
  joinPorts(udp, undefined).send(Buffer.from('a'), SESSION);
  const secured = joinPorts(undefined, dtls);
  secured.send(Buffer.from('a'), '192.0.2.1:5683');
  expect([udp.sent, dtls.sent]).toEqual([[], []]);
  expect(secured.local).toBe('d:1');
  expect(() => joinPorts(undefined, undefined)).toThrow(RangeError);
});

test('people are shown where a device was reached, not the name of its session', () => {
  const identity = { kind: 'psk', name: 'id', transportAddress: '198.51.100.7:40001' } as const;
  expect(shownAddress({ address: SESSION, identity })).toBe('198.51.100.7:40001');
  expect(shownAddress({ address: SESSION, transportAddress: '198.51.100.8:1' })).toBe('198.51.100.8:1');
  expect(shownAddress({ address: SESSION })).toBe(SESSION);
  // It has come back without security: what the session had is of no interest.
  expect(shownAddress({ address: '192.0.2.1:5683', identity })).toBe('192.0.2.1:5683');
});
