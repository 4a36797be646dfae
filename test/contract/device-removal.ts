import { describe, expect, test } from 'vitest';
import { anId, aRegistration, type OpenStores, useStores } from './engine.ts';
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
      await registrations.register(aRegistration('a', { id: anId('a', 'again') }));
      expect((await policies.record('a')).choices).toHaveLength(1);
      expect(await devices.remove('a')).toBe(false);
      await registrations.deregister(anId('a', 'again'));
      expect(await devices.remove('a')).toBe(true);
      expect(await policies.record('a')).toEqual({ choices: [], written: new Map() });
    });

    test('its last values and history go with it, and those of others stay', async () => {
      const { devices, registrations, lastValues, history } = stores();
      for (const endpoint of ['a', 'b']) await registrations.register(aRegistration(endpoint));
      for (const [index, endpoint] of ['a', 'b'].entries()) {
        await lastValues.set(endpoint, [{ path: '/3/0/9', value: 1, takenAt: 1, receivedAt: 1 }]);
        const readings = [{ takenAt: 1, receivedAt: 1, value: 1 }];
        await history.append([{ endpoint, path: '/3/0/9', position: index + 1, readings }]);
      }
      expect(await devices.remove('a')).toBe(false);
      await registrations.deregister(anId('a'));
      expect(await devices.remove('a')).toBe(true);
      expect(await devices.remove('a')).toBe(false);
      expect(await devices.get('a')).toBeUndefined();
      expect(await lastValues.get('a')).toEqual([]);
      expect(await history.paths('a')).toEqual([]);
      expect(await history.query({ endpoint: 'a', path: '/3/0/9', limit: 5 })).toEqual([]);
      expect(await lastValues.get('b')).toHaveLength(1);
      expect(await history.query({ endpoint: 'b', path: '/3/0/9', limit: 5 })).toHaveLength(1);
      await history.append([
        { endpoint: 'a', path: '/3/0/9', position: 3, readings: [{ takenAt: 2, receivedAt: 2, value: 2 }] },
      ]);
      expect(await history.query({ endpoint: 'a', path: '/3/0/9', limit: 5 })).toEqual([
        { takenAt: 2, receivedAt: 2, value: 2 },
      ]);
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
