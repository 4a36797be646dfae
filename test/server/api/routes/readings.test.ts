import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseTime } from '../../../../server/api/times.ts';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
/** µs: 2026-01-01T00:00:00Z */
const start = 1_767_225_600_000_000;
const url = '/api/devices/s/readings';

beforeAll(async () => {
  api = await ApiHarness.open();
  await api.register('s');
  await api.stores.history.append([
    {
      endpoint: 's',
      path: '/42770/0/2',
      position: 1,
      readings: Array.from({ length: 1500 }, (_, index) => ({
        takenAt: start + index * 1000 + 7,
        receivedAt: start + 2_000_000,
        value: index,
        ...(index === 3 ? { claimedAt: 123_456 } : {}),
      })),
    },
    {
      endpoint: 's',
      path: '/3/0/0',
      position: 2,
      readings: [{ takenAt: start, receivedAt: start, value: 'Acme' }],
    },
  ]);
  await api.stores.lastValues.set('s', [
    { path: '/42770/0/2', value: 1499, takenAt: start + 1_499_007, receivedAt: start + 2_000_000 },
    { path: '/42770/10/2', value: 2, takenAt: start, receivedAt: start },
    { path: '/42770/2/2', value: 1, takenAt: start, receivedAt: start },
    { path: '/3/0/0', value: 'Acme', takenAt: start, receivedAt: start },
  ]);
});
afterAll(() => api.close());

const values = (body: { items: { value: unknown }[] }) => body.items.map(({ value }) => value);

describe('readings of one resource', () => {
  test('come oldest first, the newest 1000 where nothing is said, times in ms to the microsecond', async () => {
    const { body } = await api.call('GET', `${url}?path=/42770/0/2`);
    expect(body.items).toHaveLength(1000);
    expect(values(body)[0]).toBe(500);
    expect(values(body).at(-1)).toBe(1499);
    expect(body.items[0]).toEqual({
      path: '/42770/0/2',
      value: 500,
      takenAt: 1_767_225_600_500.007,
      receivedAt: 1_767_225_602_000,
    });
  });

  test("a time of the device's that cannot be is told beside the one that is used", async () => {
    const { body } = await api.call('GET', `${url}?path=42770/0/2&limit=10000`);
    expect(body.items).toHaveLength(1500);
    expect(body.items[3].claimedAt).toBe(123.456);
    expect(body.items[4]).not.toHaveProperty('claimedAt');
  });

  test.each([
    ['from=1767225600001&to=1767225600003', [1, 2]],
    ['from=1767225600001.007&to=1767225600003.007', [1, 2]],
    ['from=1767225600001.008&to=1767225600003.008', [2, 3]],
    ['from=2026-01-01T00:00:00.001Z&to=2026-01-01T00:00:00.003Z', [1, 2]],
    ['from=2026-01-01T00:00:00.001008Z&to=2026-01-01T00:00:00.003008Z', [2, 3]],
    ['from=2026-01-01T01:00:00.001%2B01:00&to=2025-12-31T23:00:00.003-01:00', [1, 2]],
    ['to=1767225600002', [0, 1]],
    ['to=1767225600005&limit=2', [3, 4]],
    ['from=1767225601498', [1498, 1499]],
    ['from=1767225600001&to=1767225600001', []],
  ])('%s gives %j', async (range, expected) => {
    expect(values((await api.call('GET', `${url}?path=/42770/0/2&${range}`)).body)).toEqual(expected);
  });

  test.each([
    'path=/42770/0/2&from=yesterday',
    'path=/42770/0/2&from=2026-01-01',
    'path=/42770/0/2&from=2026-01-01T00:00:00',
    'path=/42770/0/2&from=2026-13-01T00:00:00Z',
    'path=/42770/0/2&from=2&to=1',
    'path=/42770/0/2&limit=0',
    'path=/42770/0/2&limit=10001',
    'path=temperature',
    'path=/42770/0&from=1',
    'from=1',
    'limit=2',
    'path=/42770&limit=2',
    'path=/42770/0/2&cursor=broken',
    'cursor=broken',
  ])('%s is refused', async (query) => {
    expect((await api.call('GET', `${url}?${query}`)).status).toBe(400);
  });

  test('a path that was never heard has none; a device that was never seen is a 404', async () => {
    expect((await api.call('GET', `${url}?path=/9/9/9`)).body).toEqual({ items: [], next: null });
    expect((await api.call('GET', '/api/devices/nobody/readings')).body.code).toBe('unknown_device');
  });
});

test('pages lead back to the oldest reading, each of them once', async () => {
  const pages: unknown[][] = [];
  let next: string | null = '';
  for (let cursor = ''; next !== null; cursor = `&cursor=${next}`) {
    const { body } = await api.call('GET', `${url}?path=/42770/0/2&limit=700${cursor}`);
    pages.unshift(values(body));
    next = body.next;
  }
  expect(pages.map(({ length }) => length)).toEqual([100, 700, 700]);
  expect(pages.flat()).toEqual(Array.from({ length: 1500 }, (_, index) => index));
});

describe('a series for a chart', () => {
  const series = `${url}/series?path=/42770/0/2`;

  test('has each reading where there are few', async () => {
    const { body } = await api.call('GET', `${series}&from=1767225600000&to=1767225600002`);
    const one = (at: number, value: number) => ({
      at,
      count: 1,
      min: value,
      max: value,
      mean: value,
      last: value,
    });
    expect(body).toEqual({
      path: '/42770/0/2',
      step: 0,
      items: [one(1_767_225_600_000.007, 0), one(1_767_225_600_001.007, 1)],
    });
  });

  test('has steps where there are more than points, and reaches to now', async () => {
    const { body } = await api.call('GET', `${series}&from=2026-01-01T00:00:00Z&to=1767225602000&points=4`);
    expect(body.step).toBe(500);
    expect(body.items[1]).toEqual({
      at: 1_767_225_600_500,
      count: 500,
      min: 500,
      max: 999,
      mean: expect.closeTo(749.5, 9),
      last: 999,
    });
    expect(body.items).toHaveLength(3);
    const toNow = await api.call('GET', `${series}&from=1767225600000&points=1`);
    expect(toNow.body.items.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(1500);
  });

  test('of texts, and of what was never heard, there is none', async () => {
    for (const path of ['/3/0/0', '/9/9/9']) {
      const { body } = await api.call('GET', `${url}/series?path=${path}&from=0&to=1767225602000`);
      expect(body).toEqual({ path, step: 0, items: [] });
    }
  });

  test.each([
    '?from=0',
    '?path=/42770/0/2',
    '?path=/42770/0&from=0',
    '?path=/42770/0/2&from=2&to=1',
    '?path=/42770/0/2&from=0&points=0',
    '?path=/42770/0/2&from=0&points=10001',
    '?path=/42770/0/2&from=soon',
    '?path=/42770/0/2&from=0&step=5',
  ])('%s is refused', async (query) => {
    expect((await api.call('GET', `${url}/series${query}`)).status).toBe(400);
  });

  test('a device that was never seen is a 404', async () => {
    const { body } = await api.call('GET', '/api/devices/nobody/readings/series?path=/3/0/9&from=0');
    expect(body.code).toBe('unknown_device');
  });
});

describe('without the path of a resource', () => {
  test('the newest value of every path comes, in the order of the paths', async () => {
    const { body } = await api.call('GET', url);
    expect(body.items.map(({ path }: { path: string }) => path)).toEqual([
      '/3/0/0',
      '/42770/0/2',
      '/42770/2/2',
      '/42770/10/2',
    ]);
    expect(body.items[1].takenAt).toBe(1_767_225_601_499.007);
  });

  test('that of an object or instance narrows them', async () => {
    expect(values((await api.call('GET', `${url}?path=/42770`)).body)).toEqual([1499, 1, 2]);
    expect(values((await api.call('GET', `${url}?path=/42770/10`)).body)).toEqual([2]);
  });
});

test.each([
  ['0', 0],
  ['1.5', 1500],
  ['-1', -1000],
  ['1767225600000.123', 1_767_225_600_000_123],
  ['1970-01-01T00:00:00Z', 0],
  ['1970-01-01T00:00Z', 0],
  ['1970-01-01t00:00:01.5z', 1_500_000],
  ['1970-01-01T00:00:00.000001Z', 1],
  ['1970-01-01T02:00:00 02:00', 0],
])('the time %s is %i µs', (text, expected) => expect(parseTime(text, 'from')).toBe(expected));
