import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import type { BootstrapProfile, BootstrapSession } from '../../server/ports/bootstrap-store.ts';
import { bucketOf } from '../../server/ports/bucket.ts';
import { anId, type OpenStores, start, useStores } from './engine.ts';

export function aProfile(id: string, change: Partial<BootstrapProfile> = {}): BootstrapProfile {
  return {
    id,
    name: `Profile ${id}`,
    enabled: true,
    devices: { endpoint: 'meter-*', model: 'M?' },
    priority: 5,
    readFirst: true,
    remove: ['/'],
    servers: [
      {
        shortServerId: 101,
        security: 'psk',
        lifetime: 300,
        binding: 'U',
        notificationStoring: true,
        defaultMinimumPeriod: 0,
      },
    ],
    objects: [{ path: '/3/0/15', value: 'Europe/Berlin' }],
    access: [{ objectId: 3, instanceId: 0, owner: 101, rights: [{ shortServerId: 0, rights: 1 }] }],
    retries: 1,
    createdAt: start,
    updatedAt: start + 0.5,
    ...change,
  };
}

export function aSession(
  endpoint: string,
  mark: string,
  change: Partial<BootstrapSession> = {},
): BootstrapSession {
  return {
    id: anId(endpoint, mark),
    endpoint,
    address: '192.0.2.1:5683',
    identity: { kind: 'psk', name: 'ünï\n' },
    node: 'node-1',
    kind: 'requests',
    profile: { id: 'fleet', name: 'Fleet\n2' },
    state: 'running',
    startedAt: start,
    updatedAt: start + 0.25,
    steps: [{ operation: 'write', path: '/0/1', startedAt: start, endedAt: start + 0.5, code: '2.04' }],
    ...change,
  };
}

const bounds = { ofDevice: 10, ofBucket: 100 };

export function describeBootstrapStore(name: string, open: OpenStores): void {
  describe(`BootstrapStore, ${name}`, () => {
    const stores = useStores(open);
    const store = () => stores().bootstrap;
    const ids = async (query: Parameters<ReturnType<typeof store>['sessions']>[0]): Promise<string[]> =>
      (await store().sessions(query)).items.map(({ id }) => id);

    test('profiles are listed by id, replaced by their id, and removed', async () => {
      expect(await store().profiles()).toEqual([]);
      await store().putProfile(aProfile('b'));
      await store().putProfile(aProfile('a'));
      await store().putProfile(aProfile('b', { enabled: false, servers: [] }));
      expect(await store().profiles()).toEqual([
        aProfile('a'),
        aProfile('b', { enabled: false, servers: [] }),
      ]);
      expect(await store().removeProfile('a')).toBe(true);
      expect(await store().removeProfile('a')).toBe(false);
      expect((await store().profiles()).map(({ id }) => id)).toEqual(['b']);
    });

    test('a device has the profile that was assigned to it last, until it has none', async () => {
      expect(await store().assignment('dev')).toBeUndefined();
      await store().assign('dev', 'a');
      await store().assign('dev', 'b');
      await store().assign('other', 'a');
      expect(await store().assignment('dev')).toBe('b');
      await store().assign('dev', undefined);
      await store().assign('dev', undefined);
      expect(await store().assignment('dev')).toBeUndefined();
      expect(await store().assignment('other')).toBe('a');
    });

    test('assignments come in pages, each once, of one profile where asked', async () => {
      const endpoints = [
        '__proto__',
        ' ',
        'ü\n',
        ...Array.from({ length: 20 }, (_, index) => `dev-${index}`),
      ];
      for (const [index, endpoint] of endpoints.entries()) {
        await store().assign(endpoint, index % 2 === 0 ? 'even' : 'odd');
      }
      const pages = async (profile?: string): Promise<unknown[]> => {
        const found: unknown[] = [];
        for (let cursor: string | undefined; ; ) {
          const page = await store().assignments({
            limit: 4,
            ...(profile === undefined ? {} : { profile }),
            ...(cursor === undefined ? {} : { cursor }),
          });
          expect(page.items.length).toBeLessThanOrEqual(4);
          found.push(...page.items.map(({ endpoint, profile: each }) => `${endpoint} ${each}`));
          if (page.next === undefined) return found.sort();
          cursor = page.next;
        }
      };
      const all = endpoints.map((endpoint, index) => `${endpoint} ${index % 2 === 0 ? 'even' : 'odd'}`);
      expect(await pages()).toEqual(all.sort());
      expect(await pages('odd')).toEqual(all.filter((each) => each.endsWith(' odd')));
      await expect(store().assignments({ limit: 1, cursor: 'nonsense' })).rejects.toThrow(RequestError);
    });

    test('a session is as it was recorded last, as long as it runs', async () => {
      const session = aSession('dev', 'one');
      expect(await store().begin(session, bounds)).toBeUndefined();
      expect(await store().session(session.id)).toEqual(session);
      const further = {
        ...session,
        updatedAt: start + 7.5,
        steps: [...session.steps, { operation: 'finish', startedAt: start + 7 }],
      } as const;
      expect(await store().record(further)).toBe(true);
      const failed = { ...further, state: 'failed', reason: 'the device\nfell silent' } as const;
      expect(await store().record(failed)).toBe(true);
      expect(await store().record({ ...further, state: 'finished' })).toBe(false);
      expect(await store().session(session.id)).toEqual(failed);
      expect(await store().record(aSession('dev', 'unknown'))).toBe(false);
      expect(await store().session('nonsense')).toBeUndefined();
      expect(await store().session(anId('dev', 'unknown'))).toBeUndefined();
    });

    test('a device that begins anew replaces what was under way, and no other session', async () => {
      const first = aSession('dev', 'one');
      const other = aSession('other', 'o');
      await store().begin(first, bounds);
      await store().begin(other, bounds);
      const replaced = { ...first, state: 'replaced', updatedAt: start + 9 } as const;
      const second = aSession('dev', 'two', { startedAt: start + 9, updatedAt: start + 9 });
      expect(await store().begin(second, bounds)).toEqual(replaced);
      expect(await store().session(first.id)).toEqual(replaced);
      expect(await store().record({ ...first, state: 'finished' })).toBe(false);
      expect(await store().session(other.id)).toEqual(other);
      await store().record({ ...second, state: 'finished' });
      expect(await store().begin(aSession('dev', 'three'), bounds)).toBeUndefined();
    });

    test('one of two that begin at the same time is replaced', async () => {
      const sessions = [aSession('dev', 'one'), aSession('dev', 'two')];
      const replaced = await Promise.all(sessions.map((session) => store().begin(session, bounds)));
      expect(replaced.filter((each) => each !== undefined)).toHaveLength(1);
      expect(await ids({ states: ['running'], limit: 5 })).toHaveLength(1);
    });

    test('sessions come newest first, in pages, of a device and of states where asked', async () => {
      for (let index = 0; index < 12; index++) {
        const session = aSession(`dev-${index % 3}`, `s${index}`);
        await store().begin(session, bounds);
        await store().record({ ...session, state: index % 2 === 0 ? 'finished' : 'failed' });
      }
      const all = Array.from({ length: 12 }, (_, index) => 11 - index);
      const idOf = (index: number): string => anId(`dev-${index % 3}`, `s${index}`);
      expect(await ids({ limit: 20 })).toEqual(all.map(idOf));
      expect(await ids({ limit: 20, endpoint: 'dev-1' })).toEqual([10, 7, 4, 1].map(idOf));
      expect(await ids({ limit: 20, endpoint: 'none' })).toEqual([]);
      expect(await ids({ limit: 20, states: ['failed'] })).toEqual([11, 9, 7, 5, 3, 1].map(idOf));
      expect(await ids({ limit: 20, states: [] })).toEqual([]);
      const first = await store().sessions({ limit: 5 });
      const second = await store().sessions({ limit: 5, cursor: first.next ?? '' });
      const third = await store().sessions({ limit: 5, cursor: second.next ?? '' });
      const paged = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id));
      expect(paged).toEqual(all.map(idOf));
      expect(third.next).toBeUndefined();
      await expect(store().sessions({ limit: 1, cursor: 'nonsense' })).rejects.toThrow(RequestError);
    });

    test('of a device, and of a bucket, the newest sessions stay', async () => {
      for (let index = 0; index < 5; index++) {
        await store().begin(aSession('dev', `s${index}`), { ofDevice: 2, ofBucket: 100 });
      }
      expect(await ids({ limit: 10 })).toEqual([anId('dev', 's4'), anId('dev', 's3')]);
      const neighbours: string[] = [];
      for (let index = 0; neighbours.length < 3; index++) {
        if (bucketOf(`n${index}`) === bucketOf('dev')) neighbours.push(`n${index}`);
      }
      for (const neighbour of neighbours) {
        await store().begin(aSession(neighbour, 's'), { ofDevice: 2, ofBucket: 3 });
      }
      expect(await ids({ limit: 10 })).toEqual(neighbours.reverse().map((each) => anId(each, 's')));
      expect(await store().session(anId('dev', 's4'))).toBeUndefined();
      expect(await store().begin(aSession('dev', 's9'), bounds)).toBeUndefined();
    });
  });
}
