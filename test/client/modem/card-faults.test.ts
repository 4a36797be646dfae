import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CardFault } from '../../../client/sim/virtual-card/card-faults.ts';
import { CarrierResult, CarrierState, DISCONNECT_CARRIER_ID } from '../../../objects/carrier.ts';
import { CarrierWorld } from '../../support/sim/carrier-world.ts';

let world: CarrierWorld;

beforeEach(async () => {
  world = new CarrierWorld();
  await world.start();
});

afterEach(() => expect(world.faults).toEqual([]));

const snapshot = () => world.control.snapshot;
const ACK = { state: CarrierState.SUCCEEDED, lastResult: CarrierResult.ACK };
const NACK = { state: CarrierState.FAILED, lastResult: CarrierResult.NACK };

describe('a switch on a card that fails', () => {
  it.each<[string, CardFault, string | RegExp]>([
    ['is busy', { kind: 'busy' }, 'the card is busy (card application toolkit)'],
    ['is forbidden to', { kind: 'policy' }, 'refused by the profile policy'],
    ['does not know why', { kind: 'undefined' }, 'undefined error of the card'],
    ['is mute', { kind: 'mute' }, 'the card did not answer within 10 s'],
    [
      'answers 6700',
      { kind: 'wrong-length' },
      'the card refused to open a logical channel: 6700 wrong length',
    ],
    [
      'answers 6F00',
      { kind: 'technical' },
      'the card refused to open a logical channel: 6F00 technical problem, no precise diagnosis',
    ],
    ['answers half', { kind: 'truncated' }, /^the card's answer cannot be understood: /],
    ['is pulled', { kind: 'removed' }, 'the card was pulled out during a command'],
    ['is not there', { kind: 'absent' }, 'there is no card in the slot'],
    [
      'is mute to the switch alone',
      { kind: 'mute', on: 'switch', times: 1 },
      'the card did not answer within 10 s',
    ],
  ])(
    'because it %s ends as NACK with the reason, within its deadline, on the old carrier',
    async (_what, fault, reason) => {
      const began = world.clock.now();
      world.card.faults.set(fault);
      await world.switch(1, 5);
      expect(snapshot()).toMatchObject({ ...NACK, current: 'AT&T', lastCommand: 5 });
      if (typeof reason === 'string') expect(snapshot().lastReason).toBe(reason);
      else expect(snapshot().lastReason).toMatch(reason);
      // One APDU, a reset, and the patience for a card that is away, whose last attempt may be as long again.
      expect(world.clock.now() - began).toBeLessThanOrEqual(90_000);
      world.card.faults.replace([]);
      await world.clock.run(10_000);
      await world.idle();
      await world.switch(1, 6);
      expect(snapshot()).toMatchObject({ ...ACK, current: 'T-Mobile', lastReason: '' });
    },
  );

  it('that was busy for a moment succeeds', async () => {
    world.card.faults.set({ kind: 'busy', times: 2 });
    await world.switch(1, 5);
    expect(snapshot()).toMatchObject({ ...ACK, current: 'T-Mobile' });
  });

  it('that is slow is waited for', async () => {
    world.card.faults.set({ kind: 'slow', delay: 5_000 });
    await world.switch(1, 5);
    expect(snapshot()).toMatchObject({ ...ACK, current: 'T-Mobile' });
  });

  it.each<[string, CardFault]>([
    ['its answer was garbled', { kind: 'truncated', on: 'switch', times: 1 }],
    ['its answer never came', { kind: 'mute', on: 'switch', times: 1, when: 'after' }],
  ])('is what the card says, where it did it although %s', async (_what, fault) => {
    world.card.faults.set(fault);
    await world.switch(1, 5);
    const on = world.card.enabledProfile?.name;
    expect(snapshot()).toMatchObject({ ...(on === 'T-Mobile' ? ACK : NACK), current: on });
    expect([fault.kind, on]).toEqual([fault.kind, 'T-Mobile']);
  });

  it('and is away for long is a NACK, and is taken up when it is back', async () => {
    world.card.faults.set({ kind: 'removed', on: 'switch', times: 1, when: 'after', delay: 200_000 });
    await world.switch(1, 5);
    expect(snapshot()).toMatchObject({ ...NACK, lastReason: 'the card was pulled out during a command' });
    expect(world.cardTrouble).toBe(true);
    await world.clock.run(300_000);
    expect([world.cardTrouble, world.attached]).toEqual([false, true]);
    expect(snapshot()).toMatchObject({ ...NACK, current: world.card.enabledProfile?.name });
  });
});

describe('a card', () => {
  it('that is pulled and put back is taken up by itself', async () => {
    world.card.faults.set({ kind: 'absent' });
    await world.clock.run(20_000);
    expect(world.cardTrouble).toBe(true);
    expect(world.lines).toContain('the card is away: the card was taken out');
    world.card.faults.clear();
    await world.clock.run(1_000);
    expect(world.cardTrouble).toBe(false);
    await world.switch(2, 1);
    expect(snapshot()).toMatchObject({ ...ACK, current: 'Verizon' });
  });

  it('that is not there at the start is waited for, off the network', async () => {
    world.card.faults.set({ kind: 'absent' });
    await world.restart();
    expect([world.control.isConnected, world.control.hasCard, world.attached]).toEqual([false, false, false]);
    world.card.faults.clear();
    await world.clock.run(10_000);
    expect([world.control.isConnected, world.attached, snapshot().current]).toEqual([true, true, 'AT&T']);
  });

  it('that is not there at the start settles an interrupted switch when it is', async () => {
    await world.begin(1, 7);
    await world.clock.run(310);
    world.card.faults.set({ kind: 'absent' });
    await world.restart();
    expect(snapshot()).toMatchObject({ lastCommand: 7 });
    world.card.faults.clear();
    await world.clock.run(10_000);
    const on = world.card.enabledProfile?.name;
    expect(snapshot()).toMatchObject({ ...(on === 'T-Mobile' ? ACK : NACK), current: on, lastCommand: 7 });
  });

  it('whose PIN is blocked has no network: the switch comes back to the carrier before', async () => {
    world.card.faults.set({ kind: 'pin-blocked' });
    await world.switch(1, 5);
    expect(snapshot().lastReason).toBe('no network with T-Mobile: its PIN is blocked; back on AT&T');
    expect(snapshot()).toMatchObject({ ...NACK, current: 'AT&T' });
  });

  it('whose PIN was blocked is used again when it is not any more', async () => {
    world.card.faults.set({ kind: 'pin-blocked' });
    await world.switch(1, 5);
    expect(snapshot().identity).toMatchObject({ imsi: undefined, obstacle: 'its PIN is blocked' });
    expect(world.lines).toContain('no network with AT&T: its PIN is blocked');
    world.card.faults.clear();
    await world.clock.run(10_000);
    await world.idle();
    expect(snapshot().identity).toEqual({
      carrierId: 0,
      iccid: world.card.profiles[0]?.iccid,
      imsi: world.card.profiles[0]?.imsi,
    });
    await world.switch(1, 6);
    expect(snapshot()).toMatchObject({ ...ACK, current: 'T-Mobile' });
  });

  it('that went to another carrier by itself is followed', async () => {
    const other = world.card.profiles[2]?.iccid ?? '';
    await world.settle(world.sim.euicc.enable(other));
    world.sim.refreshed();
    await world.clock.run(5_000);
    expect([snapshot().current, snapshot().lastCommand, world.attached]).toEqual(['Verizon', 0, true]);
  });

  it('that is pulled while its new network is looked for is missed when that is over', async () => {
    world.noNetwork.add('Verizon');
    await world.begin(2, 9);
    await world.clock.run(30_000);
    world.card.faults.set({ kind: 'absent' });
    world.noNetwork.clear();
    await world.idle();
    await world.clock.run(45_000);
    expect(world.cardTrouble).toBe(true);
    world.card.faults.clear();
    await world.clock.run(10_000);
    expect([world.cardTrouble, world.attached, snapshot().current]).toEqual([false, true, 'Verizon']);
  });

  it('that tells of a change while one is followed is on the network afterwards', async () => {
    await world.settle(world.sim.euicc.enable(world.card.profiles[2]?.iccid ?? ''));
    world.sim.refreshed();
    await world.clock.run(150);
    expect(world.attached).toBe(false);
    world.card.faults.set({ kind: 'slow', delay: 100 });
    world.sim.refreshed();
    await world.clock.run(10_000);
    expect([snapshot().current, world.control.isBusy, world.attached]).toEqual(['Verizon', false, true]);
  });

  it('that left its carrier by itself is off the network, and comes back', async () => {
    await world.settle(world.sim.euicc.disable(world.card.profiles[0]?.iccid ?? ''));
    world.sim.refreshed();
    await world.clock.run(5_000);
    expect([snapshot().current, world.attached]).toEqual(['', false]);
    await world.clock.run(600_000);
    expect([snapshot().current, world.attached]).toEqual(['AT&T', true]);
  });
});

describe('a carrier without network', () => {
  beforeEach(() => world.noNetwork.add('Verizon'));

  it('is left again: NACK with the reason, on the carrier before', async () => {
    const began = world.clock.now();
    await world.switch(2, 9);
    expect(snapshot()).toMatchObject({
      ...NACK,
      current: 'AT&T',
      lastReason: 'no network with Verizon within 60 s; back on AT&T',
      lastCommand: 9,
    });
    expect([world.card.enabledProfile?.name, world.attached]).toEqual(['AT&T', true]);
    expect(world.clock.now() - began).toBeLessThan(65_000);
  });

  it('whose network comes in time is kept', async () => {
    await world.begin(2, 9);
    await world.clock.run(30_000);
    expect([snapshot().state, world.attached]).toEqual([CarrierState.SWITCHING, false]);
    world.noNetwork.clear();
    await world.idle();
    expect(snapshot()).toMatchObject({ ...ACK, current: 'Verizon' });
    expect(world.attached).toBe(true);
  });

  it('is searched for until its time is over, also by a process that begins meanwhile', async () => {
    await world.begin(2, 9);
    await world.clock.run(20_000);
    await world.restart();
    expect(snapshot()).toMatchObject({ state: CarrierState.SWITCHING, lastCommand: 9 });
    await world.idle();
    expect(snapshot()).toMatchObject({
      ...NACK,
      current: 'AT&T',
      lastReason: 'no network with Verizon within 60 s; back on AT&T',
    });
  });

  it('ends on what the card says wherever the process dies on the way back', async () => {
    const seen = new Set<string>();
    for (let after = 60_000; after < 61_500; after += 20) {
      world = new CarrierWorld();
      world.noNetwork.add('Verizon');
      await world.start();
      await world.begin(2, 9);
      await world.clock.run(after);
      const { undone, outcome } = world.journal.read()?.entry ?? {};
      seen.add(outcome !== undefined ? 'ended' : undone !== undefined ? 'on its way back' : 'searching');
      await world.restart();
      await world.idle();
      expect(snapshot()).toMatchObject({
        ...NACK,
        current: 'AT&T',
        lastReason: 'no network with Verizon within 60 s; back on AT&T',
        lastCommand: 9,
      });
      expect([world.card.enabledProfile?.name, world.attached, world.faults]).toEqual(['AT&T', true, []]);
    }
    expect(seen).toEqual(new Set(['searching', 'on its way back', 'ended']));
  });

  it('that cannot be left is a NACK, and is left as soon as the card lets it', async () => {
    await world.begin(2, 9);
    await world.clock.run(30_000);
    world.card.faults.refuse = 'policy';
    await world.idle();
    expect(snapshot()).toMatchObject({
      ...NACK,
      current: 'Verizon',
      lastReason: 'no network with Verizon within 60 s; and not back on AT&T: refused by the profile policy',
    });
    await world.restart();
    world.card.faults.refuse = undefined;
    await world.clock.run(15_000);
    await world.idle();
    expect([snapshot().current, world.card.enabledProfile?.name, world.attached]).toEqual([
      'AT&T',
      'AT&T',
      true,
    ]);
  });

  it('after a Disconnect is what it was, and a switch from it goes to the carrier that is asked for', async () => {
    await world.switch(DISCONNECT_CARRIER_ID, 1);
    expect(snapshot()).toMatchObject({ ...ACK, current: '' });
    expect(world.attached).toBe(false);
    await world.switch(2, 2);
    // It came from none: the way back leads to the carrier before that.
    expect(snapshot()).toMatchObject({ ...NACK, current: 'AT&T' });
    expect(world.attached).toBe(true);
  });
});

describe('one piece of work at a time', () => {
  it('a switch is declined while the ACK of a Disconnect is under way: the modem leaves the network then', async () => {
    const { promise, resolve: acknowledged } = Promise.withResolvers<void>();
    world.deliver = () => promise;
    await world.begin(DISCONNECT_CARRIER_ID, 1);
    await world.clock.run(5_000);
    expect(snapshot()).toMatchObject({ ...ACK, current: '' });
    await expect(world.control.take(1, 2)).rejects.toThrow('the modem is leaving the network');
    acknowledged();
    await world.idle();
    expect(world.attached).toBe(false);
    await world.switch(1, 2);
    expect([snapshot().current, world.attached]).toEqual(['T-Mobile', true]);
  });

  it('a switch is declined while profiles are worked on', async () => {
    const deleted = world.control.provision('delete', 2);
    await expect(world.control.take(1, 1)).rejects.toThrow('an operation on its profiles is under way');
    const { begin } = await world.settle(deleted);
    begin();
    expect(world.card.profiles.map(({ name }) => name)).toEqual(['AT&T', 'T-Mobile']);
  });

  it('a profile that its policy protects is not deleted, and the reason is kept', async () => {
    world.card.faults.refuse = undefined;
    const before = world.card.profiles.length;
    await world.switch(1, 1);
    await expect(world.settle(world.control.provision('delete', 1))).rejects.toThrow(
      'the profile is enabled: disable it, or enable another, first',
    );
    expect(world.card.profiles).toHaveLength(before);
    expect(snapshot().provisioning).toMatchObject({ action: 'delete', outcome: { succeeded: false } });
  });
});
