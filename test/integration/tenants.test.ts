import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiCarrierAnswer, ApiDevicePage } from '../../server/api/schemas.ts';
import { EventSource, type ReceivedEvent } from '../support/api/event-source.ts';
import { freePort, ProjectProcess, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const alpha = 'unit-of-alpha';
const beta = 'unit-of-beta';
const password = 'a long enough pass-phrase of a test';

let folder: string;
let base: string;
let server: ProjectProcess;
const modems: ProjectProcess[] = [];
/** Secrets by who has them. */
const tokens = new Map<string, string>();
const closing: (() => void)[] = [];

async function call(who: string, method: string, path: string, body?: object) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokens.get(who)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: () => JSON.parse(text) };
}

async function logIn(username: string, given: string): Promise<void> {
  const response = await fetch(`${base}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password: given }),
  });
  expect([username, response.status]).toEqual([username, 200]);
  tokens.set(username, ((await response.json()) as { token: string }).token);
}

async function addUser(name: string, role: string, tenant: string): Promise<void> {
  const made = await call('admin', 'POST', '/api/users', {
    ...{ name, role, tenant, password, mustChangePassword: false },
  });
  expect([name, made.status, made.text]).toEqual([name, 201, expect.any(String)]);
  await logIn(name, password);
}

/** A stream that is listened to until the end of the test. */
async function listen(who: string, query = '') {
  const source = await EventSource.open(`${base}/api/events${query}`, {
    authorization: `Bearer ${tokens.get(who)}`,
  });
  expect([who, query, source.status]).toEqual([who, query, 200]);
  closing.push(() => source.close());
  const heard: ReceivedEvent[] = [];
  void (async () => {
    for (let event = await source.next(); event !== undefined; event = await source.next()) heard.push(event);
  })();
  return {
    heard,
    text: () => JSON.stringify(heard),
    count: (type: string) => heard.filter(({ event }) => event === type).length,
  };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-tenants-'));
  const [coapPort, httpPort] = [await freePort(), await freePort()];
  base = `http://127.0.0.1:${httpPort}`;
  server = await startServerProcess({
    data: join(folder, 'data'),
    coapPort,
    httpPort,
    flags: ['--log-level', 'warn', '--login', 'required', '--admin-password', password],
  });
  await logIn('admin', password);
  for (const endpoint of [alpha, beta]) {
    modems.push(
      new ProjectProcess('client/main.ts', [
        ...[
          '--server',
          `coap://127.0.0.1:${coapPort}`,
          '--endpoint',
          endpoint,
          '--state',
          join(folder, endpoint),
        ],
        ...['--rate', 'imu=5,gyro=0,temperature=0', '--attach-time', '20'],
      ]),
    );
  }
  await until('both are registered, and their cards are known', async () => {
    const gone = modems.find(({ ended }) => ended);
    if (gone !== undefined) throw new Error(`a modem ended:\n${gone.output}`);
    const page: ApiDevicePage = (await call('admin', 'GET', '/api/devices?state=registered')).json();
    return page.items.filter(({ imsi, carrier }) => imsi !== undefined && carrier !== undefined).length === 2;
  });
  for (const [endpoint, tenant] of [
    [alpha, 'alpha'],
    [beta, 'beta'],
  ]) {
    expect((await call('admin', 'PATCH', `/api/devices/${endpoint}`, { tenant })).status).toBe(204);
  }
  await addUser('of-alpha', 'administrator', 'alpha');
  await addUser('of-beta', 'administrator', 'beta');
  await addUser('looks-at-alpha', 'viewer', 'alpha');
}, 120_000);

afterAll(async () => {
  for (const close of closing) close();
  for (const modem of modems) await modem.kill('SIGTERM');
  await server?.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
}

/** Every GET of the running server, for the things of one tenant. */
async function everyGet(endpoint: string, ids: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const document = (await (await fetch(`${base}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, { readonly get?: Operation }>>;
  };
  const needed: Readonly<Record<string, string>> = {
    by: 'tenant,state,carrier,model,manufacturer,firmware,node',
    paths: '/42769/0',
    path: '/42769/0/8',
    from: '0',
    metrics: 'known',
  };
  return Object.entries(document.paths)
    .filter(([path, { get }]) => get !== undefined && path !== '/api/events')
    .map(([path, { get }]) => {
      const url = path.replace(/\{(\w+)\}/g, (_, name: string) => {
        if (name === 'endpoint') return endpoint;
        if (name === 'path') return '42769/0';
        if (name === 'object') return '3';
        return ids[path.split('/')[2] ?? ''] ?? 'some';
      });
      const query = (get?.parameters ?? [])
        .filter((parameter) => parameter.in === 'query' && parameter.required === true)
        .map(({ name }) => `${name}=${encodeURIComponent(needed[name] ?? '')}`);
      return query.length === 0 ? url : `${url}?${query.join('&')}`;
    });
}

describe('two tenants with a device each, at one server', () => {
  it('see nothing of each other, in any answer and any stream, while both are at work', async () => {
    const parties = [
      { who: 'of-alpha', own: alpha, other: beta },
      { who: 'of-beta', own: beta, other: alpha },
    ];
    for (const { who, own, other } of parties) {
      const streams = [
        await listen(who, '?after=0-0'),
        await listen(who, `?watch=*@${other}&watch=*@${own}&watch=readings`),
        await listen(who, `?watch=trace@${other}&watch=trace@${own}`),
      ];
      const job = (
        await call(who, 'POST', '/api/jobs', {
          devices: { filter: {} },
          operation: { kind: 'request', request: { operation: 'read', path: '/3/0' } },
        })
      ).json();
      // Named, the other one's device is none.
      const named = (
        await call(who, 'POST', '/api/jobs', {
          devices: { endpoints: [own, `not-${other}`, other] },
          operation: { kind: 'forget' },
        })
      ).json();
      const hook = (
        await call(who, 'POST', '/api/webhooks', {
          ...{ name: 'Hook', url: 'http://127.0.0.1:9/', types: ['updated', 'readings'] },
        })
      ).json();
      const command = (
        await call(who, 'POST', `/api/devices/${own}/requests`, { operation: 'read', path: '/42769/0' })
      ).json();
      await until('its jobs are done', async () => {
        const ended = [job.id, named.id].map(async (id) =>
          (await call(who, 'GET', `/api/jobs/${id}`)).json(),
        );
        return (await Promise.all(ended)).every(({ state }) => state === 'done');
      });
      const done = (await call(who, 'GET', `/api/jobs/${job.id}/devices`)).json();
      expect(done.items).toMatchObject([{ endpoint: own, state: 'done' }]);
      const failed = (await call(who, 'GET', `/api/jobs/${named.id}/devices`)).json();
      expect(failed.items.find(({ endpoint }: { endpoint: string }) => endpoint === other)).toMatchObject({
        state: 'failed',
        reason: `no device with endpoint name '${other}' is known`,
      });
      expect((await call(who, 'DELETE', `/api/jobs/${named.id}`)).status).toBe(204);

      const ids = { commands: command.id, jobs: job.id, webhooks: hook.id };
      const urls = await everyGet(own, ids);
      expect(urls.length).toBeGreaterThan(40);
      let shown = 0;
      for (const url of urls) {
        const { status, text } = await call(who, 'GET', url);
        expect([url, status < 500 || status === 504]).toEqual([url, true]);
        expect([url, text.includes(other)]).toEqual([url, false]);
        if (text.includes(own)) shown += 1;
      }
      // It sees its own.
      expect(shown).toBeGreaterThan(10);
      for (const url of await everyGet(other, ids)) {
        if (!url.includes(other)) continue;
        expect([url, (await call(who, 'GET', url)).json().code]).toEqual([url, 'unknown_device']);
      }
      for (const query of [`endpoint=${other}`, `endpoint=${own},${other}`]) {
        expect((await call(who, 'GET', `/api/readings/export?${query}`)).status).toBe(404);
      }
      expect((await call(who, 'GET', `/api/commands?endpoint=${other}`)).json().items).toEqual([]);
      expect((await call(who, 'GET', `/api/event-log?endpoint=${other}`)).json().items).toEqual([]);
      expect((await call(who, 'GET', `/api/devices?tenant=${other.slice(8)}`)).json()).toMatchObject({
        total: 0,
      });
      const [all, both, traces] = streams as [(typeof streams)[0], (typeof streams)[0], (typeof streams)[0]];
      await until('its streams have told of its own device', () => {
        return all.count('readings') > 5 && both.count('readings') > 5 && traces.count('trace') > 2;
      });
      for (const stream of streams) {
        expect(stream.text()).toContain(own);
        // Its own job, which named it, is all that has the name.
        const ofOthers = stream.heard.filter(({ event }) => event !== 'job');
        expect(JSON.stringify(ofOthers)).not.toContain(other);
      }
    }
  }, 120_000);

  it('are told of a device from when it is theirs, and of nothing more when it is another one’s', async () => {
    const [left, right] = [await listen('of-alpha'), await listen('of-beta')];
    await until('both hear readings', () => left.count('readings') > 1 && right.count('readings') > 1);
    expect((await call('admin', 'PATCH', `/api/devices/${alpha}`, { tenant: 'beta' })).status).toBe(204);
    await until('the new tenant is told of it', () => right.text().includes(alpha));
    const toldUntilThen = left.heard.length;
    expect((await call('of-alpha', 'GET', `/api/devices/${alpha}`)).status).toBe(404);
    expect((await call('of-alpha', 'GET', '/api/devices')).json()).toMatchObject({ total: 0, items: [] });
    expect((await call('of-beta', 'GET', '/api/devices')).json()).toMatchObject({ total: 2 });
    const before = right.count('readings');
    await until('readings go on', () => right.count('readings') > before + 10);
    expect(left.heard.slice(toldUntilThen)).toEqual([]);
    expect((await call('admin', 'PATCH', `/api/devices/${alpha}`, { tenant: 'alpha' })).status).toBe(204);
    await until('it is told of again', () => left.heard.length > toldUntilThen + 2);
  }, 60_000);

  it('shows a viewer no whole identifier anywhere, and whoever operates the device all of them', async () => {
    const carrier: ApiCarrierAnswer = (await call('of-alpha', 'GET', `/api/devices/${alpha}/carrier`)).json();
    const { iccid, imsi } = carrier.slots[0] as { iccid: string; imsi: string };
    expect([iccid, imsi].map((text) => text.length > 13)).toEqual([true, true]);
    // What changes is told as an event, with the identifiers of another profile.
    const live = await listen('looks-at-alpha', '?after=0-0');
    await call('of-alpha', 'POST', `/api/devices/${alpha}/carrier`, { carrier: 'Verizon' });
    const command = await until('the carrier has changed', async () => {
      const { items } = (
        await call('of-alpha', 'GET', `/api/devices/${alpha}/commands?kind=carrier-switch`)
      ).json();
      return items[0]?.state === 'done' ? items[0] : undefined;
    });
    const now: ApiCarrierAnswer = await until('the identifiers have changed', async () => {
      const answer: ApiCarrierAnswer = (
        await call('of-alpha', 'GET', `/api/devices/${alpha}/carrier`)
      ).json();
      return answer.slots[0]?.imsi !== imsi ? answer : undefined;
    });
    const whole = [iccid, imsi, now.slots[0]?.iccid as string, now.slots[0]?.imsi as string];
    const found = { whole: 0, masked: 0 };
    for (const url of await everyGet(alpha, { commands: command.id })) {
      const seen = await call('looks-at-alpha', 'GET', url);
      expect([url, whole.filter((text) => seen.text.includes(text))]).toEqual([url, []]);
      if (seen.text.includes('•')) found.masked += 1;
      const { text } = await call('of-alpha', 'GET', url);
      if (whole.some((identifier) => text.includes(identifier))) found.whole += 1;
    }
    expect(found.whole).toBeGreaterThan(5);
    expect(found.masked).toBeGreaterThan(5);
    const csv = await call('looks-at-alpha', 'GET', `/api/readings/export?endpoint=${alpha}&path=/42769`);
    expect(csv.text).toContain('•');
    expect(whole.filter((text) => csv.text.includes(text))).toEqual([]);
    await until('the stream has told of it', () => live.text().includes('•'));
    expect(whole.filter((text) => live.text().includes(text))).toEqual([]);
    // Nor is a number told digit by digit.
    const search = `/api/devices?q=${imsi.slice(0, 12)}`;
    expect((await call('looks-at-alpha', 'GET', search)).json()).toMatchObject({ total: 0 });
    const own = `/api/devices?q=${(now.slots[0]?.imsi ?? '').slice(0, 12)}`;
    expect((await call('of-alpha', 'GET', own)).json()).toMatchObject({ total: 1 });
    expect((await call('looks-at-alpha', 'GET', own)).json()).toMatchObject({ total: 0 });
    expect((await call('looks-at-alpha', 'GET', `/api/devices/${alpha}/trace`)).status).toBe(403);
    expect((await call('looks-at-alpha', 'GET', `/api/events?watch=trace@${alpha}`)).status).toBe(403);
  }, 60_000);
});
