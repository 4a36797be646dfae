import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Secret } from '../../../../server/ports/secret.ts';
import type { Role } from '../../../../server/ports/user-store.ts';
import { ApiHarness, registrationOf } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
const tokens = new Map<string, string>();
const as = (name: string) => ({ authorization: `Bearer ${tokens.get(name)}` });

beforeAll(async () => {
  api = await ApiHarness.open({ loginRequired: true });
  const people: readonly (readonly [string, Role, string?])[] = [
    ['root', 'administrator'],
    ['ops', 'operator'],
    ['acme', 'administrator', 'acme'],
    ['acme-2', 'operator', 'acme'],
    ['other', 'administrator', 'other'],
    ['viewer', 'viewer', 'acme'],
  ];
  for (const [name, role, tenant] of people) {
    const whose = tenant === undefined ? {} : { tenant };
    const made = await api.people.addToken({
      name,
      role,
      ...whose,
      scopes: ['read', 'operate', 'administer'],
    });
    tokens.set(name, made.secret);
  }
  for (const [endpoint, tenant] of [
    ['a-1', 'acme'],
    ['a-2', 'acme'],
    ['b-1', 'other'],
    ['free', undefined],
  ] as const) {
    await api.stores.registrations.register(registrationOf(endpoint), tenant);
  }
});
afterAll(() => api.close());

const names = (body: { readonly items: readonly { readonly endpoint: string }[] }) =>
  body.items.map(({ endpoint }) => endpoint);

describe('PATCH /api/devices/{endpoint}', () => {
  test('gives a device to a tenant and takes it back, with its credentials, and tells it', async () => {
    const credential = {
      account: 'server',
      endpoint: 'free',
      identity: { kind: 'psk', name: 'id-of-free' },
      key: new Secret(new Uint8Array(16)),
      state: 'active',
      createdAt: 1,
      changedAt: 1,
    } as const;
    await api.stores.credentials.put(credential);
    const patch = (tenant: string | null) =>
      api.call('PATCH', '/api/devices/free', { headers: as('root'), payload: { tenant } });
    expect((await patch('acme')).status).toBe(204);
    expect((await api.call('GET', '/api/devices/free', { headers: as('acme') })).body.tenant).toBe('acme');
    expect(names((await api.call('GET', '/api/credentials', { headers: as('acme') })).body)).toEqual([
      'free',
    ]);
    expect((await patch(null)).status).toBe(204);
    expect((await api.call('GET', '/api/devices/free', { headers: as('acme') })).status).toBe(404);
    expect((await api.call('GET', '/api/devices/free', { headers: as('root') })).body.tenant).toBeUndefined();
    expect((await api.call('GET', '/api/credentials', { headers: as('acme') })).body.items).toEqual([]);
    expect((await api.call('GET', '/api/credentials/free', { headers: as('acme') })).status).toBe(404);
    await vi.waitFor(async () => {
      const events = await api.stores.events.latest({ endpoint: 'free', types: ['device'], limit: 10 });
      expect(events.map(({ data }) => data)).toEqual([
        { attributes: { tenant: null } },
        { attributes: { tenant: 'acme' } },
      ]);
    });
  });

  test.each(['', 'Acme', 'a b', 'a'.repeat(65), 7, undefined])('refuses %j as a name', async (tenant) => {
    const answer = await api.call('PATCH', '/api/devices/free', { headers: as('root'), payload: { tenant } });
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
  });

  test('is for administrators without a tenant alone', async () => {
    const patch = (who: string) =>
      api.call('PATCH', '/api/devices/a-1', { headers: as(who), payload: { tenant: 'other' } });
    expect((await patch('acme')).body.code).toBe('fleet_only');
    expect((await patch('ops')).body.code).toBe('not_allowed');
    expect((await patch('other')).body.code).toBe('unknown_device');
    expect((await api.stores.devices.get('a-1'))?.tenant).toBe('acme');
    const unknown = await api.call('PATCH', '/api/devices/none', {
      headers: as('root'),
      payload: { tenant: null },
    });
    expect(unknown.body.code).toBe('unknown_device');
  });
});

describe('a job of tenants', () => {
  const operation = { kind: 'tenant', tenant: 'third' };

  test('gives many devices away, by administrators without a tenant alone', async () => {
    const post = (who: string) =>
      api.call('POST', '/api/jobs', {
        headers: as(who),
        payload: { devices: { filter: { q: 'a-' } }, operation },
      });
    expect((await post('ops')).body.code).toBe('not_allowed');
    expect((await post('acme')).body.code).toBe('fleet_only');
    const { body } = await post('root');
    await vi.waitFor(async () => expect((await api.stores.jobs.get(body.id))?.state).toBe('done'));
    expect(await api.stores.devices.tenants(['a-1', 'a-2', 'b-1'])).toEqual(
      new Map([
        ['a-1', 'third'],
        ['a-2', 'third'],
        ['b-1', 'other'],
      ]),
    );
    for (const endpoint of ['a-1', 'a-2']) await api.stores.devices.setTenant(endpoint, 'acme');
    // It is the operator's: no tenant sees it.
    expect((await api.call('GET', `/api/jobs/${body.id}`, { headers: as('acme') })).status).toBe(404);
  });

  test('of one tenant leave room for those of others', async () => {
    const post = (who: string) =>
      api.call('POST', '/api/jobs', {
        headers: as(who),
        payload: {
          devices: { endpoints: ['b-1'] },
          operation: { kind: 'request', request: { operation: 'read', path: '/3/0' } },
        },
      });
    const made: string[] = [];
    for (let i = 0; i < 20; i++) made.push((await post('other')).body.id);
    // Each waits for the device, which never answers here.
    const refused = await post('other');
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_requests']);
    expect((await post('root')).status).toBe(202);
    await vi.waitFor(async () => expect((await api.stores.jobs.get(made[0] ?? ''))?.state).toBe('running'));
    expect((await api.call('POST', `/api/jobs/${made[0]}/cancel`, { headers: as('other') })).status).toBe(
      202,
    );
    await vi.waitFor(async () => expect((await post('other')).status).toBe(202));
  });

  test('of one tenant is of its devices, whatever filter it is given', async () => {
    const preview = async (filter: object, who = 'acme') => {
      const payload = { devices: { filter }, operation: { kind: 'forget' } };
      return (await api.call('POST', '/api/jobs?dryRun=true', { headers: as(who), payload })).body;
    };
    expect(await preview({})).toEqual({ total: 2, endpoints: ['a-1', 'a-2'] });
    expect(await preview({ tenant: ['other'] })).toEqual({ total: 0, endpoints: [] });
    expect(await preview({ tenant: ['', 'acme', 'other'] })).toEqual({ total: 2, endpoints: ['a-1', 'a-2'] });
    expect((await preview({}, 'root')).total).toBe(4);
    expect((await preview({ tenant: [''] }, 'root')).endpoints).toEqual(['free']);
  });
});

describe('lists and counts', () => {
  test('devices and facets are the tenant’s, whatever is asked for', async () => {
    const list = async (query: string, who = 'acme') =>
      (await api.call('GET', `/api/devices?${query}`, { headers: as(who) })).body;
    expect([names(await list('')), (await list('')).total]).toEqual([['a-1', 'a-2'], 2]);
    expect(names(await list('tenant=other'))).toEqual([]);
    expect(names(await list('tenant=other,acme'))).toEqual(['a-1', 'a-2']);
    expect(names(await list('q=b-1'))).toEqual([]);
    const first = await list('limit=1');
    expect(names(await list(`limit=1&cursor=${first.next}`))).toEqual(['a-2']);
    expect(names(await list('tenant=other', 'root'))).toEqual(['b-1']);
    const facets = await api.call('GET', '/api/devices/facets?by=tenant,state', { headers: as('acme') });
    expect(facets.body.total).toBe(2);
    expect(facets.body.facets.tenant).toEqual([{ value: 'acme', count: 2 }]);
    const server = await api.call('GET', '/api/server', { headers: as('acme') });
    expect(server.body.devices).toEqual({ known: 2, registered: 2 });
    const overview = await api.call('GET', '/api/overview', { headers: as('acme') });
    expect(overview.body).toMatchObject({
      devices: { known: 2, awake: 2, lost: 0 },
      switches: null,
      comparison: null,
    });
  });

  test('commands are paged through, and those of others passed over', async () => {
    const hold = (endpoint: string) =>
      api.call('POST', `/api/devices/${endpoint}/requests`, {
        headers: as('root'),
        payload: { operation: 'read', path: '/3/0' },
      });
    const own: string[] = [];
    for (let i = 0; i < 7; i++) {
      for (const endpoint of ['b-1', 'free', 'a-1']) {
        const { body } = await hold(endpoint);
        if (endpoint === 'a-1') own.unshift(body.id);
      }
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.call('GET', `/api/commands?limit=3${cursor}`, { headers: as('acme') });
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.next === null ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    expect(seen).toEqual(own);
    const [foreign] = (await api.stores.commands.list({ endpoint: 'b-1', limit: 1 })).items;
    for (const [method, url] of [
      ['GET', `/api/commands/${foreign?.id}`],
      ['DELETE', `/api/commands/${foreign?.id}`],
      ['POST', `/api/commands/${foreign?.id}/retry`],
    ] as const) {
      expect((await api.call(method, url, { headers: as('acme') })).body.code).toBe('unknown_command');
    }
    expect((await api.stores.commands.get(foreign?.id ?? ''))?.state).toBe('queued');
  });

  test('an Idempotency-Key gets nobody the answer that another one was given', async () => {
    const post = (who: string, endpoint: string) =>
      api.call('POST', `/api/devices/${endpoint}/requests`, {
        headers: { ...as(who), 'idempotency-key': 'the same for all' },
        payload: { operation: 'read', path: '/3/0' },
      });
    const first = await post('acme', 'a-2');
    const again = await post('acme', 'a-2');
    expect([again.status, again.body.id, again.headers['idempotent-replayed']]).toEqual([
      202,
      first.body.id,
      'true',
    ]);
    const other = await post('other', 'b-1');
    expect([other.status, other.headers['idempotent-replayed']]).toEqual([202, undefined]);
    expect(other.body.id).not.toBe(first.body.id);
    expect((await post('other', 'a-2')).status).toBe(404);
    const colleague = await post('acme-2', 'a-2');
    expect(colleague.headers['idempotent-replayed']).toBeUndefined();
  });

  test('viewers find devices by name alone', async () => {
    await api.stores.devices.setAttributes('a-1', { imsi: '310410123456789', serialNumber: 'SN-1' });
    const find = async (who: string, q: string) =>
      names((await api.call('GET', `/api/devices?q=${q}`, { headers: as(who) })).body);
    expect(await find('acme', '3104')).toEqual(['a-1']);
    expect(await find('viewer', '3104')).toEqual([]);
    expect(await find('viewer', 'SN')).toEqual([]);
    expect(await find('viewer', '-1')).toEqual(['a-1']);
    const { body } = await api.call('GET', '/api/devices/a-1', { headers: as('viewer') });
    expect(body.imsi).toBe('310410•••••••••');
  });
});
