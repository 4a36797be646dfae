import { describe, expect, it } from 'vitest';
import { cellsNear, operators } from '../../../../client/modem/cellular/cell-map.ts';
import {
  Bearer,
  LteNetwork,
  measuringPeriod,
  type NetworkView,
  noPreferences,
  type RadioPreferences,
} from '../../../../client/modem/cellular/lte-network.ts';
import { Whereabouts } from '../../../../client/modem/location/whereabouts.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';

const att = '310410';
const tmobile = '310260';

function drive(
  seed: number,
  plmn: string,
  steps: number,
  preferences: RadioPreferences = noPreferences,
): { readonly views: NetworkView[]; readonly missing: number; readonly handovers: number } {
  const clock = new FakeClock();
  let handovers = 0;
  const network = new LteNetwork(clock, new Whereabouts(clock, seed), preferences, () => handovers++);
  const views: NetworkView[] = [];
  let missing = 0;
  for (let i = 0; i < steps; i++) {
    const view = network.view(plmn);
    if (view === undefined) missing++;
    else views.push(view);
    clock.advance(measuringPeriod);
  }
  return { views, missing, handovers };
}

const correlation = (a: readonly number[], b: readonly number[]): number => {
  const mean = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((each, i) => {
    const [da, db] = [each - ma, (b[i] ?? mb) - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  });
  return ab / Math.sqrt(aa * bb);
};

describe('the simulated LTE network', () => {
  it.each(operators.map(({ plmn, name }) => [name, plmn]))(
    'of %s has values that a modem would see',
    (_name, plmn) => {
      for (const seed of [1, 2, 3]) {
        const { views, missing } = drive(seed, plmn, 700);
        expect(missing).toBe(0);
        const powers = views.map(({ signalStrength }) => signalStrength).sort((a, b) => a - b);
        expect(powers[0]).toBeGreaterThanOrEqual(-124);
        expect(powers.at(-1)).toBeLessThanOrEqual(-44);
        const median = powers[powers.length >> 1] ?? 0;
        expect(median).toBeGreaterThan(-108);
        expect(median).toBeLessThan(-75);
        for (const { linkQuality, signalToNoise, bearer, cellId, areaCode } of views) {
          expect(linkQuality).toBeGreaterThanOrEqual(-20);
          expect(linkQuality).toBeLessThanOrEqual(-3);
          expect(signalToNoise).toBeGreaterThanOrEqual(-20);
          expect(signalToNoise).toBeLessThanOrEqual(40);
          expect(bearer).toBe(Bearer.LTE_FDD);
          expect(cellId).toBeLessThan(2 ** 28);
          expect([1, 2, 3]).toContain(cellId & 0xff);
          expect(areaCode).toBeLessThan(65_534);
        }
      }
    },
  );

  it('hands over on the way, back and forth seldom, to a cell that is stronger', () => {
    const { views, handovers } = drive(4, att, 720);
    const cells = new Set(views.map(({ cellId }) => cellId));
    expect(cells.size).toBeGreaterThan(4);
    expect(handovers).toBeGreaterThan(cells.size - 1);
    expect(handovers).toBeLessThan(250);
    const bands = new Set(views.map(({ band }) => band));
    for (const band of bands) expect([2, 12, 30]).toContain(band);
    const immediatelyBack = views.filter(
      ({ cellId }, i) => i > 1 && views[i - 2]?.cellId === cellId && views[i - 1]?.cellId !== cellId,
    );
    expect(immediatelyBack.length).toBeLessThan(handovers / 4);
  });

  it('stays on its cell while no neighbour is stronger by the hysteresis', () => {
    const clock = new FakeClock();
    const whereabouts = new Whereabouts(clock, 9);
    const network = new LteNetwork(clock, whereabouts, noPreferences, () => {});
    let serving = network.view(att)?.cellId;
    const operator = operators.find(({ plmn }) => plmn === att);
    if (operator === undefined) throw new Error('AT&T');
    for (let i = 0; i < 500; i++) {
      clock.advance(measuringPeriod);
      const time = Math.floor(clock.wallTime() / measuringPeriod) * (measuringPeriod / 1_000);
      const cells = cellsNear(operator, whereabouts.town, whereabouts.motion(), time);
      const best = cells.reduce((a, b) => (a.power > b.power ? a : b));
      const before = cells.find(({ id }) => id === serving);
      const stays = before !== undefined && best.power < before.power + 3 && before.power >= -124;
      serving = network.view(att)?.cellId;
      expect(serving).toBe(stays ? before.id : best.id);
    }
  });

  it('changes gradually: a measurement is like the one before, and not like one of a minute ago', () => {
    const powers = drive(5, att, 2_000).views.map(({ signalStrength }) => signalStrength);
    const near = correlation(powers.slice(1), powers.slice(0, -1));
    const far = correlation(powers.slice(60), powers.slice(0, -60));
    expect(near).toBeGreaterThan(0.6);
    expect(far).toBeLessThan(0.5);
    expect(new Set(powers).size).toBeGreaterThan(15);
  });

  it('has a better ratio where the signal is stronger', () => {
    const { views } = drive(6, tmobile, 1_000);
    const powers = views.map(({ signalStrength }) => signalStrength);
    const ratios = views.map(({ signalToNoise }) => signalToNoise);
    expect(correlation(powers, ratios)).toBeGreaterThan(0.3);
  });

  it('is the same for the same seed and time, and another for another seed and operator', () => {
    expect(drive(7, att, 50).views).toEqual(drive(7, att, 50).views);
    expect(drive(7, att, 50).views).not.toEqual(drive(8, att, 50).views);
    expect(drive(7, att, 50).views.map(({ cellId }) => cellId)).not.toEqual(
      drive(7, tmobile, 50).views.map(({ cellId }) => cellId),
    );
  });

  it('is none without a card', () => {
    const clock = new FakeClock();
    const network = new LteNetwork(clock, new Whereabouts(clock, 1), noPreferences, () => {});
    expect(network.view(undefined)).toBeUndefined();
  });
});

describe('preferences', () => {
  it('of operators choose the first that is there, allowed or not by the card', () => {
    const { views } = drive(1, att, 1, { ...noPreferences, operators: ['99999', tmobile] });
    expect(views[0]).toMatchObject({ mcc: 310, mnc: 260, roaming: true });
  });

  it('that allow only operators which are not there leave no service', () => {
    expect(drive(1, att, 1, { ...noPreferences, operators: ['26201'], onlyThese: true }).missing).toBe(1);
    expect(drive(1, att, 1, { ...noPreferences, operators: ['26201'] }).views[0]?.roaming).toBe(false);
  });

  it('of a power leave weaker cells alone', () => {
    const all = drive(2, att, 400).views.map(({ signalStrength }) => signalStrength);
    const strong = drive(2, att, 400, { ...noPreferences, acceptableRsrp: -90 });
    expect(Math.min(...all)).toBeLessThan(-95);
    for (const { signalStrength } of strong.views) expect(signalStrength).toBeGreaterThanOrEqual(-90);
    expect(strong.missing).toBeGreaterThan(0);
  });

  it('of cells allow no others', () => {
    const cell = drive(3, att, 1).views[0]?.cellId ?? 0;
    const { views } = drive(3, att, 200, { ...noPreferences, cells: [cell] });
    expect(new Set(views.map(({ cellId }) => cellId))).toEqual(new Set([cell]));
  });

  it('of a bearer choose NB-IoT, with its coverage enhancement, where it is preferred', () => {
    const { views } = drive(3, att, 300, { ...noPreferences, bearers: [3, 14, 4] });
    expect(new Set(views.map(({ bearer }) => bearer))).toEqual(new Set([Bearer.NB_IOT]));
    for (const { coverageEnhancement } of views) expect([1, 2, 3]).toContain(coverageEnhancement);
    expect(drive(3, att, 1, { ...noPreferences, bearers: [4, 14] }).views[0]).toMatchObject({
      bearer: Bearer.LTE_FDD,
      coverageEnhancement: 0,
    });
  });
});
