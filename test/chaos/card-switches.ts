/**
 * `node scripts/run.mjs test/chaos/card-switches.ts [--count N] [--seed S]`: switches a virtual card N times (100 000)
 * with faults by chance, in simulated time, and stops at the first after which the modem and the card disagree. The
 * same seed gives the same run.
 */
import { parseArgs } from 'node:util';
import { switchAtRandom } from '../support/sim/random-switches.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
const batch = 10_000;
let acknowledged = 0;
let refused = 0;
const reasons = new Map<string, number>();
console.log(`seed ${seed}`);
for (let done = 0; done < Number(values.count); done += batch) {
  const tally = await switchAtRandom(Math.min(batch, Number(values.count) - done), seed + done);
  acknowledged += tally.acknowledged;
  refused += tally.refused;
  for (const [reason, count] of tally.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  console.log(`${acknowledged + refused} switches: ${acknowledged} ACK, ${refused} NACK`);
}
for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1])) {
  console.log(`${String(count).padStart(8)}  ${reason || 'acknowledged'}`);
}
