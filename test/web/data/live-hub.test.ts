import { beforeEach, describe, expect, it } from 'vitest';
import type { LiveFilter } from '../../../web/data/live-filter.ts';
import { type HubPort, LiveHub } from '../../../web/data/live-hub.ts';
import type { FromHub } from '../../../web/data/live-messages.ts';
import { event, hello, LiveWorld } from '../support/live-world.ts';

/** A page as the hub sees it. */
class Page {
  readonly said: FromHub[] = [];
  readonly port: HubPort;

  constructor(hub: LiveHub) {
    this.port = hub.connect((message) => this.said.push(message));
  }

  watch(watch: number, ...filters: LiveFilter[]): void {
    this.port.receive({ kind: 'watch', watch, filters, missed: false });
  }

  /** What it was told of one kind, and forgets. */
  told(kind: FromHub['kind']): FromHub[] {
    const told = this.said.filter((message) => message.kind === kind);
    this.said.length = 0;
    return told;
  }
}

describe('LiveHub', () => {
  let world: LiveWorld;
  let hub: LiveHub;

  beforeEach(() => {
    world = new LiveWorld();
    hub = new LiveHub(world);
  });

  const watches = () => world.last.url.searchParams.getAll('watch');
  const openedBy = async (...pages: (readonly [Page, ...LiveFilter[]])[]) => {
    for (const [page, ...filters] of pages) page.watch(1, ...filters);
    await world.advance(20);
    await world.last.push(hello('1-1'));
  };

  it('opens one stream for the wishes of all pages, and gives each what it wished for', async () => {
    const [a, b, c] = [new Page(hub), new Page(hub), new Page(hub)];
    await openedBy([a, { endpoint: 'a' }], [b, { types: ['registered'] }], [c, { endpoint: 'a' }]);
    expect(world.opened).toHaveLength(1);
    expect(watches()).toEqual(['registered', '*@a']);
    for (const page of [a, b, c]) expect(page.told('ready')).toEqual([{ kind: 'ready', watch: 1 }]);

    await world.last.push(event('2-1', 'registered', { endpoint: 'x' }));
    await world.last.push(event('2-2', 'readings', { endpoint: 'a' }));
    expect(a.told('event')).toEqual([
      { kind: 'event', watches: [1], type: 'readings', data: '{"endpoint":"a"}' },
    ]);
    expect(b.told('event')).toEqual([
      { kind: 'event', watches: [1], type: 'registered', data: '{"endpoint":"x"}' },
    ]);
    expect(c.told('event')).toHaveLength(1);
  });

  it('opens the stream anew, where it was, for a wish that it does not have', async () => {
    const [a, b] = [new Page(hub), new Page(hub)];
    await openedBy([a, { endpoint: 'a' }]);
    await world.last.push(event('5-1', 'updated', { endpoint: 'a' }));
    a.told('ready');
    b.watch(1, { endpoint: 'b' });
    await world.advance(20);
    expect(watches()).toEqual(['*@a', '*@b']);
    expect(world.last.url.searchParams.get('after')).toBe('5-1');
    expect(b.told('ready')).toEqual([]);
    await world.last.push(hello('5-1'));
    expect(b.told('ready')).toHaveLength(1);
    // For the other page nothing has happened.
    expect(a.said).toEqual([]);
  });

  it('leaves the stream as it is for a wish that it has', async () => {
    const [a, b] = [new Page(hub), new Page(hub)];
    await openedBy([a, {}]);
    b.watch(1, { endpoint: 'b', types: ['readings'] });
    await world.advance(20);
    expect(world.opened).toHaveLength(1);
    expect(b.told('ready')).toHaveLength(1);
  });

  it('asks for less when nobody has wanted the rest for a while, and for nothing at the end', async () => {
    const [a, b] = [new Page(hub), new Page(hub)];
    await openedBy([a, { endpoint: 'a' }], [b, {}]);
    b.port.receive({ kind: 'unwatch', watch: 1 });
    await world.advance(1000);
    expect(world.opened).toHaveLength(1);
    await world.advance(5000);
    expect(watches()).toEqual(['*@a']);
    await world.last.push(hello('1-1'));
    a.port.receive({ kind: 'bye' });
    await world.advance(6000);
    expect(world.last.signal.aborted).toBe(true);
    expect(world.opened).toHaveLength(2);
  });

  it('does not open a stream anew that has come to be what is wanted', async () => {
    const a = new Page(hub);
    await openedBy([a, { endpoint: 'a' }]);
    a.port.receive({ kind: 'unwatch', watch: 1 });
    a.watch(2, { endpoint: 'a' });
    await world.advance(60_000 / 4);
    expect(world.opened).toHaveLength(1);
  });

  it('tells every page how the stream stands, from its first moment on', async () => {
    const a = new Page(hub);
    expect(a.told('status')).toEqual([{ kind: 'status', status: { state: 'idle' } }]);
    await openedBy([a, {}]);
    await world.last.end();
    expect(a.told('status').at(-1)).toMatchObject({ status: { state: 'broken' } });
    const b = new Page(hub);
    expect(b.told('status')).toMatchObject([{ status: { state: 'broken' } }]);
    b.port.receive({ kind: 'retry' });
    await world.advance(1);
    expect(world.opened).toHaveLength(2);
  });

  it('forgets a page that has fallen silent, and says so should it speak again', async () => {
    const [a, b] = [new Page(hub), new Page(hub)];
    await openedBy([a, { endpoint: 'a' }], [b, { endpoint: 'b' }]);
    for (let time = 0; time < 180_000; time += 15_000) {
      a.port.receive({ kind: 'alive' });
      await world.advance(15_000);
      await world.last.push(time === 0 ? ':\n\n' : hello('1-1'));
    }
    expect(watches()).toEqual(['*@a']);
    expect(a.told('alive').every((message) => message.kind === 'alive' && message.known)).toBe(true);
    b.port.receive({ kind: 'alive' });
    expect(b.told('alive')).toEqual([{ kind: 'alive', known: false }]);

    b.port.receive({ kind: 'watch', watch: 1, filters: [{ endpoint: 'b' }], missed: true });
    await world.advance(20);
    await world.last.push(hello('1-1'));
    expect(b.said).toEqual([
      { kind: 'ready', watch: 1 },
      { kind: 'gap', watch: 1 },
    ]);
  });

  it('feeds no page that sleeps, and tells it that it has missed something when it wakes', async () => {
    const [a, b] = [new Page(hub), new Page(hub)];
    await openedBy([a, { endpoint: 'a' }], [b, { endpoint: 'b' }]);
    a.port.receive({ kind: 'sleep' });
    a.told('ready');
    await world.advance(6000);
    expect(watches()).toEqual(['*@b']);
    await world.last.push(`${hello('1-1')}event: gap\ndata: {}\n\n`);
    expect(a.told('gap')).toEqual([]);
    expect(b.told('gap')).toHaveLength(1);
    a.port.receive({ kind: 'wake' });
    await world.advance(20);
    expect(watches()).toEqual(['*@a', '*@b']);
    await world.last.push(hello('1-1'));
    expect(a.told('gap')).toEqual([{ kind: 'gap', watch: 1 }]);
    expect(b.said).toEqual([]);
  });

  it('tells who watches a trace that some of it may be missing when the stream was opened anew', async () => {
    const [a, b] = [new Page(hub), new Page(hub)];
    await openedBy([a, { endpoint: 'a', types: ['trace'] }], [b, { endpoint: 'b' }]);
    expect(a.told('gap')).toEqual([]);
    await world.last.push('event: trace\ndata: {"endpoint":"a","id":1}\n\n');
    expect(a.told('event')).toHaveLength(1);
    b.watch(2, {});
    await world.advance(20);
    await world.last.push(hello('1-1'));
    expect(a.told('gap')).toEqual([{ kind: 'gap', watch: 1 }]);
    expect(b.told('gap')).toEqual([]);
  });
});
