import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { newCardContents } from '../../../../client/sim/virtual-card/card-contents.ts';
import { type CardMemory, volatileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { milenage, milenageMacs, xor } from '../../../../client/sim/virtual-card/milenage.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { type MilenageTestSet, milenageTestSets } from '../../../support/sim/milenage-test-sets.ts';

/** A card whose enabled profile has the keys of that test set. */
function memoryOf(set: Pick<MilenageTestSet, 'k' | 'opc'>, sequence: readonly number[] = []): CardMemory {
  const memory = volatileCardMemory();
  const made = newCardContents(1, 0);
  const profiles = made.profiles.map((profile) => ({ ...profile, ki: set.k, opc: set.opc, sequence }));
  memory.write({ ...made, profiles });
  return memory;
}

/** Selects the USIM, sends an APDU, and fetches what it announces. */
async function usim(card: VirtualCard, apdu: string): Promise<string> {
  await card.transmit(fromHex('00A4040C07A0000000871002'));
  const answer = toHex(await card.transmit(fromHex(apdu)));
  if (!answer.startsWith('61')) return answer;
  return toHex(await card.transmit(fromHex(`00C00000${answer.slice(2)}`)));
}

function autn(set: MilenageTestSet, sqn = set.sqn): string {
  const k = fromHex(set.k);
  const opc = fromHex(set.opc);
  const rand = fromHex(set.rand);
  const { ak } = milenage(k, opc, rand);
  const { macA } = milenageMacs(k, opc, rand, fromHex(sqn), fromHex(set.amf));
  return `${toHex(xor(fromHex(sqn), ak))}${set.amf}${toHex(macA)}`;
}

const challenge = (set: MilenageTestSet, sqn = set.sqn): string =>
  `008800812210${set.rand}10${autn(set, sqn)}`;

/** Just below the SEQ of that SQN, so that its jump is no wrap-around. */
const justBelow = (sqn: string): number[] => [Math.max(0, Math.floor(Number.parseInt(sqn, 16) / 32) - 1)];

describe.each(milenageTestSets)('AUTHENTICATE with $set', (set) => {
  it('answers the network’s challenge with RES, CK, IK and Kc', async () => {
    const card = new VirtualCard({ serial: 1, memory: memoryOf(set, justBelow(set.sqn)) });
    expect(await usim(card, challenge(set))).toMatch(
      new RegExp(`^DB08${set.f2}10${set.f3}10${set.f4}08[0-9A-F]{16}9000$`),
    );
  });

  it('refuses a MAC with any bit changed', async () => {
    const card = new VirtualCard({ serial: 1, memory: memoryOf(set, justBelow(set.sqn)) });
    for (let bit = 0; bit < 128; bit += 7) {
      const bytes = fromHex(autn(set));
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await usim(card, `008800812210${set.rand}10${toHex(bytes)}`)).toBe('9862');
    }
  });
});

describe('the sequence number', () => {
  const set = milenageTestSets[0] as MilenageTestSet;
  const sqnOf = (seq: number, index: number): string =>
    (seq * 32 + index).toString(16).toUpperCase().padStart(12, '0');

  it('is taken once: the same challenge again gets AUTS, from which the network learns the number', async () => {
    const card = new VirtualCard({ serial: 1, memory: memoryOf(set) });
    expect(await usim(card, challenge(set, sqnOf(7, 1)))).toMatch(/^DB/);
    const failure = await usim(card, challenge(set, sqnOf(7, 1)));
    expect(failure).toMatch(/^DC0E[0-9A-F]{28}9000$/);
    const auts = fromHex(failure.slice(4, 32));
    const sqnMs = xor(auts.slice(0, 6), fromHex(set.f5Star));
    expect(toHex(sqnMs)).toBe(sqnOf(7, 1));
    const { macS } = milenageMacs(
      fromHex(set.k),
      fromHex(set.opc),
      fromHex(set.rand),
      sqnMs,
      new Uint8Array(2),
    );
    expect(toHex(auts.slice(6))).toBe(toHex(macS));
  });

  it('may be lower than the highest, where it is new at its own index', async () => {
    const card = new VirtualCard({ serial: 1, memory: memoryOf(set) });
    expect(await usim(card, challenge(set, sqnOf(9, 1)))).toMatch(/^DB/);
    expect(await usim(card, challenge(set, sqnOf(8, 2)))).toMatch(/^DB/);
    expect(await usim(card, challenge(set, sqnOf(8, 1)))).toMatch(/^DC/);
    expect(await usim(card, challenge(set, sqnOf(9, 2)))).toMatch(/^DB/);
  });

  it('does not jump by more than 2^28', async () => {
    const card = new VirtualCard({ serial: 1, memory: memoryOf(set) });
    expect(await usim(card, challenge(set, sqnOf(2 ** 28 + 1, 0)))).toMatch(/^DC/);
    expect(await usim(card, challenge(set, sqnOf(2 ** 28, 0)))).toMatch(/^DB/);
  });

  it('is in the memory before the answer goes out: a card after it knows it', async () => {
    const memory = memoryOf(set);
    await usim(new VirtualCard({ serial: 1, memory }), challenge(set, sqnOf(7, 1)));
    expect(await usim(new VirtualCard({ serial: 1, memory }), challenge(set, sqnOf(7, 1)))).toMatch(/^DC/);
  });
});

describe('AUTHENTICATE otherwise', () => {
  const set = milenageTestSets[0] as MilenageTestSet;

  it('in a GSM context gives SRES and Kc', async () => {
    const card = new VirtualCard({ serial: 1, memory: memoryOf(set) });
    expect(await usim(card, `008800801110${set.rand}`)).toMatch(/^04[0-9A-F]{8}08[0-9A-F]{16}9000$/);
  });

  it.each([
    ['another context', `008800821110${set.rand}`, '6A86'],
    ['P1 that is not 0', `008801811110${set.rand}`, '6A86'],
    ['no AUTN', `008800811110${set.rand}`, '6700'],
    ['a length of RAND that is wrong', `00880081220F${set.rand}10${autn(set)}`, '6A80'],
    ['a length of AUTN that is wrong', `008800812210${set.rand}0F${autn(set)}`, '6A80'],
    ['no data', '00880081', '6700'],
  ])('with %s is refused', async (_, apdu, sw) => {
    expect(await usim(new VirtualCard({ serial: 1, memory: memoryOf(set) }), apdu)).toBe(sw);
  });

  it('needs the USIM to be selected, and its PIN', async () => {
    const memory = memoryOf(set);
    const card = new VirtualCard({ serial: 1, memory });
    expect(toHex(await card.transmit(fromHex(challenge(set))))).toBe('6985');
    expect(await usim(card, '002800010831323334FFFFFFFF')).toBe('63C2');
    expect(await usim(card, '002800010830303030FFFFFFFF')).toBe('9000');
    await card.reset();
    expect(await usim(card, challenge(set))).toBe('6982');
    expect(await usim(card, '002000010830303030FFFFFFFF')).toBe('9000');
    expect(await usim(card, challenge(set, '000000000020'))).toMatch(/^DB/);
  });
});
