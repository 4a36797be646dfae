import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
});
afterEach(() => api.close());

const create = (payload: object) => api.call('POST', '/api/users', { payload });

describe('users', () => {
  test('are made, listed, changed and removed', async () => {
    const made = await create({ name: 'berta', role: 'operator', tenant: 'north' });
    expect(made.status).toBe(201);
    expect(made.headers.location).toBe('/api/users/berta');
    expect(made.body.user).toMatchObject({
      role: 'operator',
      tenant: 'north',
      enabled: true,
      mustChangePassword: true,
    });
    expect(made.body.password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    const body = { role: 'viewer', enabled: true };
    const changed = await api.call('PUT', '/api/users/berta', { payload: body });
    expect(changed.body).toMatchObject({ role: 'viewer' });
    expect(changed.body.tenant).toBeUndefined();
    expect((await api.call('GET', '/api/users/berta')).body).toEqual(changed.body);
    expect((await api.call('GET', '/api/users')).body.items).toEqual([changed.body]);
    expect((await api.call('DELETE', '/api/users/berta')).status).toBe(204);
    expect((await api.call('GET', '/api/users/berta')).body.code).toBe('unknown_user');
  });

  test('with a password of somebody’s choice are told none', async () => {
    const made = await create({
      name: 'berta',
      role: 'viewer',
      password: 'a long enough one',
      mustChangePassword: false,
    });
    expect(made.body.user.mustChangePassword).toBe(false);
    expect(made.body.password).toBeUndefined();
  });

  test.each([
    [{ name: 'Berta', role: 'viewer' }],
    [{ name: '', role: 'viewer' }],
    [{ name: '../x', role: 'viewer' }],
    [{ name: 'berta', role: 'root' }],
    [{ name: 'berta', role: 'viewer', tenant: 'North Side' }],
    [{ name: 'berta', role: 'viewer', isAdmin: true }],
    [{ name: 'berta', role: 'viewer', password: 'short' }],
  ])('are not made of %o', async (payload) => {
    expect((await create(payload)).status).toBe(400);
  });

  test('have names of their own', async () => {
    await create({ name: 'berta', role: 'viewer' });
    expect((await create({ name: 'berta', role: 'viewer' })).body.code).toBe('conflict');
  });

  test('always have an administrator among them', async () => {
    await create({ name: 'anna', role: 'administrator' });
    const change = (payload: object) => api.call('PUT', '/api/users/anna', { payload });
    expect((await change({ role: 'viewer', enabled: true })).body.detail).toContain('last administrator');
    expect((await change({ role: 'administrator', enabled: false })).body.code).toBe('conflict');
    expect((await change({ role: 'administrator', tenant: 'north', enabled: true })).body.code).toBe(
      'conflict',
    );
    expect((await api.call('DELETE', '/api/users/anna')).body.code).toBe('conflict');
    await create({ name: 'berta', role: 'administrator' });
    expect((await api.call('DELETE', '/api/users/anna')).status).toBe(204);
  });

  test('who forgot their password get another, and their sessions end', async () => {
    await create({ name: 'berta', role: 'viewer', password: 'a long enough one', mustChangePassword: false });
    const { secret } = await api.people.login('berta', 'a long enough one', { source: '192.0.2.1' });
    const reset = await api.call('POST', '/api/users/berta/password', { payload: {} });
    expect(reset.body.password).toMatch(/-/);
    expect(await api.people.identities.of(secret)).toBeUndefined();
    expect(
      (await api.people.login('berta', reset.body.password, { source: '192.0.2.1' })).user.mustChange,
    ).toBe(true);
    const unknown = await api.call('POST', '/api/users/carla/password', { payload: {} });
    expect(unknown.body.code).toBe('unknown_user');
  });
});

describe('the audit log', () => {
  const search = async (query = '') => (await api.call('GET', `/api/audit${query}`)).body;

  test('has whatever acts: who, what, on what, from where, and how it ended', async () => {
    await create({ name: 'berta', role: 'operator', tenant: 'north' });
    await create({ name: 'berta', role: 'operator' });
    await api.call('DELETE', '/api/devices/urn%3Am%2F1');
    await api.call('GET', '/api/devices');
    const { items, next } = await search();
    expect(next).toBeNull();
    const local = { actor: { kind: 'local', name: 'local' }, source: '127.0.0.1', node: 'n1' };
    expect(items).toMatchObject([
      {
        ...local,
        action: 'removeDevice',
        target: 'urn:m/1',
        outcome: 'failed',
        status: 404,
        code: 'unknown_device',
      },
      { ...local, action: 'createUser', target: 'berta', outcome: 'failed', status: 409, code: 'conflict' },
      {
        ...local,
        action: 'createUser',
        target: 'berta',
        method: 'POST',
        path: '/api/users',
        outcome: 'done',
        status: 201,
        detail: { role: 'operator', tenant: 'north' },
      },
    ]);
  });

  test('has log-ins, those that failed by the name that was tried', async () => {
    await create({ name: 'berta', role: 'viewer', password: 'a long enough one', mustChangePassword: false });
    const login = (username: string, password: string) =>
      api.call('POST', '/api/login', { payload: { username, password } });
    await login('berta', 'wrong');
    await login('eve', 'wrong');
    await login('berta', 'a long enough one');
    const { items } = await search('?action=login');
    expect(items).toMatchObject([
      { actor: { kind: 'user', name: 'berta' }, target: 'berta', outcome: 'done' },
      { actor: { kind: 'nobody', name: 'eve' }, outcome: 'refused', code: 'login_failed' },
      { actor: { kind: 'nobody', name: 'berta' }, outcome: 'refused', code: 'login_failed' },
    ]);
    expect((await search('?actor=berta&outcome=done')).items).toHaveLength(1);
  });

  test('names a token by its user, and has what was refused to it', async () => {
    await create({ name: 'berta', role: 'viewer', password: 'a long enough one', mustChangePassword: false });
    const { secret } = await api.people.addToken({
      name: 'Night',
      user: 'berta',
      role: 'viewer',
      scopes: ['read'],
    });
    const headers = { authorization: `Bearer ${secret}` };
    await api.call('DELETE', '/api/devices/m', { headers });
    expect((await search('?target=m')).items).toMatchObject([
      { actor: { kind: 'token', name: 'berta/Night' }, outcome: 'refused', code: 'not_allowed' },
    ]);
  });

  test('has one entry a minute of what nobody in particular sends from an address', async () => {
    const elsewhere = { remoteAddress: '203.0.113.9' };
    for (let i = 0; i < 5; i++) await api.call('DELETE', `/api/devices/m${i}`, elsewhere);
    expect((await search('?source=203.0.113.9')).items).toHaveLength(1);
  });

  test('has what was asked by a caller who is gone before he is answered, and goes on behind it', async () => {
    const { port, hostname } = new URL(await api.base());
    const body = JSON.stringify({ username: 'hasty', password: 'x'.repeat(16) });
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const head = `POST /api/login HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, () => socket.resetAndDestroy());
    await once(socket, 'close');
    await vi.waitFor(async () => {
      expect((await search('?target=hasty')).items).toMatchObject([{ outcome: 'refused' }]);
    });
    await create({ name: 'berta', role: 'viewer' });
    expect((await search('?target=berta')).items).toHaveLength(1);
  });

  test('comes in pages', async () => {
    for (const name of ['u1', 'u2', 'u3']) await create({ name, role: 'viewer' });
    const first = await search('?limit=2');
    const second = await search(`?limit=2&cursor=${first.next}`);
    expect([...first.items, ...second.items].map(({ target }) => target)).toEqual(['u3', 'u2', 'u1']);
    expect(second.next).toBeNull();
    expect((await api.call('GET', '/api/audit?cursor=nonsense')).body.code).toBe('invalid_request');
  });

  test('cannot be changed or emptied', async () => {
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      expect((await api.call(method, '/api/audit')).status).toBe(405);
    }
  });
});
