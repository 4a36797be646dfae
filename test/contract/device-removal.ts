import { describe, expect, test } from 'vitest';
import { aRegistration, type OpenStores, useStores } from './engine.ts';
import { aChunk, everySecond } from './history-roll-ups.ts';
import { aChoice } from './observation-policy-store.ts';

const second = 1_000_000;
const hour = 3600 * second;
const day = 24 * hour;
/** µs since the epoch, the beginning of a day. */
const epoch = 20_000 * day;
const aSeries = { endpoint: 'a', path: '/42770/0/2' };

/** What other ports keep of a device goes with it. */
export function describeDeviceRemoval(name: string, open: OpenStores): void {
  describe(`Removal of a device, ${name}`, () => {
    const stores = useStores(open);

    test('what is kept of a device survives its registration, and goes with the device', async () => {
      const { observationPolicies: policies, registrations, devices } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await policies.choose('a', aChoice('/3/0/9'));
      await policies.setWritten('a', '/3/0/9', { pmin: 1 });
      await registrations.deregister(registration.id);
      await registrations.register(aRegistration('a', { id: 'again' }));
      expect((await policies.record('a')).choices).toHaveLength(1);
      expect(await devices.remove('a')).toBe(false);
      await registrations.deregister('again');
      expect(await devices.remove('a')).toBe(true);
      expect(await policies.record('a')).toEqual({ choices: [], written: new Map() });
    });

    test('a series whose device was removed has nothing, and begins anew', async () => {
      const { history, devices, registrations } = stores();
      await registrations.register(aRegistration('a'));
      await registrations.deregister(aRegistration('a').id);
      await history.append(everySecond(epoch, epoch + hour));
      await history.rollUp(epoch + day);
      expect(await devices.remove('a')).toBe(true);
      await history.append([aChunk(500, [[epoch, 1]])]);
      await history.rollUp(epoch + day);
      const found = await history.series({ ...aSeries, from: epoch, to: epoch + hour, points: 4 });
      expect(found.items.map(({ count }) => count)).toEqual([1]);
    });
  });
}
