import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../../../server/ports/errors.ts';
import type { HistoryPage, HistoryPageQuery, HistoryReading } from '../../../../server/ports/history.ts';
import { ApiHarness } from '../../../support/api/api-harness.ts';
import { until } from '../../../support/until.ts';

/** µs: 2026-01-01T00:00:00Z */
const start = 1_767_225_600_000_000;
const url = '/api/readings/export';
const head = 'endpoint,path,taken_at,received_at,value,claimed_at';

let api: ApiHarness;
let position = 0;

beforeEach(async () => {
  api = await ApiHarness.open();
});
afterEach(() => api.close());

async function heard(
  endpoint: string,
  path: string,
  readings: readonly Partial<HistoryReading>[],
): Promise<void> {
  const at = { takenAt: start, receivedAt: start + 1_000_000, value: 0 };
  position += 1;
  const chunk = { endpoint, path, position, readings: readings.map((reading) => ({ ...at, ...reading })) };
  await api.stores.history.append([chunk]);
}

const lines = (text: string) => text.split('\r\n').slice(0, -1);

describe('the export of readings', () => {
  test('is CSV with a header line, by device and path, each oldest first, times to the microsecond', async () => {
    await api.register('b');
    await api.register('a');
    await heard('b', '/3/0/9', [{ value: 80 }]);
    await heard('a', '/42770/10/2', [{ value: true }]);
    await heard('a', '/42770/2/2', [
      { takenAt: start + 2_000_001, value: -1.5e-7 },
      { takenAt: start + 7, value: 2, claimedAt: 123_456 },
    ]);
    const answer = await api.call('GET', url);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    expect(answer.headers['content-disposition']).toBe('attachment; filename="readings.csv"');
    expect(lines(answer.text)).toEqual([
      head,
      'a,/42770/2/2,2026-01-01T00:00:00.000007Z,2026-01-01T00:00:01.000000Z,2,123.456',
      'a,/42770/2/2,2026-01-01T00:00:02.000001Z,2026-01-01T00:00:01.000000Z,-1.5e-7,',
      'a,/42770/10/2,2026-01-01T00:00:00.000000Z,2026-01-01T00:00:01.000000Z,true,',
      'b,/3/0/9,2026-01-01T00:00:00.000000Z,2026-01-01T00:00:01.000000Z,80,',
    ]);
  });

  test('quotes what RFC 4180 wants quoted, and keeps formulas texts', async () => {
    const endpoint = '=cmd|"x",y';
    await api.register(endpoint);
    await heard(endpoint, '/3/0/0', [
      { value: 'a,b' },
      { takenAt: start + 1, value: 'say "hi"\r\nthere' },
      { takenAt: start + 2, value: '@SUM(A1)' },
      { takenAt: start + 3, value: '-5+2' },
      { takenAt: start + 4, value: -5 },
      // An integer beyond what JSON can say is a text there, and no formula.
      { takenAt: start + 5, value: '-9223372036854775808' },
    ]);
    const { text, headers } = await api.call('GET', `${url}?endpoint=${encodeURIComponent(endpoint)}`);
    expect(headers['content-disposition']).toBe('attachment; filename="readings-_cmd_x_y.csv"');
    const name = '"\'=cmd|""x"",y"';
    const receipt = '2026-01-01T00:00:01.000000Z';
    expect(text).toBe(
      [
        head,
        `${name},/3/0/0,2026-01-01T00:00:00.000000Z,${receipt},"a,b",`,
        `${name},/3/0/0,2026-01-01T00:00:00.000001Z,${receipt},"say ""hi""\r\nthere",`,
        `${name},/3/0/0,2026-01-01T00:00:00.000002Z,${receipt},'@SUM(A1),`,
        `${name},/3/0/0,2026-01-01T00:00:00.000003Z,${receipt},'-5+2,`,
        `${name},/3/0/0,2026-01-01T00:00:00.000004Z,${receipt},-5,`,
        `${name},/3/0/0,2026-01-01T00:00:00.000005Z,${receipt},-9223372036854775808,`,
        '',
      ].join('\r\n'),
    );
  });

  test('is NDJSON where that is asked for, with the readings as the API shows them', async () => {
    await api.register('a');
    await heard('a', '/42770/0/2', [{ value: 1 }, { takenAt: start + 1, value: Number.NaN, claimedAt: 5 }]);
    const { text, headers } = await api.call('GET', `${url}?endpoint=a&format=ndjson`);
    expect(headers['content-type']).toBe('application/x-ndjson');
    expect(text.endsWith('}\n')).toBe(true);
    const readings = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { body } = await api.call('GET', '/api/devices/a/readings?path=/42770/0/2');
    expect(readings).toEqual(body.items.map((item: object) => ({ endpoint: 'a', ...item })));
    expect(readings[1]).toMatchObject({ value: 'NaN', takenAt: 1_767_225_600_000.001, claimedAt: 0.005 });
  });

  test('takes devices, paths and a range by choice', async () => {
    for (const endpoint of ['a', 'b', 'c,d']) {
      await api.register(endpoint);
      for (const path of ['/3/0/9', '/3/0/90', '/42770/0/2', '/42770/1/2']) {
        await heard(endpoint, path, [
          { value: 1 },
          { takenAt: start + 1000, value: 2 },
          { takenAt: start + 2000, value: 3 },
        ]);
      }
    }
    const taken = async (query: string) =>
      lines((await api.call('GET', `${url}?${query}`)).text)
        .slice(1)
        .map((line) => line.replace(/2026.*Z,/, ''));
    const range = 'from=1767225600001&to=1767225600002';
    expect(await taken(`endpoint=b,a&path=/3/0/9&${range}`)).toEqual(['b,/3/0/9,2,', 'a,/3/0/9,2,']);
    expect(await taken(`endpoint=a&path=/42770/1,/3&${range}`)).toEqual([
      'a,/3/0/9,2,',
      'a,/3/0/90,2,',
      'a,/42770/1/2,2,',
    ]);
    expect(await taken(`endpoint=${encodeURIComponent('c,d')}&path=/42770&${range}`)).toEqual([
      '"c,d",/42770/0/2,2,',
      '"c,d",/42770/1/2,2,',
    ]);
    expect(await taken(range)).toHaveLength(12);
    expect(await taken('endpoint=a&path=/9')).toEqual([]);
  });

  test.each([
    ['endpoint=nobody', 404, 'unknown_device'],
    ['endpoint=a,nobody', 404, 'unknown_device'],
    ['endpoint=a&path=temperature', 400, 'invalid_request'],
    ['endpoint=a&from=2&to=1', 400, 'invalid_request'],
    ['endpoint=a&from=soon', 400, 'invalid_request'],
    ['endpoint=a&format=xlsx', 400, 'validation_failed'],
    ['device=a', 400, 'validation_failed'],
  ])('%s is refused', async (query, status, code) => {
    await api.register('a');
    const answer = await api.call('GET', `${url}?${query}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

/** Many readings, which are some 21 MB of CSV: far beyond what sockets take in unread. */
async function manyReadings(): Promise<number> {
  await api.register('a');
  const chunks = 300;
  const each = 1000;
  await api.stores.history.append(
    Array.from({ length: chunks }, (_, index) => ({
      endpoint: 'a',
      path: '/42770/0/2',
      position: ++position,
      readings: Array.from({ length: each }, (_, reading) => ({
        takenAt: start + (index * each + reading) * 1000,
        receivedAt: start,
        value: reading,
      })),
    })),
  );
  return chunks * each;
}

/** Has the pages of history counted, and answered by what is given from the page on that it is called for. */
function watchPages(replace?: (count: number) => Promise<HistoryPage> | undefined) {
  const { history } = api.stores;
  const page = history.page;
  const watch = { pages: 0, underWay: 0 };
  Object.assign(history, {
    page: async (query: HistoryPageQuery) => {
      watch.pages += 1;
      watch.underWay += 1;
      try {
        return await (replace?.(watch.pages) ?? page(query));
      } finally {
        watch.underWay -= 1;
      }
    },
  });
  return watch;
}

async function ask(query: string): Promise<IncomingMessage> {
  const request = get(`${await api.base()}${url}?${query}`);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** Resolves when history has not been asked for a page for a while of turns. */
async function calm(watch: { readonly pages: number; readonly underWay: number }): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    quiet = watch.underWay === 0 && watch.pages === seen ? quiet + 1 : 0;
    seen = watch.pages;
  }
}

describe('an export of very many readings', () => {
  test('comes whole, and is read from the store no faster than the caller takes it', async () => {
    const count = await manyReadings();
    const watch = watchPages();
    const response = await ask('endpoint=a');
    await calm(watch);
    const whilePaused = watch.pages;
    expect(whilePaused).toBeLessThan(45);
    let newlines = 0;
    let last = '';
    for await (const part of response) {
      for (const byte of part as Buffer) if (byte === 10) newlines += 1;
      last = String(part).slice(-80);
    }
    expect(newlines).toBe(count + 1);
    expect(last).toMatch(/,999,\r\n$/);
    expect(watch.pages).toBe(60);
  });

  test('ends when the caller leaves', async () => {
    await manyReadings();
    const watch = watchPages();
    const response = await ask('endpoint=a');
    await once(response, 'data');
    response.destroy();
    await calm(watch);
    expect(watch.pages).toBeLessThan(45);
    // Nothing of it is left: what would be is found when the server is closed, which waits for it.
    await api.app.close();
  });

  test('that cannot be finished does not look as if it were', async () => {
    await manyReadings();
    watchPages((page) =>
      page === 3 ? Promise.reject(new StoreUnavailableError('the disk is away')) : undefined,
    );
    const response = await ask('endpoint=a');
    expect(response.statusCode).toBe(200);
    let text = '';
    const read = async () => {
      for await (const part of response) text += part;
    };
    await expect(read()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(response.complete).toBe(false);
    expect(text.startsWith(head)).toBe(true);
    await until('the reason in the log', () =>
      api.log.some((line) => JSON.stringify(line).includes('the disk is away')),
    );
  });

  test('that fails at its beginning is answered with the problem', async () => {
    await manyReadings();
    watchPages(() => Promise.reject(new StoreUnavailableError('the disk is away')));
    const answer = await api.call('GET', `${url}?endpoint=a`);
    expect([answer.status, answer.body.code]).toEqual([503, 'store_unavailable']);
  });
});
