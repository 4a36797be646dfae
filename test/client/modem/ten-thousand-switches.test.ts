import { expect, it } from 'vitest';
import { switchAtRandom } from '../../support/sim/random-switches.ts';

// What the Carrier object says has to be what the card says, whatever went wrong on the way. More of it, and with other
// seeds: test/chaos/card-switches.ts.

it('10 000 switches in a row with random faults end, each on what the card says', {
  timeout: 300_000,
}, async () => {
  const { acknowledged, refused, reasons } = await switchAtRandom(10_000, 20_260_728);
  expect(acknowledged).toBeGreaterThan(5_000);
  expect(refused).toBeGreaterThan(500);
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
    expect([...reasons.keys()]).toContain(reason);
  }
});
