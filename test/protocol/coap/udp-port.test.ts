import { afterEach, describe, expect, test } from 'vitest';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import { Code } from '../../../protocol/coap/message.ts';
import {
  createUdpPort,
  formatPeer,
  parsePeer,
  resolvePeer,
  type UdpPort,
} from '../../../protocol/coap/udp-port.ts';
import { RequestError } from '../../../protocol/errors.ts';
import { bytes, text } from '../../support/coap/raw-peer.ts';

const open: UdpPort[] = [];

async function port(host = '127.0.0.1', number = 0, options: object = {}): Promise<UdpPort> {
  const made = await createUdpPort({ host, port: number, ...options });
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** The next datagram at a port, with who sent it. */
function next(at: UdpPort): Promise<[string, string]> {
  return new Promise((resolve) => at.onDatagram((data, peer) => resolve([text(data), peer])));
}

const portOf = (at: UdpPort) => parsePeer(at.local).port;

test('what comes before somebody receives is held, in order, and handed on once there is a receiver', async () => {
  const [at, from] = [await port(), await port()];
  for (let i = 0; i < 3; i++) from.send(bytes(`${i}`), at.local);
  // Once these have come back, the others have arrived as well.
  const probe = await port();
  const [echo] = await Promise.all([next(probe), from.send(bytes('last'), probe.local)]);
  expect(echo[0]).toBe('last');
  await new Promise((resolve) => setImmediate(resolve));
  const got: string[] = [];
  const all = new Promise<void>((resolve) =>
    at.onDatagram((data, peer) => {
      expect(peer).toBe(from.local);
      if (got.push(text(data)) === 4) resolve();
    }),
  );
  // Not before whoever sets the receiver is done.
  expect(got).toEqual([]);
  from.send(bytes('3'), at.local);
  await all;
  expect(got.sort()).toEqual(['0', '1', '2', '3']);
});

describe('peer addresses', () => {
  test('are a numeric host and a port, IPv6 in brackets', () => {
    for (const [host, number, peer] of [
      ['127.0.0.1', 5683, '127.0.0.1:5683'],
      ['255.255.255.255', 65_535, '255.255.255.255:65535'],
      ['0.0.0.0', 1, '0.0.0.0:1'],
      ['::1', 1, '[::1]:1'],
    ] as const) {
      expect(formatPeer(host, number)).toBe(peer);
      expect(parsePeer(peer)).toEqual({ host, port: number });
    }
    expect(parsePeer('1.2.3.4:05683')).toEqual({ host: '1.2.3.4', port: 5683 });
    for (const wrong of [
      '',
      'x',
      'localhost:1',
      '1.2.3.4',
      '::1:5',
      '[::1]',
      '[1.2.3.4]:1',
      '1.2.3.4:65536',
      '1.2.3.4:1a',
      '1.2.3.4:1:2',
      '1.2.3.4:0',
      '1.2.3.256:1',
      '1.2.03.4:1',
      '1.2..4:1',
      '.1.2.3:4',
      '1.2.3:4',
      '1.2.3.4.5:1',
      ':5',
      '1.2.3.4:',
    ]) {
      expect(() => parsePeer(wrong)).toThrow(RequestError);
    }
  });

  test('are found for names', async () => {
    expect(await resolvePeer('127.0.0.1', 5683)).toBe('127.0.0.1:5683');
    expect(await resolvePeer('[::1]', 5683)).toBe('[::1]:5683');
    expect(await resolvePeer('localhost', 7, 4)).toBe('127.0.0.1:7');
  });
});

describe('a UDP port', () => {
  test('carries datagrams both ways and says who sent them', async () => {
    const [a, b] = [await port(), await port()];
    const arrived = next(b);
    a.send(bytes('there'), b.local);
    expect(await arrived).toEqual(['there', a.local]);
    const back = next(a);
    b.send(bytes('back'), a.local);
    expect(await back).toEqual(['back', b.local]);
  });

  test('speaks IPv6', async () => {
    const [a, b] = [await port('::1'), await port('::1')];
    const arrived = next(b);
    a.send(bytes('six'), b.local);
    expect(await arrived).toEqual(['six', a.local]);
    expect(a.local).toMatch(/^\[::1\]:\d+$/);
  });

  test('on :: speaks both, and names IPv4 peers as such', async () => {
    const [dual, four] = [await port('::'), await port()];
    const there = next(four);
    dual.send(bytes('to four'), four.local);
    const [, from] = await there;
    expect(from).toBe(`127.0.0.1:${portOf(dual)}`);
    const back = next(dual);
    four.send(bytes('to dual'), from);
    expect(await back).toEqual(['to dual', four.local]);
  });

  test('is not taken over by a second one, unless both share it', async () => {
    const first = await port();
    await expect(createUdpPort({ host: '127.0.0.1', port: portOf(first) })).rejects.toThrow(/EADDRINUSE/);
    const shared = await port('127.0.0.1', 0, { reusePort: true });
    const second = await port('127.0.0.1', portOf(shared), { reusePort: true });
    expect(second.local).toBe(shared.local);
  });

  test('wants a numeric host', async () => {
    await expect(createUdpPort({ host: 'localhost', port: 0 })).rejects.toThrow(RequestError);
  });

  test('says what receive buffer it was granted', async () => {
    const small = await port('127.0.0.1', 0, { receiveBufferSize: 65_536 });
    expect(small.receiveBufferSize).toBe(65_536);
    const huge = await port('127.0.0.1', 0, { receiveBufferSize: 1 << 30 });
    expect(huge.receiveBufferSize).toBeLessThan(1 << 30);
  });

  test('tells of peers that are none, and does not throw', async () => {
    const a = await port();
    a.send(bytes('nobody listens to errors'), 'nowhere');
    const errors: [string, string | undefined][] = [];
    a.onError((error, peer) => errors.push([error.name, peer]));
    a.send(bytes('x'), 'nowhere');
    a.send(bytes('x'), '127.0.0.1:0');
    expect(errors).toEqual([
      ['RequestError', 'nowhere'],
      ['RequestError', '127.0.0.1:0'],
    ]);
  });

  test('lets requests to addresses that are none fail at once', async () => {
    const errors: (string | undefined)[] = [];
    const client = createCoapEndpoint({
      port: await port(),
      onTransportError: (_error, peer) => errors.push(peer),
    });
    await expect(client.request('nowhere', { code: Code.GET })).rejects.toThrow(RequestError);
    expect(errors).toEqual(['nowhere']);
    await client.close();
  });

  test('closes once, and sends nothing afterwards', async () => {
    const a = await port();
    await Promise.all([a.close(), a.close()]);
    a.send(bytes('x'), '127.0.0.1:9');
  });

  test('carries CoAP, blocks included', async () => {
    const [a, b] = [await port(), await port()];
    const body = Uint8Array.from({ length: 20_000 }, (_, i) => i);
    const server = createCoapEndpoint({
      port: a,
      handler: (request) => request.respond({ code: Code.CONTENT, payload: request.payload }),
    });
    const client = createCoapEndpoint({ port: b });
    const response = await client.request(server.local, { code: Code.POST, payload: body });
    expect(response.payload).toEqual(body);
    expect(await client.ping(server.local)).toBeGreaterThan(0);
    await Promise.all([server.close(), client.close()]);
  });
});
