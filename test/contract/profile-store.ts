import { describe, expect, test } from 'vitest';
import type { StoredProfile } from '../../server/ports/profile-store.ts';
import { aRegistration, type OpenStores, start, useStores } from './engine.ts';

function aProfile(id: string, more: Partial<StoredProfile> = {}): StoredProfile {
  const links = [
    { target: '/1', attributes: { ver: '1.2' } },
    { target: '/3/0', attributes: {} },
  ];
  return { id, links, storedAt: start, ...more };
}

export function describeProfileStore(name: string, open: OpenStores): void {
  describe(`ProfileStore, ${name}`, () => {
    const stores = useStores(open);

    test('a profile that was given is found for every device, as it was given', async () => {
      const { profiles } = stores();
      const profile = aProfile('6:27354b9a');
      await profiles.put(profile);
      expect(await profiles.find('a', ['oma:x', '6:27354b9a'])).toEqual([profile]);
      expect(await profiles.find('b', [])).toEqual([]);
      expect(await profiles.list()).toEqual([profile]);
    });

    test('one that was learnt from a device is believed of that device alone, and before what was given', async () => {
      const { profiles } = stores();
      const given = aProfile('6:1');
      const learnt = aProfile('6:1', { endpoint: 'a', links: [{ target: '/9/0', attributes: {} }] });
      await profiles.put(learnt);
      expect(await profiles.find('b', ['6:1'])).toEqual([]);
      await profiles.put(given);
      expect(await profiles.find('a', ['6:1'])).toEqual([learnt]);
      expect(await profiles.find('b', ['6:1'])).toEqual([given]);
      expect(await profiles.list()).toEqual([given]);
    });

    test('of each device one is kept', async () => {
      const { profiles } = stores();
      await profiles.put(aProfile('6:1', { endpoint: 'a' }));
      await profiles.put(aProfile('6:1', { endpoint: 'b' }));
      await profiles.put(aProfile('6:2', { endpoint: 'a' }));
      expect(await profiles.find('a', ['6:1'])).toEqual([]);
      expect(await profiles.find('a', ['6:2'])).toHaveLength(1);
      expect(await profiles.find('b', ['6:1'])).toHaveLength(1);
    });

    test('one of the same id replaces the older; those given are listed by id', async () => {
      const { profiles } = stores();
      await profiles.put(aProfile('v:b'));
      await profiles.put(aProfile('oma:a'));
      await profiles.put(aProfile('v:b', { links: [], storedAt: start + 1 }));
      expect((await profiles.list()).map(({ id, storedAt }) => [id, storedAt])).toEqual([
        ['oma:a', start],
        ['v:b', start + 1],
      ]);
    });

    test('removal tells whether there was one, and leaves what was learnt', async () => {
      const { profiles } = stores();
      await profiles.put(aProfile('6:1'));
      await profiles.put(aProfile('6:1', { endpoint: 'a' }));
      expect(await profiles.remove('6:1')).toBe(true);
      expect(await profiles.remove('6:1')).toBe(false);
      expect(await profiles.find('a', ['6:1'])).toHaveLength(1);
      expect(await profiles.find('b', ['6:1'])).toEqual([]);
    });

    test('what was learnt from a device goes with it', async () => {
      const { profiles, registrations, devices } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await profiles.put(aProfile('6:1', { endpoint: 'a' }));
      await registrations.deregister(registration.id);
      expect(await profiles.find('a', ['6:1'])).toHaveLength(1);
      await devices.remove('a');
      expect(await profiles.find('a', ['6:1'])).toEqual([]);
    });
  });
}
