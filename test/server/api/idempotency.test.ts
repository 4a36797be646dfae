import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CoapResponseError, EndpointClosedError } from '../../../protocol/coap/errors.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { NotSentError } from '../../../server/lwm2m/device-reach.ts';
import type { DeviceRequestOptions } from '../../../server/lwm2m/device-requests.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { ApiHarness } from '../../support/api/api-harness.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
  await api.register('m');
});
afterEach(() => api.close());

const execute = '/api/devices/m/objects/3/0/4';
const headers = { 'idempotency-key': 'k' };
const once = (key = 'k') => api.call('POST', execute, { headers: { 'idempotency-key': key } });

/** A device that gets the request, and of which then comes what is given. */
function sends(outcome: () => unknown): void {
  api.requests.answers(async ({ arguments: given }) => {
    const options = given.at(-1) as DeviceRequestOptions;
    await options.beforeSend?.();
    return outcome();
  });
}

describe('a request with an Idempotency-Key', () => {
  test('is carried out once, and answered the same the second time', async () => {
    sends(() => undefined);
    const first = await once();
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([204, undefined]);
    const again = await once();
    expect([again.status, again.headers['idempotent-replayed'], again.text]).toEqual([204, 'true', '']);
    expect(api.requests.calls).toHaveLength(1);
    await once('other');
    expect(api.requests.calls).toHaveLength(2);
  });

  test('keeps body, type and place of the answer', async () => {
    const payload = { paths: ['/3/0/9'], wanted: true };
    const policy = { name: 'p', devices: {}, observations: [{ paths: ['/3/0/9'] }] };
    const first = await api.call('POST', '/api/observation-policies', { payload: policy, headers });
    const again = await api.call('POST', '/api/observation-policies', { payload: policy, headers });
    expect(first.status).toBe(201);
    expect([again.status, again.body, again.headers['location'], again.headers['content-type']]).toEqual([
      first.status,
      first.body,
      first.headers['location'],
      first.headers['content-type'],
    ]);
    const other = await api.call('PUT', '/api/devices/m/observation-policy', { payload, headers });
    expect([other.status, other.body.code]).toEqual([409, 'conflict']);
    // The caller is told: nothing has gone wrong here.
    expect(api.log.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('is the same one whatever the order of its members, and by /api/v1 too', async () => {
    const call = (url: string, payload: object) => api.call('POST', url, { payload, headers });
    const first = await call('/api/devices/m/requests', { operation: 'execute', path: '/3/0/4' });
    const again = await call('/api/devices/m/requests', { path: '/3/0/4', operation: 'execute' });
    const aliased = await api.app.inject({
      method: 'POST',
      url: '/api/v1/devices/m/requests',
      payload: { path: '/3/0/4', operation: 'execute' },
      headers,
    });
    expect(first.status).toBe(202);
    expect([again.body.id, aliased.json().id]).toEqual([first.body.id, first.body.id]);
    expect((await api.stores.commands.list({ limit: 10 })).items).toHaveLength(1);
  });

  test('is the same one however its URL is encoded', async () => {
    sends(() => undefined);
    expect((await once()).status).toBe(204);
    const url = '/%61pi/devices/m/objects/3/0/4';
    const encoded = await api.app.inject({ method: 'POST', url, headers });
    expect(encoded.headers['idempotent-replayed']).toBe('true');
    expect(api.requests.calls).toHaveLength(1);
  });

  test('that is not answered yet is a conflict that says when to ask again', async () => {
    let answer: (value: undefined) => void = () => undefined;
    sends(() => new Promise((resolve) => (answer = resolve)));
    const first = once();
    await vi.waitFor(() => expect(api.requests.calls).toHaveLength(1));
    const second = await once();
    expect([second.status, second.body.code, second.headers['retry-after']]).toEqual([
      409,
      'request_under_way',
      '1',
    ]);
    answer(undefined);
    expect((await first).status).toBe(204);
    expect((await once()).headers['idempotent-replayed']).toBe('true');
    expect(api.requests.calls).toHaveLength(1);
  });

  const refused = (code: number) => new CoapResponseError(code, '');
  test.each([
    ['silence after it was sent', () => new TimeoutError('silence'), 504],
    ['a failure of the device', () => refused(Code.INTERNAL_SERVER_ERROR), 502],
    ['a fault of the server', () => new Error('a bug'), 500],
  ])('is not sent again after %s: the failure is the answer', async (_what, error, status) => {
    sends(error);
    const first = await once();
    expect(first.status).toBe(status);
    sends(() => undefined);
    const again = await once();
    expect([again.status, again.body, again.headers['idempotent-replayed']]).toEqual([
      status,
      first.body,
      'true',
    ]);
    expect(api.requests.calls).toHaveLength(1);
  });

  test.each([
    ['the device refused it', () => refused(Code.METHOD_NOT_ALLOWED), 405],
    ['the device could not do it', () => refused(Code.SERVICE_UNAVAILABLE), 503],
    ['the device does not know how', () => refused(Code.NOT_IMPLEMENTED), 501],
    ['it ended before it went out', () => new NotSentError('late', { cause: new TimeoutError('late') }), 504],
  ])('may be tried again where %s', async (_what, error, status) => {
    sends(error);
    expect((await once()).status).toBe(status);
    sends(() => undefined);
    const again = await once();
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([204, undefined]);
  });

  test('may be tried again where its time was over while the device slept', async () => {
    api.requests.answers(() => new TimeoutError('it sleeps'));
    expect((await once()).status).toBe(504);
    sends(() => undefined);
    expect((await once()).status).toBe(204);
  });

  test('may be tried again where the store could not begin', async () => {
    const stores = api.stores.idempotency;
    const begin = vi.spyOn(stores, 'begin').mockRejectedValueOnce(new StoreUnavailableError('out'));
    expect((await once()).body.code).toBe('store_unavailable');
    begin.mockRestore();
    sends(() => undefined);
    expect((await once()).status).toBe(204);
  });

  test('is not carried out twice where its answer could not be stored', async () => {
    sends(() => undefined);
    const finish = vi
      .spyOn(api.stores.idempotency, 'finish')
      .mockRejectedValueOnce(new StoreUnavailableError('out'));
    expect((await once()).status).toBe(204);
    finish.mockRestore();
    expect((await once()).headers['idempotent-replayed']).toBe('true');
    expect(api.requests.calls).toHaveLength(1);
  });

  test('says that nobody can tell where the server ended in the middle of it', async () => {
    sends(() => new EndpointClosedError('closed'));
    await once();
    const again = await once();
    expect([again.status, again.body.code]).toEqual([409, 'outcome_unknown']);
    expect(api.requests.calls).toHaveLength(1);
  });

  test('is carried out to its end where its caller goes away', async () => {
    let answer: (value: undefined) => void = () => undefined;
    sends(() => new Promise((resolve) => (answer = resolve)));
    const controller = new AbortController();
    const gone = fetch(`${await api.base()}${execute}`, {
      method: 'POST',
      headers,
      signal: controller.signal,
    });
    await vi.waitFor(() => expect(api.requests.calls).toHaveLength(1));
    controller.abort();
    await expect(gone).rejects.toThrow();
    expect(api.requests.signals[0]?.aborted).toBe(false);
    answer(undefined);
    await vi.waitFor(async () => expect((await once()).status).toBe(204));
    expect(api.requests.calls).toHaveLength(1);
  });

  test('that is refused before it begins leaves its key free', async () => {
    const bad = await api.call('POST', execute, { payload: { arguments: 5 }, headers });
    expect(bad.status).toBe(400);
    sends(() => undefined);
    expect((await once()).status).toBe(204);
    expect((await once('')).status).toBe(400);
    expect((await once('k'.repeat(201))).status).toBe(400);
  });

  test('whose answer was too large says that it was carried out', async () => {
    const value = 'x'.repeat(20_000);
    api.requests.answersRead(112, [{ path: '/3/0/9', value }]);
    const observe = () => api.call('POST', '/api/devices/m/observations/3/0/9', { headers });
    expect((await observe()).status).toBe(200);
    const again = await observe();
    expect([again.status, again.body.code]).toEqual([409, 'answer_not_kept']);
    expect(again.body.detail).toContain('answered with 200');
  });
});

describe('while the store hangs', () => {
  let clock: ManualClock;
  beforeEach(async () => {
    await api.close();
    clock = new ManualClock();
    api = await ApiHarness.open({ clock });
    await api.register('m');
    sends(() => undefined);
  });

  /** One call of the store that gets on when it is told to. */
  const hang = (call: 'begin' | 'finish') => {
    const { idempotency } = api.stores;
    const real = idempotency[call] as (...parameters: unknown[]) => Promise<never>;
    let release: () => void = () => undefined;
    const hung = new Promise<void>((resolve) => (release = resolve));
    const spy = vi.spyOn(idempotency, call).mockImplementationOnce(async (...parameters: unknown[]) => {
      await hung;
      return real(...parameters);
    });
    return { spy, release: () => release() };
  };

  test('a request whose time is over before it begins can be tried again', async () => {
    const { spy, release } = hang('begin');
    const late = api.call('POST', `${execute}?timeout=3000`, { headers });
    await vi.waitFor(() => expect(spy).toHaveBeenCalledTimes(1));
    clock.advance(3_000);
    expect(await late).toMatchObject({ status: 504, body: { code: 'deadline_exceeded' } });
    release();
    const again = () => api.call('POST', `${execute}?timeout=3000`, { headers });
    await vi.waitFor(async () => expect((await again()).status).toBe(204));
    expect(api.requests.calls).toHaveLength(1);
  });

  test('a request that was carried out is answered in its time, and kept when the store gets on', async () => {
    const { spy, release } = hang('finish');
    const call = () => api.call('POST', `${execute}?timeout=3000`, { headers });
    const first = call();
    await vi.waitFor(() => expect(spy).toHaveBeenCalledTimes(1));
    expect((await call()).body.code).toBe('request_under_way');
    clock.advance(3_000);
    expect((await first).status).toBe(204);
    release();
    await vi.waitFor(async () => expect((await call()).headers['idempotent-replayed']).toBe('true'));
    expect(api.requests.calls).toHaveLength(1);
  });
});

describe('after a restart', () => {
  /** As another process has left it. */
  const leave = async (call: () => Promise<unknown>, end: 'finish' | 'begin') => {
    const { idempotency } = api.stores;
    const { begin } = idempotency;
    const spy = vi
      .spyOn(idempotency, 'begin')
      .mockImplementationOnce(async (request) => begin({ ...request, holder: 'another process' }));
    const finish = vi.spyOn(idempotency, 'finish').mockResolvedValue(undefined);
    await call();
    spy.mockRestore();
    if (end === 'begin') finish.mockRestore();
  };

  test('what was under way is not carried out again', async () => {
    sends(() => undefined);
    await leave(() => once(), 'begin');
    const again = await once();
    expect([again.status, again.body.code]).toEqual([409, 'outcome_unknown']);
    expect(api.requests.calls).toHaveLength(1);
  });

  test.each([
    ['a held request', '/api/devices/m/requests', { operation: 'execute', path: '/3/0/4' }],
    ['a carrier switch', '/api/devices/m/carrier', { carrier: 'Disconnect' }],
    ['a job', '/api/jobs', { devices: { endpoints: ['m'] }, operation: { kind: 'forget' } }],
  ])('%s is found again, and answered', async (_what, url, payload) => {
    const call = () => api.call('POST', url, { payload, headers });
    await leave(call, 'begin');
    const again = await call();
    expect(again.status).toBe(202);
    const made = [
      ...(await api.stores.commands.list({ limit: 10 })).items,
      ...(await api.stores.jobs.list({ limit: 10 })).items,
    ];
    expect(made.map(({ id }) => id)).toEqual([again.body.id]);
    expect((await call()).headers['idempotent-replayed']).toBe('true');
  });
});
