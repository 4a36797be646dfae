import { describe, expect, it } from 'vitest';
import type { ApiCarrierSlot } from '../../../web/data/api-types.ts';
import { lastValuesOf } from '../../../web/data/last-values.ts';
import { eidOf, profilesOf, provisioningOf } from '../../../web/data/sim-profiles.ts';

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

  it('have their ICCIDs where the card tells them of each carrier', () => {
    const profiles = profilesOf(
      slot,
      values({ '/42769/0/13/2': '8901260', '/42769/1/13/7': '1', '/504/0/11/0': '8901260' }),
    );
    expect(profiles.map(({ iccid }) => iccid)).toEqual(['8901410', '8901260', undefined]);
  });

  it('tell how the newest operation on them went, and why it failed', () => {
    expect(provisioningOf(0, values({ '/504/0/5': '0', '/504/0/6': '0' }))).toBeUndefined();
    expect(provisioningOf(0, values({ '/504/0/5': '7', '/504/0/6': '0' }))).toEqual({
      state: 'under way',
      text: 'Deleting',
      reason: '',
    });
    const failed = values({ '/504/0/6': '15', '/42769/0/12': 'refused by the profile policy' });
    expect(provisioningOf(0, failed)).toEqual({
      state: 'failed',
      text: 'Delete failed',
      reason: 'refused by the profile policy',
    });
    expect(provisioningOf(0, values({ '/504/0/6': '1', '/42769/0/12': 'old' }))).toMatchObject({
      state: 'done',
      reason: '',
    });
  });
});
