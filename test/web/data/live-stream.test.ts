import { beforeEach, describe, expect, it } from 'vitest';
import {
  type LiveEnvironment,
  type LiveStatus,
  LiveStream,
  onReopened,
} from '../../../web/data/live-stream.ts';

interface Opened {
  readonly url: URL;
  readonly signal: AbortSignal;
  readonly push: (text: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Time, and a server whose streams the test writes. */
class World implements LiveEnvironment {
  time = 1000;
  readonly opened: Opened[] = [];
  refusals: (number | 'unreachable')[] = [];
  #timers: { at: number; action: () => void }[] = [];

  readonly now = () => this.time;
  readonly random = () => 0.5;

  readonly setTimer = (action: () => void, delay: number) => {
    const timer = { at: this.time + delay, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  readonly fetch: typeof fetch = async (input, init) => {
    const refusal = this.refusals.shift();
    if (refusal === 'unreachable') throw new TypeError('fetch failed');
    if (refusal !== undefined) return new Response('', { status: refusal });
    const encoder = new TextEncoder();
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
    });
    this.opened.push({
      url: new URL(String(input), 'http://console'),
      signal: init?.signal as AbortSignal,
      push: (text) => {
        controller?.enqueue(encoder.encode(text));
        return settle();
      },
      end: () => {
        controller?.close();
        return settle();
      },
    });
    return new Response(body, { status: 200 });
  };

  async advance(by: number): Promise<void> {
    const until = this.time + by;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.time = next.at;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.action();
      await settle();
    }
    this.time = until;
  }

  get last(): Opened {
    const opened = this.opened.at(-1);
    if (opened === undefined) throw new Error('no stream was opened');
    return opened;
  }
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const hello = (id: string) => `id: ${id}\nevent: hello\ndata: {}\n\n`;
const event = (id: string, type: string, data: unknown) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

describe('LiveStream', () => {
  let world: World;
  let live: LiveStream;
  let heard: unknown[];
  let gaps: number;
  let statuses: LiveStatus['state'][];

  beforeEach(() => {
    world = new World();
    live = new LiveStream(world);
    heard = [];
    gaps = 0;
    statuses = [];
    live.onStatus((status) => statuses.push(status.state));
  });

  const watch = (filter = {}) =>
    live.watch(filter, {
      onEvent: (given) => heard.push(given),
      onReadings: (given) => heard.push(given),
      onGap: () => {
        gaps++;
      },
    });

  it('asks for what the view wants, and hands over what comes', async () => {
    watch({ endpoint: 'a b', types: ['registered', 'readings'] });
    await settle();
    expect(world.last.url.pathname).toBe('/api/events');
    expect(Object.fromEntries(world.last.url.searchParams)).toEqual({
      endpoint: 'a b',
      types: 'registered,readings',
    });
    await world.last.push(hello('3-9') + event('4-9', 'registered', { id: 4 }));
    await world.last.push(event('4-10', 'readings', { endpoint: 'a b', series: [] }));
    expect(heard).toEqual([{ id: 4 }, { endpoint: 'a b', series: [] }]);
    expect(statuses).toEqual(['connecting', 'open']);
  });

  it('goes on behind the last id that it had when the stream breaks', async () => {
    watch({ endpoint: 'a' });
    await settle();
    await world.last.push(hello('3-9') + event('4-12', 'updated', {}));
    await world.last.end();
    expect(live.status.state).toBe('broken');
    await world.advance(20_000);
    expect(world.opened).toHaveLength(2);
    expect(world.last.url.searchParams.get('after')).toBe('4-12');
    await world.last.push(hello('4-12') + event('5-12', 'updated', { id: 5 }));
    expect(heard).toEqual([{}, { id: 5 }]);
    expect(statuses).toEqual(['connecting', 'open', 'broken', 'open']);
    expect(gaps).toBe(0);
  });

  it('goes on from where it was opened when nothing had come yet', async () => {
    watch();
    await settle();
    await world.last.push(hello('3-9'));
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('3-9');
  });

  it('does not take the position of a hello for one that it has heard everything before', async () => {
    watch();
    await settle();
    await world.last.push(hello('3-9') + event('4-9', 'updated', {}));
    await world.last.end();
    await world.advance(20_000);
    // This server says where it stands and then replays; the stream breaks before it has.
    await world.last.push(hello('8-9'));
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('4-9');
  });

  it('says when it lost the stream, when the last event was, and when it tries again', async () => {
    watch();
    await settle();
    await world.advance(500);
    await world.last.push(hello('0-0') + event('1-0', 'updated', {}));
    await world.advance(2000);
    await world.last.end();
    expect(live.status).toEqual({
      state: 'broken',
      lastEventAt: 1500,
      retryAt: 3500 + 375,
      reason: 'the server ended the stream',
    });
  });

  it('waits longer after each failure, up to a limit, and starts anew after a success', async () => {
    world.refusals = Array.from({ length: 8 }, () => 'unreachable' as const);
    watch();
    const waits: number[] = [];
    for (let failure = 0; failure < 8; failure++) {
      await settle();
      if (live.status.state !== 'broken') throw new Error(live.status.state);
      waits.push(live.status.retryAt - world.time);
      await world.advance(live.status.retryAt - world.time);
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 11_250, 11_250, 11_250]);
    await world.last.push(hello('1-1'));
    await world.last.end();
    expect(live.status).toMatchObject({ state: 'broken', retryAt: world.time + 375 });
  });

  it('stays broken while it tries, so that what says so does not flicker', async () => {
    world.refusals = [503, 503];
    watch();
    await settle();
    await world.advance(400);
    expect(statuses).toEqual(['connecting', 'broken', 'broken']);
    expect(live.status).toMatchObject({ reason: 'the server answered 503' });
  });

  it('tells that it is back after a loss, once for each, and not at its first opening', async () => {
    let reopened = 0;
    const stop = onReopened(live, () => reopened++);
    watch();
    await settle();
    await world.last.push(hello('1-1'));
    expect(reopened).toBe(0);
    world.refusals = ['unreachable'];
    await world.last.end();
    await world.advance(400);
    expect(reopened).toBe(0);
    await world.advance(1000);
    await world.last.push(hello('1-1') + event('2-1', 'registered', {}));
    expect(reopened).toBe(1);
    stop();
    await world.last.end();
    await world.advance(400);
    await world.last.push(hello('2-1'));
    expect(live.status.state).toBe('open');
    expect(reopened).toBe(1);
  });

  it('takes a stream on which not even a heartbeat comes for dead', async () => {
    watch();
    await settle();
    await world.last.push(hello('1-1'));
    await world.advance(40_000);
    await world.last.push(':\n\n');
    await world.advance(40_000);
    expect(live.status.state).toBe('open');
    await world.advance(6000);
    expect(live.status.state).toBe('broken');
    expect(world.opened[0]?.signal.aborted).toBe(true);
  });

  it('tells of a gap', async () => {
    watch();
    await settle();
    await world.last.push(`${hello('1-1')}event: gap\ndata: {}\n\n`);
    expect(gaps).toBe(1);
  });

  it('tells of a gap when the server stands behind it: its logs are others', async () => {
    watch();
    await settle();
    await world.last.push(hello('7-100') + event('8-120', 'updated', {}));
    await world.last.end();
    await world.advance(20_000);
    await world.last.push(hello('0-3'));
    expect(gaps).toBe(1);
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('0-3');
  });

  it('closes the stream of the view before when another one watches, and begins that one from now', async () => {
    watch({ endpoint: 'a' });
    await settle();
    const first = world.last;
    await first.push(hello('1-1') + event('2-1', 'updated', {}));
    watch({ endpoint: 'b' });
    await settle();
    expect(first.signal.aborted).toBe(true);
    expect(Object.fromEntries(world.last.url.searchParams)).toEqual({ endpoint: 'b' });
    await first.push(event('3-1', 'updated', { late: true }));
    expect(heard).toEqual([{}]);
  });

  it('is settled when the stream is open, is broken, or after the reader has waited enough', async () => {
    watch();
    let settled = false;
    live.settled(1500).then(() => {
      settled = true;
    });
    await settle();
    expect(settled).toBe(false);
    await world.last.push(hello('1-1'));
    expect(settled).toBe(true);

    watch({ endpoint: 'x' });
    settled = false;
    live.settled(1500).then(() => {
      settled = true;
    });
    await world.advance(1600);
    expect(settled).toBe(true);
  });

  it('ends with its watch, and an older watch that ends changes nothing', async () => {
    const stopFirst = watch({ endpoint: 'a' });
    const stopSecond = watch({ endpoint: 'b' });
    await settle();
    stopFirst();
    expect(world.last.signal.aborted).toBe(false);
    stopSecond();
    expect(world.last.signal.aborted).toBe(true);
    expect(live.status.state).toBe('idle');
  });
});
