import { beforeEach, describe, expect, it } from 'vitest';
import { LiveHub } from '../../../web/data/live-hub.ts';
import type { FromHub, ToHub } from '../../../web/data/live-messages.ts';
import { type LiveFilter, LiveStream, onReopened } from '../../../web/data/live-stream.ts';
import { event, hello, LiveWorld, settle } from '../support/live-world.ts';

describe('LiveStream', () => {
  let world: LiveWorld;
  let live: LiveStream;
  let hub: LiveHub;
  /** Hubs that are dead, as a worker is that crashed: they take what they are told, and say nothing. */
  let dead: Set<LiveHub>;
  let said: ToHub[];
  let connections: number;

  beforeEach(() => {
    world = new LiveWorld();
    hub = new LiveHub(world);
    dead = new Set();
    said = [];
    connections = 0;
    live = new LiveStream((receive: (message: FromHub) => void) => {
      connections++;
      const mine = hub;
      const port = mine.connect((message) =>
        queueMicrotask(() => {
          if (!dead.has(mine)) receive(message);
        }),
      );
      return {
        post: (message) => {
          said.push(message);
          if (!dead.has(mine)) port.receive(message);
        },
        close: () => {},
      };
    }, world);
  });

  const watch = (filters: LiveFilter | readonly LiveFilter[]) => {
    const heard: unknown[] = [];
    const watched = {
      heard,
      gaps: 0,
      stop: live.watch(filters, {
        onEvent: (given) => heard.push(given),
        onReadings: (given) => heard.push({ readings: given }),
        onTrace: (given) => heard.push({ trace: given }),
        onGap: () => {
          watched.gaps++;
        },
      }),
    };
    return watched;
  };
  const opened = async (id = '1-1') => {
    await world.advance(20);
    await world.last.push(hello(id));
  };

  it('brings each of many watches what it asked for', async () => {
    const one = watch({ endpoint: 'a' });
    const other = watch([{ types: ['node'] }, { endpoint: 'b', types: ['trace'] }]);
    await opened();
    await world.last.push(event('2-1', 'updated', { endpoint: 'a', id: 2 }));
    await world.last.push(event('2-2', 'readings', { endpoint: 'a' }));
    await world.last.push(event('3-2', 'node', { id: 3 }));
    await world.last.push('event: trace\ndata: {"endpoint":"b"}\n\n');
    expect(one.heard).toEqual([{ endpoint: 'a', id: 2 }, { readings: { endpoint: 'a' } }]);
    expect(other.heard).toEqual([{ id: 3 }, { trace: { endpoint: 'b' } }]);
    expect(world.opened).toHaveLength(1);
  });

  it('brings a watch nothing more when it is stopped, once', async () => {
    const one = watch({ endpoint: 'a' });
    const other = watch({ endpoint: 'a' });
    await opened();
    one.stop();
    one.stop();
    await world.last.push(event('2-1', 'updated', { endpoint: 'a' }));
    expect([one.heard.length, other.heard.length]).toEqual([0, 1]);
    expect(said.filter(({ kind }) => kind === 'unwatch')).toHaveLength(1);
  });

  it('is settled when the stream has what is watched, is broken, or after the reader has waited enough', async () => {
    let settled = 0;
    const wait = () => live.settled(1500).then(() => settled++);
    await wait();
    expect(settled).toBe(1);
    watch({ endpoint: 'a' });
    wait();
    await world.advance(20);
    expect(settled).toBe(1);
    await world.last.push(hello('1-1'));
    expect(settled).toBe(2);

    // Another wish: the stream is open, and does not yet bring it.
    const other = watch({ endpoint: 'b' });
    wait();
    await world.advance(20);
    expect(settled).toBe(2);
    await world.advance(1600);
    expect(settled).toBe(3);

    wait();
    other.stop();
    await settle();
    expect(settled).toBe(4);

    watch({ endpoint: 'c' });
    await world.advance(20);
    wait();
    await world.last.end();
    expect(settled).toBe(5);
  });

  it('tells that it is back after a loss, once for each, and not at its first opening', async () => {
    let reopened = 0;
    const stop = onReopened(live, () => reopened++);
    watch({});
    await opened();
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

  it('says that it is there each fifteen seconds', async () => {
    watch({});
    await opened();
    await world.advance(46_000);
    expect(said.filter(({ kind }) => kind === 'alive')).toHaveLength(3);
    expect(connections).toBe(1);
  });

  it('finds another hub when its own has died, and tells its watches that they have missed something', async () => {
    const one = watch({ endpoint: 'a' });
    await opened();
    dead.add(hub);
    hub = new LiveHub(world);
    const before = world.opened.length;
    await world.advance(80_000);
    expect(connections).toBe(2);
    expect(world.opened.length).toBeGreaterThan(before);
    await world.last.push(hello('1-1'));
    expect(one.gaps).toBe(1);
    await world.last.push(event('2-1', 'updated', { endpoint: 'a' }));
    expect(one.heard).toHaveLength(1);
  });

  it('says again what it wants to a hub that took it for gone', async () => {
    const one = watch({ endpoint: 'a' });
    await opened();
    live.leave();
    await world.advance(6000);
    expect(world.last.signal.aborted).toBe(true);
    // As after a standstill of the page, the next word that it is there is answered by a question.
    await world.advance(15_000);
    await world.last.push(hello('9-9'));
    expect(one.gaps).toBe(1);
  });

  it('sleeps while the page is out of sight, and is told what it missed', async () => {
    const one = watch({ endpoint: 'a' });
    await opened();
    live.sleep();
    await world.advance(6000);
    expect(world.last.signal.aborted).toBe(true);
    live.wake();
    await opened('5-5');
    expect(one.gaps).toBe(1);
    await world.last.push(event('6-5', 'updated', { endpoint: 'a' }));
    expect(one.heard).toHaveLength(1);
  });
});
