import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import {
  type Device,
  type DeviceFilter,
  type DeviceQuery,
  type DeviceSort,
  type DeviceStateFilter,
  deviceState,
} from '../../server/ports/device-store.ts';
import { anId, aRegistration, type OpenStores, start, useStores } from './engine.ts';

export function describeDeviceStore(name: string, open: OpenStores): void {
  describe(`DeviceStore, ${name}`, () => {
    const stores = useStores(open);

    async function register(...endpoints: readonly string[]): Promise<void> {
      for (const endpoint of endpoints) await stores().registrations.register(aRegistration(endpoint));
    }

    test('the first registration makes the device, without the identity of the peer', async () => {
      const { devices, registrations } = stores();
      const { identity, ...registration } = {
        ...aRegistration('a'),
        identity: { kind: 'psk', name: 'k' } as const,
      };
      await registrations.register({ ...registration, identity });
      expect(await devices.get('a')).toEqual({
        endpoint: 'a',
        firstSeen: start,
        lastSeen: start,
        registration: { ...registration, fence: 1 },
      });
      expect(await devices.get('b')).toBeUndefined();
    });

    test('of a session it has where that was reached', async () => {
      const { devices, registrations } = stores();
      const transportAddress = '198.51.100.7:40001';
      const identity = { kind: 'psk', name: 'k', transportAddress } as const;
      await registrations.register({ ...aRegistration('a'), address: 'dtls:0011223344556677', identity });
      const { registration } = (await devices.get('a')) ?? {};
      expect(registration).toMatchObject({ address: 'dtls:0011223344556677', transportAddress });
      expect(registration).not.toHaveProperty('identity');
    });

    test('the device survives the end of its registration, and remembers when it was last heard', async () => {
      const { devices, registrations } = stores();
      await register('a');
      await registrations.update({ id: anId('a'), address: 'x', updatedAt: start + 9000, node: 'node-1' });
      expect((await devices.get('a'))?.lastSeen).toBe(start + 9000);
      await registrations.deregister(anId('a'));
      expect(await devices.get('a')).toEqual({
        endpoint: 'a',
        firstSeen: start,
        lastSeen: start + 9000,
        ended: 'left',
      });
      await registrations.register(
        aRegistration('a', { registeredAt: start + 20_000, updatedAt: start + 20_000 }),
      );
      expect(await devices.get('a')).toMatchObject({ firstSeen: start, lastSeen: start + 20_000 });
    });

    test('one that is enrolled is known, and was never seen until it registers', async () => {
      const { devices, registrations } = stores();
      const numbers = { serialNumber: 'SN-1', iccid: '8901410321111851072', imei: '356942100000001' };
      await devices.enrol([{ endpoint: 'Ännex', ...numbers, tenant: 'acme' }, { endpoint: 'bare' }]);
      expect(await devices.get('Ännex')).toEqual({ endpoint: 'Ännex', ...numbers, tenant: 'acme' });
      expect(await devices.get('bare')).toEqual({ endpoint: 'bare' });
      expect(await devices.counts(start)).toMatchObject({ known: 2, registered: 0, lost: 0, left: 0 });
      const known = await devices.list({ filter: { states: ['known'] }, now: start, limit: 9 });
      expect(known.items.map(({ endpoint }) => endpoint)).toEqual(['bare', 'Ännex']);
      const found = await devices.list({ filter: { search: '35694' }, now: start, limit: 9 });
      expect(found.items.map(({ endpoint }) => endpoint)).toEqual(['Ännex']);
      await registrations.register(aRegistration('bare', { updatedAt: start + 7 }));
      expect(await devices.get('bare')).toMatchObject({ firstSeen: start + 7, lastSeen: start + 7 });
      await devices.heard(new Map([['Ännex', start + 9]]), 'node-1');
      expect(await devices.get('Ännex')).toMatchObject({ lastSeen: start + 9 });
    });

    test('of one that is known an enrolment sets what is not known', async () => {
      const { devices, registrations } = stores();
      await register('a');
      await devices.setAttributes('a', { imei: '1', model: 'M1' });
      await devices.enrol([{ endpoint: 'a', imei: '2', iccid: '3', tenant: 'acme' }]);
      await devices.enrol([{ endpoint: 'a' }]);
      expect(await devices.get('a')).not.toHaveProperty('tenant');
      expect(await devices.get('a')).toMatchObject({ imei: '1', iccid: '3', model: 'M1', firstSeen: start });
      expect((await registrations.byEndpoint('a'))?.id).toBe(anId('a'));
      expect(await devices.counts(start)).toMatchObject({ known: 1, registered: 1 });
    });

    test('those that were never seen come last by that, and were not seen before any time', async () => {
      const { devices } = stores();
      await register('seen');
      await devices.enrol([{ endpoint: 'never' }]);
      for (const sort of ['lastSeen', 'firstSeen'] as const) {
        for (const descending of [false, true]) {
          const first = await devices.list({ now: start, sort, descending, limit: 1 });
          expect(first.items.map(({ endpoint }) => endpoint)).toEqual(['seen']);
          const next = await devices.list({ now: start, limit: 1, cursor: first.next as string });
          expect(next.items.map(({ endpoint }) => endpoint)).toEqual(['never']);
        }
      }
      const names = async (filter: DeviceFilter) =>
        (await devices.list({ filter, now: start, limit: 9 })).items.map(({ endpoint }) => endpoint);
      expect(await names({ seenSince: 0 })).toEqual(['seen']);
      expect(await names({ seenBefore: start })).toEqual(['never']);
      expect(await names({ seenSince: start, seenBefore: start + 1 })).toEqual(['seen']);
    });

    test('an expiry leaves the device unregistered', async () => {
      const { devices, registrations } = stores();
      await register('a');
      await registrations.expire(start + 65_000, 1);
      expect(await devices.get('a')).not.toHaveProperty('registration');
      expect(await devices.counts(start)).toMatchObject({ known: 1, registered: 0 });
    });

    test('awake times are set one by one, and taken away again; they survive a registration', async () => {
      const { devices } = stores();
      await register('a', 'b');
      expect(await devices.setAwakeTimes('a', { learnt: 20_000.5 })).toBe(true);
      expect((await devices.get('a'))?.awakeTimes).toEqual({ learnt: 20_000.5 });
      await devices.setAwakeTimes('a', { configured: 5_000 });
      await register('a');
      expect((await devices.get('a'))?.awakeTimes).toEqual({ configured: 5_000, learnt: 20_000.5 });
      await devices.setAwakeTimes('a', { configured: null, learnt: null });
      expect(await devices.get('a')).not.toHaveProperty('awakeTimes');
      expect(await devices.get('b')).not.toHaveProperty('awakeTimes');
      expect(await devices.setAwakeTimes('unknown', { learnt: 1 })).toBe(false);
    });

    test('attributes are set one by one; the others stay', async () => {
      const { devices } = stores();
      await register('a');
      const attributes = {
        manufacturer: 'ACME',
        model: 'M1',
        serialNumber: 'SN-1',
        firmwareVersion: '1.0',
        iccid: '8901410321111851072',
        imsi: '310410111185107',
        imei: '356942100000001',
        carrier: 'AT&T',
        signal: -87,
      };
      expect(await devices.setAttributes('a', attributes)).toBe(true);
      expect(await devices.setAttributes('a', { carrier: '', signal: -99.5 })).toBe(true);
      expect(await devices.setAttributes('a', {})).toBe(true);
      expect(await devices.get('a')).toMatchObject({ ...attributes, carrier: '', signal: -99.5 });
      expect(await devices.setAttributes('b', attributes)).toBe(false);
      expect(await devices.setAttributes('b', {})).toBe(false);
      expect(await devices.get('b')).toBeUndefined();
    });

    test('a device is made with the tenant that its first registration names, and stays whose it is', async () => {
      const { devices, registrations } = stores();
      await registrations.register(aRegistration('a'), 'acme');
      await registrations.register(aRegistration('a'), 'other');
      await register('a', 'b');
      expect((await devices.get('a'))?.tenant).toBe('acme');
      expect(await devices.get('b')).not.toHaveProperty('tenant');
      await registrations.deregister(anId('a'));
      await devices.setAttributes('a', { carrier: 'AT&T', signal: -80 });
      expect(await devices.get('a')).toMatchObject({ tenant: 'acme', carrier: 'AT&T', signal: -80 });
    });

    test('a tenant is set, changed and taken away; whose devices are is told of many at once', async () => {
      const { devices } = stores();
      await register('a', 'b', 'c');
      expect(await devices.setTenant('a', 'acme')).toBe(true);
      expect(await devices.setTenant('b', 'other')).toBe(true);
      expect(await devices.setTenant('unknown', 'acme')).toBe(false);
      expect(await devices.tenants(['c', 'a', 'unknown', 'b'])).toEqual(
        new Map([
          ['a', 'acme'],
          ['b', 'other'],
          ['c', null],
        ]),
      );
      expect(await devices.tenants([])).toEqual(new Map());
      await devices.setTenant('b', 'acme');
      await devices.setTenant('a', null);
      expect(await devices.get('a')).not.toHaveProperty('tenant');
      expect((await devices.get('b'))?.tenant).toBe('acme');
    });

    test('devices are found, counted and listed by tenant, and those without one by the empty text', async () => {
      const { devices } = stores();
      await register('a', 'b', 'c', 'd');
      await devices.setTenant('a', 'acme');
      await devices.setTenant('c', 'acme');
      await devices.setTenant('d', 'other');
      const found = async (filter: DeviceFilter) => devices.endpoints(filter, { now: start, limit: 10 });
      expect(await found({ tenant: ['acme'] })).toEqual(['a', 'c']);
      expect(await found({ tenant: ['acme', ''] })).toEqual(['a', 'b', 'c']);
      expect(await found({ tenant: ['acm'] })).toEqual([]);
      expect(await devices.list({ filter: { tenant: ['other'] }, now: start, limit: 1 })).toMatchObject({
        total: 1,
        items: [{ endpoint: 'd', tenant: 'other' }],
      });
      expect(await devices.facets(['tenant', 'state'], {}, start)).toMatchObject({
        facets: {
          tenant: [
            { value: 'acme', count: 2 },
            { value: null, count: 1 },
            { value: 'other', count: 1 },
          ],
        },
      });
      await devices.setTenant('c', 'other');
      expect(await found({ tenant: ['acme'] })).toEqual(['a']);
      await devices.remove('a');
      await register('a');
    });

    test('a part of the endpoint alone is looked for where numbers may not be', async () => {
      const { devices } = stores();
      await register('urn:x:1', 'urn:x:2');
      await devices.setAttributes('urn:x:2', { imsi: '310410111185107' });
      const found = (filter: DeviceFilter) => devices.endpoints(filter, { now: start, limit: 10 });
      expect(await found({ search: '3104' })).toEqual(['urn:x:2']);
      expect(await found({ endpointPart: '3104' })).toEqual([]);
      expect(await found({ endpointPart: 'X:1' })).toEqual(['urn:x:1']);
    });

    test('heard moves the last contact forward, and passes over unknown devices', async () => {
      const { devices } = stores();
      await register('a', 'b');
      await devices.heard(
        new Map([
          ['a', start + 5],
          ['b', start - 5],
          ['c', start],
        ]),
        'node-1',
      );
      expect((await devices.get('a'))?.lastSeen).toBe(start + 5);
      expect((await devices.get('b'))?.lastSeen).toBe(start);
      expect(await devices.get('c')).toBeUndefined();
    });

    test('heard tells which devices are registered with another node', async () => {
      const { devices, registrations } = stores();
      await register('mine', 'theirs', 'ended');
      await registrations.move(anId('theirs'), '192.0.2.9:1', 'node-2');
      await registrations.move(anId('ended'), '192.0.2.9:2', 'node-2');
      await registrations.deregister(anId('ended'));
      const times = new Map(['mine', 'theirs', 'ended', 'unknown'].map((endpoint) => [endpoint, start + 7]));
      expect(await devices.heard(times, 'node-1')).toEqual(['theirs']);
      expect((await devices.get('theirs'))?.lastSeen).toBe(start + 7);
      expect(await devices.heard(new Map(), 'node-1')).toEqual([]);
    });

    test('the list is ordered by endpoint and paged without gap or repetition', async () => {
      const { devices } = stores();
      const endpoints = ['b', 'a', 'B', 'aa', 'ä', 'c', 'a b'];
      await register(...endpoints);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await devices.list({
          now: start,
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(page.total).toBe(7);
        expect(page.items.length).toBeLessThanOrEqual(2);
        seen.push(...page.items.map(({ endpoint }) => endpoint));
        cursor = page.next;
      } while (cursor !== undefined && seen.length < 20);
      expect(seen).toEqual(endpoints.toSorted());
    });

    test('a page that ends with the last device has no next', async () => {
      const { devices } = stores();
      await register('a', 'b');
      expect(await devices.list({ now: start, limit: 2 })).not.toHaveProperty('next');
      expect(await devices.list({ now: start, limit: 1 })).toHaveProperty('next');
    });

    test('an item of the list is as get gives it', async () => {
      const { devices } = stores();
      await register('a');
      await devices.setAttributes('a', { imei: '1' });
      expect((await devices.list({ now: start, limit: 1 })).items).toEqual([await devices.get('a')]);
    });

    test('a cursor of another make is the mistake of the caller', async () => {
      const { devices } = stores();
      for (const cursor of ['', 'x', '%%%', Buffer.from('["commands",1]').toString('base64url')]) {
        await expect(devices.list({ now: start, limit: 1, cursor })).rejects.toThrow(RequestError);
      }
    });

    test('the state filters, and the total counts what matches', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c');
      await registrations.deregister(anId('b'));
      const registered = await devices.list({ limit: 10, now: start, filter: { states: ['registered'] } });
      expect(registered.items.map(({ endpoint }) => endpoint)).toEqual(['a', 'c']);
      expect(registered.total).toBe(2);
      const gone = await devices.list({ limit: 10, now: start, filter: { states: ['unregistered'] } });
      expect(gone.items.map(({ endpoint }) => endpoint)).toEqual(['b']);
      expect(gone.total).toBe(1);
      expect(await devices.counts(start)).toMatchObject({ known: 3, registered: 2 });
    });

    test('a search finds a part of the endpoint in any case, or the start of a number', async () => {
      const { devices } = stores();
      await register('urn:imei:356', 'Sensor_100%', 'other');
      await devices.setAttributes('other', {
        iccid: '8901410',
        imsi: '310410',
        imei: '990000',
        serialNumber: 'Ab-77',
      });
      const found = async (search: string) =>
        (await devices.list({ limit: 10, now: start, filter: { search } })).items.map(
          ({ endpoint }) => endpoint,
        );
      expect(await found('IMEI:3')).toEqual(['urn:imei:356']);
      expect(await found('sensor')).toEqual(['Sensor_100%']);
      expect(await found('0%')).toEqual(['Sensor_100%']);
      expect(await found('r_1')).toEqual(['Sensor_100%']);
      expect(await found('_')).toEqual(['Sensor_100%']);
      for (const start of ['890141', '3104', '99', 'aB-7']) expect(await found(start)).toEqual(['other']);
      for (const inside of ['901410', '10410', 'b-77', 'nothing', "'"])
        expect(await found(inside)).toEqual([]);
      expect(await found('')).toHaveLength(3);
    });

    test('search, state and pages go together', async () => {
      const { devices, registrations } = stores();
      await register('x1', 'x2', 'x3', 'y1');
      await registrations.deregister(anId('x2'));
      const query = { limit: 1, now: start, filter: { search: 'x', states: ['registered'] } } as const;
      const first = await devices.list(query);
      expect([first.total, first.items[0]?.endpoint]).toEqual([2, 'x1']);
      const second = await devices.list({ ...query, cursor: first.next ?? '' });
      expect([second.total, second.items[0]?.endpoint, second.next]).toEqual([2, 'x3', undefined]);
    });

    test('how a registration ended stays, until the device registers again', async () => {
      const { devices, registrations } = stores();
      await register('lost', 'left', 'back');
      await registrations.deregister(anId('left'));
      await registrations.deregister(anId('back'));
      await register('back');
      await registrations.update({
        id: anId('back'),
        address: 'x',
        updatedAt: start + 60_000,
        node: 'node-1',
      });
      await registrations.expire(start + 65_000, 10);
      const listed = async (...states: DeviceStateFilter[]) =>
        (await devices.list({ limit: 10, now: start, filter: { states } })).items.map(
          ({ endpoint, ended }) => [endpoint, ended],
        );
      expect(await listed('lost')).toEqual([['lost', 'lost']]);
      expect(await listed('left')).toEqual([['left', 'left']]);
      expect(await listed('awake')).toEqual([['back', undefined]]);
      expect(await listed('left', 'registered')).toHaveLength(2);
      expect(await listed('unregistered')).toHaveLength(2);
      expect(await listed('known')).toEqual([]);
      expect(await listed()).toEqual([]);
      expect(await devices.counts(start)).toEqual({
        known: 3,
        registered: 1,
        awake: 1,
        asleep: 0,
        lost: 1,
        left: 1,
      });
    });

    test('a device in queue mode sleeps when its time is over; who listens always does not', async () => {
      const { devices, registrations } = stores();
      await registrations.register(aRegistration('sleeper', { queueMode: true }));
      await register('always');
      await devices.listening(
        new Map([
          ['sleeper', start + 10_000],
          ['always', start + 10_000],
          ['unknown', start],
        ]),
      );
      const asleep = async (now: number) =>
        (await devices.list({ limit: 5, now, filter: { states: ['asleep'] } })).items;
      expect(await asleep(start + 9_999)).toEqual([]);
      const [item] = await asleep(start + 10_000);
      expect(item).toMatchObject({ endpoint: 'sleeper', awakeUntil: start + 10_000 });
      expect(deviceState(item as Device, start + 10_000)).toBe('asleep');
      expect(await devices.counts(start + 10_000)).toMatchObject({ awake: 1, asleep: 1 });
      await registrations.update({
        id: anId('sleeper'),
        address: 'x',
        updatedAt: start + 20_000,
        node: 'node-1',
      });
      expect(await asleep(start + 20_000)).toEqual([]);
      // It says that it listens always from now on.
      await registrations.update({
        id: anId('sleeper'),
        address: 'x',
        queueMode: false,
        updatedAt: start + 30_000,
        node: 'node-1',
      });
      expect(await asleep(start + 1e9)).toEqual([]);
      expect(await devices.get('sleeper')).not.toHaveProperty('awakeUntil');
    });

    test('texts filter by exact values, and the empty one by none', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c', 'd');
      await registrations.register(aRegistration('e', { node: 'node-2' }));
      await devices.setAttributes('a', { carrier: 'AT&T', model: 'M1', firmwareVersion: '1.0' });
      await devices.setAttributes('b', { carrier: 'AT&T', model: 'M2', manufacturer: 'A, B' });
      await devices.setAttributes('c', { carrier: '', model: 'm1' });
      const found = async (filter: DeviceFilter) => {
        const { items, total } = await devices.list({ limit: 10, now: start, filter });
        expect(total).toBe(items.length);
        return items.map(({ endpoint }) => endpoint).join('');
      };
      expect(await found({ carrier: ['AT&T'] })).toBe('ab');
      expect(await found({ carrier: ['at&t'] })).toBe('');
      expect(await found({ carrier: [''] })).toBe('cde');
      expect(await found({ carrier: ['', 'AT&T'], model: ['M1', 'm1'] })).toBe('ac');
      expect(await found({ manufacturer: ['A, B'] })).toBe('b');
      expect(await found({ firmware: ['1.0'] })).toBe('a');
      expect(await found({ firmware: [] })).toBe('');
      expect(await found({ node: ['node-2'] })).toBe('e');
      await registrations.deregister(anId('e'));
      expect(await found({ node: ['node-2'] })).toBe('');
      expect(await found({ node: [''] })).toBe('e');
    });

    test('signal and last contact filter by their bounds', async () => {
      const { devices } = stores();
      await register('a', 'b', 'c');
      await devices.setAttributes('a', { signal: -80 });
      await devices.setAttributes('b', { signal: -110.5 });
      await devices.heard(new Map([['b', start + 1000]]), 'node-1');
      const found = async (filter: DeviceFilter) =>
        (await devices.list({ limit: 10, now: start, filter })).items
          .map(({ endpoint }) => endpoint)
          .join('');
      expect(await found({ signalMin: -80 })).toBe('a');
      expect(await found({ signalMax: -80 })).toBe('ab');
      expect(await found({ signalMin: -120, signalMax: -100 })).toBe('b');
      expect(await found({ seenSince: start + 1000 })).toBe('b');
      expect(await found({ seenBefore: start + 1000 })).toBe('ac');
      expect(await found({ seenSince: start, seenBefore: start })).toBe('');
    });

    test('every order goes both ways, in pages without gap or repetition; who has no such value comes last', async () => {
      const { devices } = stores();
      const endpoints = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const [index, endpoint] of endpoints.entries()) {
        await stores().registrations.register(
          aRegistration(endpoint, { updatedAt: start + ((index * 7) % 4), registeredAt: start }),
        );
      }
      const attributes = { model: 'M', carrier: 'x', signal: -90, firmwareVersion: '2' };
      await devices.setAttributes('b', attributes);
      await devices.setAttributes('d', attributes);
      await devices.setAttributes('e', { model: 'A', carrier: 'X', signal: -100.5, firmwareVersion: '10' });
      await devices.setAttributes('f', { model: 'Z', carrier: '', firmwareVersion: '' });
      const order = async (sort: DeviceSort, descending: boolean) => {
        const query = { now: start, limit: 2, sort, descending };
        const pages: string[] = [];
        let page = await devices.list(query);
        for (let index = 0; index < 5; index++) {
          pages.push(page.items.map(({ endpoint }) => endpoint).join(''));
          if (page.next === undefined) break;
          const jumped = await devices.list({ ...query, offset: 2 * index + 2 });
          page = await devices.list({ now: start, limit: 2, cursor: page.next });
          expect(jumped).toEqual(page);
        }
        return pages.join('|');
      };
      expect(await order('endpoint', false)).toBe('ab|cd|ef');
      expect(await order('endpoint', true)).toBe('fe|dc|ba');
      expect(await order('lastSeen', false)).toBe('ae|dc|bf');
      expect(await order('lastSeen', true)).toBe('fb|cd|ea');
      expect(await order('firstSeen', false)).toBe('ae|dc|bf');
      expect(await order('model', false)).toBe('eb|df|ac');
      expect(await order('model', true)).toBe('fd|be|ca');
      expect(await order('carrier', false)).toBe('eb|da|cf');
      expect(await order('signal', false)).toBe('eb|da|cf');
      expect(await order('signal', true)).toBe('db|ef|ca');
      expect(await order('firmware', true)).toBe('db|ef|ca');
    });

    test('a page goes on behind the last device of the one before, wherever others have gone', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c', 'd');
      for (const [endpoint, model] of [
        ['a', 'M1'],
        ['b', 'M2'],
        ['c', 'M3'],
        ['d', 'M4'],
      ] as const) {
        await devices.setAttributes(endpoint, { model });
      }
      const query = { now: start, limit: 2, sort: 'model' } as const;
      const { next } = await devices.list(query);
      await registrations.deregister(anId('b'));
      await devices.remove('b');
      await devices.setAttributes('a', { model: 'M5' });
      const rest = await devices.list({ ...query, limit: 5, cursor: next as string });
      expect(rest.items.map(({ endpoint }) => endpoint)).toEqual(['c', 'd', 'a']);
    });

    test('a cursor of another order, or beside an offset, is the mistake of the caller', async () => {
      const { devices } = stores();
      await register('a', 'b');
      const cursor = (await devices.list({ now: start, limit: 1, sort: 'model' })).next as string;
      const list = (change: Partial<DeviceQuery>) =>
        devices.list({ now: start, limit: 1, cursor, ...change });
      expect((await list({})).items).toHaveLength(1);
      expect((await list({ sort: 'model' })).items).toHaveLength(1);
      for (const change of [{ sort: 'endpoint' }, { descending: true }, { offset: 1 }] as const) {
        await expect(list(change)).rejects.toThrow(RequestError);
      }
    });

    test('facets count what matches by value, the most frequent first', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c', 'd');
      await devices.setAttributes('a', { carrier: 'X', model: 'M1' });
      await devices.setAttributes('b', { carrier: 'Y', model: 'M1' });
      await devices.setAttributes('c', { carrier: 'Y', model: 'M2' });
      await devices.setAttributes('d', { carrier: '' });
      await registrations.deregister(anId('d'));
      expect(await devices.facets(['carrier', 'model', 'state', 'node'], {}, start)).toEqual({
        total: 4,
        facets: {
          carrier: [
            { value: 'Y', count: 2 },
            { value: null, count: 1 },
            { value: 'X', count: 1 },
          ],
          model: [
            { value: 'M1', count: 2 },
            { value: null, count: 1 },
            { value: 'M2', count: 1 },
          ],
          state: [
            { value: 'awake', count: 3 },
            { value: 'left', count: 1 },
          ],
          node: [
            { value: 'node-1', count: 3 },
            { value: null, count: 1 },
          ],
        },
      });
      expect(await devices.facets(['model'], { carrier: ['Y'], search: 'c' }, start)).toEqual({
        total: 1,
        facets: { model: [{ value: 'M2', count: 1 }] },
      });
      expect(await devices.facets([], { states: [] }, start)).toEqual({ total: 0, facets: {} });
    });

    test('endpoints that match are gone through in their order', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c', 'd', 'e');
      await registrations.deregister(anId('c'));
      const filter = { states: ['registered'] } as const;
      expect(await devices.endpoints(filter, { now: start, limit: 2 })).toEqual(['a', 'b']);
      expect(await devices.endpoints(filter, { now: start, after: 'b', limit: 2 })).toEqual(['d', 'e']);
      expect(await devices.endpoints(filter, { now: start, after: 'c', limit: 1 })).toEqual(['d']);
      expect(await devices.endpoints(filter, { now: start, after: 'e', limit: 2 })).toEqual([]);
    });

    test('a device that was removed and came again is there once', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c');
      await devices.setAttributes('b', { model: 'old' });
      expect(await devices.counts(start)).toMatchObject({ known: 3 });
      await registrations.deregister(anId('b'));
      await devices.remove('b');
      expect((await devices.list({ now: start, limit: 5 })).total).toBe(2);
      await register('b', 'd');
      const { items, total } = await devices.list({ now: start, limit: 5, filter: { model: [''] } });
      expect([total, items.map(({ endpoint }) => endpoint).join('')]).toEqual([4, 'abcd']);
    });

    test('a device is removed once, but not while registered', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b');
      expect(await devices.remove('a')).toBe(false);
      await registrations.deregister(anId('a'));
      expect(await devices.remove('a')).toBe(true);
      expect(await devices.remove('a')).toBe(false);
      expect(await devices.get('a')).toBeUndefined();
      expect(await devices.get('b')).toBeDefined();
      expect(await registrations.register(aRegistration('a'))).toMatchObject({
        replaced: undefined,
        fence: 1,
      });
    });
  });
}
