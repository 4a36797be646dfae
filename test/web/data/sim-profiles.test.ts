import { describe, expect, it } from 'vitest';
import type { ApiCarrierSlot } from '../../../web/data/api-types.ts';
import { lastValuesOf } from '../../../web/data/last-values.ts';
import { eidOf, profilesOf } from '../../../web/data/sim-profiles.ts';

const slot: ApiCarrierSlot = {
  slot: 0,
  current: 'AT&T',
  iccid: '8901410',
  available: [
    { id: 1, name: 'AT&T' },
    { id: 2, name: 'T-Mobile' },
    { id: 7, name: '' },
    { id: 15, name: 'Disconnect' },
  ],
};
const values = (entries: Readonly<Record<string, string>>) =>
  lastValuesOf(Object.entries(entries).map(([path, value]) => ({ path, value, takenAt: 1, receivedAt: 1 })));

describe('the profiles of a slot', () => {
  it('are the carriers that the card offers, the enabled one marked, with its ICCID', () => {
    expect(profilesOf(slot, new Map())).toEqual([
      { key: 'carrier-1', carrier: { id: 1, name: 'AT&T', label: 'AT&T' }, iccid: '8901410', enabled: true },
      {
        key: 'carrier-2',
        carrier: { id: 2, name: 'T-Mobile', label: 'T-Mobile' },
        iccid: undefined,
        enabled: false,
      },
      {
        key: 'carrier-7',
        carrier: { id: 7, name: '', label: 'Carrier 7' },
        iccid: undefined,
        enabled: false,
      },
    ]);
  });

  it('has none enabled while the card is disconnected, or was not heard', () => {
    for (const current of ['', undefined]) {
      const { current: _, ...rest } = slot;
      const profiles = profilesOf(current === undefined ? rest : { ...rest, current }, new Map());
      expect(profiles.some(({ enabled }) => enabled)).toBe(false);
    }
  });

  it('has those too that object 504 of the same slot names beyond these', () => {
    const profiles = profilesOf(
      slot,
      values({
        '/504/0/11/10': '8949020',
        '/504/0/11/2': '8901410',
        '/504/0/11/3': '8944200',
        '/504/1/11/0': '1',
      }),
    );
    expect(profiles.slice(3)).toEqual([
      { key: 'iccid-8944200', carrier: undefined, iccid: '8944200', enabled: false },
      { key: 'iccid-8949020', carrier: undefined, iccid: '8949020', enabled: false },
    ]);
  });

  it('know the EID of their card', () => {
    expect(eidOf(0, values({ '/504/0/12': '8904' }))).toBe('8904');
    expect(eidOf(1, values({ '/504/0/12': '8904' }))).toBeUndefined();
    expect(eidOf(0, values({ '/504/0/12': '' }))).toBeUndefined();
  });
});
