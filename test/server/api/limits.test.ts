import { afterEach, describe, expect, test } from 'vitest';
import { callerOf } from '../../../server/api/sources.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { ApiHarness } from '../../support/api/api-harness.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

let api: ApiHarness;
afterEach(() => api.close());

/** Who is not on this machine has to show who he is. */
async function shown(): Promise<{ readonly authorization: string }> {
  const { secret } = await api.people.addToken({ name: 'test', role: 'viewer', scopes: ['read'] });
  return { authorization: `Bearer ${secret}` };
}

describe('rate limits', () => {
  let headers = {};
  const from = (remoteAddress: string, url = '/api/jobs') => api.call('GET', url, { remoteAddress, headers });

  test('bound what one address may ask for, and say what is left', async () => {
    const clock = new ManualClock();
    api = await ApiHarness.open({ clock, rateLimit: { rate: 2, burst: 3 } });
    headers = await shown();
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await from('203.0.113.1'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[0]?.headers['ratelimit-policy']).toBe('"requests";q=3;w=2');
    expect(answers.map(({ headers }) => headers['ratelimit'])).toEqual([
      '"requests";r=2;t=1',
      '"requests";r=1;t=1',
      '"requests";r=0;t=2',
      '"requests";r=0;t=2',
    ]);
    expect(answers[3]).toMatchObject({ headers: { 'retry-after': '1' }, body: { code: 'rate_limited' } });
    expect((await from('203.0.113.2')).status).toBe(200);
    clock.advance(500);
    expect((await from('203.0.113.1')).status).toBe(200);
    expect((await from('203.0.113.1')).status).toBe(429);
  });

  test('do not count health and metrics, and give loopback a hundred times as much', async () => {
    api = await ApiHarness.open({ clock: new ManualClock(), rateLimit: { rate: 1, burst: 1 } });
    headers = await shown();
    for (let i = 0; i < 3; i++) {
      expect((await from('203.0.113.1', '/healthz')).status).toBe(200);
      expect((await from('203.0.113.1', '/metrics')).status).toBe(200);
    }
    const statuses = [];
    for (let i = 0; i < 101; i++) statuses.push((await from('127.0.0.1')).status);
    expect(statuses.slice(0, 100).every((status) => status === 200)).toBe(true);
    expect(statuses[100]).toBe(429);
  });

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0db8:1:2::9', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('the caller at %s is %s', (address, caller) => {
    expect(callerOf(address)).toBe(caller);
  });
});

describe('event streams', () => {
  test('are bounded for each address, but for loopback', async () => {
    api = await ApiHarness.open({ streamsPerCaller: 1 });
    const base = await api.base();
    const open = [await fetch(`${base}/api/events`), await fetch(`${base}/api/events`)];
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of open) await body?.cancel();
    const headers = await shown();
    const elsewhere = async () =>
      api.app.inject({ url: '/api/events', remoteAddress: '203.0.113.1', headers });
    const first = elsewhere();
    const second = await elsewhere();
    expect([second.statusCode, second.json().code]).toEqual([429, 'streams_limited']);
    await api.app.close();
    expect((await first).statusCode).toBe(200);
  });
});

describe('deadlines', () => {
  const read = '/api/devices/m/objects/3/0/9';

  test('the store included: a route answers in its time', async () => {
    const clock = new ManualClock();
    api = await ApiHarness.open({ clock });
    await api.register('m');
    const hanging: Partial<Stores['registrations']> = { byEndpoint: () => new Promise(() => undefined) };
    api.requests.answers(() => hanging.byEndpoint?.('m'));
    const answer = api.call('GET', `${read}?timeout=3000`);
    await expect.poll(() => api.requests.calls.length).toBe(1);
    clock.advance(2_999);
    expect(clock.timers).toBe(1);
    clock.advance(1);
    expect(await answer).toMatchObject({ status: 504, body: { code: 'deadline_exceeded' } });
    await expect.poll(() => clock.timers).toBe(0);
  });

  test('a fault of the server that comes after its time is logged', async () => {
    const clock = new ManualClock();
    api = await ApiHarness.open({ clock });
    await api.register('m');
    let fail: ((error: Error) => void) | undefined;
    api.requests.answers(
      () =>
        new Promise((_resolve, reject) => {
          fail = reject;
        }),
    );
    const answer = api.call('GET', `${read}?timeout=3000`);
    await expect.poll(() => fail).toBeDefined();
    clock.advance(3_000);
    expect((await answer).status).toBe(504);
    fail?.(new TypeError('of ours'));
    const told = () => api.log.filter(({ msg }) => msg === 'a route met a fault after its time was over');
    await expect.poll(() => told().length).toBe(1);
  });

  test('are given by Prefer: wait too, and the device has a little less than the route', async () => {
    api = await ApiHarness.open({ clock: new ManualClock() });
    await api.register('m');
    api.requests.answersRead(112, [{ path: '/3/0/9', value: 1 }]);
    const { headers } = await api.call('GET', read, { headers: { prefer: 'wait=7, return=minimal' } });
    expect(headers['preference-applied']).toBe('wait=7');
    expect(api.requests.last?.arguments).toEqual([{ timeout: 6_950 }]);
    const both = await api.call('GET', `${read}?timeout=2000`, { headers: { prefer: 'wait=7' } });
    expect(both.headers['preference-applied']).toBeUndefined();
    expect(api.requests.last?.arguments).toEqual([{ timeout: 1_950 }]);
  });

  test.each(['wait', 'wait=', 'wait=soon', 'wait=0', 'wait=301', 'wait=1.5'])(
    '%s is refused',
    async (prefer) => {
      api = await ApiHarness.open();
      await api.register('m');
      const { status, body } = await api.call('GET', read, { headers: { prefer } });
      expect([status, body.code]).toEqual([400, 'invalid_request']);
    },
  );
});

describe('/api/v1', () => {
  test('is another name of /api, which the document says', async () => {
    api = await ApiHarness.open();
    await api.register('m');
    const response = await api.app.inject({ url: '/api/v1/devices/m' });
    expect(response.json()).toMatchObject({ endpoint: 'm' });
    expect((await api.app.inject({ url: '/api/v2/devices' })).statusCode).toBe(404);
    expect((await api.app.inject({ url: '/api/v1' })).statusCode).toBe(404);
    const { servers } = (await api.call('GET', '/openapi.json')).body;
    expect(servers).toEqual([{ url: '/', description: expect.stringContaining('/api/v1') }]);
  });
});
