import { describe, expect, it } from 'vitest';
import { ApiClient, newIdempotencyKey } from '../../../web/data/api-client.ts';
import { DeviceOperations } from '../../../web/data/device-operations.ts';
import { asProblem, ProblemError } from '../../../web/data/problem.ts';

function client(answer: () => Response | Promise<Response>) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const api = new ApiClient(async (input, init) => {
    asked.push({ url: String(input), init });
    return answer();
  });
  return { api, asked };
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

async function problemOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProblemError)) throw new Error(`no problem: ${String(error)}`);
  return error.problem;
}

describe('ApiClient', () => {
  it('asks with what is given and leaves out what is not', async () => {
    const { api, asked } = client(() => json({ items: [], total: 0, next: null }));
    await api.devices(new URLSearchParams({ limit: '100', q: 'a&b', carrier: '' }));
    await api.device('urn:imei:3/5');
    await api.get('/api/event-log', { limit: 5, endpoint: undefined });
    expect(asked.map(({ url }) => url)).toEqual([
      '/api/devices?limit=100&q=a%26b&carrier=',
      '/api/devices/urn%3Aimei%3A3%2F5',
      '/api/event-log?limit=5',
    ]);
  });

  it('gives a switch with its idempotency key', async () => {
    const { api, asked } = client(() => json({ id: 'c1' }, 202));
    await api.switchCarrier('m', 'T-Mobile', { slot: 0, idempotencyKey: 'k1' });
    expect(asked[0]?.init).toMatchObject({
      method: 'POST',
      headers: { 'idempotency-key': 'k1', 'content-type': 'application/json' },
      body: '{"carrier":"T-Mobile","slot":0}',
    });
  });

  it('makes a job under a key', async () => {
    const { api, asked } = client(() => json({ id: 'j1' }, 202));
    await api.createJob({ devices: { filter: { q: 'x' } }, operation: { kind: 'forget' } }, 'k2');
    expect(asked[0]).toMatchObject({
      url: '/api/jobs',
      init: {
        method: 'POST',
        headers: { 'idempotency-key': 'k2' },
        body: '{"devices":{"filter":{"q":"x"}},"operation":{"kind":"forget"}}',
      },
    });
  });

  it('asks a device for anything, and says where the answer may wait', async () => {
    const { api, asked } = client(() => json({ id: 'c1', state: 'queued' }, 202));
    const { status, body } = await api.perform(new DeviceOperations('m').write('/1/0/1', 5), {
      held: true,
      idempotencyKey: 'k1',
      signal: new AbortController().signal,
    });
    expect({ status, body }).toEqual({ status: 202, body: { id: 'c1', state: 'queued' } });
    expect(asked[0]).toMatchObject({
      url: '/api/devices/m/objects/1/0/1',
      init: {
        method: 'PUT',
        headers: { prefer: 'respond-async', 'idempotency-key': 'k1' },
        body: '{"value":5}',
      },
    });
  });

  it('takes an answer without a body', async () => {
    const { api } = client(() => new Response(null, { status: 204 }));
    const signal = new AbortController().signal;
    await expect(
      api.perform(new DeviceOperations('m').delete('/16/1'), { held: false, signal }),
    ).resolves.toEqual({
      status: 204,
      body: undefined,
    });
  });

  it('takes back what was said of an observation, and asks what is so then', async () => {
    const answers = [new Response(null, { status: 204 }), json({ wanted: [] })];
    const { api, asked } = client(() => answers.shift() as Response);
    expect(await api.unchooseObservation('m', '/3/0/9')).toEqual({ wanted: [] });
    expect(asked.map(({ url, init }) => `${init?.method ?? 'GET'} ${url}`)).toEqual([
      'DELETE /api/devices/m/observation-policy?paths=%2F3%2F0%2F9',
      'GET /api/devices/m/observation-policy',
    ]);
  });

  it('hands the problem of the server on', async () => {
    const { api } = client(() =>
      json(
        {
          type: 'x',
          title: 'No such device',
          status: 404,
          code: 'unknown_device',
          detail: 'm was never here',
        },
        404,
      ),
    );
    expect(await problemOf(api.device('m'))).toEqual({
      type: 'x',
      title: 'No such device',
      status: 404,
      code: 'unknown_device',
      detail: 'm was never here',
    });
  });

  it('makes a problem of a page that a proxy answers', async () => {
    const { api } = client(
      () => new Response('<html>Bad gateway</html>', { status: 502, statusText: 'Bad Gateway' }),
    );
    expect(await problemOf(api.server())).toMatchObject({ title: 'Bad Gateway', status: 502 });
  });

  it('makes a problem of no answer at all', async () => {
    const { api } = client(() => Promise.reject(new TypeError('fetch failed')));
    expect(await problemOf(api.server())).toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('does not take a request that was given up for a problem', async () => {
    const { api } = client(() => Promise.reject(new DOMException('aborted', 'AbortError')));
    const given = new AbortController();
    given.abort();
    await expect(api.device('m', given.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('asProblem', () => {
  it('keeps the words of a fault of ours', () => {
    expect(asProblem(new TypeError('x is undefined'))).toMatchObject({
      code: 'console',
      detail: 'x is undefined',
    });
  });
});

describe('newIdempotencyKey', () => {
  it('is another one each time', () => {
    expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/);
    expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
  });
});
