import { beforeEach, describe, expect, it } from 'vitest';
import { EventConnection, type LiveStatus } from '../../../web/data/event-connection.ts';
import { event, hello, LiveWorld, settle } from '../support/live-world.ts';

describe('EventConnection', () => {
  let world: LiveWorld;
  let connection: EventConnection;
  let heard: [type: string, data: unknown][];
  let gaps: number;
  let opened: number;
  let statuses: LiveStatus['state'][];

  beforeEach(() => {
    world = new LiveWorld();
    heard = [];
    gaps = 0;
    opened = 0;
    statuses = [];
    connection = new EventConnection(world, {
      onOpen: () => opened++,
      onEvent: (type, data) => heard.push([type, JSON.parse(data)]),
      onGap: () => gaps++,
      onStatus: ({ state }) => statuses.push(state),
    });
  });

  const open = async (...filters: Parameters<EventConnection['open']>[0]) => {
    connection.open(filters);
    await settle();
  };

  it('asks for what is wanted, and hands over what comes', async () => {
    await open({ endpoint: 'a b', types: ['registered', 'readings'] }, { types: ['node'] });
    expect(world.last.url.pathname).toBe('/api/events');
    expect(world.last.url.searchParams.getAll('watch')).toEqual(['registered,readings@a b', 'node']);
    expect(world.last.url.searchParams.has('after')).toBe(false);
    await world.last.push(hello('3-9') + event('4-9', 'registered', { id: 4 }));
    await world.last.push(event('4-10', 'readings', { endpoint: 'a b', series: [] }));
    expect(heard).toEqual([
      ['registered', { id: 4 }],
      ['readings', { endpoint: 'a b', series: [] }],
    ]);
    expect(statuses).toEqual(['connecting', 'open']);
    expect(opened).toBe(1);
  });

  it('goes on behind the last id that it had when the stream breaks', async () => {
    await open({});
    await world.last.push(hello('3-9') + event('4-12', 'updated', {}));
    await world.last.end();
    expect(connection.status.state).toBe('broken');
    await world.advance(20_000);
    expect(world.opened).toHaveLength(2);
    expect(world.last.url.searchParams.get('after')).toBe('4-12');
    await world.last.push(hello('4-12') + event('5-12', 'updated', { id: 5 }));
    expect(heard.map(([, data]) => data)).toEqual([{}, { id: 5 }]);
    expect(statuses).toEqual(['connecting', 'open', 'broken', 'open']);
    expect(gaps).toBe(0);
  });

  it('goes on from where it was opened when nothing had come yet', async () => {
    await open({});
    await world.last.push(hello('3-9'));
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('3-9');
  });

  it('asks for something else without a gap, and stays open meanwhile', async () => {
    await open({ endpoint: 'a' });
    const first = world.last;
    await first.push(hello('1-1') + event('2-1', 'updated', {}));
    await open({ endpoint: 'a' }, { endpoint: 'b' });
    expect(first.signal.aborted).toBe(true);
    expect(world.last.url.searchParams.getAll('watch')).toEqual(['*@a', '*@b']);
    expect(world.last.url.searchParams.get('after')).toBe('2-1');
    await first.push(event('3-1', 'updated', { late: true }));
    await world.last.push(hello('2-1') + event('3-1', 'updated', { id: 3 }));
    expect(heard.map(([, data]) => data)).toEqual([{}, { id: 3 }]);
    expect(statuses).toEqual(['connecting', 'open']);
    expect(opened).toBe(2);
  });

  it('moves its place by a heartbeat that has an id, which is no event', async () => {
    await open({});
    await world.last.push(hello('1-1') + event('2-1', 'updated', {}));
    await world.last.push('id: 90-400\n:\n\n');
    expect(heard).toHaveLength(1);
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('90-400');
  });

  it('does not count as heard what had come in part', async () => {
    await open({});
    await world.last.push(hello('1-1'));
    await world.last.push('id: 2-1\nevent: updated\ndata: {"ha');
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('1-1');
  });

  it('says when it lost the stream, when the last event was, and when it tries again', async () => {
    await open({});
    await world.advance(500);
    await world.last.push(hello('0-0') + event('1-0', 'updated', {}));
    await world.advance(2000);
    await world.last.end();
    expect(connection.status).toEqual({
      state: 'broken',
      lastEventAt: 1500,
      retryAt: 3500 + 375,
      reason: 'the server ended the stream',
    });
  });

  it('waits longer after each failure, up to a limit, and starts anew after a success', async () => {
    world.refusals = Array.from({ length: 8 }, () => 'unreachable' as const);
    connection.open([{}]);
    const waits: number[] = [];
    for (let failure = 0; failure < 8; failure++) {
      await settle();
      if (connection.status.state !== 'broken') throw new Error(connection.status.state);
      waits.push(connection.status.retryAt - world.time);
      await world.advance(connection.status.retryAt - world.time);
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 11_250, 11_250, 11_250]);
    await world.last.push(hello('1-1'));
    await world.last.end();
    expect(connection.status).toMatchObject({ state: 'broken', retryAt: world.time + 375 });
  });

  it('stays broken while it tries, so that what says so does not flicker', async () => {
    world.refusals = [503, 503];
    await open({});
    await world.advance(400);
    expect(statuses).toEqual(['connecting', 'broken', 'broken']);
    expect(connection.status).toMatchObject({ reason: 'the server answered 503' });
  });

  it('takes a stream on which not even a heartbeat comes for dead', async () => {
    await open({});
    await world.last.push(hello('1-1'));
    await world.advance(40_000);
    await world.last.push(':\n\n');
    await world.advance(40_000);
    expect(connection.status.state).toBe('open');
    await world.advance(6000);
    expect(connection.status.state).toBe('broken');
    expect(world.opened[0]?.signal.aborted).toBe(true);
  });

  it('tells of a gap', async () => {
    await open({});
    await world.last.push(`${hello('1-1')}event: gap\ndata: {}\n\n`);
    expect(gaps).toBe(1);
  });

  it('tells of a gap when the server stands behind it: its logs are others', async () => {
    await open({});
    await world.last.push(hello('7-100') + event('8-120', 'updated', {}));
    await world.last.end();
    await world.advance(20_000);
    await world.last.push(hello('0-3'));
    expect(gaps).toBe(1);
    await world.last.end();
    await world.advance(20_000);
    expect(world.last.url.searchParams.get('after')).toBe('0-3');
  });

  it('says that it is behind, and that it is level again', async () => {
    await open({});
    await world.last.push(hello('1-1'));
    await world.last.push('event: behind\ndata: {}\n\n');
    expect(connection.status).toEqual({ state: 'open', behind: true });
    await world.last.push('event: level\ndata: {}\n\n');
    expect(connection.status).toEqual({ state: 'open', behind: false });
    expect(heard).toEqual([]);
  });

  it('begins from now when it was closed', async () => {
    await open({});
    await world.last.push(hello('1-1') + event('2-1', 'updated', {}));
    connection.close();
    expect(world.last.signal.aborted).toBe(true);
    expect(connection.status.state).toBe('idle');
    await open({});
    expect(world.last.url.searchParams.has('after')).toBe(false);
  });
});
