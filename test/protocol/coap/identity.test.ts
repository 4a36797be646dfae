import { describe, expect, test } from 'vitest';
import type { PeerIdentity } from '../../../protocol/coap/datagram-port.ts';
import { ResetError } from '../../../protocol/coap/errors.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import { block } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const one: PeerIdentity = { kind: 'psk', name: 'one' };
const two: PeerIdentity = { kind: 'psk', name: 'two' };

function setUp() {
  const world = new World();
  const ends: string[] = [];
  const asked: (string | undefined)[] = [];
  const endpoint = world.endpoint('server', {
    parameters: { preferredBlockSize: 16 },
    handler: (request) => {
      asked.push(request.identity?.name);
      if (request.observe === 0) request.acceptObserve((reason) => ends.push(reason));
      request.respond({ code: Code.CONTENT, payload: new Uint8Array(40).fill(asked.length) });
    },
  });
  const peer = world.raw('peer', 'server');
  const is = (identity: PeerIdentity | undefined) => {
    if (identity === undefined) world.link.identities.delete('peer');
    else world.link.identities.set('peer', identity);
  };
  const ask = (messageId: number, options: Parameters<typeof peer.send>[0]['options'] = []) => {
    peer.send({ code: Code.GET, messageId, token: '01', path: '/a', options: options ?? [] });
    world.clock.advance(20);
    return peer.take();
  };
  return { world, endpoint, peer, ends, asked, is, ask };
}

describe('an address that passes to another authenticated node', () => {
  test('does not give it the answers of the first, nor the rest of them', () => {
    const { ask, asked, is } = setUp();
    is(one);
    expect(ask(1).payload[0]).toBe(1);
    is(two);
    expect(ask(1).payload[0]).toBe(2);
    is(one);
    expect(ask(2, [block(2, '1/0/16')]).payload[0]).toBe(3);
    expect(asked).toEqual(['one', 'two', 'one']);
  });

  test('ends what the first was asked and what it observed', async () => {
    const { world, endpoint, peer, ask, ends, is } = setUp();
    is(one);
    ask(1, [uintOption(OptionNumber.OBSERVE, 0)]);
    const request = endpoint.request('peer', { code: Code.POST, options: pathOptions('/5/0/2') });
    world.clock.advance(20);
    peer.take();
    is(two);
    ask(2);
    await expect(world.settle(request)).rejects.toThrow(ResetError);
    expect(ends).toEqual(['reset']);
    world.clock.advance(100_000);
    expect(peer.received).toEqual([]);
    expect(endpoint.statistics).toMatchObject({ outstanding: 0, observers: 0 });
  });

  test('is no such thing where the same one comes with another object, or is first named', () => {
    const { ask, asked, is } = setUp();
    ask(1);
    is(one);
    expect(ask(1).payload[0]).toBe(1);
    is({ ...one });
    expect(ask(1).payload[0]).toBe(1);
    expect(asked).toHaveLength(1);
    is({ kind: 'x509', name: 'one' });
    expect(ask(1).payload[0]).toBe(2);
    is(undefined);
    expect(ask(1).payload[0]).toBe(3);
  });
});
