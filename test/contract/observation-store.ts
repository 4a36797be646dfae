import { describe, expect, test } from 'vitest';
import { anId, anObservation, aRegistration, aToken, type OpenStores, start, useStores } from './engine.ts';

export function describeObservationStore(name: string, open: OpenStores): void {
  describe(`ObservationStore, ${name}`, () => {
    const stores = useStores(open);

    test('an observation is found by its token, with where its device is', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a', { rootPath: '/root' });
      await registrations.register(registration);
      const observation = { ...anObservation('00ff', registration), paths: ['/3/0/9', '/4'] };
      expect(await observations.add(observation)).toBe(true);
      expect(await observations.byToken(aToken('a', '00ff'))).toEqual({
        ...observation,
        address: registration.address,
        rootPath: '/root',
      });
      await registrations.move(registration.id, '192.0.2.200:1', 'node-2');
      expect((await observations.byToken(aToken('a', '00ff')))?.address).toBe('192.0.2.200:1');
    });

    test('a content format that was absent stays absent', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      const { contentFormat: _, ...observation } = anObservation('00ff', registration);
      await observations.add(observation);
      expect(await observations.byToken(aToken('a', '00ff'))).not.toHaveProperty('contentFormat');
    });

    test('a composite one, with the attributes of its request, is found as it was given', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      const observation = {
        ...anObservation('00ff', registration),
        paths: ['/3/0/9'],
        composite: true,
        attributes: { pmin: 5, pmax: 60, gt: 20.5, lt: -3, con: 1 as const },
      };
      await observations.add(observation);
      expect(await observations.byRegistration(registration.id)).toEqual([observation]);
      expect(await observations.byToken(aToken('a', '00ff'))).toMatchObject(observation);
    });

    test('what was not said of an observation stays absent', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await observations.add(anObservation('00ff', registration));
      const found = await observations.byToken(aToken('a', '00ff'));
      expect(found).not.toHaveProperty('composite');
      expect(found).not.toHaveProperty('attributes');
    });

    test('it is not stored for a registration that has ended', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      expect(await observations.add(anObservation('00ff', registration))).toBe(false);
      await registrations.register(registration);
      await registrations.register(aRegistration('a', { id: anId('a', 'newer') }));
      expect(await observations.add(anObservation('00ff', registration))).toBe(false);
      expect(await observations.byToken(aToken('a', '00ff'))).toBeUndefined();
      expect(await observations.count()).toBe(0);
    });

    test('one with the same token replaces the older', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await observations.add(anObservation('00ff', registration));
      await observations.add({ ...anObservation('00ff', registration), paths: ['/9'], origin: 'api' });
      expect(await observations.count()).toBe(1);
      expect(await observations.byToken(aToken('a', '00ff'))).toMatchObject({ paths: ['/9'], origin: 'api' });
    });

    test('one that is still asked for is told from one that the device has', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      const asked = { ...anObservation('00ff', registration), pending: true };
      expect(await observations.confirm(asked)).toBe(false);
      expect(await observations.byToken(asked.token)).toBeUndefined();
      await observations.add(asked);
      expect(await observations.byRegistration(registration.id)).toEqual([asked]);
      expect(await observations.byToken(asked.token)).toMatchObject({ pending: true });
      expect(await observations.confirm(asked)).toBe(true);
      const { pending: _, ...made } = asked;
      expect(await observations.byRegistration(registration.id)).toEqual([made]);
      expect(await observations.remove(asked.token)).toBe(true);
      expect(await observations.confirm(asked)).toBe(false);
      expect(await observations.count()).toBe(0);
    });

    test('those of a registration are listed, of no other', async () => {
      const { registrations, observations } = stores();
      const a = aRegistration('a');
      const b = aRegistration('b');
      await registrations.register(a);
      await registrations.register(b);
      const first = { ...anObservation('02', a), createdAt: start };
      const second = { ...anObservation('01', a), createdAt: start + 1 };
      for (const observation of [second, first, anObservation('03', b)]) await observations.add(observation);
      expect(await observations.byRegistration(a.id)).toEqual([first, second]);
      expect(await observations.byRegistration('none')).toEqual([]);
      expect(await observations.count()).toBe(3);
    });

    test('removal tells whether there was one', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await observations.add(anObservation('00ff', registration));
      expect(await observations.remove(aToken('a', '00ff'))).toBe(true);
      expect(await observations.remove(aToken('a', '00ff'))).toBe(false);
      expect(await observations.byToken(aToken('a', '00ff'))).toBeUndefined();
    });
  });
}
