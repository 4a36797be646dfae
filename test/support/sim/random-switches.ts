import { seededRandom } from '../../../client/sim/virtual-card/seeded-random.ts';
import { CarrierResult, CarrierState } from '../../../objects/carrier.ts';
import { CarrierWorld } from './carrier-world.ts';

/** What became of many switches. */
export interface SwitchTally {
  readonly acknowledged: number;
  readonly refused: number;
  /** Reasons, without what is of one switch alone. */
  readonly reasons: ReadonlyMap<string, number>;
}

const names = ['AT&T', 'T-Mobile', 'Verizon'];

/**
 * Switches a virtual card that many times, the same ones for the same seed, with faults by chance at each APDU: also
 * cards that are away for a while, carriers without network, and processes that die in the middle. After each it looks
 * whether the Carrier object says what the card says.
 * @throws Error it does not, with the seed and the number of the switch
 */
export async function switchAtRandom(count: number, seed: number): Promise<SwitchTally> {
  const world = new CarrierWorld({}, 50);
  const random = seededRandom(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const reasons = new Map<string, number>();
  let acknowledged = 0;
  await world.start();
  for (let id = 1; id <= count; id++) {
    world.card.faults.random = { seed: seed + id, probability: 0.04 };
    const chance = random();
    if (chance < 0.02) world.card.faults.set({ kind: 'absent', delay: pick(60_000) });
    else if (chance < 0.04) world.noNetwork.add(names[pick(3)] ?? '');
    const target = pick(3);
    await world.begin(target, id);
    if (chance > 0.96) {
      await world.clock.run(pick(600));
      await world.restart();
    }
    await world.idle();
    // Without faults the card is what it says to whoever asks.
    world.card.faults.replace([]);
    world.noNetwork.clear();
    await world.clock.run(20_000);
    await world.idle();
    const { lastResult, lastReason } = world.control.snapshot;
    const wrong = contradiction(world, target, id);
    if (wrong !== undefined)
      throw new Error(`seed ${seed}, switch ${id}: ${wrong}\n${world.lines.slice(-20).join('\n')}`);
    if (lastResult === CarrierResult.ACK) acknowledged++;
    const reason = lastReason.replace(/: .*| with .*/, '');
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    world.lines.splice(0, world.lines.length - 20);
  }
  return { acknowledged, refused: count - acknowledged, reasons };
}

/** What does not fit together after a switch; undefined: nothing. */
function contradiction(world: CarrierWorld, target: number, id: number): string | undefined {
  const { current, identity, lastCommand, lastResult, lastReason, state } = world.control.snapshot;
  const card = world.card.enabledProfile;
  if (current !== card?.name || identity?.iccid !== card.iccid)
    return `it says ${current}, the card ${card?.name}`;
  if (lastCommand !== id) return `it says that the newest command is ${lastCommand}`;
  if (state !== CarrierState.SUCCEEDED && state !== CarrierState.FAILED) return `it has not ended: ${state}`;
  if (lastResult === CarrierResult.ACK && current !== names[target]) return `ACK, and it is on ${current}`;
  if (lastResult !== CarrierResult.ACK && lastReason === '') return 'NACK without a reason';
  if (!world.attached) return 'it is off the network';
  if (world.cardTrouble) return 'it says that its card is away';
  return world.faults.length === 0 ? undefined : `a bug: ${world.faults.map(String).join(', ')}`;
}
