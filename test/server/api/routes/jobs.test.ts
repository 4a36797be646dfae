import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
  for (const endpoint of ['a', 'b', 'c=1', 'd']) {
    await api.register(endpoint);
    if (endpoint !== 'd') await api.stores.registrations.deregister((await registration(endpoint)) ?? '');
  }
});
afterAll(() => api.close());

const registration = async (endpoint: string): Promise<string | undefined> =>
  (await api.stores.registrations.byEndpoint(endpoint))?.id;
const reboot = { kind: 'request', request: { operation: 'execute', path: '/3/0/4' } };
const create = (body: object, query = '') => api.call('POST', `/api/jobs${query}`, { payload: body });
const until = (id: string, fits: (job: { state: string; counts: Record<string, number> }) => boolean) =>
  vi.waitFor(async () => {
    const { body } = await api.call('GET', `/api/jobs/${id}`);
    expect(fits(body)).toBe(true);
    return body;
  });

describe('/api/jobs', () => {
  test('a dry run does nothing, and tells of how many devices it would be', async () => {
    const { status, body } = await create(
      { devices: { filter: { state: ['lost', 'left', 'known'] } }, operation: { kind: 'forget' } },
      '?dryRun=true',
    );
    expect([status, body]).toEqual([200, { total: 3, endpoints: ['a', 'b', 'c=1'] }]);
    const named = await create(
      { devices: { endpoints: ['z', 'a', 'z'] }, operation: reboot },
      '?dryRun=true',
    );
    expect(named.body).toEqual({ total: 2, endpoints: ['a', 'z'] });
    expect((await api.call('GET', '/api/jobs')).body).toEqual({ items: [], next: null });
  });

  test('a job is made, listed by state, told with its devices, cancelled and forgotten', async () => {
    const options = { atOnce: 7, timeToLive: 60_000, stopAfterFailures: 3 };
    const made = await create({ name: 'n', devices: { filter: { q: 'c=' } }, operation: reboot, options });
    const { id } = made.body;
    expect(made).toMatchObject({
      status: 202,
      headers: { location: `/api/jobs/${id}` },
      body: { name: 'n', filter: { q: 'c=' }, operation: reboot, options },
    });
    expect(made.body.expiresAt - made.body.createdAt).toBe(60_000);
    await until(id, ({ state, counts }) => state === 'running' && counts['queued'] === 1);
    expect((await api.call('GET', '/api/jobs?state=running,paused')).body.items).toHaveLength(1);
    expect((await api.call('GET', '/api/jobs?state=done')).body.items).toHaveLength(0);
    const { items } = (await api.call('GET', `/api/jobs/${id}/devices?state=queued`)).body;
    const commands = (await api.call('GET', `/api/commands?job=${id}&kind=request`)).body.items;
    expect(items).toEqual([
      { endpoint: 'c=1', state: 'queued', command: commands[0].id, updatedAt: commands[0].updatedAt },
    ]);
    expect(commands[0]).toMatchObject({ job: id, expiresAt: expect.any(Number) });
    const notYet = await api.call('DELETE', `/api/jobs/${id}`);
    expect([notYet.status, notYet.body.detail]).toEqual([409, 'the job is running: cancel it first']);
    expect((await api.call('POST', `/api/jobs/${id}/cancel`)).status).toBe(202);
    await until(id, ({ state }) => state === 'cancelled');
    for (const step of ['cancel', 'pause', 'resume']) {
      expect((await api.call('POST', `/api/jobs/${id}/${step}`)).status, step).toBe(409);
    }
    expect((await api.call('DELETE', `/api/jobs/${id}`)).status).toBe(204);
    expect((await api.call('GET', `/api/jobs/${id}`)).body.code).toBe('unknown_job');
    expect((await api.call('GET', `/api/commands/${commands[0].id}`)).status).toBe(200);
  });

  test('results come as CSV, all of them, with what a spreadsheet would take for a formula made a text', async () => {
    const { body } = await create({ devices: { endpoints: ['=1+1', 'a', 'say "hi"'] }, operation: reboot });
    await until(body.id, ({ counts }) => counts['failed'] === 2);
    const { headers, text } = await api.call('GET', `/api/jobs/${body.id}/devices?format=csv&state=failed`);
    expect(headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    expect(headers['content-disposition']).toBe(`attachment; filename="job-${body.id}.csv"`);
    const lines = text.split('\r\n');
    expect(lines[0]).toBe('endpoint,state,reason,command,result,updatedAt');
    expect(lines[1]).toMatch(/^'=1\+1,failed,no device with endpoint name '=1\+1' is known,,,\d{4}-/);
    expect(lines[2]).toMatch(/^"say ""hi""",failed,/);
    expect(lines).toHaveLength(4);
    const paged = await api.call('GET', `/api/jobs/${body.id}/devices?format=csv&limit=3`);
    expect(paged.status).toBe(400);
    await api.call('POST', `/api/jobs/${body.id}/cancel`);
  });

  const all = { filter: {} };
  test.each([
    [{ devices: all }, 'validation_failed'],
    [{ devices: { endpoints: [] }, operation: reboot }, 'validation_failed'],
    [{ devices: { filter: { colour: ['red'] } }, operation: reboot }, 'validation_failed'],
    [{ devices: all, operation: { kind: 'explode' } }, 'validation_failed'],
    [{ devices: all, operation: reboot, options: { atOnce: 0 } }, 'validation_failed'],
    [
      { devices: all, operation: { kind: 'request', request: { operation: 'write', path: '/3/0/14' } } },
      'invalid_request',
    ],
    [
      { devices: all, operation: { kind: 'request', request: { ...reboot.request, timeToLive: 5_000 } } },
      'invalid_request',
    ],
    [{ devices: all, operation: { kind: 'observe', paths: ['nonsense'], wanted: true } }, 'invalid_request'],
    [
      {
        devices: all,
        operation: { kind: 'observe', paths: ['/3/0/9'], wanted: false, attributes: { pmin: 1 } },
      },
      'invalid_request',
    ],
  ])('%j is refused at once', async (body, code) => {
    const before = (await api.stores.jobs.list({ limit: 100 })).items.length;
    const answer = await create(body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect((await api.stores.jobs.list({ limit: 100 })).items).toHaveLength(before);
  });

  test('one that nobody made is unknown', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/devices'],
      ['GET', '/devices?format=csv'],
      ['POST', '/cancel'],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/retry'],
      ['DELETE', ''],
    ] as const) {
      const { status, body } = await api.call(method, `/api/jobs/nobody${path}`);
      expect([status, body.code], `${method} ${path}`).toEqual([404, 'unknown_job']);
    }
    expect((await api.call('GET', '/api/jobs?state=lazy')).status).toBe(400);
  });
});
