import { beforeEach, describe, expect, it } from 'vitest';
import { BoundedTransport } from '../../../client/sim/bounded-transport.ts';
import { type CardTransport, CardTransportError } from '../../../client/sim/card-transport.ts';
import { World } from '../../support/coap/world.ts';

const answer = Uint8Array.of(0x90, 0x00);
const command = Uint8Array.of(0x80, 0xf2, 0x00, 0x00);

let world: World;
/** What of the card does not answer. */
let mute: Set<keyof CardTransport>;
let late: ((bytes: Uint8Array) => void)[];
let sent: number;
let transport: BoundedTransport;

beforeEach(() => {
  world = new World();
  mute = new Set();
  late = [];
  sent = 0;
  const reply = (name: keyof CardTransport): Promise<Uint8Array> =>
    mute.has(name) ? new Promise((resolve) => late.push(resolve)) : Promise.resolve(answer);
  transport = new BoundedTransport(
    {
      connect: () => reply('connect'),
      reset: () => reply('reset'),
      close: async () => void (await reply('close')),
      transmit: () => {
        sent++;
        return reply('transmit');
      },
    },
    world.clock,
    10_000,
  );
});

const settled = (promise: Promise<unknown>) =>
  world.settle(
    promise.catch((error: unknown) => (error instanceof CardTransportError ? error.message : error)),
  );

describe('a transport with a deadline', () => {
  it('hands on what is answered in time', async () => {
    expect(await settled(transport.connect())).toEqual(answer);
    expect(await settled(transport.transmit(command))).toEqual(answer);
    expect(await settled(transport.close())).toBeUndefined();
  });

  it.each([
    ['transmit', 'the card did not answer within 10 s'],
    ['reset', 'the card did not answer to a reset within 10 s'],
    ['connect', 'the card did not answer to being powered up within 10 s'],
    ['close', 'the card did not answer to being closed within 10 s'],
  ] as const)('gives a mute %s up', async (name, message) => {
    mute.add(name);
    const began = world.clock.now();
    expect(await settled(name === 'transmit' ? transport.transmit(command) : transport[name]())).toBe(
      message,
    );
    expect(world.clock.now() - began).toBe(10_000);
  });

  it('sends nothing more after a silence until a reset has worked, and drops what comes late', async () => {
    mute.add('transmit').add('reset');
    await settled(transport.transmit(command));
    mute.delete('transmit');
    const refused = 'the card did not answer within 10 s';
    expect(await settled(transport.transmit(command))).toBe(refused);
    expect(await settled(transport.reset())).toBe('the card did not answer to a reset within 10 s');
    for (const resolve of late) resolve(answer);
    expect(await settled(transport.transmit(command))).toBe('the card did not answer to a reset within 10 s');
    expect(sent).toBe(1);
    mute.delete('reset');
    await settled(transport.reset());
    expect(await settled(transport.transmit(command))).toEqual(answer);
  });

  it('hands errors on, and leaves no timer behind', async () => {
    const failing = new BoundedTransport(
      {
        connect: () => Promise.reject(new CardTransportError('no reader')),
        reset: async () => answer,
        close: async () => {},
        transmit: async () => answer,
      },
      world.clock,
    );
    expect(await settled(failing.connect())).toBe('no reader');
    await world.clock.run(20_000);
    expect(await settled(failing.transmit(command))).toEqual(answer);
  });

  it('takes a transport that throws for one that has answered', async () => {
    const broken = new BoundedTransport(
      {
        connect: async () => answer,
        reset: async () => answer,
        close: async () => {},
        transmit: () => {
          throw new CardTransportError('no card is connected');
        },
      },
      world.clock,
      10_000,
    );
    expect(await settled(broken.transmit(command))).toBe('no card is connected');
    expect(world.clock.pending).toBe(0);
  });
});
