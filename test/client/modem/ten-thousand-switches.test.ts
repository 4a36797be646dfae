import { expect, it } from 'vitest';
import { seededRandom } from '../../../client/sim/virtual-card/seeded-random.ts';
import { CarrierResult, CarrierState } from '../../../objects/carrier.ts';
import { CarrierWorld } from '../../support/sim/carrier-world.ts';

// What the Carrier object says has to be what the card says, whatever went wrong on the way. More of it, and for
// longer, in test/chaos/card-switches.ts.

const names = ['AT&T', 'T-Mobile', 'Verizon'];

it('10 000 switches in a row with random faults end, each on what the card says', {
  timeout: 300_000,
}, async () => {
  const world = new CarrierWorld({}, 50);
  const random = seededRandom(20_260_728);
  const pick = (count: number): number => Math.floor(random() * count);
  await world.start();
  const ended = { ACK: 0, NACK: 0 };
  const reasons = new Set<string>();
  for (let id = 1; id <= 10_000; id++) {
    world.card.faults.random = { seed: id, probability: 0.04 };
    const chance = random();
    if (chance < 0.02) world.card.faults.set({ kind: 'absent', delay: pick(60_000) });
    else if (chance < 0.04) world.noNetwork.add(names[pick(3)] ?? '');
    const target = pick(3);
    await world.begin(target, id);
    // A process that dies in the middle of it.
    if (chance > 0.96) {
      await world.clock.run(pick(600));
      await world.restart();
    }
    await world.idle();
    // Without faults the card is asked by whoever looks: what it is on is what the object says.
    world.card.faults.replace([]);
    world.noNetwork.clear();
    await world.clock.run(20_000);
    await world.idle();
    const { snapshot } = world.control;
    const on = world.card.enabledProfile;
    expect([snapshot.current, snapshot.identity?.iccid, snapshot.lastCommand]).toEqual([
      on?.name,
      on?.iccid,
      id,
    ]);
    if (snapshot.lastResult === CarrierResult.ACK) expect(snapshot.current).toBe(names[target]);
    else expect(snapshot.lastReason).not.toBe('');
    expect([CarrierState.SUCCEEDED, CarrierState.FAILED]).toContain(snapshot.state);
    expect([world.attached, world.cardTrouble]).toEqual([true, false]);
    ended[snapshot.lastResult === CarrierResult.ACK ? 'ACK' : 'NACK']++;
    reasons.add(snapshot.lastReason.replace(/: .*| with .*/, ''));
  }
  expect(ended.ACK).toBeGreaterThan(5_000);
  expect(ended.NACK).toBeGreaterThan(500);
  // Each kind of fault has had its turn, and is told apart.
  for (const reason of [
    '',
    'there is no card in the slot',
    'the card did not answer within 10 s',
    'refused by the profile policy',
    'undefined error of the card',
    'the card refused to select the ISD-R',
    'the card refused to store data',
    "the card's answer cannot be understood",
    'the card was pulled out during a command',
    'no network',
    'interrupted',
  ]) {
    expect(reasons).toContain(reason);
  }
  expect(world.faults).toEqual([]);
});
