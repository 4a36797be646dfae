import { describe, expect, test } from 'vitest';
import { RequestError } from '../../protocol/errors.ts';
import { aRegistration, type OpenStores, start, useStores } from './engine.ts';

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
        registration,
      });
      expect(await devices.get('b')).toBeUndefined();
    });

    test('the device survives the end of its registration, and remembers when it was last heard', async () => {
      const { devices, registrations } = stores();
      await register('a');
      await registrations.update({ id: 'id-a', address: 'x', updatedAt: start + 9000, node: 'node-1' });
      expect((await devices.get('a'))?.lastSeen).toBe(start + 9000);
      await registrations.deregister('id-a');
      expect(await devices.get('a')).toEqual({ endpoint: 'a', firstSeen: start, lastSeen: start + 9000 });
      await registrations.register(
        aRegistration('a', { registeredAt: start + 20_000, updatedAt: start + 20_000 }),
      );
      expect(await devices.get('a')).toMatchObject({ firstSeen: start, lastSeen: start + 20_000 });
    });

    test('an expiry leaves the device unregistered', async () => {
      const { devices, registrations } = stores();
      await register('a');
      await registrations.expire(start + 65_000, 1);
      expect(await devices.get('a')).not.toHaveProperty('registration');
      expect(await devices.counts()).toEqual({ known: 1, registered: 0 });
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

    test('heard moves the last contact forward, and passes over unknown devices', async () => {
      const { devices } = stores();
      await register('a', 'b');
      await devices.heard(
        new Map([
          ['a', start + 5],
          ['b', start - 5],
          ['c', start],
        ]),
      );
      expect((await devices.get('a'))?.lastSeen).toBe(start + 5);
      expect((await devices.get('b'))?.lastSeen).toBe(start);
      expect(await devices.get('c')).toBeUndefined();
    });

    test('the list is ordered by endpoint and paged without gap or repetition', async () => {
      const { devices } = stores();
      const endpoints = ['b', 'a', 'B', 'aa', 'ä', 'c', 'a b'];
      await register(...endpoints);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await devices.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
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
      expect(await devices.list({ limit: 2 })).not.toHaveProperty('next');
      expect(await devices.list({ limit: 1 })).toHaveProperty('next');
    });

    test('an item of the list is as get gives it', async () => {
      const { devices } = stores();
      await register('a');
      await devices.setAttributes('a', { imei: '1' });
      expect((await devices.list({ limit: 1 })).items).toEqual([await devices.get('a')]);
    });

    test('a cursor of another make is the mistake of the caller', async () => {
      const { devices } = stores();
      for (const cursor of ['', 'x', '%%%', Buffer.from('["commands",1]').toString('base64url')]) {
        await expect(devices.list({ limit: 1, cursor })).rejects.toThrow(RequestError);
      }
    });

    test('the state filters, and the total counts what matches', async () => {
      const { devices, registrations } = stores();
      await register('a', 'b', 'c');
      await registrations.deregister('id-b');
      const registered = await devices.list({ limit: 10, state: 'registered' });
      expect(registered.items.map(({ endpoint }) => endpoint)).toEqual(['a', 'c']);
      expect(registered.total).toBe(2);
      const gone = await devices.list({ limit: 10, state: 'unregistered' });
      expect(gone.items.map(({ endpoint }) => endpoint)).toEqual(['b']);
      expect(gone.total).toBe(1);
      expect(await devices.counts()).toEqual({ known: 3, registered: 2 });
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
        (await devices.list({ limit: 10, search })).items.map(({ endpoint }) => endpoint);
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
      await registrations.deregister('id-x2');
      const query = { limit: 1, search: 'x', state: 'registered' } as const;
      const first = await devices.list(query);
      expect([first.total, first.items[0]?.endpoint]).toEqual([2, 'x1']);
      const second = await devices.list({ ...query, cursor: first.next ?? '' });
      expect([second.total, second.items[0]?.endpoint, second.next]).toEqual([2, 'x3', undefined]);
    });

    test('a device is removed with its last values and history, but not while registered', async () => {
      const { devices, registrations, lastValues, history } = stores();
      await register('a', 'b');
      for (const endpoint of ['a', 'b']) {
        await lastValues.set(endpoint, [{ path: '/3/0/9', value: 1, takenAt: 1, receivedAt: 1 }]);
        await history.append([
          { endpoint, path: '/3/0/9', position: 1, readings: [{ takenAt: 1, receivedAt: 1, value: 1 }] },
        ]);
      }
      expect(await devices.remove('a')).toBe(false);
      await registrations.deregister('id-a');
      expect(await devices.remove('a')).toBe(true);
      expect(await devices.remove('a')).toBe(false);
      expect(await devices.get('a')).toBeUndefined();
      expect(await lastValues.get('a')).toEqual([]);
      expect(await history.paths('a')).toEqual([]);
      expect(await history.query({ endpoint: 'a', path: '/3/0/9', limit: 5 })).toEqual([]);
      expect(await lastValues.get('b')).toHaveLength(1);
      expect(await history.query({ endpoint: 'b', path: '/3/0/9', limit: 5 })).toHaveLength(1);
      await history.append([
        { endpoint: 'a', path: '/3/0/9', position: 2, readings: [{ takenAt: 2, receivedAt: 2, value: 2 }] },
      ]);
      expect(await history.query({ endpoint: 'a', path: '/3/0/9', limit: 5 })).toEqual([
        { takenAt: 2, receivedAt: 2, value: 2 },
      ]);
    });
  });
}
