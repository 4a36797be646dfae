import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../redis/connection.ts';
import { RedisDeviceStore } from '../../redis/device-store.ts';
import { lastValues } from '../../redis/last-values.ts';
import { RedisRegistrationStore } from '../../redis/registration-store.ts';
import { anId, aRegistration, type OpenStores, useStores } from '../contract/engine.ts';
import { describeLastValues } from '../contract/last-values.ts';
import { describeOnRedis } from './engines.ts';

const make = (redis: RedisConnection) => ({
  lastValues: lastValues(redis),
  devices: new RedisDeviceStore({ redis }),
  registrations: new RedisRegistrationStore(redis),
});

describeOnRedis(describeLastValues, make);
describeOnRedis((name: string, open: OpenStores) => {
  describe(`Last values of a device, ${name}`, () => {
    const stores = useStores(open);
    const aValue = (index: number) => ({
      path: `/1/0/${index}`,
      value: index,
      takenAt: index,
      receivedAt: 0.5,
    });

    test('thousands of them are set at once, and a number that JSON does not know is none', async () => {
      const values = Array.from({ length: 2_500 }, (_, index) => aValue(index));
      await stores().lastValues.set('a', [...values, { ...aValue(9_999), value: Number.POSITIVE_INFINITY }]);
      await stores().lastValues.set('a', []);
      expect(await stores().lastValues.get('a')).toEqual([
        ...values,
        { ...aValue(9_999), value: Number.NaN },
      ]);
    });

    test('they go with it, and with no other', async () => {
      const { registrations, devices, lastValues } = stores();
      for (const endpoint of ['a', 'b']) {
        await registrations.register(aRegistration(endpoint));
        await registrations.deregister(anId(endpoint));
        await lastValues.set(endpoint, [aValue(1)]);
      }
      expect(await devices.remove('a')).toBe(true);
      expect(await lastValues.get('a')).toEqual([]);
      expect(await lastValues.get('b')).toEqual([aValue(1)]);
    });
  });
}, make);
