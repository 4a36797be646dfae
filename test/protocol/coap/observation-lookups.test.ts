import { describe, expect, test } from 'vitest';
import type { ResolvedObservation } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import { World } from '../../support/coap/world.ts';

const { ACK, RST } = MessageType;
const seq = (value: number) => uintOption(OptionNumber.OBSERVE, value);
const request = { code: Code.GET, options: pathOptions('/t') };
const TOKEN = 'a1b2c3d4';

describe('a token that nobody holds', () => {
  type Found = ResolvedObservation | 'unknown' | 'unavailable';

  function resolving() {
    const world = new World();
    const asked: { token: string; peer: string; done: (found: Found) => void }[] = [];
    const endpoint = world.endpoint('client', {
      resolveObservation: (token, peer, _identity, done) => {
        asked.push({ token, peer, done });
      },
    });
    const server = world.raw('server', 'client');
    const seen: number[] = [];
    const found: ResolvedObservation = {
      key: { token: TOKEN, peer: 'server', request },
      onNotification: (one) => {
        seen.push(one.observe ?? -1);
        one.accept();
      },
    };
    const notify = (messageId: number, value = messageId) => {
      server.send({ code: Code.CONTENT, messageId, token: TOKEN, options: [seq(value)] });
      world.clock.advance(20);
    };
    return { world, endpoint, server, asked, seen, found, notify };
  }

  test('is asked for once; what came meanwhile is delivered in order', () => {
    const { endpoint, world, server, asked, seen, found, notify } = resolving();
    for (const id of [1, 2, 2, 3]) notify(id);
    expect(asked.map(({ token, peer }) => [token, peer])).toEqual([[TOKEN, 'server']]);
    expect(server.received).toEqual([]);
    asked[0]?.done(found);
    asked[0]?.done('unknown');
    world.clock.advance(20);
    expect(seen).toEqual([1, 2, 3]);
    expect(server.received.map(({ type, messageId }) => [type, messageId])).toEqual([
      [ACK, 1],
      [ACK, 2],
      [ACK, 3],
    ]);
    notify(4);
    expect(asked).toHaveLength(1);
    expect(endpoint.observation(TOKEN)).toBeDefined();
  });

  test('that is unknown for certain is rejected', () => {
    const { world, server, asked, notify } = resolving();
    notify(1);
    asked[0]?.done('unknown');
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: RST, messageId: 1 });
  });

  test('that nobody can tell of meets silence, and is asked for anew when it comes again', () => {
    const { world, server, asked, seen, found, notify } = resolving();
    notify(1);
    asked[0]?.done('unavailable');
    world.clock.advance(20);
    expect(server.received).toEqual([]);
    notify(1);
    asked[1]?.done(found);
    world.clock.advance(20);
    expect(seen).toEqual([1]);
    expect(server.take().type).toBe(ACK);
  });

  test('waits with no more than a bounded number of notifications', () => {
    const { endpoint, asked, seen, found, notify } = resolving();
    for (let id = 1; id <= 20; id++) notify(id);
    asked[0]?.done(found);
    expect(seen).toHaveLength(16);
    expect(endpoint.statistics.refused).toBe(4);
  });

  test('follows whoever has it', () => {
    const { world, endpoint, asked, seen, found } = resolving();
    const moved = world.raw('moved', 'client');
    moved.send({ code: Code.CONTENT, messageId: 1, token: TOKEN, options: [seq(1)] });
    world.clock.advance(20);
    asked[0]?.done(found);
    expect(seen).toEqual([1]);
    expect(endpoint.observation(TOKEN)?.peer).toBe('moved');
  });

  test('leaves silence where the resolver throws', () => {
    const world = new World();
    const fault = new Error('a bug');
    world.endpoint('client', {
      resolveObservation: () => {
        throw fault;
      },
    });
    const server = world.raw('server', 'client');
    server.send({ code: Code.CONTENT, messageId: 1, token: TOKEN, options: [seq(1)] });
    world.clock.advance(20);
    expect([server.received, world.faults]).toEqual([[], [fault]]);
  });

  test('of no bytes is asked of nobody', () => {
    const { world, server, asked } = resolving();
    server.send({ code: Code.CONTENT, messageId: 1, options: [seq(1)] });
    world.clock.advance(20);
    expect(asked).toEqual([]);
    expect(server.take().type).toBe(RST);
  });
});
