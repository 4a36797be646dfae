import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await ApiHarness.open();
});
afterAll(() => api.close());

const MINUTE = 60_000;

describe('figures of the fleet', () => {
  test('the overview counts devices and carriers, and has null for a week that was not kept', async () => {
    await api.register('a');
    await api.stores.devices.setAttributes('a', { carrier: 'AT&T' });
    const { id } = await api.register('gone');
    await api.stores.registrations.deregister(id);
    const { status, body } = await api.call('GET', `/api/overview?since=${Date.now() - MINUTE}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      devices: { known: 2, registered: 1, awake: 1, asleep: 0, lost: 0, left: 1 },
      carriers: [{ carrier: 'AT&T', count: 1 }],
      switches: { ack: 0, nack: 0, other: 0, pending: 0 },
      readingsPerSecond: 0,
      notificationsPerSecond: 0,
      comparison: { devices: null, switches: null, readingsPerSecond: null },
    });
    expect(Math.abs(body.now - 7 * 24 * 60 * MINUTE - body.comparison.at)).toBeLessThan(2);
    expect((await api.call('GET', '/api/overview')).status).toBe(200);
  });

  test('series are told by metric', async () => {
    const at = Math.floor(Date.now() / MINUTE) * MINUTE - 5 * MINUTE;
    await api.stores.statistics.add({ at, gauges: { awake: 3 }, counters: { readings: 7 } });
    const { body } = await api.call(
      'GET',
      `/api/statistics?metrics=awake,readings,lost&from=${at}&points=1000`,
    );
    expect(body).toEqual({ step: MINUTE, series: { awake: [[at, 3]], readings: [[at, 7]], lost: [] } });
    expect((await api.call('GET', '/api/statistics?metrics=awake')).body.step).toBe(5 * MINUTE);
  });

  test.each([
    ['/api/statistics', 'validation_failed'],
    ['/api/statistics?metrics=colour', 'validation_failed'],
    ['/api/statistics?metrics=awake&points=0', 'validation_failed'],
    ['/api/statistics?metrics=awake&from=5&to=5', 'invalid_request'],
    ['/api/overview?since=today', 'validation_failed'],
  ])('%s is refused', async (url, code) => {
    const { status, body } = await api.call('GET', url);
    expect([status, body.code]).toEqual([400, code]);
  });
});

describe('the log of events', () => {
  test('is told newest first, in pages, by type, device and trouble', async () => {
    const ids = await api.stores.events.append([
      { type: 'registered', endpoint: 'a', at: 1, data: { registration: { id: 'secret', address: 'x' } } },
      { type: 'expired', endpoint: 'a', at: 2, data: {}, trouble: true },
      { type: 'registered', endpoint: 'b', at: 3, data: {} },
      { type: 'expired', endpoint: 'b', at: 4, data: {}, trouble: true },
    ]);
    const listed = async (query: string) => {
      const { body } = await api.call('GET', `/api/event-log${query}`);
      const items = body.items.map(({ id }: { readonly id: number }) => ids.indexOf(id));
      return [items, body.next === null ? null : ids.indexOf(body.next)];
    };
    expect(await listed('')).toEqual([[3, 2, 1, 0], null]);
    expect(await listed('?limit=3')).toEqual([[3, 2, 1], 1]);
    expect(await listed(`?limit=3&before=${ids[1]}`)).toEqual([[0], null]);
    expect(await listed('?types=registered,command&endpoint=a')).toEqual([[0], null]);
    expect(await listed('?trouble=true')).toEqual([[3, 1], null]);
    expect(await listed('?trouble=false&limit=4')).toEqual([[3, 2, 1, 0], null]);
    const { body, text } = await api.call('GET', '/api/event-log?endpoint=a');
    expect(body.items[0]).toMatchObject({ type: 'expired', trouble: true });
    expect(text).not.toContain('secret');
  });

  test('does not know types that there are not', async () => {
    expect((await api.call('GET', '/api/event-log?types=readings')).body.code).toBe('validation_failed');
  });
});
