import { afterEach, expect, test } from 'vitest';
import { createUdpPort, type UdpPort } from '../../protocol/coap/udp-port.ts';
import { bytes, text } from './coap/raw-peer.ts';
import { UdpMiddlebox } from './udp-middlebox.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** A socket, with what it receives as `text from`, and somebody who waits for it. */
async function socket() {
  const port: UdpPort = await createUdpPort({ host: '127.0.0.1', port: 0 });
  open.push(port);
  const got: [string, string][] = [];
  let wake: (() => void) | undefined;
  port.onDatagram((data, peer) => {
    got.push([text(data), peer]);
    wake?.();
  });
  const next = async (): Promise<[string, string]> => {
    while (got.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return got.shift() as [string, string];
  };
  return { port, next, send: (what: string, to: string) => port.send(bytes(what), to) };
}

test('devices have addresses of their own on the outside, which any server may answer to, and which change', async () => {
  const servers = [await socket(), await socket()] as const;
  const devices = [await socket(), await socket()] as const;
  const box = await UdpMiddlebox.open(servers.map(({ port }) => port.local));
  open.push(box);
  const [one, other] = devices;
  one.send('a', box.address);
  const [, first] = await servers[0].next();
  other.send('b', box.address);
  const [, second] = await servers[0].next();
  expect(first).not.toBe(second);

  // The same device goes to another server, and is known there by the same address.
  box.route = () => 1;
  one.send('c', box.address);
  expect(await servers[1].next()).toEqual(['c', first]);
  // Both may speak to it, from what is one address to it.
  for (const server of servers) {
    server.send('down', first);
    expect(await one.next()).toEqual(['down', box.address]);
  }

  box.rebind(one.port.local);
  servers[1].send('lost', first);
  one.send('d', box.address);
  const [, third] = await servers[1].next();
  expect([first, second]).not.toContain(third);
  servers[1].send('found', third);
  expect(await one.next()).toEqual(['found', box.address]);
  other.send('e', box.address);
  expect(await servers[1].next()).toEqual(['e', second]);
});
