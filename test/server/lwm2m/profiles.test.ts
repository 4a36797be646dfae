import { beforeEach, describe, expect, it } from 'vitest';
import { Profiles, UnknownProfileError } from '../../../server/lwm2m/profiles.ts';
import type { ListedObjects } from '../../../server/lwm2m/registration-request.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { ProfileStore, StoredProfile } from '../../../server/ports/profile-store.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const objects = (...targets: string[]): ListedObjects => ({
  rootPath: '/',
  contentFormats: [112],
  links: targets.map((target) => ({ target, attributes: {} })),
});
const targets = ({ links }: ListedObjects): string[] => links.map(({ target }) => target);

let stored: StoredProfile[];
let down = false;
let profiles: Profiles;

beforeEach(() => {
  stored = [];
  down = false;
  const store: ProfileStore = {
    find: async (endpoint, ids) => {
      if (down) throw new StoreUnavailableError('the disk is gone');
      return stored.filter(
        (profile) => ids.includes(profile.id) && (profile.endpoint ?? endpoint) === endpoint,
      );
    },
    put: async (profile) => {
      stored.push(profile);
    },
    list: async () => stored,
    remove: async () => false,
  };
  profiles = new Profiles(store, new FakeClock());
});

const given = (id: string, ...links: string[]): void => {
  stored.push({ id, links: objects(...links).links, storedAt: 1 });
};

describe('profile ids', () => {
  it('of which all are known stand for their objects and those listed beside, each once', async () => {
    given('v:a', '/1/0', '/3/0');
    given('v:b', '/3/0', '/4/0');
    const merged = await profiles.resolve('m', ['v:a', 'v:b'], objects('/4/0', '/5/0'));
    expect(targets(merged)).toEqual(['/1/0', '/3/0', '/4/0', '/5/0']);
    expect(merged.contentFormats).toEqual([112]);
  });

  it('of which one is unknown are refused by its name', async () => {
    given('v:a', '/1/0');
    await expect(profiles.resolve('m', ['v:a', 'v:b'], undefined)).rejects.toThrow(
      'profile v:b is not known: list the objects',
    );
  });

  it('are learnt from the list that follows a refusal of the same ids, and no other', async () => {
    await expect(profiles.resolve('m', ['6:1'], undefined)).rejects.toThrow(UnknownProfileError);
    await expect(profiles.resolve('m', ['6:2'], objects('/9/0'))).rejects.toThrow(UnknownProfileError);
    await expect(profiles.resolve('other', ['6:2'], objects('/9/0'))).rejects.toThrow(UnknownProfileError);
    expect(targets(await profiles.resolve('m', ['6:2'], objects('/1/0')))).toEqual(['/1/0']);
    expect(stored).toMatchObject([{ id: '6:2', endpoint: 'm' }]);
    expect(targets(await profiles.resolve('m', ['6:2'], undefined))).toEqual(['/1/0']);
  });

  it('that are several are not learnt: nobody can tell which is which', async () => {
    const ids = ['6:1', '6:2'];
    await expect(profiles.resolve('m', ids, undefined)).rejects.toThrow(UnknownProfileError);
    expect(targets(await profiles.resolve('m', ids, objects('/1/0')))).toEqual(['/1/0']);
    expect(stored).toEqual([]);
    await expect(profiles.resolve('m', ids, objects('/1/0'))).rejects.toThrow(UnknownProfileError);
  });

  it('are neither known nor refused while the store does not answer', async () => {
    down = true;
    await expect(profiles.resolve('m', ['6:1'], objects('/1/0'))).rejects.toThrow(StoreUnavailableError);
    down = false;
    await expect(profiles.resolve('m', ['6:1'], objects('/1/0'))).rejects.toThrow(UnknownProfileError);
  });

  it('that were refused to very many devices are forgotten, the oldest first', async () => {
    const refuse = (name: string) => profiles.resolve(name, ['6:1'], undefined).catch(() => undefined);
    await refuse('first');
    await refuse('second');
    for (let i = 0; i < 9_999; i++) await refuse(`device-${i}`);
    await expect(profiles.resolve('first', ['6:1'], objects('/1/0'))).rejects.toThrow(UnknownProfileError);
    expect(targets(await profiles.resolve('device-9998', ['6:1'], objects('/1/0')))).toEqual(['/1/0']);
  });
});
