import { describe, expect, test } from 'vitest';
import {
  anId,
  anObservation,
  aRegistration,
  aToken,
  type OpenStores,
  owned,
  start,
  useStores,
} from './engine.ts';

export function describeRegistrationStore(name: string, open: OpenStores): void {
  describe(`RegistrationStore, ${name}`, () => {
    const stores = useStores(open);

    test('what comes from the session of another device, or from none, does not find a registration', async () => {
      const { registrations } = stores();
      const own = { kind: 'psk', name: 'of a', endpoint: 'a' } as const;
      const another = { kind: 'psk', name: 'of b', endpoint: 'b' } as const;
      const secured = aRegistration('a', { identity: own, address: 'dtls:0000000000000001' });
      await registrations.register(secured);
      const update = {
        id: secured.id,
        address: 'dtls:0000000000000002',
        updatedAt: start + 1,
        node: 'node-1',
      };
      for (const speaker of [another, null]) {
        expect(await registrations.update(update, speaker)).toBeUndefined();
        expect(await registrations.deregister(secured.id, speaker)).toBeUndefined();
      }
      expect(await registrations.byEndpoint('a')).toEqual(owned(secured));
      const updated = await registrations.update({ ...update, identity: own }, own);
      expect(updated?.registration).toMatchObject({ address: update.address, identity: own });
      expect(await registrations.update({ ...update, updatedAt: start + 2 })).toBeDefined();
      expect(await registrations.deregister(secured.id, own)).toMatchObject({ id: secured.id });
    });

    test('one that was made without a session is updated without, and taken over by the session of its device', async () => {
      const { registrations } = stores();
      const plain = aRegistration('a');
      await registrations.register(plain);
      const update = { id: plain.id, address: plain.address, updatedAt: start + 1, node: 'node-1' };
      expect(await registrations.update(update, null)).toBeDefined();
      const own = { kind: 'psk', name: 'of a', endpoint: 'a' } as const;
      expect(await registrations.update({ ...update, identity: own }, own)).toBeDefined();
      expect(await registrations.update(update, null)).toBeUndefined();
      expect(await registrations.deregister(plain.id, null)).toBeUndefined();
      expect((await registrations.byId(plain.id))?.identity).toEqual(own);
      const unnamed = { kind: 'rpk', name: 'ab' } as const;
      expect(await registrations.deregister(plain.id, unnamed)).toBeDefined();
    });

    test('a registration is found by id and by endpoint, as it was given', async () => {
      const { registrations } = stores();
      const full = aRegistration('ünïcode-端', {
        identity: { kind: 'psk', name: 'key-1' },
        smsNumber: '+491234',
        queueMode: true,
        rootPath: '/lwm2m',
        binding: 'UQ',
      });
      expect(await registrations.register(full)).toEqual({ replaced: undefined, fence: 1 });
      expect(await registrations.byId(full.id)).toEqual(owned(full));
      expect(await registrations.byEndpoint('ünïcode-端')).toEqual(owned(full));
      expect(await registrations.count()).toBe(1);
    });

    test('optional members that were absent stay absent', async () => {
      const { registrations } = stores();
      await registrations.register(aRegistration('a'));
      const found = await registrations.byEndpoint('a');
      expect(found).not.toHaveProperty('identity');
      expect(found).not.toHaveProperty('smsNumber');
    });

    test('what is not there is undefined', async () => {
      const { registrations } = stores();
      expect(await registrations.byId('none')).toBeUndefined();
      expect(await registrations.byEndpoint('none')).toBeUndefined();
      expect(await registrations.deregister('none')).toBeUndefined();
      expect(await registrations.move('none', '192.0.2.9:1', 'node-1')).toBeUndefined();
      expect(
        await registrations.update({ id: 'none', address: 'x', updatedAt: start, node: 'node-1' }),
      ).toBeUndefined();
      expect(await registrations.nextExpiry()).toBeUndefined();
      expect(await registrations.expire(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
      expect(await registrations.count()).toBe(0);
    });

    test('profile ids are kept, and an update changes them', async () => {
      const { registrations } = stores();
      await registrations.register(aRegistration('a', { profiles: ['6:1234abcd', 'oma:dev-1'] }));
      expect((await registrations.byEndpoint('a'))?.profiles).toEqual(['6:1234abcd', 'oma:dev-1']);
      const { id } = aRegistration('a');
      const touch = { id, address: '192.0.2.1:1', updatedAt: start + 1, node: 'n' };
      expect((await registrations.update(touch))?.registration.profiles).toEqual(['6:1234abcd', 'oma:dev-1']);
      await registrations.update({ ...touch, profiles: ['v:x'] });
      expect((await registrations.byId(id))?.profiles).toEqual(['v:x']);
      await registrations.register(aRegistration('a', { id: anId('a', 'again') }));
      expect(await registrations.byId(anId('a', 'again'))).not.toHaveProperty('profiles');
    });

    describe('the message that asked for it', () => {
      const asked = aRegistration('a', { message: '4711 0a0b' });
      const again = { ...asked, id: anId('a', 'again'), node: 'node-2' };

      test('is the same registration when it comes again, whichever node gets it', async () => {
        const { registrations, observations } = stores();
        await registrations.register(asked);
        const observation = anObservation('o', asked);
        expect(await observations.add(observation)).toBe(true);
        const later = { ...again, registeredAt: start + 246_999, updatedAt: start + 246_999 };
        expect(await registrations.register(later)).toEqual({
          replaced: undefined,
          repeated: owned(asked),
          fence: 1,
        });
        expect(await registrations.byEndpoint('a')).toEqual(owned(asked));
        expect(await registrations.byId(again.id)).toBeUndefined();
        expect(await observations.byToken(observation.token)).toBeDefined();
      });

      test.each([
        ['from another address', { address: '192.0.2.77:1' }],
        ['with another token', { message: '4711 0a0c' }],
        ['with no message', { message: undefined }],
        ['so late that ids are used anew', { registeredAt: start + 247_000, updatedAt: start + 247_000 }],
      ])('is another one %s', async (_what, change) => {
        const { registrations } = stores();
        await registrations.register(asked);
        const { message, ...other } = { ...again, ...change };
        const result = await registrations.register(message === undefined ? other : { ...other, message });
        expect(result.repeated).toBeUndefined();
        expect(result.replaced?.id).toBe(asked.id);
        expect((await registrations.byEndpoint('a'))?.id).toBe(again.id);
      });

      test('is forgotten with its registration', async () => {
        const { registrations } = stores();
        await registrations.register(asked);
        await registrations.deregister(asked.id);
        expect((await registrations.register(again)).repeated).toBeUndefined();
        expect((await registrations.byEndpoint('a'))?.id).toBe(again.id);
      });
    });

    describe('by its address a device', () => {
      const here = '192.0.2.1:40000';
      const there = '192.0.2.2:40001';

      test('is found as it registered, and not where nobody is', async () => {
        const { registrations } = stores();
        const registration = aRegistration('a', { address: here });
        await registrations.register(registration);
        expect(await registrations.byAddress(here)).toEqual(owned(registration));
        expect(await registrations.byAddress(there)).toBeUndefined();
      });

      test('is found where an update or a notification moved it, and no longer where it was', async () => {
        const { registrations } = stores();
        const { id } = aRegistration('a');
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.update({ id, address: there, updatedAt: start + 1, node: 'n' });
        expect((await registrations.byAddress(there))?.endpoint).toBe('a');
        expect(await registrations.byAddress(here)).toBeUndefined();
        await registrations.move(id, here, 'n');
        expect((await registrations.byAddress(here))?.endpoint).toBe('a');
        expect(await registrations.byAddress(there)).toBeUndefined();
      });

      test('is the one that was heard there last, however long others say they are there', async () => {
        const { registrations } = stores();
        const b = aRegistration('b', { address: there });
        await registrations.register(aRegistration('a', { address: here, updatedAt: start + 99_000 }));
        await registrations.register(b);
        await registrations.move(b.id, here, 'n');
        expect((await registrations.byAddress(here))?.endpoint).toBe('b');
        const { id } = aRegistration('a');
        await registrations.update({ id, address: here, updatedAt: start + 100_000, node: 'n' });
        expect((await registrations.byAddress(here))?.endpoint).toBe('a');
      });

      test('has lost it to the next one that is heard there, by whatever means, until it speaks again itself', async () => {
        const { registrations, observations } = stores();
        const a = aRegistration('a', { address: here });
        const b = aRegistration('b', { address: there });
        await registrations.register(a);
        await registrations.register(b);
        await observations.add(anObservation('aa', a));
        const again = { id: a.id, address: here, updatedAt: start + 1, node: 'n' };
        const displaced = { id: a.id, endpoint: 'a' };
        const takes = [
          () => registrations.move(b.id, here, 'n'),
          () => registrations.update({ id: b.id, address: here, updatedAt: start + 1, node: 'n' }),
          () => registrations.register(aRegistration('c', { address: here })),
        ];
        for (const take of takes) {
          expect(await take()).toMatchObject({ displaced });
          expect(await registrations.byId(a.id)).toMatchObject({ address: here, addressLost: true });
          expect(await registrations.byEndpoint('a')).toMatchObject({ addressLost: true });
          expect(await observations.byToken(aToken('a', 'aa'))).toMatchObject({ addressLost: true });
          await registrations.move(b.id, there, 'n');
          expect(await registrations.byEndpoint('a')).toMatchObject({ addressLost: true });
          const spoken = await registrations.update(again);
          expect(spoken?.previous).toMatchObject({ addressLost: true });
          expect(spoken?.registration).not.toHaveProperty('addressLost');
          expect(await registrations.byEndpoint('a')).not.toHaveProperty('addressLost');
          expect(await observations.byToken(aToken('a', 'aa'))).not.toHaveProperty('addressLost');
        }
        expect(await registrations.byEndpoint('c')).toMatchObject({ addressLost: true });
        expect(await registrations.move('c-none', here, 'n')).toBeUndefined();
        expect(await registrations.move(a.id, here, 'n')).toEqual({ previousNode: 'n', fence: 2 });
      });

      test('that has gone leaves nobody there, not even who was there before', async () => {
        const { registrations } = stores();
        const b = aRegistration('b', { address: here, updatedAt: start, expiresAt: start + 10 });
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.register(b);
        await registrations.expire(start + 10, 10);
        expect(await registrations.byAddress(here)).toBeUndefined();
        await registrations.register(aRegistration('c', { address: there }));
        await registrations.deregister(aRegistration('c').id);
        expect(await registrations.byAddress(there)).toBeUndefined();
      });

      test('that registers anew from elsewhere has left', async () => {
        const { registrations } = stores();
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.register(aRegistration('a', { id: anId('a', 'again'), address: there }));
        expect(await registrations.byAddress(here)).toBeUndefined();
        expect((await registrations.byAddress(there))?.id).toBe(anId('a', 'again'));
      });

      test('that left does not take along who came after it', async () => {
        const { registrations } = stores();
        const a = aRegistration('a', { address: here });
        await registrations.register(a);
        await registrations.register(aRegistration('b', { address: here }));
        await registrations.deregister(a.id);
        expect((await registrations.byAddress(here))?.endpoint).toBe('b');
      });
    });

    test('registering again replaces the older one, returns it, and drops its observations', async () => {
      const { registrations, observations } = stores();
      const first = aRegistration('a', { id: anId('a', 'one') });
      const second = aRegistration('a', { id: anId('a', 'two'), registeredAt: start + 1000 });
      await registrations.register(first);
      await observations.add(anObservation('aa01', first));
      expect(await registrations.register(second)).toEqual({ replaced: owned(first), fence: 1 });
      expect(await registrations.byId(anId('a', 'one'))).toBeUndefined();
      expect(await registrations.byEndpoint('a')).toEqual(owned(second));
      expect(await registrations.count()).toBe(1);
      expect(await observations.byToken(aToken('a', 'aa01'))).toBeUndefined();
      expect(await observations.count()).toBe(0);
    });

    test('endpoints differ by case', async () => {
      const { registrations } = stores();
      await registrations.register(aRegistration('Dev'));
      await registrations.register(aRegistration('dev'));
      expect(await registrations.count()).toBe(2);
    });

    test('an update changes what it says, keeps the rest, and sets the expiry anew', async () => {
      const { registrations } = stores();
      const before = aRegistration('a', { smsNumber: '+1', identity: { kind: 'rpk', name: 'ab' } });
      await registrations.register(before);
      const touched = await registrations.update({
        id: before.id,
        address: '192.0.2.7:40000',
        updatedAt: start + 30_000,
        node: 'node-2',
      });
      const after = {
        ...before,
        address: '192.0.2.7:40000',
        updatedAt: start + 30_000,
        expiresAt: start + 95_000,
        node: 'node-2',
        fence: 2,
      };
      expect(touched).toEqual({ registration: after, previous: owned(before) });
      const changes = {
        lifetime: 600,
        binding: 'UQ',
        queueMode: true,
        smsNumber: '+2',
        links: [{ target: '/5/0', attributes: { x: '' } }],
        contentFormats: [],
        rootPath: '/r',
        identity: { kind: 'psk', name: 'k' } as const,
      };
      const changed = await registrations.update({
        id: before.id,
        address: '192.0.2.8:1',
        updatedAt: start + 40_000,
        node: 'node-2',
        ...changes,
      });
      const last = {
        ...after,
        ...changes,
        address: '192.0.2.8:1',
        updatedAt: start + 40_000,
        expiresAt: start + 40_000 + 600_000 + 5000,
      };
      expect(changed).toEqual({ registration: last, previous: after });
      expect(await registrations.byId(before.id)).toEqual(last);
      expect(await registrations.nextExpiry()).toBe(last.expiresAt);
    });

    test('an update keeps the observations', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await observations.add(anObservation('aa01', registration));
      await registrations.update({ id: registration.id, address: 'b', updatedAt: start, node: 'node-1' });
      expect((await observations.byToken(aToken('a', 'aa01')))?.address).toBe('b');
    });

    test('a move changes address and node only', async () => {
      const { registrations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      expect(await registrations.move(registration.id, '[2001:db8::1]:9', 'node-3')).toEqual({
        previousNode: 'node-1',
        fence: 2,
      });
      expect(await registrations.byEndpoint('a')).toEqual({
        ...registration,
        address: '[2001:db8::1]:9',
        node: 'node-3',
        fence: 2,
      });
    });

    describe('the owner of a device', () => {
      const elsewhere = '192.0.2.9:40000';

      test('is the node that heard it last; the fencing number rises whenever that is another one', async () => {
        const { registrations } = stores();
        const { id } = aRegistration('a');
        const heard = (node: string) => ({ id, address: elsewhere, updatedAt: start, node });
        expect(await registrations.register(aRegistration('a', { node: 'one' }))).toMatchObject({ fence: 1 });
        expect(await registrations.update(heard('one'))).toMatchObject({ registration: { fence: 1 } });
        expect(await registrations.update(heard('two'))).toMatchObject({
          registration: { node: 'two', fence: 2 },
          previous: { node: 'one', fence: 1 },
        });
        expect(await registrations.move(id, '192.0.2.1:7', 'two')).toEqual({ previousNode: 'two', fence: 2 });
        expect(await registrations.move(id, elsewhere, 'one')).toEqual({ previousNode: 'two', fence: 3 });
        expect(await registrations.byId(id)).toMatchObject({ node: 'one', fence: 3 });
        expect(await registrations.byEndpoint('a')).toMatchObject({ node: 'one', fence: 3 });
        expect(await registrations.byAddress(elsewhere)).toMatchObject({ node: 'one', fence: 3 });
      });

      test('is remembered when the registration has ended', async () => {
        const { registrations } = stores();
        const { id } = aRegistration('a');
        await registrations.register(aRegistration('a', { node: 'one' }));
        await registrations.move(id, elsewhere, 'two');
        expect(await registrations.deregister(id)).toMatchObject({ node: 'two', fence: 2 });
        expect(await registrations.register(aRegistration('a', { node: 'two' }))).toMatchObject({ fence: 2 });
        const [expired] = await registrations.expire(Number.MAX_SAFE_INTEGER, 1);
        expect(expired).toMatchObject({ node: 'two', fence: 2 });
        expect(await registrations.register(aRegistration('a', { node: 'one' }))).toMatchObject({ fence: 3 });
        const again = aRegistration('a', { id: anId('a', 'again'), node: 'three' });
        expect(await registrations.register(again)).toMatchObject({
          fence: 4,
          replaced: { node: 'one', fence: 3 },
        });
      });

      test('is who claims it, at the address where it is', async () => {
        const { registrations } = stores();
        const registration = aRegistration('a', { node: 'one' });
        await registrations.register(registration);
        expect(await registrations.claim(registration.id, 'two')).toEqual({
          registration: { ...registration, node: 'two', fence: 2 },
          previousNode: 'one',
        });
        expect(await registrations.byEndpoint('a')).toEqual({ ...registration, node: 'two', fence: 2 });
        expect(await registrations.claim(registration.id, 'two')).toMatchObject({
          registration: { fence: 2 },
          previousNode: 'two',
        });
        expect(await registrations.claim(anId('a', 'other'), 'two')).toBeUndefined();
        expect(await registrations.claim('none', 'two')).toBeUndefined();
      });

      test('is one alone of several that claim it from a node that is gone', async () => {
        const { registrations } = stores();
        const { id } = aRegistration('a');
        await registrations.register(aRegistration('a', { node: 'gone' }));
        const claims = await Promise.all(
          ['one', 'two', 'three'].map((node) => registrations.claim(id, node, 'gone')),
        );
        const [winner, ...others] = claims.filter((claim) => claim !== undefined);
        expect(others).toEqual([]);
        expect(winner?.previousNode).toBe('gone');
        expect(await registrations.byId(id)).toEqual(winner?.registration);
      });

      test('keeps it when another device gets its address', async () => {
        const { registrations } = stores();
        await registrations.register(aRegistration('a', { node: 'one' }));
        await registrations.register(aRegistration('b', { node: 'two' }));
        expect(await registrations.byEndpoint('a')).toMatchObject({
          node: 'one',
          fence: 1,
          addressLost: true,
        });
        expect(await registrations.claim(anId('a'), 'two')).toMatchObject({
          registration: { addressLost: true },
        });
      });
    });

    test('a deregistration ends it once, with its observations', async () => {
      const { registrations, observations } = stores();
      const registration = aRegistration('a');
      await registrations.register(registration);
      await observations.add(anObservation('aa01', registration));
      expect(await registrations.deregister(registration.id)).toEqual(owned(registration));
      expect(await registrations.deregister(registration.id)).toBeUndefined();
      expect(await registrations.byEndpoint('a')).toBeUndefined();
      expect(await observations.count()).toBe(0);
    });

    test('only what is past its expiry expires, the earliest first, up to the limit', async () => {
      const { registrations, observations } = stores();
      for (const [index, endpoint] of ['c', 'a', 'b', 'd'].entries()) {
        const registration = aRegistration(endpoint, { expiresAt: start + index * 10 });
        await registrations.register(registration);
        await observations.add(anObservation(`aa0${index}`, registration));
      }
      expect(await registrations.nextExpiry()).toBe(start);
      const expired = await registrations.expire(start + 20, 2);
      expect(expired.map((registration) => registration.endpoint)).toEqual(['c', 'a']);
      expect((await registrations.expire(start + 20, 10)).map(({ endpoint }) => endpoint)).toEqual(['b']);
      expect(await registrations.expire(start + 29, 10)).toEqual([]);
      expect(await registrations.nextExpiry()).toBe(start + 30);
      expect(await registrations.count()).toBe(1);
      expect(await observations.count()).toBe(1);
    });

    test('parallel calls of expire return each expired registration exactly once', async () => {
      const { registrations } = stores();
      const endpoints = Array.from({ length: 60 }, (_, index) => `dev-${index}`);
      await Promise.all(endpoints.map((endpoint) => registrations.register(aRegistration(endpoint))));
      const calls = Array.from({ length: 20 }, () => registrations.expire(start + 65_000, 7));
      const expired = (await Promise.all(calls)).flat().map(({ endpoint }) => endpoint);
      expect(expired.toSorted()).toEqual(endpoints.toSorted());
    });

    test('of two registrations of one endpoint at once, one replaces the other', async () => {
      const { registrations } = stores();
      const one = aRegistration('a', { id: anId('a', 'one') });
      const two = aRegistration('a', { id: anId('a', 'two') });
      const [first, second] = await Promise.all([registrations.register(one), registrations.register(two)]);
      const replaced = [first.replaced?.id, second.replaced?.id];
      const left = await registrations.byEndpoint('a');
      expect(replaced.filter((id) => id !== undefined)).toHaveLength(1);
      expect(replaced).toContain(left?.id === one.id ? two.id : one.id);
      expect(await registrations.count()).toBe(1);
    });

    test('an update that races the expiry either keeps the registration or finds none', async () => {
      const { registrations } = stores();
      for (let round = 0; round < 10; round++) {
        const registration = aRegistration(`dev-${round}`);
        await registrations.register(registration);
        const update = { id: registration.id, address: 'x', updatedAt: start + 64_000, node: 'node-1' };
        const [updated, expired] =
          round % 2 === 0
            ? await Promise.all([registrations.update(update), registrations.expire(start + 65_000, 10)])
            : ((
                await Promise.all([registrations.expire(start + 65_000, 10), registrations.update(update)])
              ).toReversed() as [Awaited<ReturnType<typeof registrations.update>>, readonly unknown[]]);
        expect([updated !== undefined, expired.length === 1]).toContain(true);
        expect(updated !== undefined && expired.length === 1).toBe(false);
        expect((await registrations.byId(registration.id)) !== undefined).toBe(updated !== undefined);
      }
    });
  });
}
