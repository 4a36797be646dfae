import { afterEach, describe, expect, test } from 'vitest';
import type { ApiDependencies } from '../../../server/api/dependencies.ts';
import type { Role, Scope } from '../../../server/ports/user-store.ts';
import { type Answer, ApiHarness } from '../../support/api/api-harness.ts';
import { EventSource } from '../../support/api/event-source.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

let api: ApiHarness;
afterEach(() => api.close());

const password = 'correct horse battery';

async function open(overrides: Partial<ApiDependencies> = {}): Promise<void> {
  api = await ApiHarness.open({ loginRequired: true, ...overrides });
  await api.people.addFirstAdministrator('admin', password);
}

async function addUser(name: string, role: Role, tenant?: string): Promise<void> {
  await api.people.addUser({
    name,
    role,
    password,
    mustChange: false,
    ...(tenant !== undefined && { tenant }),
  });
}

const login = (username: string, word = password, more: object = {}): Promise<Answer> =>
  api.call('POST', '/api/login', { payload: { username, password: word }, ...more });

async function bearer(username: string): Promise<{ readonly authorization: string }> {
  const { body } = await login(username);
  return { authorization: `Bearer ${body.token}` };
}

const cookieOf = (answer: Answer): string => String(answer.headers['set-cookie']).split(';')[0] ?? '';

async function token(role: Role, scopes: readonly Scope[], more: object = {}) {
  const { secret } = await api.people.addToken({ name: 'test', role, scopes, ...more });
  return { authorization: `Bearer ${secret}` };
}

describe('logging in', () => {
  test('gives a session, as a cookie and as a token', async () => {
    await open();
    const answer = await login('admin');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user: { kind: 'user', name: 'admin', role: 'administrator' } });
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(
      /^simyard_session=sys_[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Strict$/,
    );
    const shown = [{ authorization: `Bearer ${answer.body.token}` }, { cookie: cookieOf(answer) }];
    for (const headers of shown) {
      const me = await api.call('GET', '/api/me', { headers });
      expect(me.body).toMatchObject({
        name: 'admin',
        may: ['read', 'operate', 'administer'],
        loginRequired: true,
      });
    }
  });

  test('sets a cookie for TLS alone where a proxy says that the browser speaks it', async () => {
    await open();
    const headers = { 'x-forwarded-proto': 'https' };
    const answer = await login('admin', password, { headers });
    expect(answer.headers['set-cookie']).toMatch(/^__Host-simyard_session=sys_.*; Secure$/);
    const cookie = cookieOf(answer);
    expect((await api.call('GET', '/api/me', { headers: { ...headers, cookie } })).status).toBe(200);
    expect((await api.call('GET', '/api/me', { headers: { cookie } })).status).toBe(401);
  });

  test('tells a wrong password, a user that is not there and one that is disabled alike', async () => {
    await open();
    await addUser('berta', 'viewer');
    await api.people.changeUser('berta', { role: 'viewer', tenant: null, enabled: false });
    const answers = [await login('admin', 'wrong password'), await login('nobody'), await login('berta')];
    const problems = answers.map(({ status, body }) => ({ status, body }));
    expect(problems[0]).toMatchObject({ status: 401, body: { code: 'login_failed' } });
    expect(problems[1]).toEqual(problems[0]);
    expect(problems[2]).toEqual(problems[0]);
    for (const { headers } of answers) expect(headers['set-cookie']).toBeUndefined();
  });

  test('takes a name however its letters are written', async () => {
    await open();
    expect((await login(' Admin')).status).toBe(200);
  });

  test('has to wait after too many failures, also with the right password, and not for ever', async () => {
    const clock = new ManualClock();
    await open({ clock });
    for (let i = 0; i < 6; i++) expect((await login('admin', 'wrong')).status).toBe(401);
    const paused = await login('admin');
    expect([paused.status, paused.body.code, paused.headers['retry-after']]).toEqual([
      429,
      'login_paused',
      '1',
    ]);
    clock.advance(1_000);
    expect((await login('admin')).status).toBe(200);
    expect((await login('admin', 'wrong')).status).toBe(401);
    expect((await login('admin')).status).toBe(200);
  });

  test('of an address has to wait after many failures of many names', async () => {
    await open({ clock: new ManualClock() });
    for (let i = 0; i < 21; i++) expect((await login(`user${i}`, 'wrong')).status).toBe(401);
    expect((await login('admin')).body.code).toBe('login_paused');
    const elsewhere = { remoteAddress: '203.0.113.9' };
    expect((await login('admin', password, elsewhere)).status).toBe(200);
  });

  test('counts by the address before a proxy that is trusted, and by that of any other', async () => {
    await open({ clock: new ManualClock(), trustedProxies: ['10.0.0.0/8'] });
    const by = (remoteAddress: string, forwarded: string) => ({
      remoteAddress,
      headers: { 'x-forwarded-for': forwarded },
    });
    await login('admin', password, by('10.0.0.1', '198.51.100.9, 203.0.113.5'));
    await login('admin', password, by('192.0.2.1', '203.0.113.6'));
    const { items } = (await api.call('GET', '/api/sessions', { headers: await bearer('admin') })).body;
    const sources = items.map(({ source }: { source: string }) => source).sort();
    // What the caller himself wrote before the proxy's entry is not believed.
    expect(sources).toEqual(['127.0.0.1', '192.0.2.1', '203.0.113.5']);
  });

  test('ends the session that the browser had before', async () => {
    await open();
    const cookie = cookieOf(await login('admin'));
    const again = await login('admin', password, { headers: { cookie } });
    expect((await api.call('GET', '/api/me', { headers: { cookie } })).status).toBe(401);
    expect((await api.call('GET', '/api/me', { headers: { cookie: cookieOf(again) } })).status).toBe(200);
  });

  test('is kept under no Idempotency-Key', async () => {
    await open();
    const headers = { 'idempotency-key': 'k' };
    const first = await login('admin', password, { headers });
    const second = await login('admin', password, { headers });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body.token).not.toBe(first.body.token);
  });
});

describe('the Idempotency-Key of a command', () => {
  const hold = async (name: string, path = '/3/0/4') => {
    const headers = { ...(await bearer(name)), 'idempotency-key': 'nightly' };
    const payload = { operation: 'execute', path };
    return api.call('POST', '/api/devices/m/requests', { headers, payload });
  };

  test('is its giver’s own: another one’s does not swallow his command', async () => {
    await open();
    await api.register('m');
    await addUser('anna', 'operator');
    await addUser('otto', 'operator');
    const annas = await hold('anna');
    expect(annas.status).toBe(202);
    expect((await hold('anna')).body.id).toBe(annas.body.id);
    const ottos = await hold('otto', '/3/0/5');
    expect(ottos.status).toBe(202);
    expect(ottos.body.id).not.toBe(annas.body.id);
    expect((await hold('otto', '/3/0/4')).status).toBe(409);
  });
});

describe('a session', () => {
  test('ends by logging out', async () => {
    await open();
    const headers = await bearer('admin');
    const out = await api.call('POST', '/api/logout', { headers });
    expect(out.status).toBe(204);
    expect(out.headers['set-cookie']).toContain('Max-Age=0');
    expect((await api.call('GET', '/api/me', { headers })).status).toBe(401);
  });

  test('ends when nobody uses it for long enough, and not before', async () => {
    const clock = new ManualClock();
    await open({ clock });
    const headers = await bearer('admin');
    const me = () => api.call('GET', '/api/me', { headers });
    for (let i = 0; i < 3; i++) {
      clock.advance(3_599_000);
      expect((await me()).status).toBe(200);
    }
    clock.advance(3_600_000);
    expect((await me()).status).toBe(401);
  });

  test('ends after its longest time, used or not', async () => {
    const clock = new ManualClock();
    await open({ clock });
    const headers = await bearer('admin');
    for (let hour = 0.5; hour < 24; hour += 0.5) {
      clock.advance(1_800_000);
      expect((await api.call('GET', '/api/me', { headers })).status).toBe(200);
    }
    clock.advance(1_800_000);
    expect((await api.call('GET', '/api/me', { headers })).status).toBe(401);
  });

  test('is listed to oneself, and to an administrator, who may end it', async () => {
    await open();
    await addUser('berta', 'viewer');
    const berta = await bearer('berta');
    const admin = await bearer('admin');
    const own = await api.call('GET', '/api/sessions', { headers: berta });
    expect(own.body.items).toMatchObject([{ user: 'berta', isPresent: true, source: '127.0.0.1' }]);
    const all = await api.call('GET', '/api/sessions', { headers: admin });
    const users = all.body.items.map(({ user }: { user: string }) => user).sort();
    expect(users).toEqual(['admin', 'berta']);
    const ofAdmin = all.body.items.find(({ user }: { user: string }) => user === 'admin');
    const refused = await api.call('DELETE', `/api/sessions/${ofAdmin.id}`, { headers: berta });
    expect(refused.body.code).toBe('unknown_session');
    const id = own.body.items[0].id;
    expect((await api.call('DELETE', `/api/sessions/${id}`, { headers: admin })).status).toBe(204);
    expect((await api.call('GET', '/api/me', { headers: berta })).status).toBe(401);
  });

  test('with a new role, or none, holds that from the next request on', async () => {
    await open();
    await addUser('berta', 'administrator');
    const headers = await bearer('berta');
    expect((await api.call('GET', '/api/users', { headers })).status).toBe(200);
    await api.people.changeUser('berta', { role: 'viewer', tenant: null, enabled: true });
    expect((await api.call('GET', '/api/users', { headers })).body.code).toBe('not_allowed');
    await api.people.changeUser('berta', { role: 'viewer', tenant: null, enabled: false });
    expect((await api.call('GET', '/api/me', { headers })).status).toBe(401);
  });

  test('ends its event stream when it ends', async () => {
    const clock = new ManualClock();
    await open({ clock });
    const headers = await bearer('admin');
    const stream = await EventSource.open(`${await api.base()}/api/events`, headers);
    expect((await stream.next())?.event).toBe('hello');
    clock.advance(15_000);
    await stream.commented(1);
    await api.call('POST', '/api/logout', { headers });
    clock.advance(15_000);
    await stream.ended();
    const again = await EventSource.open(`${await api.base()}/api/events`, headers);
    expect(again.status).toBe(401);
  });
});

describe('a cookie', () => {
  test('acts only where a page of ours sent the request', async () => {
    await open();
    const cookie = cookieOf(await login('admin'));
    const post = (headers: object) =>
      api.call('POST', '/api/tokens', {
        headers: { cookie, ...headers },
        payload: { name: 't', scopes: ['read'] },
      });
    expect((await post({})).body.code).toBe('console_header_missing');
    expect((await post({ 'x-simyard-console': '1' })).status).toBe(201);
    expect((await post({ 'x-simyard-console': '1', origin: 'http://evil.example' })).body.code).toBe(
      'foreign_origin',
    );
    // SameSite lets through what another port of this host sends.
    const otherPort = await post({
      'x-simyard-console': '1',
      origin: 'http://localhost:8081',
      host: 'localhost:8080',
    });
    expect(otherPort.body.code).toBe('foreign_origin');
    expect((await api.call('GET', '/api/tokens', { headers: { cookie } })).status).toBe(200);
  });

  test('of another server on this host is nobody’s here, and no hindrance on loopback', async () => {
    await open({ loginRequired: false });
    const headers = { cookie: `simyard_session=sys_${'a'.repeat(43)}; other=1` };
    expect((await api.call('GET', '/api/me', { headers })).body).toMatchObject({
      kind: 'local',
      loginRequired: false,
    });
  });
});

describe('without showing anything', () => {
  test('there is nothing but health, the log-in and the pages', async () => {
    await open();
    for (const url of [
      '/api/devices',
      '/api/me',
      '/api/events',
      '/metrics',
      '/api/audit',
      '/api/v1/devices',
    ]) {
      const answer = await api.call('GET', url);
      expect([url, answer.status, answer.body.code]).toEqual([url, 401, 'not_logged_in']);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="simyard"');
    }
    for (const url of ['/healthz', '/openapi.json', '/docs/', '/']) {
      expect([url, (await api.call('GET', url)).status]).toEqual([url, 200]);
    }
  });

  test('on loopback everybody on this machine may do everything, and nobody who came through a proxy', async () => {
    await open({ loginRequired: false });
    expect((await api.call('GET', '/api/users')).status).toBe(200);
    for (const name of [
      'x-forwarded-for',
      'x-forwarded-proto',
      'forwarded',
      'x-real-ip',
      'via',
      'cf-connecting-ip',
    ]) {
      const answer = await api.call('GET', '/api/devices', { headers: { [name]: '203.0.113.9' } });
      expect([name, answer.body.code]).toEqual([name, 'not_logged_in']);
    }
    const elsewhere = await api.call('GET', '/api/devices', { remoteAddress: '203.0.113.9' });
    expect(elsewhere.body.code).toBe('not_logged_in');
  });

  test.each([['nonsense'], [`sys_${'A'.repeat(43)}`], [`syt_${'A'.repeat(43)}`], ['x'.repeat(5_000)]])(
    'a token that is none is refused, on loopback too: %s',
    async (secret) => {
      await open({ loginRequired: false });
      const answer = await api.call('GET', '/api/devices', {
        headers: { authorization: `Bearer ${secret}` },
      });
      expect(answer.body.code).toBe('not_logged_in');
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="simyard", error="invalid_token"');
    },
  );
});

describe('roles', () => {
  test.each([
    ['viewer', 200, 403, 403],
    ['operator', 200, 404, 403],
    ['administrator', 200, 404, 200],
  ] as const)('a %s may what he may', async (role, read, operate, administer) => {
    await open();
    await addUser('berta', role);
    const headers = await bearer('berta');
    expect((await api.call('GET', '/api/devices', { headers })).status).toBe(read);
    const act = await api.call('POST', '/api/devices/m/carrier', {
      headers,
      payload: { carrier: 'Verizon' },
    });
    expect(act.status).toBe(operate);
    expect((await api.call('GET', '/api/users', { headers })).status).toBe(administer);
  });

  test('a viewer makes no command by a read that is held', async () => {
    await open();
    await addUser('berta', 'viewer');
    const headers = { ...(await bearer('berta')), prefer: 'respond-async' };
    const answer = await api.call('GET', '/api/devices/m/objects/3/0/9', { headers });
    expect(answer.body.code).toBe('not_allowed');
  });

  test('each route says what it takes, or takes what its method says', async () => {
    await open();
    const lacking: string[] = [];
    for (const [path, operations] of Object.entries(api.app.swagger().paths ?? {})) {
      for (const method of Object.keys(operations ?? {})) {
        const url = path.replace(/\{[^}]+\}/g, 'x');
        const { statusCode } = await api.app.inject({ url, method: method.toUpperCase() as 'GET' });
        if (statusCode !== 401) lacking.push(`${method} ${path} ${statusCode}`);
      }
    }
    expect(lacking.sort()).toEqual([
      'get /api/login 200',
      'get /api/login/provider 404',
      'get /api/login/provider/callback 404',
      'get /healthz 200',
      'post /api/login 400',
    ]);
  });
});

describe('a token', () => {
  test.each([
    ['metrics', { '/metrics': 200, '/api/devices': 403 }],
    ['read', { '/metrics': 200, '/api/devices': 200, '/api/users': 403 }],
    ['operate', { '/api/devices': 200, '/api/users': 403 }],
    ['administer', { '/metrics': 200, '/api/devices': 200, '/api/users': 200 }],
  ] as const)('with the scope %s may that, whatever its role', async (scope, expected) => {
    await open();
    const headers = await token('administrator', [scope]);
    for (const [url, status] of Object.entries(expected)) {
      expect([url, (await api.call('GET', url, { headers })).status]).toEqual([url, status]);
    }
    const act = await api.call('POST', '/api/devices/m/carrier', {
      headers,
      payload: { carrier: 'Verizon' },
    });
    expect(act.status).toBe(scope === 'operate' || scope === 'administer' ? 404 : 403);
  });

  test('is told once, kept as a hash, and void when it is removed', async () => {
    await open();
    const headers = await bearer('admin');
    const made = await api.call('POST', '/api/tokens', {
      headers,
      payload: { name: 'Night', scopes: ['read'] },
    });
    expect(made.status).toBe(201);
    const { id, token: secret } = made.body;
    expect(secret).toMatch(/^syt_/);
    expect(made.headers.location).toBe(`/api/tokens/${id}`);
    const shown = { authorization: `Bearer ${secret}` };
    expect((await api.call('GET', '/api/me', { headers: shown })).body).toMatchObject({
      kind: 'token',
      name: 'Night',
    });
    const listed = await api.call('GET', '/api/tokens', { headers });
    expect(listed.body.items).toMatchObject([{ id, name: 'Night', user: 'admin', scopes: ['read'] }]);
    expect(listed.body.items[0].lastUsedAt).toBeTypeOf('number');
    const kept = JSON.stringify([
      await api.stores.users.tokens(),
      await api.stores.audit.search({ limit: 100 }),
    ]);
    for (const text of [listed.text, kept, JSON.stringify(api.log)])
      expect(text).not.toContain(secret.slice(4));
    expect((await api.call('DELETE', `/api/tokens/${id}`, { headers })).status).toBe(204);
    expect((await api.call('GET', '/api/me', { headers: shown })).status).toBe(401);
  });

  test('is void when its time is over', async () => {
    const clock = new ManualClock();
    await open({ clock });
    const headers = await token('viewer', ['read'], { expiresAt: clock.wallTime() + 5_000 });
    expect((await api.call('GET', '/api/me', { headers })).status).toBe(200);
    clock.advance(5_000);
    expect((await api.call('GET', '/api/me', { headers })).status).toBe(401);
  });

  test('is worth what its user is: less, nothing, and gone with him', async () => {
    await open();
    await addUser('berta', 'operator');
    const headers = await token('operator', ['operate'], { user: 'berta' });
    const act = () =>
      api.call('POST', '/api/devices/m/carrier', { headers, payload: { carrier: 'Verizon' } });
    expect((await act()).status).toBe(404);
    await api.people.changeUser('berta', { role: 'viewer', tenant: null, enabled: true });
    expect((await act()).status).toBe(403);
    await api.people.changeUser('berta', { role: 'operator', tenant: null, enabled: false });
    expect((await act()).status).toBe(401);
    await api.people.changeUser('berta', { role: 'operator', tenant: null, enabled: true });
    expect((await act()).status).toBe(404);
    await api.people.removeUser('berta');
    expect((await act()).status).toBe(401);
    expect(await api.people.tokens()).toEqual([]);
  });

  test('never may more than who makes it, and makes no others', async () => {
    await open();
    await addUser('berta', 'viewer');
    const headers = await bearer('berta');
    const make = (payload: object, by: object = headers) =>
      api.call('POST', '/api/tokens', { headers: { ...by }, payload: { name: 't', ...payload } });
    expect((await make({ scopes: ['operate'] })).body.code).toBe('not_allowed');
    const narrowed = await make({ scopes: ['read'], role: 'administrator' });
    expect(narrowed.body.role).toBe('viewer');
    const byToken = await make({ scopes: ['read'] }, { authorization: `Bearer ${narrowed.body.token}` });
    expect(byToken.body.code).toBe('not_allowed');
    const admins = await api.call('GET', '/api/tokens', { headers: await bearer('admin') });
    expect(admins.body.items).toHaveLength(1);
  });

  test('of a tenant is of that tenant, and its maker makes none of another', async () => {
    await open();
    await addUser('berta', 'operator', 'north');
    const headers = await bearer('berta');
    const make = (payload: object) =>
      api.call('POST', '/api/tokens', { headers, payload: { name: 't', scopes: ['read'], ...payload } });
    expect((await make({})).body.tenant).toBe('north');
    expect((await make({ tenant: 'south' })).body.code).toBe('not_allowed');
  });

  test('from the settings is good for the figures alone', async () => {
    const secret = 'm'.repeat(32);
    await open({ metricsToken: secret });
    const headers = { authorization: `Bearer ${secret}` };
    expect((await api.call('GET', '/metrics', { headers })).status).toBe(200);
    expect((await api.call('GET', '/api/devices', { headers })).status).toBe(401);
    const other = await api.call('GET', '/metrics', {
      headers: { authorization: `Bearer ${'n'.repeat(32)}` },
    });
    expect(other.status).toBe(401);
  });
});

describe('a password', () => {
  test('that somebody else chose has to be changed before anything else', async () => {
    await open();
    const made = await api.call('POST', '/api/users', {
      headers: await bearer('admin'),
      payload: { name: 'berta', role: 'viewer' },
    });
    expect(made.status).toBe(201);
    const first = made.body.password;
    const answer = await login('berta', first);
    expect(answer.body.user.mustChangePassword).toBe(true);
    const headers = { authorization: `Bearer ${answer.body.token}` };
    expect((await api.call('GET', '/api/devices', { headers })).body.code).toBe('password_change_required');
    expect((await api.call('GET', '/api/me', { headers })).status).toBe(200);
    const change = (payload: object) => api.call('PUT', '/api/me/password', { headers, payload });
    expect((await change({ current: first, password: 'short' })).body.detail).toContain('12 characters');
    expect((await change({ current: first, password: first })).body.code).toBe('invalid_request');
    expect((await change({ current: 'wrong', password: 'quite another one' })).body.code).toBe(
      'wrong_password',
    );
    expect((await change({ current: first, password: 'quite another one' })).status).toBe(204);
    expect((await api.call('GET', '/api/devices', { headers })).status).toBe(200);
    expect((await login('berta', first)).status).toBe(401);
    expect((await login('berta', 'quite another one')).status).toBe(200);
  });

  test('when changed, ends one’s other sessions, and leaves this one', async () => {
    await open();
    const here = await bearer('admin');
    const there = await bearer('admin');
    const payload = { current: password, password: 'quite another one' };
    expect((await api.call('PUT', '/api/me/password', { headers: here, payload })).status).toBe(204);
    expect((await api.call('GET', '/api/me', { headers: here })).status).toBe(200);
    expect((await api.call('GET', '/api/me', { headers: there })).status).toBe(401);
  });

  test('is changed by no token', async () => {
    await open();
    const headers = await token('administrator', ['administer'], { user: 'admin' });
    const payload = { current: password, password: 'quite another one' };
    expect((await api.call('PUT', '/api/me/password', { headers, payload })).body.code).toBe(
      'invalid_request',
    );
  });

  test('is in no answer, no log and no entry of the audit log', async () => {
    await open();
    const headers = await bearer('admin');
    await login('admin', 'a wrong secret word');
    const secret = 'a secret for berta';
    await api.call('POST', '/api/users', {
      headers,
      payload: { name: 'berta', role: 'viewer', password: secret },
    });
    await api.call('POST', '/api/users/berta/password', {
      headers,
      payload: { password: 'another secret word' },
    });
    const texts = [
      (await api.call('GET', '/api/users', { headers })).text,
      (await api.call('GET', '/api/audit', { headers })).text,
      JSON.stringify(api.log),
    ];
    for (const text of texts) {
      for (const word of [password, secret, 'a wrong secret word', 'another secret word', 'argon2id']) {
        expect(text).not.toContain(word);
      }
    }
  });
});
