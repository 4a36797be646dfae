import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiHarness } from '../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
  await api.register('m');
  api.requests.answers(({ operation, path }) => {
    if (operation === 'read' || operation === 'observe') return { path, contentFormat: 112, records: [] };
    if (operation === 'discover') return [];
    return operation === 'create' ? '/1/1' : true;
  });
});
afterAll(() => api.close());

const parts = [
  'api',
  'devices',
  'm',
  'objects',
  'observations',
  'carrier',
  'commands',
  'readings',
  'discover',
  '3',
  '0',
];
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...parts) },
  fc.string({ unit: 'grapheme', maxLength: 20 }).map(encodeURIComponent),
  fc.string({ maxLength: 12 }).map((text) => text.replace(/[^!-~]|[?#]/g, '%')),
);
const parameter = fc.constantFrom(
  'limit',
  'cursor',
  'q',
  'state',
  'path',
  'from',
  'to',
  'format',
  'timeout',
  'after',
);
const query = fc.array(
  fc
    .tuple(parameter, fc.string({ unit: 'binary', maxLength: 20 }))
    .map(([name, text]) => `${name}=${encodeURIComponent(text.toWellFormed())}`),
  { maxLength: 3 },
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 40 }),
  fc.record({ value: fc.jsonValue({ maxDepth: 1 }) }).map((value) => JSON.stringify(value)),
  fc
    .record({
      values: fc.dictionary(fc.string({ maxLength: 6 }), fc.oneof(fc.double(), fc.string(), fc.boolean())),
    })
    .map((value) => JSON.stringify(value)),
);

test('no request that a caller can make is taken for a fault of ours', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS' as const),
      fc.array(segment, { maxLength: 8 }),
      query,
      body,
      async (method, segments, parameters, payload) => {
        const url = `/api/devices/${segments.join('/')}${parameters.length > 0 ? '?' : ''}${parameters.join('&')}`;
        const request: InjectOptions = { method: method as 'GET', url };
        if (payload !== undefined) {
          Object.assign(request, { payload, headers: { 'content-type': 'application/json' } });
        }
        const response = await api.app.inject(request);
        expect(response.statusCode, `${method} ${url} ${payload}: ${response.body}`).toBeLessThan(500);
        if (response.statusCode >= 400) {
          expect(response.json()).toMatchObject({ status: response.statusCode, code: expect.any(String) });
        }
      },
    ),
    { numRuns: 600 },
  );
  expect(api.log.filter(({ level }) => level >= 50)).toEqual([]);
});

test('a header that no client should send harms nothing', async () => {
  const name = fc.constantFrom(
    'idempotency-key',
    'last-event-id',
    'origin',
    'host',
    'accept',
    'content-type',
  );
  await fc.assert(
    fc.asyncProperty(name, fc.string({ maxLength: 60 }), async (header, value) => {
      const text = value.replace(/[^\t -~]/g, '');
      const response = await api.app.inject({
        method: 'POST',
        url: '/api/devices/m/carrier',
        payload: '{"carrier":15}',
        headers: { 'content-type': 'application/json', [header]: text },
      });
      expect(response.statusCode, `${header}: ${text}: ${response.body}`).toBeLessThan(500);
    }),
    { numRuns: 200 },
  );
});
