import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { volatileJournal } from '../../../client/modem/command-journal.ts';
import type { Modem, ModemOptions } from '../../../client/modem/modem.ts';
import type { CardTransport } from '../../../client/sim/card-transport.ts';
import { volatileCardMemory } from '../../../client/sim/virtual-card/card-memory.ts';
import { cardProfiles } from '../../../client/sim/virtual-card/card-profiles.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { CarrierResult, CarrierState, DISCONNECT_CARRIER_ID } from '../../../objects/carrier.ts';
import { maxAge } from '../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { type Notification, describe as told } from '../../support/client/scripted-server.ts';

const carrierObject = '/42769/0';
const serial = 42;
const [att, tmobile, verizon] = cardProfiles(serial);
if (att === undefined || tmobile === undefined || verizon === undefined) throw new Error('three profiles');

let world: ClientWorld;
let modem: Modem;
let card: VirtualCard;
let journal: ReturnType<typeof volatileJournal>;
let memory: ReturnType<typeof volatileCardMemory>;
let watched: Notification[];

/** A modem process on the card and the journal that are there. */
async function start(options: Partial<ModemOptions> = {}): Promise<void> {
  card = new VirtualCard({ serial, memory, switchLatency: 300, clock: world.clock });
  modem = world.modem({ card, journal, ...options });
  const before = world.states.filter((state) => state === 'registered').length;
  await modem.start();
  if (modem.carrier.identity === undefined) return;
  await world.registered(before + 1);
  await watch();
}

async function watch(): Promise<void> {
  const { told } = await world.settle(
    world.server.observe(carrierObject, { accept: ContentFormat.SENML_CBOR }),
  );
  watched = told;
}

beforeEach(async () => {
  world = new ClientWorld();
  journal = volatileJournal();
  memory = volatileCardMemory();
  await start();
});

afterEach(() => expect(world.faults).toEqual([]));

/** What the Carrier object's notifications said, in order, by resource id. */
function said(): Record<number, unknown>[] {
  return watched.map(({ payload }) =>
    Object.fromEntries(
      Object.entries(world.server.decode(carrierObject, payload)).map(([path, value]) => [
        Number(path.split('/')[3]),
        value,
      ]),
    ),
  );
}

const execute = (args: string) => world.settle(world.server.execute(`${carrierObject}/3`, args));
const ended = (state: CarrierState) =>
  world.until(`state ${state}`, () => said().at(-1)?.[4] === state, 200_000);

describe('the Carrier object', () => {
  it('shows the card: carriers, the one in use, ICCID and IMSI', async () => {
    expect(await world.settle(world.server.values(carrierObject))).toEqual({
      '/42769/0/0': 'AT&T',
      '/42769/0/1/0': 'AT&T',
      '/42769/0/1/1': 'T-Mobile',
      '/42769/0/1/2': 'Verizon',
      '/42769/0/2': 0,
      '/42769/0/4': CarrierState.IDLE,
      '/42769/0/6': '',
      '/42769/0/7': att.iccid,
      '/42769/0/8': att.imsi,
      '/42769/0/10': 0,
      '/42769/0/11': 600,
      '/42769/0/13/0': att.iccid,
      '/42769/0/13/1': tmobile.iccid,
      '/42769/0/13/2': verizon.iccid,
    });
  });
});

describe('a carrier switch', () => {
  it('is accepted at once, in progress while the card works, and ends on what the card says', async () => {
    expect(told(await execute("0='1',1='1790000000001'"))).toBe('2.04');
    expect(card.enabledProfile?.name).toBe('AT&T');
    await ended(CarrierState.SUCCEEDED);
    const [switching, succeeded] = said();
    expect(switching).toMatchObject({ 0: 'AT&T', 4: CarrierState.SWITCHING, 10: 1_790_000_000_001 });
    expect(switching).not.toHaveProperty('5');
    expect(succeeded).toMatchObject({
      0: 'T-Mobile',
      4: CarrierState.SUCCEEDED,
      5: CarrierResult.ACK,
      6: '',
      7: tmobile.iccid,
      8: tmobile.imsi,
      9: Math.floor(world.clock.wallTime() / 1_000),
      10: 1_790_000_000_001,
    });
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('by its argument is what was requested then; one that is refused is not', async () => {
    const requested = async () => {
      const values = await world.settle(world.server.values(`${carrierObject}/2`));
      return values[`${carrierObject}/2`];
    };
    await execute("0='2',1='10'");
    expect(await requested()).toBe(2);
    await ended(CarrierState.SUCCEEDED);
    expect(said().map((notified) => notified[2])).toEqual([2, 2]);
    expect(told(await execute("0='7',1='11'"))).toMatch(/^4\.00/);
    expect(await requested()).toBe(2);
  });

  it('every notification of it is whole: outcome, command and carrier belong together', async () => {
    await execute("0='1',1='10'");
    await ended(CarrierState.SUCCEEDED);
    await execute("0='2',1='11'");
    await world.until('the second', () => said().at(-1)?.[0] === 'Verizon');
    for (const snapshot of said()) {
      const iccid = { 'AT&T': att.iccid, 'T-Mobile': tmobile.iccid, Verizon: verizon.iccid };
      expect(snapshot[7]).toBe(iccid[snapshot[0] as keyof typeof iccid]);
      if (snapshot[4] === CarrierState.SUCCEEDED) {
        expect(snapshot[0]).toBe(snapshot[10] === 10 ? 'T-Mobile' : 'Verizon');
      }
    }
  });

  it('changes the network: PLMN, address and signal, and is followed by an Update', async () => {
    const before = await world.settle(world.server.values('/4/0'));
    await execute("0='2',1='1'");
    await ended(CarrierState.SUCCEEDED);
    const after = await world.settle(world.server.values('/4/0'));
    expect([before['/4/0/10'], before['/4/0/9'], after['/4/0/10'], after['/4/0/9']]).toEqual([
      310, 410, 311, 480,
    ]);
    expect(after['/4/0/4/0']).not.toBe(before['/4/0/4/0']);
    await world.until('updated', () => world.server.of('update').length === 1);
  });

  it('to the carrier in use succeeds', async () => {
    await execute("0='0',1='1'");
    await ended(CarrierState.SUCCEEDED);
    expect(said().at(-1)).toMatchObject({ 0: 'AT&T', 5: CarrierResult.ACK, 7: att.iccid });
  });

  it('without arguments goes to the requested carrier', async () => {
    await world.settle(world.server.writeText(`${carrierObject}/2`, '2'));
    expect(told(await execute(''))).toBe('2.04');
    await ended(CarrierState.SUCCEEDED);
    expect(said().at(-1)).toMatchObject({ 0: 'Verizon', 10: 0 });
  });

  it.each([
    ['policy', 'refused by the profile policy'],
    ['busy', 'the card is busy (card application toolkit)'],
  ] as const)(
    'that the card refuses (%s) ends with its NACK and reason, on the old carrier',
    async (fault, reason) => {
      card.faults.refuse = fault;
      expect(told(await execute("0='1',1='5'"))).toBe('2.04');
      await ended(CarrierState.FAILED);
      expect(said().at(-1)).toMatchObject({
        0: 'AT&T',
        4: CarrierState.FAILED,
        5: CarrierResult.NACK,
        6: reason,
        7: att.iccid,
        10: 5,
      });
    },
  );

  it('with the card out of its slot fails with that reason', async () => {
    card.faults.absent = true;
    await execute("0='1',1='5'");
    await ended(CarrierState.FAILED);
    expect(said().at(-1)).toMatchObject({
      0: 'AT&T',
      5: CarrierResult.NACK,
      6: 'there is no card in the slot',
    });
  });

  it.each([
    ["0='7',1='1'", '4.00 no carrier 7 on this card: 0 AT&T, 1 T-Mobile, 2 Verizon, 15 Disconnect'],
    ["0='x',1='1'", '4.00 the carrier id is no whole number'],
    ["0='1',1='-1'", '4.00 the command id is no whole number'],
    ["0='1',1='99999999999999999'", '4.00 the command id is no whole number'],
    ["0,1='1'", '4.00 the carrier id is no whole number'],
    ["0='1',2='1'", '4.00 Switch has no argument 2'],
  ])('with arguments %s is declined, and nothing happens', async (args, expected) => {
    expect(told(await execute(args))).toBe(expected);
    await world.clock.run(5_000);
    expect([journal.read()?.entry, said(), card.enabledProfile?.name]).toEqual([undefined, [], 'AT&T']);
  });

  it('is declined while the disk is full, and may then be tried again', async () => {
    const { write } = journal;
    journal.write = () => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
    };
    expect(told(await execute("0='1',1='1'"))).toBe('5.00 it cannot be kept: ENOSPC');
    await world.clock.run(5_000);
    expect([journal.read()?.entry, card.enabledProfile?.name]).toEqual([undefined, 'AT&T']);
    journal.write = write;
    expect(told(await execute("0='1',1='1'"))).toBe('2.04');
    await world.clock.run(5_000);
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('is declined while another is under way, and may then be tried again', async () => {
    await execute("0='1',1='1'");
    const second = await execute("0='2',1='2'");
    expect([told(second), maxAge(second.options)]).toEqual(['5.03 a switch is under way', 5]);
    await ended(CarrierState.SUCCEEDED);
    expect(told(await execute("0='2',1='2'"))).toBe('2.04');
    await world.until('the second', () => said().at(-1)?.[0] === 'Verizon');
  });
});

it('a switch over a link that loses, doubles and reorders is told in the end, whole', async () => {
  world.link.quality = { loss: 0.2, duplicate: 0.1, reorder: 0.2, seed: 7 };
  const targets = [1, 2, 0, 1, 2, 0];
  for (const [i, target] of targets.entries()) {
    const name = ['AT&T', 'T-Mobile', 'Verizon'][target];
    // An Execute without an answer is sent again with the same id, as the server does.
    const args = `0='${target}',1='${100 + i}'`;
    const answer = await execute(args).catch(() => execute(args));
    expect(told(answer)).toBe('2.04');
    await world.until(`on ${name}`, () => said().at(-1)?.[10] === 100 + i && said().at(-1)?.[4] !== 1);
    expect(said().at(-1)).toMatchObject({ 0: name, 4: CarrierState.SUCCEEDED, 5: CarrierResult.ACK });
    expect(card.enabledProfile?.name).toBe(name);
  }
});

describe('a command id', () => {
  it('that was had is answered again and its outcome told again, but the card does nothing', async () => {
    await execute("0='1',1='7'");
    await ended(CarrierState.SUCCEEDED);
    const before = said().length;
    card.faults.refuse = 'policy';
    expect(told(await execute("0='1',1='7'"))).toBe('2.04');
    await world.until('told again', () => said().length === before + 1);
    expect(said().at(-1)).toEqual(said().at(-2));
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('that was had, while it is under way, begins nothing anew', async () => {
    await execute("0='1',1='7'");
    expect(told(await execute("0='1',1='7'"))).toBe('2.04');
    await ended(CarrierState.SUCCEEDED);
    await world.clock.run(5_000);
    expect(said().filter((each) => each[4] === CarrierState.SUCCEEDED)).toHaveLength(1);
  });

  it('that was had is refused for another carrier, and a lower one altogether', async () => {
    await execute("0='1',1='7'");
    await ended(CarrierState.SUCCEEDED);
    expect(told(await execute("0='2',1='7'"))).toBe('4.09 command 7 was a switch to carrier 1');
    expect(told(await execute("0='2',1='6'"))).toBe('4.09 command 6 is older than command 7');
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('is known after a restart, with its outcome', async () => {
    await execute("0='1',1='7'");
    await ended(CarrierState.SUCCEEDED);
    await world.settle(modem.close());
    await start();
    expect(await world.settle(world.server.values(carrierObject))).toMatchObject({
      '/42769/0/0': 'T-Mobile',
      '/42769/0/4': CarrierState.SUCCEEDED,
      '/42769/0/5': CarrierResult.ACK,
      '/42769/0/10': 7,
    });
    expect(told(await execute("0='1',1='6'"))).toBe('4.09 command 6 is older than command 7');
  });
});

describe('Disconnect', () => {
  const disconnect = `0='${DISCONNECT_CARRIER_ID}',1='9'`;

  it('tells the ACK first, then is silent, and comes back to the last carrier in time', async () => {
    await world.settle(world.server.writeText(`${carrierObject}/11`, '120'));
    await execute("0='1',1='8'");
    await world.until('on T-Mobile', () => said().at(-1)?.[0] === 'T-Mobile');
    await execute(disconnect);
    await world.until('the ACK', () => said().at(-1)?.[0] === '');
    expect(said().at(-1)).toMatchObject({
      0: '',
      4: CarrierState.SUCCEEDED,
      5: CarrierResult.ACK,
      7: '',
      10: 9,
    });
    const count = watched.length;
    await world.clock.run(1_000);
    world.link.recording = true;
    const unanswered = world.server.read('/3/0').catch((error: Error) => error.name);
    await world.clock.run(115_000);
    expect(world.link.log.filter(({ from }) => from !== '192.0.2.1:5683')).toEqual([]);
    expect(card.enabledProfile).toBeUndefined();
    await world.until('back', () => watched.length > count, 60_000);
    expect(said().at(-1)).toMatchObject({
      0: 'T-Mobile',
      7: tmobile.iccid,
      10: 9,
      4: CarrierState.SUCCEEDED,
    });
    await world.until('updated', () => world.server.of('update').length >= 2);
    await world.settle(unanswered);
  });

  it('goes through even if nobody acknowledges its ACK', async () => {
    world.link.filter = (_, from) => from !== '192.0.2.1:5683';
    const answer = world.server.execute(`${carrierObject}/3`, disconnect).catch((error: Error) => error.name);
    await world.clock.run(400_000);
    await answer;
    expect(card.enabledProfile).toBeUndefined();
    world.link.filter = undefined;
    await world.registered(2);
    expect(world.server.of('register')).toHaveLength(2);
    expect(card.enabledProfile?.name).toBe('AT&T');
  });

  it('lasts through a restart: the modem waits for what is left of the time', async () => {
    await execute(disconnect);
    await ended(CarrierState.SUCCEEDED);
    await world.clock.run(400_000);
    await world.settle(modem.close({ deregister: false }));
    const registrations = world.server.of('register').length;
    await start();
    const back = (journal.read()?.disconnectedAt ?? 0) + 600_000;
    await world.clock.run(back - world.clock.wallTime() - 1_000);
    expect(world.server.of('register')).toHaveLength(registrations);
    await world.until('back', () => world.server.of('register').length > registrations, 10_000);
    await world.registered(2);
    expect(await world.settle(world.server.values(carrierObject))).toMatchObject({
      '/42769/0/0': 'AT&T',
      '/42769/0/4': CarrierState.SUCCEEDED,
      '/42769/0/10': 9,
    });
  });

  it('whose return the card refuses is tried again', async () => {
    await execute(disconnect);
    await ended(CarrierState.SUCCEEDED);
    card.faults.refuse = 'busy';
    await world.clock.run(610_000);
    expect(card.enabledProfile).toBeUndefined();
    card.faults.refuse = undefined;
    await world.clock.run(600_000);
    expect(card.enabledProfile?.name).toBe('AT&T');
    expect(world.lines.join('\n')).toContain('cannot come back to the network: the card is busy');
  });
});

describe('a modem process that dies in the middle of a switch', () => {
  /** The process stops at a step and never goes on; the next one finds card and journal as they are. */
  async function dieAt(step: string, args: string): Promise<void> {
    await world.settle(modem.close());
    const died = Promise.withResolvers<void>();
    await start({
      reach: async (reached) => {
        if (reached !== step) return;
        died.resolve();
        await new Promise<never>(() => {});
      },
    });
    const answer = world.server.execute(`${carrierObject}/3`, args).catch((error: Error) => error);
    await world.settle(died.promise);
    await world.settle(modem.close({ deregister: false }));
    await start();
    await world.settle(answer);
  }

  it.each([
    ['journal-written', 'AT&T', false],
    ['answered', 'AT&T', false],
    ['before-apdu', 'AT&T', false],
    ['after-apdu', 'T-Mobile', true],
    ['before-notify', 'T-Mobile', true],
    ['after-notify', 'T-Mobile', true],
  ])('at %s is found on %s afterwards, and says so', async (step, carrier, succeeded) => {
    await dieAt(step, "0='1',1='3'");
    expect(await world.settle(world.server.values(carrierObject))).toMatchObject({
      '/42769/0/0': carrier,
      '/42769/0/4': succeeded ? CarrierState.SUCCEEDED : CarrierState.FAILED,
      '/42769/0/5': succeeded ? CarrierResult.ACK : CarrierResult.NACK,
      '/42769/0/6': succeeded ? '' : 'interrupted: the card stayed on AT&T',
      '/42769/0/7': succeeded ? tmobile.iccid : att.iccid,
      '/42769/0/10': 3,
    });
    expect(told(await execute("0='1',1='3'"))).toBe('2.04');
    await world.clock.run(10_000);
    expect(card.enabledProfile?.name).toBe(carrier);
  });

  it('between any two APDUs is found where the card is, and says so', async () => {
    const outcomes = new Set<string>();
    for (let survived = 0; ; survived++) {
      memory = volatileCardMemory();
      journal = volatileJournal();
      await world.settle(modem.close());
      card = new VirtualCard({ serial, memory, clock: world.clock });
      let left = Number.POSITIVE_INFINITY;
      let died = false;
      const dying: CardTransport = {
        connect: () => card.connect(),
        reset: () => card.reset(),
        close: () => card.close(),
        transmit(command) {
          if (left-- > 0) return card.transmit(command);
          died = true;
          return new Promise<never>(() => {});
        },
      };
      modem = world.modem({ card: dying, journal });
      const before = world.states.filter((state) => state === 'registered').length;
      await modem.start();
      await world.registered(before + 1);
      left = survived;
      await execute("0='1',1='3'");
      await world.clock.run(3_000);
      if (!died) break;
      await world.settle(modem.close({ deregister: false }));
      await start();
      const carrier = card.enabledProfile?.name ?? '';
      outcomes.add(carrier);
      expect(await world.settle(world.server.values(carrierObject))).toMatchObject({
        '/42769/0/0': carrier,
        '/42769/0/4': carrier === 'T-Mobile' ? CarrierState.SUCCEEDED : CarrierState.FAILED,
        '/42769/0/10': 3,
      });
      expect(survived).toBeLessThan(50);
    }
    expect(outcomes).toEqual(new Set(['AT&T', 'T-Mobile']));
  });

  it('of a Disconnect that the card has done is silent, and tells the outcome when it is back', async () => {
    await world.settle(modem.close());
    const died = Promise.withResolvers<void>();
    await start({
      reach: async (reached) => {
        if (reached !== 'after-apdu') return;
        died.resolve();
        await new Promise<never>(() => {});
      },
    });
    await execute(`0='${DISCONNECT_CARRIER_ID}',1='3'`);
    await world.settle(died.promise);
    await world.settle(modem.close({ deregister: false }));
    const registrations = world.server.of('register').length;
    await start();
    await world.until('back', () => world.server.of('register').length > registrations, 700_000);
    await world.registered(registrations + 1);
    expect(await world.settle(world.server.values(carrierObject))).toMatchObject({
      '/42769/0/4': CarrierState.SUCCEEDED,
      '/42769/0/5': CarrierResult.ACK,
      '/42769/0/10': 3,
    });
  });
});
