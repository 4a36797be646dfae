import { describe, expect, test } from 'vitest';
import { type CoapMessage, Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import { pathOptions, uintOption } from '../../../protocol/coap/options.ts';
import { RequestTarget } from '../../../protocol/coap/request-target.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { bytes, hex, type RawPeer, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, ACK } = MessageType;
const get = (path: string) => ({ code: Code.GET, options: pathOptions(path) });

function setUp() {
  const world = new World();
  return {
    world,
    endpoint: world.endpoint('server'),
    target: new RequestTarget('before'),
    before: world.raw('before', 'server'),
    after: world.raw('after', 'server'),
  };
}

function answer(peer: RawPeer, { messageId, token }: CoapMessage, payload = ''): void {
  peer.send({ type: ACK, code: Code.CONTENT, messageId, token: hex(token), payload });
}

describe('a request to a target that moves', () => {
  test('goes out again at once, as the same message: a device does nothing twice', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const response = endpoint.request(target, get('/a'));
    world.clock.advance(500);
    const first = before.take();
    target.moveTo('after');
    target.moveTo('after');
    world.clock.advance(20);
    const again = after.take();
    expect(again).toEqual(first);
    world.clock.advance(4_000);
    expect(after.received.length).toBeGreaterThan(0);
    expect(before.received).toEqual([]);
    // What was still under way from the old address is too late: the device answers the same there.
    answer(before, first, 'here');
    world.clock.advance(20);
    answer(after, again, 'there');
    const { payload, peer } = await world.settle(response);
    expect([text(payload), peer]).toEqual(['there', 'after']);
    expect(endpoint.statistics.outstanding).toBe(0);
  });

  test('leaves what goes to the same address, and not to the target, where it is', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const other = endpoint.request('before', get('/other'));
    const moving = endpoint.request(target, get('/moving'));
    world.clock.advance(20);
    expect(before.received).toHaveLength(1);
    target.moveTo('after');
    world.clock.advance(20);
    answer(before, before.take());
    answer(after, after.take());
    expect((await world.settle(other)).peer).toBe('before');
    expect((await world.settle(moving)).peer).toBe('after');
    expect(before.received).toEqual([]);
  });

  test('keeps its place among those that wait: in order, still one at a time, ids rising', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const answers = ['/1', '/2', '/3'].map((path) => endpoint.request(target, get(path)));
    world.clock.advance(20);
    const first = before.take();
    target.moveTo('after');
    const taken: CoapMessage[] = [];
    for (let i = 0; i < 3; i++) {
      world.clock.advance(20);
      expect(after.received).toHaveLength(1);
      const message = after.take();
      taken.push(message);
      answer(after, message);
    }
    await world.settle(Promise.all(answers));
    expect(before.received).toEqual([]);
    expect(taken.map(({ options }) => text(options[0]?.value ?? bytes('')))).toEqual(['1', '2', '3']);
    expect(taken[0]?.messageId).toBe(first.messageId);
    // Its message ids go on: at the new address it meets none that it has seen.
    const steps = taken.slice(1).map((one, i) => (one.messageId - (taken[i]?.messageId ?? 0)) & 0xffff);
    expect(steps.every((step) => step > 0 && step < 100)).toBe(true);
  });

  test('lets those go on that waited for its place at the old address', async () => {
    const { world, endpoint, target, before } = setUp();
    const moving = endpoint.request(target, { ...get('/moving'), timeout: 1_000 });
    const staying = endpoint.request('before', get('/staying'));
    world.clock.advance(20);
    before.take();
    target.moveTo('after');
    world.clock.advance(20);
    answer(before, before.take());
    expect((await world.settle(staying)).code).toBe(Code.CONTENT);
    await expect(world.settle(moving)).rejects.toThrow(TimeoutError);
  });

  test('may be answered from the new address after it was acknowledged at the old one', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const response = endpoint.request(target, get('/a'));
    world.clock.advance(20);
    const { messageId, token } = before.take();
    before.send({ type: ACK, messageId });
    world.clock.advance(20);
    // Before we know that it moved, it is not rejected; it sends it again.
    after.send({ code: Code.CONTENT, messageId: 9, token: hex(token), payload: 'x' });
    world.clock.advance(20);
    expect(after.received).toEqual([]);
    target.moveTo('after');
    after.send({ code: Code.CONTENT, messageId: 9, token: hex(token), payload: 'x' });
    expect(text((await world.settle(response)).payload)).toBe('x');
    world.clock.advance(20);
    expect(after.received.map(({ type, code }) => [type, code])).toEqual([[ACK, Code.EMPTY]]);
  });

  test('goes first where another has its message id: that one waits until the id is free', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const moving = endpoint.request(target, get('/moving'));
    const resident = endpoint.request('after', get('/resident'));
    world.clock.advance(20);
    const [a, b] = [before.take(), after.take()];
    expect(a.messageId).toBe(b.messageId);
    target.moveTo('after');
    world.clock.advance(5_000);
    // Only the one that moved in is sent, and an answer to the other is not taken for one to it.
    expect(after.received.every(({ token }) => hex(token) === hex(a.token))).toBe(true);
    answer(after, b, 'of the other');
    world.clock.advance(20);
    expect(endpoint.statistics.outstanding).toBe(2);
    after.received.length = 0;
    answer(after, a, 'mine');
    expect(text((await world.settle(moving)).payload)).toBe('mine');
    world.clock.advance(20_000);
    answer(after, after.take(), 'of the other');
    expect(text((await world.settle(resident)).payload)).toBe('of the other');
    expect(endpoint.statistics.outstanding).toBe(0);
    // All places of NSTART are free again.
    const next = endpoint.request('after', get('/next'));
    world.clock.advance(20);
    answer(after, after.received.at(-1) as CoapMessage);
    await world.settle(next);
  });

  test('may move away again before the one whose id it had goes on', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const other = new RequestTarget('after');
    const moving = endpoint.request(target, get('/moving'));
    const resident = endpoint.request(other, get('/resident'));
    world.clock.advance(20);
    const [a, b] = [before.take(), after.take()];
    target.moveTo('after');
    // The one that waits goes to where its own peer is now, and is sent there.
    other.moveTo('before');
    world.clock.advance(20);
    expect(before.take()).toEqual(b);
    answer(before, b);
    answer(after, a);
    expect((await world.settle(resident)).peer).toBe('before');
    expect((await world.settle(moving)).peer).toBe('after');
  });

  test('is not sent for longer than a peer must remember it, wherever it moves', async () => {
    const { world, endpoint, target } = setUp();
    world.link.recording = true;
    const response = endpoint.request(target, get('/a'));
    response.catch(() => undefined);
    for (let i = 0; i < 40; i++) {
      await world.clock.run(10_000);
      target.moveTo(`nat:${i}`);
    }
    await expect(world.settle(response)).rejects.toThrow(TimeoutError);
    const ids = new Set(world.link.log.map(({ data }) => `${data[2]}:${data[3]}`));
    expect(ids.size).toBe(1);
    // EXCHANGE_LIFETIME of 247 s, less the 100 s that the last copy may travel: some 15 moves and their retransmissions.
    expect(world.link.log.length).toBeGreaterThan(30);
    expect(world.link.log.length).toBeLessThan(60);
    expect(world.clock.pending).toBeLessThan(3);
  });

  test('goes on where it moves while its blocks are under way, out and in', async () => {
    const world = new World({ delay: 40, loss: 0.2, duplicate: 0.1, seed: 7 });
    const body = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    let handled = 0;
    const endpoint = world.endpoint('server');
    // The device: one endpoint that is reached at another address every ten seconds.
    const device = world.endpoint('device', {
      handler: (request) => {
        handled++;
        const fits =
          request.payload.every((byte, i) => byte === i % 251) && request.payload.length === 100_000;
        request.respond(
          request.code === Code.PUT
            ? { code: fits ? Code.CHANGED : Code.BAD_REQUEST }
            : { code: Code.CONTENT, payload: body },
        );
      },
    });
    for (const direction of ['out', 'in'] as const) {
      let moves = 0;
      let over = false;
      const target = new RequestTarget(`nat:${direction}`);
      world.link.masquerade('device', target.address);
      const move = (): void => {
        if (over) return;
        world.link.masquerade('device', `nat:${direction}${++moves}`);
        // The server hears of it a little later.
        world.clock.setTimer(300, () => target.moveTo(`nat:${direction}${moves}`));
        world.clock.setTimer(10_000, move);
      };
      world.clock.setTimer(10_000, move);
      const response = await world.settle(
        endpoint.request(
          target,
          direction === 'out'
            ? { code: Code.PUT, options: pathOptions('/1/0/2'), payload: body }
            : get('/1/0/2'),
        ),
      );
      over = true;
      expect(moves).toBeGreaterThan(5);
      expect(response.code).toBe(direction === 'out' ? Code.CHANGED : Code.CONTENT);
      if (direction === 'in') expect(response.payload).toEqual(body);
    }
    expect(handled).toBe(2);
    await device.close();
  });

  test('goes out again at once when the target is heard after it was sent in vain, and not before', async () => {
    const { world, endpoint, target, before } = setUp();
    const response = endpoint.request(target, get('/a'));
    world.clock.advance(1_000);
    expect(before.received).toHaveLength(1);
    // Its answer may be on its way.
    target.heard();
    world.clock.advance(20);
    expect(before.received).toHaveLength(1);
    world.clock.advance(25_000);
    const sent = before.received.length;
    target.heard();
    target.heard();
    world.clock.advance(20);
    expect(before.received).toHaveLength(sent + 1);
    // Its waits begin anew.
    world.clock.advance(3_020);
    expect(before.received).toHaveLength(sent + 2);
    expect(before.received.every((one) => one.messageId === before.received[0]?.messageId)).toBe(true);
    answer(before, before.take(), 'awake');
    expect(text((await world.settle(response)).payload)).toBe('awake');
    target.heard();
    world.clock.advance(20);
    expect(endpoint.statistics.outstanding).toBe(0);
  });

  test('is not sent for longer than a peer must remember it, however often it is heard', async () => {
    const { world, endpoint, target } = setUp();
    world.link.recording = true;
    const response = endpoint.request(target, get('/a'));
    response.catch(() => undefined);
    for (let i = 0; i < 40; i++) {
      await world.clock.run(10_000);
      target.heard();
    }
    await expect(world.settle(response)).rejects.toThrow(TimeoutError);
    expect(world.link.log.length).toBeGreaterThan(20);
    expect(world.link.log.length).toBeLessThan(60);
  });

  test('takes the set-up of an observation along', async () => {
    const { world, endpoint, target, before, after } = setUp();
    const payloads: string[] = [];
    const observing = endpoint.observe(target, get('/t'), {
      onNotification: (one) => {
        payloads.push(text(one.payload));
        one.accept();
      },
    });
    world.clock.advance(20);
    const first = before.take();
    target.moveTo('after');
    world.clock.advance(20);
    const again = after.take();
    expect(again).toEqual(first);
    const observe = (value: number) => [uintOption(OptionNumber.OBSERVE, value)];
    const { messageId } = again;
    const token = hex(again.token);
    after.send({ type: ACK, code: Code.CONTENT, messageId, token, options: observe(1), payload: '1' });
    const { observation } = await world.settle(observing);
    expect(observation?.peer).toBe('after');
    after.send({ type: CON, code: Code.CONTENT, messageId: 5, token, options: observe(2), payload: '2' });
    await world.clock.run(20);
    expect(payloads).toEqual(['2']);
  });
});
