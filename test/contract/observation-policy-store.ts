import { describe, expect, test } from 'vitest';
import type { ObservationChoice, ObservationPolicy } from '../../server/ports/observation-policy-store.ts';
import { type OpenStores, start, useStores } from './engine.ts';

export function aPolicy(id: string, change: Partial<ObservationPolicy> = {}): ObservationPolicy {
  return {
    id,
    name: `Policy ${id}`,
    enabled: true,
    devices: { manufacturer: 'Acme*', object: 3 },
    observations: [
      { paths: ['/3/0/9'], attributes: { pmin: 1, pmax: 60, gt: 1.5 }, contentFormat: 112 },
      { paths: ['/42770/*/2', '/4/0/2'], composite: true },
      { paths: ['/5'], exclude: true },
    ],
    createdAt: start,
    updatedAt: start + 1,
    ...change,
  };
}

export function aChoice(path: string, change: Partial<ObservationChoice> = {}): ObservationChoice {
  return { paths: [path], composite: false, wanted: true, chosenAt: start, ...change };
}

export function describeObservationPolicyStore(name: string, open: OpenStores): void {
  describe(`ObservationPolicyStore, ${name}`, () => {
    const stores = useStores(open);

    test('policies are given back as they were put, by id', async () => {
      const { observationPolicies: policies } = stores();
      expect(await policies.policies()).toEqual([]);
      const all = aPolicy('b', { devices: {}, enabled: false, observations: [] });
      await policies.putPolicy(all);
      await policies.putPolicy(aPolicy('a'));
      expect(await policies.policies()).toEqual([aPolicy('a'), all]);
    });

    test('a policy that is put again replaces the one before', async () => {
      const { observationPolicies: policies } = stores();
      await policies.putPolicy(aPolicy('a'));
      const changed = aPolicy('a', { name: 'ünïcode-端', observations: [{ paths: ['/6'] }] });
      await policies.putPolicy(changed);
      expect(await policies.policies()).toEqual([changed]);
    });

    test('removal tells whether there was one', async () => {
      const { observationPolicies: policies } = stores();
      await policies.putPolicy(aPolicy('a'));
      expect(await policies.removePolicy('a')).toBe(true);
      expect(await policies.removePolicy('a')).toBe(false);
      expect(await policies.policies()).toEqual([]);
    });

    test('a device of which nothing is kept has an empty record', async () => {
      const { observationPolicies: policies } = stores();
      expect(await policies.record('nobody')).toEqual({ choices: [], written: new Map() });
      expect(await policies.recorded()).toEqual([]);
    });

    test('choices are kept per device and target, the newest of each', async () => {
      const { observationPolicies: policies } = stores();
      const attributes = { pmin: 5, st: 0.25, con: 1 as const };
      const single = aChoice('/3/0/9', { attributes, contentFormat: 0, chosenAt: start + 5 });
      const composite = aChoice('/3/0/9', { composite: true, chosenAt: start + 6 });
      const several = aChoice('', { paths: ['/3/0/9', '/4/0/2'], composite: true, chosenAt: start + 7 });
      await policies.choose('a', aChoice('/3/0/9', { wanted: false }));
      for (const choice of [several, composite, single]) await policies.choose('a', choice);
      await policies.choose('b', aChoice('/5'));
      expect((await policies.record('a')).choices).toEqual([single, composite, several]);
      expect((await policies.record('b')).choices).toEqual([aChoice('/5')]);
      expect(await policies.recorded()).toEqual(['a', 'b']);
    });

    test('a choice is taken back for its target alone', async () => {
      const { observationPolicies: policies } = stores();
      await policies.choose('a', aChoice('/3/0/9'));
      await policies.choose('a', aChoice('/3/0/9', { composite: true }));
      expect(await policies.unchoose('a', ['/3/0/9'], false)).toBe(true);
      expect(await policies.unchoose('a', ['/3/0/9'], false)).toBe(false);
      expect(await policies.unchoose('b', ['/3/0/9'], true)).toBe(false);
      expect((await policies.record('a')).choices).toEqual([aChoice('/3/0/9', { composite: true })]);
    });

    test('attributes that were written are remembered until they were removed', async () => {
      const { observationPolicies: policies } = stores();
      await policies.setWritten('a', '/3/0/9', { pmin: 1 });
      await policies.setWritten('a', '/3/0/9', { pmin: 2, lt: -1.5 });
      await policies.setWritten('a', '/4', { pmax: 9 });
      expect((await policies.record('a')).written).toEqual(
        new Map([
          ['/3/0/9', { pmin: 2, lt: -1.5 }],
          ['/4', { pmax: 9 }],
        ]),
      );
      expect(await policies.recorded()).toEqual(['a']);
      await policies.setWritten('a', '/3/0/9', undefined);
      await policies.setWritten('a', '/4', undefined);
      expect(await policies.recorded()).toEqual([]);
    });
  });
}
