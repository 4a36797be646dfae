import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Needs } from '../../../server/people/principal.ts';
import type { Role, Scope } from '../../../server/ports/user-store.ts';
import { ApiHarness, registrationOf } from '../../support/api/api-harness.ts';

/** What a route takes, and what callers with a tenant get of it; what it is called with where it has to get so far. */
interface Row {
  readonly needs: Needs;
  readonly tenants: 'device' | 'own' | 'shared' | 'fleet' | 'anybody';
  readonly body?: object;
}

const of =
  (tenants: Row['tenants']) =>
  (needs: Needs, body?: object): Row => ({
    needs,
    tenants,
    ...(body === undefined ? {} : { body }),
  });
const device = of('device');
const own = of('own');
const shared = of('shared');
const fleet = of('fleet');
const anybody = of('anybody');

const hook = { name: 'Hook', url: 'http://hooks.test/', types: ['expired'] };
const bootstrapProfile = {
  name: 'Fleet',
  enabled: true,
  devices: {},
  priority: 1,
  readFirst: false,
  remove: ['/'],
  servers: [{ shortServerId: 101, security: 'psk', lifetime: 300, binding: 'U', notificationStoring: true }],
  objects: [],
  access: [],
  retries: 1,
};
const job = { devices: { endpoints: ['of-acme'] }, operation: { kind: 'forget' } };

/**
 * What every route needs. Whoever adds a route says here what it takes: the document of the running server has to say
 * the same, and each of them is tried by people who may not use it.
 */
const table: Readonly<Record<string, Row>> = {
  'GET /healthz': anybody('public'),
  'POST /api/login': anybody('public'),
  'GET /api/login': anybody('public'),
  'GET /api/login/provider': anybody('public'),
  'GET /api/login/provider/callback': anybody('public'),
  'POST /api/logout': anybody('self'),
  'GET /api/me': anybody('self'),
  'PUT /api/me/password': anybody('self'),
  'GET /metrics': fleet('metrics'),
  'GET /api/server': own('read'),
  'GET /api/server/settings': fleet('administer'),
  'GET /api/cluster': fleet('read'),
  'GET /api/overview': own('read'),
  'GET /api/statistics': fleet('read'),

  'GET /api/users': fleet('administer'),
  'POST /api/users': fleet('administer'),
  'GET /api/users/{name}': fleet('administer'),
  'PUT /api/users/{name}': fleet('administer'),
  'DELETE /api/users/{name}': fleet('administer'),
  'POST /api/users/{name}/password': fleet('administer'),
  'GET /api/sessions': own('read'),
  'DELETE /api/sessions/{id}': own('read'),
  'GET /api/tokens': own('read'),
  'POST /api/tokens': own('read', { name: 'mine', scopes: ['read'] }),
  'DELETE /api/tokens/{id}': own('read'),
  'GET /api/audit': fleet('administer'),

  'GET /api/devices': own('read'),
  'GET /api/devices/facets': own('read'),
  'GET /api/devices/{endpoint}': device('read'),
  'PATCH /api/devices/{endpoint}': device('administer'),
  'DELETE /api/devices/{endpoint}': device('administer'),
  'GET /api/devices/{endpoint}/presence': device('read'),
  'PUT /api/devices/{endpoint}/presence': device('operate'),
  'POST /api/devices/{endpoint}/requests': device('operate'),
  'GET /api/devices/{endpoint}/composite': device('read'),
  'PUT /api/devices/{endpoint}/composite': device('operate'),
  'POST /api/devices/{endpoint}/composite-observations': device('operate'),
  'DELETE /api/devices/{endpoint}/composite-observations': device('operate'),
  'PUT /api/devices/{endpoint}/attributes/{path}': device('operate'),
  'POST /api/devices/{endpoint}/server/update-trigger': device('operate'),
  'POST /api/devices/{endpoint}/server/disable': device('operate'),
  'PUT /api/devices/{endpoint}/server/mute-send': device('operate'),
  'GET /api/devices/{endpoint}/objects': device('read'),
  'GET /api/devices/{endpoint}/objects/{path}': device('read'),
  'PUT /api/devices/{endpoint}/objects/{path}': device('operate'),
  'POST /api/devices/{endpoint}/objects/{path}': device('operate'),
  'DELETE /api/devices/{endpoint}/objects/{path}': device('operate'),
  'GET /api/devices/{endpoint}/discover/{path}': device('read'),
  'GET /api/devices/{endpoint}/observations': device('read'),
  'POST /api/devices/{endpoint}/observations/{path}': device('operate'),
  'DELETE /api/devices/{endpoint}/observations/{path}': device('operate'),
  'GET /api/devices/{endpoint}/observation-policy': device('read'),
  'PUT /api/devices/{endpoint}/observation-policy': device('operate'),
  'DELETE /api/devices/{endpoint}/observation-policy': device('operate'),
  'POST /api/devices/{endpoint}/observation-policy/check': device('operate'),
  'POST /api/devices/{endpoint}/observation-policy/renew': device('operate'),
  'GET /api/devices/{endpoint}/carrier': device('read'),
  'POST /api/devices/{endpoint}/carrier': device('operate'),
  'GET /api/devices/{endpoint}/commands': device('read'),
  'GET /api/devices/{endpoint}/readings': device('read'),
  'GET /api/devices/{endpoint}/readings/series': device('read'),
  'GET /api/devices/{endpoint}/events': device('read'),
  // Bytes as they are: identifiers in them cannot be masked.
  'GET /api/devices/{endpoint}/trace': device('operate'),
  'GET /api/devices/{endpoint}/trace/pcapng': device('operate'),
  'GET /api/devices/{endpoint}/trace/text': device('operate'),

  // CSV and search by number would tell identifiers to who may only look.
  'GET /api/credentials': own('operate'),
  'POST /api/credentials': own('administer', {
    ...{ endpoint: 'of-acme', type: 'psk', identity: 'new', key: '00112233445566778899aabbccddeeff' },
  }),
  'POST /api/credentials/import': own('administer'),
  'GET /api/credentials-export': own('operate'),
  'GET /api/credentials/{endpoint}': device('operate'),
  'POST /api/credentials/{endpoint}/rotate': device('administer'),
  'POST /api/credentials/{endpoint}/revoke': device('operate'),
  'DELETE /api/credentials/{endpoint}': device('administer'),

  'GET /api/readings/export': own('read'),
  'GET /api/events': own('read'),
  'GET /api/event-log': own('read'),
  'GET /api/commands': own('read'),
  'GET /api/commands/{id}': own('read'),
  'POST /api/commands/{id}/retry': own('operate'),
  'DELETE /api/commands/{id}': own('operate'),
  'GET /api/jobs': own('read'),
  'POST /api/jobs': own('operate', job),
  'GET /api/jobs/{id}': own('read'),
  'DELETE /api/jobs/{id}': own('operate'),
  'GET /api/jobs/{id}/devices': own('read'),
  'POST /api/jobs/{id}/cancel': own('operate'),
  'POST /api/jobs/{id}/pause': own('operate'),
  'POST /api/jobs/{id}/resume': own('operate'),
  'POST /api/jobs/{id}/retry': own('operate'),
  'GET /api/devices/{endpoint}/bootstrap': device('read'),
  'POST /api/devices/{endpoint}/bootstrap': device('operate'),
  'PUT /api/devices/{endpoint}/bootstrap/profile': device('administer', { profile: 'default' }),
  'DELETE /api/devices/{endpoint}/bootstrap/profile': device('administer'),
  'GET /api/bootstrap/profiles': fleet('read'),
  'GET /api/bootstrap/profiles/{id}': fleet('read'),
  'PUT /api/bootstrap/profiles/{id}': fleet('administer', bootstrapProfile),
  'DELETE /api/bootstrap/profiles/{id}': fleet('administer'),
  'GET /api/bootstrap/assignments': fleet('read'),
  'GET /api/bootstrap/sessions': own('read'),
  'GET /api/bootstrap/sessions/{id}': own('read'),
  'GET /api/webhooks': own('administer'),
  'POST /api/webhooks': own('administer', hook),
  'GET /api/webhooks/{id}': own('administer'),
  'PUT /api/webhooks/{id}': own('administer', hook),
  'DELETE /api/webhooks/{id}': own('administer'),
  'POST /api/webhooks/{id}/test': own('administer'),
  'POST /api/webhooks/{id}/secret': own('administer'),
  'GET /api/webhooks/{id}/deliveries': own('administer'),
  'POST /api/webhooks/{id}/deliveries/{delivery}/retry': own('administer'),

  'GET /api/object-models': shared('read'),
  'POST /api/object-models': fleet('administer'),
  'GET /api/object-models/{object}': shared('read'),
  'GET /api/object-models/{object}/xml': shared('read'),
  'DELETE /api/object-models/{object}': fleet('administer'),
  'GET /api/profiles': shared('read'),
  'PUT /api/profiles/{id}': fleet('administer'),
  'DELETE /api/profiles/{id}': fleet('administer'),
  'GET /api/observation-policies': fleet('read'),
  'POST /api/observation-policies': fleet('administer'),
  'GET /api/observation-policies/{id}': fleet('read'),
  'PUT /api/observation-policies/{id}': fleet('administer'),
  'DELETE /api/observation-policies/{id}': fleet('administer'),
  'POST /api/observation-policies/{id}/restore': fleet('administer'),
};

const rows = Object.entries(table).map(([name, row]) => {
  const [method, url] = name.split(' ') as ['GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE', string];
  return { name, method, url, ...row };
});
type Route = (typeof rows)[number];

let api: ApiHarness;
const secrets = new Map<string, string>();
/** Things of the tenant `acme`, by the noun of their route. */
const ids = new Map<string, string>();
/** Counts what is written to the stores from now on. */
let before: unknown;

async function token(name: string, role: Role, scopes: readonly Scope[], tenant?: string): Promise<void> {
  const given = { name, role, scopes, ...(tenant === undefined ? {} : { tenant }) };
  secrets.set(name, (await api.people.addToken(given)).secret);
}

async function login(name: string, role: Role, tenant?: string): Promise<void> {
  const given = { name, role, mustChange: false, ...(tenant === undefined ? {} : { tenant }) };
  const { password } = await api.people.addUser(given);
  const begun = await api.people.login(name, password as string, { source: '127.0.0.1' });
  secrets.set(name, begun.secret);
}

const bearer = (name: string) => ({ authorization: `Bearer ${secrets.get(name)}` });

async function state(): Promise<unknown> {
  const { stores, people, requests } = api;
  const found = await Promise.all([
    stores.devices.get('of-acme'),
    stores.devices.get('of-other'),
    stores.commands.list({ limit: 100 }),
    stores.jobs.list({ limit: 100 }),
    stores.webhooks.list(),
    stores.credentials.list({ limit: 100 }),
    stores.objectModels.list(),
    stores.profiles.list(),
    stores.observationPolicies.policies(),
    stores.observationPolicies.recorded(),
    people.users(),
    people.tokens(),
  ]);
  // That a token was shown is told of it, whatever came of that.
  return JSON.parse(JSON.stringify([...found, requests.calls]), (name, value) =>
    name === 'usedAt' ? undefined : value,
  );
}

beforeAll(async () => {
  api = await ApiHarness.open({ loginRequired: true });
  for (const [endpoint, tenant] of [
    ['of-acme', 'acme'],
    ['of-other', 'other'],
  ] as const) {
    await api.stores.registrations.register(registrationOf(endpoint), tenant);
  }
  await token('metrics', 'administrator', ['metrics']);
  await token('reads', 'administrator', ['read']);
  await token('operates', 'administrator', ['operate']);
  await login('viewer', 'viewer');
  await login('operator', 'operator');
  await login('administrator', 'administrator');
  await login('acme', 'administrator', 'acme');
  await login('other', 'administrator', 'other');
  const made = async (noun: string, url: string, body: object) => {
    const answer = await api.call('POST', url, { headers: bearer('acme'), payload: body });
    expect([url, answer.status]).toEqual([url, url === '/api/webhooks' ? 201 : 202]);
    ids.set(noun, answer.body.id);
  };
  await made('commands', '/api/devices/of-acme/requests', { operation: 'read', path: '/3/0' });
  await made('jobs', '/api/jobs', { ...job, devices: { endpoints: ['of-nobody'] } });
  await made('webhooks', '/api/webhooks', hook);
  const tokens = await api.people.addToken({ name: 'x', user: 'acme', role: 'viewer', scopes: ['read'] });
  ids.set('tokens', tokens.token.id);
  const [session] = await api.people.sessions('acme');
  ids.set('sessions', session?.id ?? '');
  await new Promise((resolve) => setImmediate(resolve));
  before = await state();
});
afterAll(() => api.close());

/** The route's address, where it stands for something of acme's. */
function urlOf({ url }: Route): string {
  const noun = url.split('/')[2] ?? '';
  const values: Readonly<Record<string, string>> = {
    endpoint: 'of-acme',
    path: '3/0/9',
    name: 'acme',
    object: '3',
    delivery: 'evt_1',
    id: ids.get(noun) ?? 'some',
  };
  return url.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? name);
}

async function ask(route: Route, headers: Record<string, string> = {}) {
  const { method, body } = route;
  const query = url(route);
  return api.call(method, query, { headers, ...(body === undefined ? {} : { payload: body }) });
}

const queries: Readonly<Record<string, string>> = {
  'GET /api/devices/facets': 'by=tenant,state,carrier,node',
  'GET /api/devices/{endpoint}/composite': 'paths=/3/0',
  'GET /api/devices/{endpoint}/readings/series': 'path=/3/0/9&from=1',
};

function url(route: Route): string {
  const query = queries[route.name];
  return urlOf(route) + (query === undefined ? '' : `?${query}`);
}

const shielded = rows.filter(({ needs }) => needs !== 'public');
const levels: readonly Needs[] = ['read', 'operate', 'administer'];

test('the table has every route of the running server, and what the server says that each takes', () => {
  const document = api.app.swagger().paths ?? {};
  const found = Object.entries(document).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, { 'x-needs': Needs; 'x-tenants': string }>)
      .filter(([method]) => method !== 'head')
      .map(([method, operation]) => [
        `${method.toUpperCase()} ${path}`,
        operation['x-needs'],
        operation['x-tenants'],
      ]),
  );
  expect(found.sort()).toEqual(rows.map(({ name, needs, tenants }) => [name, needs, tenants]).sort());
});

/** There is no such test where it does not apply: one that is skipped counts as one that could not be run. */
const testWhere =
  (applies: boolean) =>
  (name: string, run: () => Promise<void>): void => {
    if (applies) test(name, run);
  };

describe.each(shielded)('$name', (route) => {
  test('refuses who shows nothing, and who shows what is none', async () => {
    for (const headers of [{}, { authorization: 'Bearer sy_0' }, { cookie: 'simyard_session=x' }]) {
      const { status, body } = await ask(route, headers);
      expect([status, body.code]).toEqual([401, 'not_logged_in']);
    }
  });

  const level = levels.indexOf(route.needs);

  testWhere(level > 0)('refuses a role that does not suffice', async () => {
    for (const name of ['viewer', 'operator'].slice(0, level)) {
      const { status, body } = await ask(route, bearer(name));
      expect([name, status, body.code]).toEqual([name, 403, 'not_allowed']);
    }
  });

  testWhere(level >= 0)('refuses a token without a scope that suffices', async () => {
    for (const name of ['metrics', 'reads', 'operates'].slice(0, level + 1)) {
      const { status, body } = await ask(route, bearer(name));
      expect([name, status, body.code]).toEqual([name, 403, 'not_allowed']);
    }
  });

  testWhere(route.tenants === 'fleet')('refuses an administrator of one tenant', async () => {
    const { status, body } = await ask(route, bearer('acme'));
    expect([status, body.code]).toEqual([403, 'fleet_only']);
  });

  const ofOne = route.tenants === 'device' || (route.tenants === 'own' && route.url.includes('{'));

  testWhere(ofOne)('is to another tenant as if it were of nothing that there is', async () => {
    const { status, body } = await ask(route, bearer('other'));
    expect([status, body.code]).toEqual([404, expect.stringMatching(/^unknown_/)]);
    const nothing = { ...route, url: route.url.replace('{endpoint}', 'nobody').replace('{id}', 'nothing') };
    const none = await ask(nothing, bearer('other'));
    const anonymous = (text: string) =>
      text.replaceAll(/of-acme|nobody|nothing/g, '').replaceAll(/'[^']*'/g, '');
    expect([none.status, anonymous(none.text)]).toEqual([
      404,
      anonymous(body === undefined ? '' : JSON.stringify(body)),
    ]);
  });
});

test('whoever was refused has done nothing', async () => {
  expect(await state()).toEqual(before);
});
