import { afterEach, describe, expect, test, vi } from 'vitest';
import type { LiveItem } from '../../../server/events.ts';
import { encodePack, type Pack } from '../../../server/telemetry/pack.ts';
import { ApiHarness } from '../../support/api/api-harness.ts';
import { EventSource } from '../../support/api/event-source.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';
import { ScriptedLive } from '../../support/api/scripted-live.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(overrides: Parameters<typeof ApiHarness.open>[0] = {}): Promise<ApiHarness> {
  const api = await ApiHarness.open(overrides);
  closing.push(() => api.close());
  return api;
}

async function listen(
  api: ApiHarness,
  query = '',
  headers: Record<string, string> = {},
): Promise<EventSource> {
  const source = await EventSource.open(`${await api.base()}/api/events${query}`, headers);
  closing.push(() => source.close());
  return source;
}

function event(id: number, data: Record<string, unknown> = {}): LiveItem {
  return { kind: 'event', event: { id, type: 'device', endpoint: 'm', at: 1_767_225_600_000, data } };
}

/** Stores an event, and publishes it as the server does. */
async function happen(api: ApiHarness, type: string, endpoint: string, data = {}): Promise<number> {
  const stored = { type, endpoint, at: 1_767_225_600_000, data };
  const [id = 0] = await api.stores.events.append([stored]);
  api.hub.publishEvent({ ...stored, id });
  return id;
}

let packs = 0;

/** Appends a pack of readings, and publishes it as the server does. */
function read(api: ApiHarness, endpoint: string, values: number[]): Promise<number> {
  const receivedAt = 1_767_225_600_000_000;
  const takenAt = values.map((_, index) => receivedAt + index * 1000 + 1);
  const pack: Pack = {
    endpoint,
    receivedAt,
    overtaken: false,
    series: [{ path: '/42770/0/2', takenAt, values }],
  };
  return new Promise((resolve, reject) => {
    const key = `pack-${++packs}`;
    api.stores.log.append({ endpoint, key, receivedAt, body: encodePack(pack) }, (error, position) => {
      if (error !== undefined) return reject(error);
      api.hub.publishPack(pack, position);
      resolve(position);
    });
  });
}

describe('an event stream on the logs', () => {
  test('begins with hello, says when to come back, and has the headers of a stream', async () => {
    const api = await open();
    const source = await listen(api);
    expect(source.status).toBe(200);
    expect(source.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(source.headers['cache-control']).toBe('no-store');
    expect(source.headers['x-content-type-options']).toBe('nosniff');
    const hello = await source.next();
    expect(hello).toMatchObject({ id: '0-0', event: 'hello', data: { position: '0-0' } });
    expect(source.retry).toBe(2000);
  });

  test('carries events and readings as they happen, with ids', async () => {
    const api = await open();
    const source = await listen(api);
    await source.next();
    await happen(api, 'registered', 'm', { registration: { address: 'a:1' } });
    await read(api, 'm', [1.5, 2.5]);
    expect(await source.next()).toEqual({
      id: '1-0',
      event: 'registered',
      data: {
        id: 1,
        type: 'registered',
        endpoint: 'm',
        at: 1_767_225_600_000,
        data: { registration: { address: 'a:1' } },
      },
    });
    expect(await source.next()).toEqual({
      id: '1-1',
      event: 'readings',
      data: {
        endpoint: 'm',
        series: [
          {
            path: '/42770/0/2',
            points: [
              [1_767_225_600_000.001, 1.5],
              [1_767_225_600_001.001, 2.5],
            ],
          },
        ],
      },
    });
  });

  test('never shows the id of a registration, whatever its writer stored', async () => {
    const api = await open();
    const source = await listen(api);
    await source.next();
    await happen(api, 'registered', 'm', {
      registration: { id: 'secret', identity: { name: 'psk' }, lifetime: 60 },
    });
    expect((await source.next())?.data).toMatchObject({ data: { registration: { lifetime: 60 } } });
    const { text } = await (async () => {
      await api.register('m');
      return api.call('GET', '/api/devices/m/events');
    })();
    expect(text).toContain('"lifetime":60');
    expect(text).not.toMatch(/secret|psk/);
  });

  test.each(['header', 'query'] as const)(
    'goes on from the last id (%s): what was missed comes first, nothing twice',
    async (way) => {
      const api = await open();
      const first = await listen(api);
      await first.next();
      await happen(api, 'registered', 'm');
      await read(api, 'm', [1]);
      await first.next();
      const last = (await first.next())?.id as string;
      first.close();

      await happen(api, 'updated', 'm');
      await read(api, 'm', [2]);
      await happen(api, 'device', 'm');
      const second =
        way === 'header'
          ? await listen(api, '', { 'last-event-id': last })
          : await listen(api, `?after=${last}`);
      expect((await second.next())?.data).toMatchObject({ position: last });
      const seen = [await second.next(), await second.next(), await second.next()];
      expect(seen.map((item) => item?.event).sort()).toEqual(['device', 'readings', 'updated']);
      await happen(api, 'expired', 'm');
      expect((await second.next())?.event).toBe('expired');
    },
  );

  test('the header counts before the query, for a browser repeats the query', async () => {
    const api = await open();
    for (const type of ['registered', 'updated', 'device']) await happen(api, type, 'm');
    const source = await listen(api, '?after=0-0', { 'last-event-id': '2-0' });
    await source.next();
    expect((await source.next())?.id).toBe('3-0');
  });

  test('endpoint and types narrow it', async () => {
    const api = await open();
    const endpoint = 'urn:imei:1/2 %';
    const one = await listen(api, `?endpoint=${encodeURIComponent(endpoint)}`);
    const some = await listen(api, '?types=expired,readings');
    await one.next();
    await some.next();
    await happen(api, 'registered', 'other');
    await happen(api, 'registered', endpoint);
    await read(api, 'other', [1]);
    await happen(api, 'expired', endpoint);
    expect([(await one.next())?.event, (await one.next())?.event]).toEqual(['registered', 'expired']);
    expect([(await some.next())?.event, (await some.next())?.event]).toEqual(['readings', 'expired']);
  });

  test('what is no longer kept is a gap', async () => {
    const api = await open();
    for (let count = 0; count < 5; count++) await happen(api, 'updated', 'm');
    await api.stores.events.trim(2);
    const source = await listen(api, '?after=1-0');
    await source.next();
    expect((await source.next())?.event).toBe('gap');
    expect((await source.next())?.id).toBe('4-0');
  });

  test.each(['999-0', '0-999', 'nonsense', '1', '-1-0', '1e3-0', `${'9'.repeat(16)}-0`])(
    'a last id that is not of this server (%s) is a gap, and the stream goes on with what is new',
    async (id) => {
      const api = await open();
      await happen(api, 'registered', 'm');
      const source = await listen(api, '', { 'last-event-id': id });
      expect((await source.next())?.data).toMatchObject({ position: '1-0' });
      expect((await source.next())?.event).toBe('gap');
      await happen(api, 'updated', 'm');
      expect((await source.next())?.id).toBe('2-0');
    },
  );

  test('what is no position, type, endpoint or parameter is refused', async () => {
    const api = await open();
    for (const query of ['?after=nonsense', '?types=registered,unknown', '?endpoint=', '?since=1']) {
      expect((await api.call('GET', `/api/events${query}`)).status, query).toBe(400);
    }
  });

  test('many thousand events missed come in order, each once', async () => {
    const api = await open();
    const events = Array.from({ length: 5000 }, (_, index) => ({
      type: 'updated',
      endpoint: 'm',
      at: index,
      data: { padding: 'x'.repeat(200) },
    }));
    const ids = await api.stores.events.append(events);
    const last = ids.at(-1) as number;
    api.hub.publishEvent({ ...(events.at(-1) as (typeof events)[0]), id: last });
    const source = await listen(api, '?after=0-0');
    await source.next();
    const seen: number[] = [];
    while (seen.length < 5000) seen.push(Number((await source.next())?.id.split('-')[0]));
    expect(seen).toEqual(ids);
  });
});

test('two hundred subscribers, some slow, some of one device only, each get all that is theirs in order', async () => {
  const api = await open();
  const all = await Promise.all(Array.from({ length: 150 }, () => listen(api)));
  const ofOne = await Promise.all(
    Array.from({ length: 50 }, () => listen(api, '?endpoint=d1&types=updated')),
  );
  for (const source of [...all, ...ofOne]) await source.next();
  const slow = all.filter((_, index) => index % 10 === 0);
  for (const source of slow) source.pause();
  for (let count = 0; count < 60; count++) {
    await happen(api, 'updated', `d${count % 3}`, { padding: 'x'.repeat(5000) });
  }
  for (const source of slow) source.read();
  const ids = async (source: EventSource, count: number) => {
    const seen: number[] = [];
    while (seen.length < count) {
      const next = await source.next();
      // Those that read too slowly are told so in between.
      if (next?.event === 'updated') seen.push(Number(next.id.split('-')[0]));
    }
    return seen;
  };
  const every = Array.from({ length: 60 }, (_, index) => index + 1);
  for (const source of all) expect(await ids(source, 60)).toEqual(every);
  const theirs = every.filter((id) => (id - 1) % 3 === 1);
  for (const source of ofOne) expect(await ids(source, 20)).toEqual(theirs);
});

describe('back-pressure', () => {
  /** Far more than the buffers of both sockets hold. */
  const padding = 'x'.repeat(64 * 1024);

  test('a client that does not read holds the stream back, and gets the rest when it reads again', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const api = await open({ live });
    const source = await listen(api);
    await source.next();
    const subscription = await live.subscriber();
    source.pause();
    let sent = 0;
    while (sent < 2000 && subscription.give(event(++sent, { padding }), { event: sent, log: 0 })) {
      await new Promise(setImmediate);
    }
    expect(sent).toBeLessThan(2000);
    expect(subscription.resumed).toBe(0);

    const resumed = subscription.whenResumed();
    source.read();
    await resumed;
    for (let id = 1; id <= sent; id++) expect((await source.next())?.id).toBe(`${id}-0`);
    expect(subscription.give(event(sent + 1), { event: sent + 1, log: 0 })).toBe(true);
    expect((await source.next())?.id).toBe(`${sent + 1}-0`);
  });

  test('a slow client does not slow the others', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const api = await open({ live });
    const slow = await listen(api);
    await slow.next();
    const fast = await listen(api);
    await fast.next();
    slow.pause();
    const subscriptions = [await live.subscriber(0), await live.subscriber(1)];
    let slowTakes = true;
    for (let id = 1; id <= 300; id++) {
      if (slowTakes)
        slowTakes = subscriptions[0]?.give(event(id, { padding }), { event: id, log: 0 }) ?? true;
      subscriptions[1]?.give(event(id, { padding }), { event: id, log: 0 });
      expect((await fast.next())?.id).toBe(`${id}-0`);
    }
    expect(slowTakes).toBe(false);
  });

  test('on the logs: a client that stops reading in the middle misses nothing', async () => {
    const api = await open();
    const source = await listen(api);
    await source.next();
    source.pause();
    for (let count = 0; count < 400; count++) await happen(api, 'updated', 'm', { padding });
    source.read();
    const paces: string[] = [];
    for (let id = 1; id <= 400; ) {
      const next = await source.next();
      if (next?.event === 'behind' || next?.event === 'level') {
        expect(next.id).toBe('');
        paces.push(next.event);
      } else {
        expect(next?.id).toBe(`${id++}-0`);
      }
    }
    if (paces.at(-1) === 'behind') paces.push((await source.next())?.event ?? 'the end');
    expect(paces[0]).toBe('behind');
    expect(paces.at(-1)).toBe('level');
  });

  test('a client that takes nothing for a minute is dropped', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const clock = new ManualClock();
    const api = await open({ live, clock });
    const source = await listen(api);
    await source.next();
    const subscription = await live.subscriber();
    source.pause();
    let id = 0;
    while (subscription.give(event(++id, { padding }), { event: id, log: 0 })) {
      await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    clock.advance(59_999);
    expect(subscription.closed).toBe(false);
    clock.advance(1);
    await vi.waitFor(() => expect(subscription.closed).toBe(true));
    source.read();
    await source.ended();
  });
});

describe('the life of a stream', () => {
  test('idle streams get a comment every 15 s, by one timer that goes with the last of them', async () => {
    const clock = new ManualClock();
    const api = await open({ clock });
    const first = await listen(api);
    const second = await listen(api);
    await first.next();
    await second.next();
    await new Promise(setImmediate);
    expect(clock.timers).toBe(1);
    clock.advance(15_000);
    await first.commented(1);
    await second.commented(1);
    clock.advance(15_000);
    await first.commented(2);
    expect(first.comments).toEqual(['', '']);
    expect(first.lastId).toBe('0-0');
    first.close();
    second.close();
    await vi.waitFor(() => expect(clock.timers).toBe(0));
  });

  test('a client that leaves ends its subscription', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const api = await open({ live });
    const source = await listen(api);
    await source.next();
    const subscription = await live.subscriber();
    source.close();
    await vi.waitFor(() => expect(subscription.closed).toBe(true));
    expect(subscription.give(event(1), { event: 1, log: 0 })).toBe(false);
  });

  test('more streams than allowed are refused with 503, until one ends', async () => {
    const api = await open({ maxEventStreams: 2 });
    const first = await listen(api);
    await first.next();
    await (await listen(api)).next();
    const refused = await api.call('GET', '/api/events');
    expect([refused.status, refused.body.code]).toEqual([503, 'too_many_streams']);
    expect(refused.headers['retry-after']).toBe('5');
    expect((await api.call('GET', '/metrics')).text).toContain('simyard_http_event_streams 2');
    first.close();
    await vi.waitFor(async () => {
      expect((await api.call('GET', '/metrics')).text).toContain('simyard_http_event_streams 1');
    });
    expect((await (await listen(api)).next())?.event).toBe('hello');
  });

  test('a stream counts as a request, and not as a slow one', async () => {
    const api = await open();
    const source = await listen(api);
    await source.next();
    const { text } = await api.call('GET', '/metrics');
    expect(text).toContain('simyard_http_requests_total{method="GET",route="/api/events",status="200"} 1\n');
    expect(text).not.toContain('duration_seconds_count{method="GET",route="/api/events"}');
  });

  test('a failing log ends the stream, so that the client comes back, and is logged', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const api = await open({ live });
    const source = await listen(api);
    await source.next();
    (await live.subscriber()).options.onError(new Error('disk gone'));
    await source.ended();
    expect(api.log.some(({ level, err }) => level === 50 && err?.message === 'disk gone')).toBe(true);
  });

  test('closing the server ends the streams, with what was on its way, and does not wait for clients', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const api = await ApiHarness.open({ live });
    const source = await listen(api);
    await source.next();
    const subscription = await live.subscriber();
    subscription.give(event(1), { event: 1, log: 0 });
    await api.close();
    expect((await source.next())?.id).toBe('1-0');
    await source.ended();
    expect(subscription.closed).toBe(true);
  });

  test('closing drops a client that does not take what is on its way', async () => {
    const live = new ScriptedLive({ event: 0, log: 0 });
    const clock = new ManualClock();
    const api = await ApiHarness.open({ live, clock });
    const source = await listen(api);
    await source.next();
    const subscription = await live.subscriber();
    source.pause();
    let id = 0;
    while (subscription.give(event(++id, { padding: 'x'.repeat(64 * 1024) }), { event: id, log: 0 })) {
      await new Promise(setImmediate);
    }
    const closed = api.close();
    await vi.waitFor(() => expect(subscription.closed).toBe(true));
    clock.advance(1_000);
    await closed;
  });

  test('HEAD does not open a stream', async () => {
    const api = await open();
    expect((await api.call('HEAD', '/api/events')).status).toBe(405);
  });
});

test('an item is encoded once for all who get it', async () => {
  const live = new ScriptedLive({ event: 0, log: 0 });
  const api = await open({ live });
  const sources = [await listen(api), await listen(api), await listen(api)];
  for (const source of sources) await source.next();
  let encoded = 0;
  const counted = {
    toJSON() {
      encoded++;
      return 'once';
    },
  };
  const item = event(1, { counted });
  live.publish(item, { event: 1, log: 0 });
  for (const source of sources)
    expect((await source.next())?.data).toMatchObject({ data: { counted: 'once' } });
  live.subscriptions[0]?.give(item, { event: 1, log: 7 });
  expect((await sources[0]?.next())?.id).toBe('1-7');
  expect(encoded).toBe(1);
});

describe('several watches on one stream', () => {
  test('each item that any of them names comes once, with one position for all', async () => {
    const api = await open();
    const source = await listen(api, '?watch=expired&watch=expired,readings@a&watch=*@b%40home');
    await source.next();
    await happen(api, 'registered', 'a');
    await happen(api, 'expired', 'a');
    await read(api, 'a', [1]);
    await read(api, 'c', [1]);
    await happen(api, 'registered', 'b@home');
    await happen(api, 'expired', 'c');
    const seen = [];
    for (let count = 0; count < 4; count++) {
      const next = await source.next();
      seen.push(`${next?.event} ${(next?.data as { endpoint: string } | undefined)?.endpoint} ${next?.id}`);
    }
    expect(seen).toEqual(['expired a 2-0', 'readings a 2-1', 'registered b@home 3-2', 'expired c 4-2']);
  });

  test('one position resumes all of them', async () => {
    const api = await open();
    for (const endpoint of ['a', 'b', 'c']) await happen(api, 'expired', endpoint);
    await read(api, 'b', [1]);
    await happen(api, 'updated', 'a');
    const source = await listen(api, '?watch=expired@a&watch=expired,readings@b&watch=updated&after=1-0');
    await source.next();
    const ids = [await source.next(), await source.next(), await source.next()].map((item) => item?.id);
    expect(ids).toEqual(['2-0', '4-0', '4-1']);
  });

  test('endpoint and types are one more, where they are given', async () => {
    const api = await open();
    const source = await listen(api, '?endpoint=a&types=updated&watch=expired');
    await source.next();
    for (const type of ['updated', 'expired'])
      for (const endpoint of ['a', 'b']) await happen(api, type, endpoint);
    const ids = [await source.next(), await source.next(), await source.next()].map((item) => item?.id);
    expect(ids).toEqual(['1-0', '3-0', '4-0']);
  });

  test('traces come where they are asked for by name, without an id, and only while somebody wants them', async () => {
    const api = await open();
    const wanted: string[] = [];
    api.hub.onTraceWanted((endpoint, is) => wanted.push(`${endpoint} ${is}`));
    const everything = await listen(api, '?watch=*&watch=*@a');
    const traces = await listen(api, '?watch=trace,expired@a');
    await everything.next();
    await traces.next();
    expect(wanted).toEqual(['a true']);
    api.hub.publishTrace('b', { id: 1 });
    api.hub.publishTrace('a', { id: 2 });
    await happen(api, 'expired', 'a');
    expect([await traces.next(), await traces.next()]).toMatchObject([
      { event: 'trace', id: '', data: { id: 2 } },
      { event: 'expired', id: '1-0' },
    ]);
    expect((await everything.next())?.event).toBe('expired');
    traces.close();
    await vi.waitFor(() => expect(wanted).toEqual(['a true', 'a false']));
  });

  test.each([
    'watch=',
    'watch=@a',
    'watch=*@',
    'watch=trace',
    'watch=expired,*',
    'watch=nothing@a',
    'types=trace',
  ])('%s is refused', async (query) => {
    const api = await open();
    expect((await api.call('GET', `/api/events?${query}`)).status).toBe(400);
  });
});
