import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volatileJournal } from '../../../client/modem/command-journal.ts';
import { volatileSettings } from '../../../client/modem/kept-settings.ts';
import type { Modem, ModemOptions } from '../../../client/modem/modem.ts';
import type { CardTransport } from '../../../client/sim/card-transport.ts';
import { volatileCarrierIds } from '../../../client/sim/carrier-ids.ts';
import { toHex } from '../../../client/sim/hex.ts';
import { volatileCardMemory } from '../../../client/sim/virtual-card/card-memory.ts';
import { cardProfiles } from '../../../client/sim/virtual-card/card-profiles.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { CarrierState } from '../../../objects/carrier.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';

const provisioning = '/504/0';
const carrierObject = '/42769/0';

let world: ClientWorld;
let modem: Modem;
let card: VirtualCard;
let journal: ReturnType<typeof volatileJournal>;
let memory: ReturnType<typeof volatileCardMemory>;
let carrierIds: ReturnType<typeof volatileCarrierIds>;
let settings: ReturnType<typeof volatileSettings>;
const [att = '', tmobile = '', verizon = ''] = cardProfiles(42).map(({ iccid }) => iccid);

/** A modem process on what is kept. */
async function start(options: Partial<ModemOptions> = {}): Promise<void> {
  card = new VirtualCard({ serial: 42, memory, switchLatency: 300, clock: world.clock });
  modem = world.modem({ card, journal, carrierIds, settings, ...options });
  const before = world.states.filter((state) => state === 'registered').length;
  await world.settle(modem.start());
  await world.registered(before + 1);
}

beforeEach(async () => {
  world = new ClientWorld();
  journal = volatileJournal();
  memory = volatileCardMemory();
  carrierIds = volatileCarrierIds();
  settings = volatileSettings();
  await start();
});

afterEach(() => expect(world.faults).toEqual([]));

const execute = (args: string) => world.settle(world.server.execute(`${provisioning}/4`, args));
const select = async (iccid: string) =>
  told(await world.settle(world.server.writeText(`${provisioning}/14`, iccid)));
const values = (path: string) => world.settle(world.server.values(path));
const data = async (type: number) => {
  await world.settle(world.server.writeText(`${provisioning}/18`, String(type)));
  const answer = await world.settle(world.server.read(`${provisioning}/20`, ContentFormat.OPAQUE));
  return answer.payload;
};
const idle = () => world.until('idle', () => modem.carrier.provisioning?.outcome !== undefined, 200_000);

describe('the Remote SIM Provisioning object', () => {
  it('shows the eUICC: its kind, EID, memory and profiles, the enabled one first', async () => {
    expect(await values(provisioning)).toMatchObject({
      '/504/0/0': 1,
      '/504/0/1/0': 0,
      '/504/0/1/1': 1,
      '/504/0/5': 0,
      '/504/0/6': 0,
      '/504/0/9': expect.any(Number),
      '/504/0/11/0': att,
      '/504/0/11/1': tmobile,
      '/504/0/11/2': verizon,
      '/504/0/12': card.eid,
      '/504/0/13': 2,
      '/504/0/14': att,
    });
    await world.settle(world.server.execute(`${carrierObject}/3`, "0='2',1='1'"));
    await world.until('on Verizon', () => modem.carrier.state === CarrierState.SUCCEEDED);
    expect(await values(`${provisioning}/11`)).toEqual({
      '/504/0/11/0': verizon,
      '/504/0/11/1': att,
      '/504/0/11/2': tmobile,
    });
  });

  it('is registered', async () => {
    expect(world.server.of('register')[0]?.payload).toContain('</504/0>');
  });

  it('tells what RSP Data Type names, of the selected profile', async () => {
    await select(tmobile);
    expect(toHex(await data(1))).toMatch(/^BF22/);
    expect(toHex(await data(3))).toMatch(/^E3/);
    expect((await data(5)).length).toBe(16);
    expect(await data(6)).toEqual(Uint8Array.of(0));
    expect(new TextDecoder().decode(await data(8))).toBe('T-Mobile');
    expect(await data(12)).toEqual(Uint8Array.of(2));
    const answer = await world.settle(world.server.writeText(`${provisioning}/18`, '11'));
    expect(told(answer)).toBe('2.04');
    expect(told(await world.settle(world.server.read(`${provisioning}/20`)))).toMatch(/^4\.04/);
  });

  it('gives a profile a nickname, which is the carrier’s name then', async () => {
    await select(tmobile);
    await world.settle(world.server.writeText(`${provisioning}/18`, '7'));
    const put = (bytes: Uint8Array) =>
      world.settle(
        world.server.send(Code.PUT, `${provisioning}/19`, { format: ContentFormat.OPAQUE, payload: bytes }),
      );
    expect(told(await put(new TextEncoder().encode('Magenta')))).toBe('2.04');
    expect(await values(`${carrierObject}/1`)).toMatchObject({ '/42769/0/1/1': 'Magenta' });
    expect(new TextDecoder().decode(await data(7))).toBe('Magenta');
    expect(told(await put(new Uint8Array(65).fill(0x41)))).toBe('4.00 a nickname has at most 64 bytes');
    expect(told(await put(Uint8Array.of(0xff)))).toBe('4.00 a nickname is UTF-8');
    await world.settle(world.server.writeText(`${provisioning}/18`, '9'));
    expect(told(await put(Uint8Array.of(0x41)))).toMatch(/^4\.00 RSP Data Type 9 cannot be set/);
  });

  it('keeps the selected profile without power, and declines one that the card has not', async () => {
    expect(await select('8900000000000000000')).toBe('4.00 the card has no profile 8900000000000000000');
    expect(await select(verizon)).toBe('2.04');
    await world.settle(modem.close());
    await start();
    expect(await values(`${provisioning}/14`)).toEqual({ '/504/0/14': verizon });
  });
});

describe('RSP Update', () => {
  it('enables the selected profile: the answer is the card’s yes, then comes the network', async () => {
    await select(tmobile);
    expect(told(await execute('1'))).toBe('2.04');
    await idle();
    expect(card.enabledProfile?.name).toBe('T-Mobile');
    expect(await values(provisioning)).toMatchObject({
      '/504/0/5': 0,
      '/504/0/6': 1,
      '/504/0/11/0': tmobile,
    });
    // The Carrier object shows the carrier; its state and result are those of its own switches.
    expect(await values(carrierObject)).toMatchObject({
      '/42769/0/0': 'T-Mobile',
      '/42769/0/4': CarrierState.IDLE,
      '/42769/0/7': tmobile,
      '/42769/0/10': 0,
      '/42769/0/12': '',
    });
  });

  it('that the card refuses is answered with its reason, and fails', async () => {
    card.faults.refuse = 'policy';
    await select(tmobile);
    expect(told(await execute('1'))).toBe('5.00 refused by the profile policy');
    expect(await values(provisioning)).toMatchObject({ '/504/0/5': 0, '/504/0/6': 13, '/504/0/11/0': att });
    expect(await values(`${carrierObject}/12`)).toEqual({ '/42769/0/12': 'refused by the profile policy' });
  });

  it('on a card that takes long is answered before, and ends when the card has said so', async () => {
    card.faults.set({ kind: 'mute' });
    await select(tmobile);
    const began = world.clock.now();
    expect(told(await execute('1'))).toBe('2.04');
    expect(world.clock.now() - began).toBeLessThan(6_000);
    expect(await values(`${provisioning}/5`)).toEqual({ '/504/0/5': 5 });
    await idle();
    expect(await values(provisioning)).toMatchObject({ '/504/0/5': 0, '/504/0/6': 13 });
    expect(await values(`${carrierObject}/12`)).toEqual({
      '/42769/0/12': 'the card did not answer within 10 s',
    });
  });

  it('to a profile without network comes back, and fails with the reason', async () => {
    await world.settle(modem.close());
    await start({ noNetwork: ['Verizon'], networkTimeout: 20_000 });
    await select(verizon);
    expect(told(await execute('1'))).toBe('2.04');
    await idle();
    expect(card.enabledProfile?.name).toBe('AT&T');
    await world.until('attached', () => world.lines.at(-1)?.startsWith('attached to AT&T') === true);
    expect(await values(provisioning)).toMatchObject({ '/504/0/5': 0, '/504/0/6': 13 });
    expect(await values(`${carrierObject}/12`)).toEqual({
      '/42769/0/12': 'no network with Verizon within 20 s; back on AT&T',
    });
  });

  it('disables the enabled profile: off the network, and back in time', async () => {
    await world.settle(world.server.writeText(`${carrierObject}/11`, '60'));
    expect(told(await execute('2'))).toBe('2.04');
    await idle();
    expect(card.enabledProfile).toBeUndefined();
    await world.until('back', () => card.enabledProfile?.name === 'AT&T');
  });

  it('deletes a profile; the others keep their carrier ids', async () => {
    await select(tmobile);
    expect(told(await execute('3'))).toBe('2.04');
    expect(card.profiles.map(({ name }) => name)).toEqual(['AT&T', 'Verizon']);
    expect(await values(provisioning)).toMatchObject({
      '/504/0/6': 1,
      '/504/0/11/1': verizon,
      '/504/0/14': att,
    });
    const available = { '/42769/0/1/0': 'AT&T', '/42769/0/1/2': 'Verizon' };
    expect(await values(`${carrierObject}/1`)).toEqual(available);
    await world.settle(modem.close());
    await start();
    expect(await values(`${carrierObject}/1`)).toEqual(available);
    const answer = await world.settle(world.server.execute(`${carrierObject}/3`, "0='1',1='5'"));
    expect(told(answer)).toBe('4.00 no carrier 1 on this card: 0 AT&T, 2 Verizon, 15 Disconnect');
  });

  it('resets the memory: no carrier is left, and the modem says so', async () => {
    expect(told(await execute('4'))).toBe('2.04');
    await idle();
    expect(card.profiles).toEqual([]);
    expect(modem.carrier).toMatchObject({ current: '', provisioning: { outcome: { succeeded: true } } });
    await world.until(
      'it looks for a profile',
      () => world.lines.includes('cannot come back to the network: the card has no profile'),
      700_000,
    );
  });

  it.each([
    ['', '4.00 RSP Update takes one argument, 1 to 4, without a value'],
    ['1,3', '4.00 RSP Update takes one argument, 1 to 4, without a value'],
    ["1='x'", '4.00 RSP Update takes one argument, 1 to 4, without a value'],
    ['0', '5.01 this modem downloads no profiles'],
    ['7', '4.00 RSP Update has no argument 7'],
  ])('with arguments %s is declined, and the card does nothing', async (args, expected) => {
    expect(told(await execute(args))).toBe(expected);
    expect([journal.read()?.provisioning, card.enabledProfile?.name]).toEqual([undefined, 'AT&T']);
  });

  it('does not delete the enabled profile, nor disable another', async () => {
    expect(told(await execute('3'))).toBe(`4.00 profile ${att} of AT&T is enabled: enable another one first`);
    await select(verizon);
    expect(told(await execute('2'))).toBe(`4.00 profile ${verizon} of Verizon is not enabled`);
    expect(card.profiles).toHaveLength(3);
  });

  it('and a carrier switch are not under way together', async () => {
    await world.settle(world.server.execute(`${carrierObject}/3`, "0='1',1='1'"));
    await select(verizon);
    expect(told(await execute('1'))).toBe('5.03 a switch is under way');
    await world.until('on T-Mobile', () => modem.carrier.state === CarrierState.SUCCEEDED);
  });

  it('does not touch what a command id had as its outcome', async () => {
    await world.settle(world.server.execute(`${carrierObject}/3`, "0='1',1='7'"));
    await world.until('on T-Mobile', () => modem.carrier.state === CarrierState.SUCCEEDED);
    await select(verizon);
    await execute('1');
    await idle();
    const again = await world.settle(world.server.execute(`${carrierObject}/3`, "0='1',1='7'"));
    expect(told(again)).toBe('2.04');
    await world.clock.run(5_000);
    expect(card.enabledProfile?.name).toBe('Verizon');
    expect(await values(carrierObject)).toMatchObject({ '/42769/0/4': 2, '/42769/0/5': 0, '/42769/0/10': 7 });
  });
});

describe('a modem process that dies in an RSP Update', () => {
  it.each([
    ['1', 'enable'],
    ['3', 'delete'],
  ] as const)('of argument %s, between any two APDUs, ends on what the card says', async (args, action) => {
    const outcomes = new Set<boolean>();
    for (let survived = 0; ; survived++) {
      expect(survived).toBeLessThan(80);
      memory = volatileCardMemory();
      journal = volatileJournal();
      carrierIds = volatileCarrierIds();
      settings = volatileSettings();
      await world.settle(modem.close({ deregister: false }));
      let left = Number.POSITIVE_INFINITY;
      let died = false;
      const dead = new Promise<never>(() => {});
      card = new VirtualCard({ serial: 42, memory, clock: world.clock });
      const slot = card;
      const dying: CardTransport = {
        connect: () => (died ? dead : slot.connect()),
        reset: () => (died ? dead : slot.reset()),
        close: () => slot.close(),
        transmit(command) {
          if (died || left-- <= 0) {
            died = true;
            return dead;
          }
          return slot.transmit(command);
        },
      };
      modem = world.modem({ card: dying, journal, carrierIds, settings });
      const before = world.states.filter((state) => state === 'registered').length;
      await world.settle(modem.start());
      await world.registered(before + 1);
      await select(tmobile);
      left = survived;
      const answer = world.server.execute(`${provisioning}/4`, args).catch((error: Error) => error);
      await world.clock.run(3_000);
      if (!died) {
        await world.settle(answer);
        break;
      }
      await world.settle(modem.close({ deregister: false }));
      await start();
      await world.settle(answer);
      await world.clock.run(5_000);
      const done =
        action === 'enable'
          ? card.enabledProfile?.iccid === tmobile
          : card.profiles.every(({ iccid }) => iccid !== tmobile);
      outcomes.add(done);
      expect(modem.carrier.provisioning).toMatchObject({ action, outcome: { succeeded: done } });
      expect(await values(`${provisioning}/6`)).toEqual({
        '/504/0/6': done ? 1 : action === 'enable' ? 13 : 15,
      });
      expect(modem.carrier.identity?.iccid).toBe(card.enabledProfile?.iccid);
    }
    expect(outcomes).toEqual(new Set([false, true]));
  });
});
