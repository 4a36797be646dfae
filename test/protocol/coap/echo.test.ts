import { describe, expect, test } from 'vitest';
import { EchoAuthority } from '../../../protocol/coap/echo.ts';
import { Code, OptionNumber } from '../../../protocol/coap/message.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';
import { World } from '../../support/coap/world.ts';

const KEY = new Uint8Array(32).fill(7);

describe('an Echo value', () => {
  test('holds for the peer that it was made for, as long as it may', () => {
    const clock = new FakeClock();
    const authority = new EchoAuthority(clock, 10_000, KEY);
    const option = authority.challenge('peer');
    expect(option.number).toBe(OptionNumber.ECHO);
    expect(authority.verify([option], 'peer')).toBe(true);
    expect(authority.verify([option], 'other')).toBe(false);
    expect(authority.verify([], 'peer')).toBe(false);
    clock.advance(10_000);
    expect(authority.verify([option], 'peer')).toBe(true);
    clock.advance(10);
    expect(authority.verify([option], 'peer')).toBe(false);
  });

  test('holds at every server with the key, and at no other', () => {
    const clock = new FakeClock();
    const option = new EchoAuthority(clock, 10_000, KEY).challenge('peer');
    expect(new EchoAuthority(clock, 10_000, KEY).verify([option], 'peer')).toBe(true);
    expect(new EchoAuthority(clock, 10_000).verify([option], 'peer')).toBe(false);
  });

  test('cannot be forged, bit by bit, nor come from the future', () => {
    const clock = new FakeClock();
    const authority = new EchoAuthority(clock, 10_000, KEY);
    const { number, value } = authority.challenge('peer');
    for (let bit = 0; bit < value.length * 8; bit++) {
      const forged = Uint8Array.from(value);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(authority.verify([{ number, value: forged }], 'peer')).toBe(false);
    }
    for (let length = 0; length < value.length; length++) {
      expect(authority.verify([{ number, value: value.subarray(0, length) }], 'peer')).toBe(false);
    }
    clock.setWallTime(clock.wallTime() - 60_000);
    expect(authority.verify([{ number, value }], 'peer')).toBe(false);
  });

  test('is asked for and given between two endpoints without anybody noticing', async () => {
    const world = new World();
    const authority = new EchoAuthority(world.clock, 10_000);
    let refused = 0;
    world.endpoint('server', {
      handler: (request) => {
        if (authority.verify(request.options, request.peer)) request.respond({ code: Code.CHANGED });
        else {
          refused++;
          request.respond({ code: Code.UNAUTHORIZED, options: [authority.challenge(request.peer)] });
        }
      },
    });
    const client = world.endpoint('client');
    const response = await world.settle(client.request('server', { code: Code.POST }));
    expect([response.code, refused]).toEqual([Code.CHANGED, 1]);
  });
});
