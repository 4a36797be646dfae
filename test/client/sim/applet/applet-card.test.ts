import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandApdu, Ins, onChannel } from '../../../../client/sim/apdu.ts';
import { AppletIns, carrierAppletAid } from '../../../../client/sim/applet/applet-apdu.ts';
import { CardRefusalError } from '../../../../client/sim/carrier-card.ts';
import { fromHex } from '../../../../client/sim/hex.ts';
import { encodePacket } from '../../../../protocol/flow/packet.ts';
import { AppletWorld } from '../../../support/sim/applet-world.ts';

let world: AppletWorld;
beforeEach(async () => {
  world = new AppletWorld();
  await world.start();
});
afterEach(() => expect(world.faults).toEqual([]));

const current = () => world.card.current();
const carrier = async (id: number) => {
  const found = (await world.card.carriers()).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no carrier ${id}`);
  return found;
};
const iccidOf = (name: string) => world.virtual.profiles.find((profile) => profile.name === name)?.iccid;

describe('the applet by itself', () => {
  it('has opened its channel to the gateway, and said on which carrier it is', () => {
    expect(world.network.destinations).toEqual(['192.0.2.7:6001']);
    expect(world.network.got).toEqual(['1100']);
  });

  it('switches when the gateway says so: another ICCID, and then its own ACK', async () => {
    const before = await current();
    world.network.say('1020');
    await world.settled();
    expect(world.network.got).toEqual(['1100', '1102']);
    expect(world.network.destinations).toHaveLength(2);
    expect(await current()).toEqual({
      carrierId: 2,
      iccid: iccidOf('Verizon'),
      imsi: world.virtual.enabledProfile?.imsi,
    });
    expect((await current())?.iccid).not.toBe(before?.iccid);
    expect(world.events).toEqual(['changed']);
  });

  it('answers NACK with its carrier to one that it has not, and to what the card refuses', async () => {
    world.network.say('1090');
    await world.settled();
    world.virtual.faults.set({ kind: 'policy' });
    world.network.say('1010');
    await world.settled();
    expect(world.network.got).toEqual(['1100', '1110', '1110']);
    expect(world.events).toEqual([]);
    expect((await current())?.carrierId).toBe(0);
  });

  it('acknowledges a Disconnect first, and is without a network then', async () => {
    world.network.say('10f0');
    await world.settled();
    expect(world.network.got).toEqual(['1100', '110F']);
    expect(world.network.isOpen).toBe(false);
    expect(await current()).toBeUndefined();
    expect(world.events).toEqual(['changed']);
  });

  it('opens its channel anew at the next poll when there was no network', async () => {
    world.network.up = false;
    world.network.drop();
    await world.settled();
    await world.poll();
    expect(world.network.isOpen).toBe(false);
    world.network.up = true;
    await world.poll();
    await world.poll();
    expect(world.network.isOpen).toBe(true);
    expect(world.network.got).toEqual(['1100', '1100']);
  });

  it('goes back to its carrier when the new one has no network, and says NACK', async () => {
    world.network.up = false;
    world.network.say('1010');
    await world.settled();
    expect((await current())?.carrierId).toBe(1);
    for (let i = 0; i < 6; i++) await world.poll();
    expect((await current())?.carrierId).toBe(0);
    expect(world.events).toEqual(['changed', 'changed']);
    world.network.up = true;
    for (let i = 0; i < 20; i++) await world.poll();
    expect(world.network.got.slice(0, 2)).toEqual(['1100', '1110']);
  });

  it('keeps an ACK that could not go out, also without power', async () => {
    world.network.say('1020');
    world.network.up = false;
    await world.settled();
    expect(world.network.got).toEqual(['1100']);
    await world.terminal.stop();
    const next = new AppletWorld(undefined, world.memory);
    await next.start();
    expect(next.network.got).toEqual(['1102']);
  });

  it('says again that it is there when it has been silent', async () => {
    await world.poll();
    await world.poll();
    expect(world.network.got).toEqual(['1100', '0100']);
  });
});

describe('the modem’s own order', () => {
  it('is handed to the applet, whose ACK it is', async () => {
    const answer = await world.card.enable(await carrier(1));
    expect(answer).toEqual({});
    expect(await current()).toMatchObject({ carrierId: 1, iccid: iccidOf('T-Mobile') });
    await world.settled();
    expect(world.events).toEqual([]);
    expect(world.network.got).toEqual(['1100', '1101']);
  });

  it('that the card refuses is the applet’s NACK', async () => {
    world.virtual.faults.set({ kind: 'policy' });
    await expect(world.card.enable(await carrier(1))).rejects.toThrow(
      new CardRefusalError('the applet refused: it is on AT&T'),
    );
    expect((await current())?.carrierId).toBe(0);
  });

  it('to leave its carrier, and to come back', async () => {
    await world.card.disable();
    expect(await current()).toBeUndefined();
    await world.card.enable(await carrier(0));
    expect((await current())?.carrierId).toBe(0);
  });

  it('works without a terminal that serves the card', async () => {
    await world.terminal.stop();
    await world.card.enable(await carrier(2));
    expect((await current())?.carrierId).toBe(2);
  });
});

describe('a card that wants its PIN', () => {
  it('says so, and why there is no network', async () => {
    world.virtual.faults.set({ kind: 'pin-blocked' });
    expect(await current()).toMatchObject({
      carrierId: 0,
      iccid: iccidOf('AT&T'),
      imsi: undefined,
      obstacle: 'its PIN is blocked',
    });
  });
});

describe('readings', () => {
  const reading = encodePacket({
    kind: 'iot-data',
    deviceId: 3,
    takenAt: { year: 2023, month: 6, day: 14, hour: 12, minute: 34, second: 56, microsecond: 789_012 },
    data: Uint8Array.of(0, 0, 1, 0xc3),
  });

  it('go up through the card’s channel', async () => {
    expect(await world.card.sendReadings([reading])).toBe(1);
    expect(world.network.got).toEqual(['1100', '000000000357E756B22E30285004000001C3']);
  });

  it('are not taken without a channel', async () => {
    world.network.up = false;
    world.network.drop();
    await world.settled();
    expect(await world.card.sendReadings([reading])).toBe(0);
  });
});

describe('whatever a terminal asks of the applet', () => {
  const command = fc.record({
    ins: fc.constantFrom(AppletIns.GET_DATA, AppletIns.PUT_DATA, 0x00, 0xff),
    what: fc.constantFrom(0x0001, 0x0002, 0x0003, 0xffff),
    data: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(fromHex('1020'), fromHex('10f0'))),
  });
  const envelope = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(fromHex('D60E99010982028281B8028100B70102')),
  );

  it('gets a status word, and the card goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(command, envelope), { maxLength: 12 }), async (asked) => {
        const tried = new AppletWorld();
        await tried.start();
        await tried.session.onApplication('the applet', carrierAppletAid, async (channel) => {
          for (const each of asked) {
            const { generation } = tried.session;
            const apdu: CommandApdu =
              each instanceof Uint8Array
                ? { cla: 0x80, ins: Ins.ENVELOPE, p1: 0, p2: 0, data: each }
                : onChannel(
                    { cla: 0x80, ins: each.ins, p1: each.what >> 8, p2: each.what & 0xff, data: each.data },
                    channel,
                  );
            const { sw } = await tried.session.send(apdu);
            expect(sw >> 12 === 6 || sw >> 12 === 9).toBe(true);
            // A switch: the channel is gone with the reset.
            if (tried.session.generation !== generation) return;
          }
        });
        await tried.settled();
        expect(tried.faults).toEqual([]);
        expect((await tried.card.current())?.iccid).toBe(tried.virtual.enabledProfile?.iccid);
      }),
      { numRuns: 300 },
    );
  });
});
