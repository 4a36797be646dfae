import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import {
  gsmKey,
  gsmResponse,
  milenage,
  milenageMacs,
  milenageOpc,
} from '../../../../client/sim/virtual-card/milenage.ts';
import { milenageTestSets } from '../../../support/sim/milenage-test-sets.ts';

describe.each(milenageTestSets)('Milenage with $set', (set) => {
  const k = fromHex(set.k);
  const opc = fromHex(set.opc);
  const rand = fromHex(set.rand);

  it('derives OPc from OP', () => {
    expect(toHex(milenageOpc(k, fromHex(set.op)))).toBe(set.opc);
  });

  it('gives f1 and f1*', () => {
    const { macA, macS } = milenageMacs(k, opc, rand, fromHex(set.sqn), fromHex(set.amf));
    expect([toHex(macA), toHex(macS)]).toEqual([set.f1, set.f1Star]);
  });

  it('gives f2, f3, f4, f5 and f5*', () => {
    const { res, ck, ik, ak, akStar } = milenage(k, opc, rand);
    expect([res, ck, ik, ak, akStar].map(toHex)).toEqual([set.f2, set.f3, set.f4, set.f5, set.f5Star]);
  });
});

describe('what GSM gets of it', () => {
  it('is Kc of CK and IK, and SRES of RES, each part folded onto the other', () => {
    const [set] = milenageTestSets;
    if (set === undefined) throw new Error('a test set');
    const parts = (hex: string, size: number): bigint[] =>
      Array.from({ length: hex.length / size }, (_, i) => BigInt(`0x${hex.slice(i * size, (i + 1) * size)}`));
    const folded = (values: readonly bigint[], digits: number): string =>
      values
        .reduce((sum, value) => sum ^ value, 0n)
        .toString(16)
        .toUpperCase()
        .padStart(digits, '0');
    expect(toHex(gsmKey(fromHex(set.f3), fromHex(set.f4)))).toBe(
      folded([...parts(set.f3, 16), ...parts(set.f4, 16)], 16),
    );
    expect(toHex(gsmResponse(fromHex(set.f2)))).toBe(folded(parts(set.f2, 8), 8));
  });
});
