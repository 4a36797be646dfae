import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import { EventPublisher } from '../../../server/live/publisher.ts';
import { createLog } from '../../../server/log.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { EventLog } from '../../../server/ports/event-log.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';
import { until } from '../../support/until.ts';

type Append = EventLog['append'];
const log = createLog('silent');

let stores: Stores;
let hub: LiveHub;
let clock: FakeClock;

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  hub = await LiveHub.open(stores.events, stores.log);
  clock = new FakeClock();
});
afterEach(() => stores.close());

/** A publisher whose store answers as the test says. */
function publisherWith(append: Append): EventPublisher {
  return new EventPublisher({ ...stores.events, append }, hub, log, clock);
}

const published = (publisher: EventPublisher, at: number): void =>
  publisher.publish('registered', 'modem', at, {});

/** Times of the events in the log, which tell them apart. */
async function stored(): Promise<number[]> {
  return (await stores.events.read({ after: 0, limit: 30_000 })).map(({ at }) => at);
}

/** Appends for which the test answers. */
class HeldAppends {
  readonly batches: number[][] = [];
  readonly answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #id = 0;

  readonly append: Append = (events) => {
    this.batches.push(events.map(({ at }) => at));
    return new Promise((resolve, reject) => {
      this.answers.push({ resolve: () => resolve(events.map(() => ++this.#id)), reject });
    });
  };
}

describe('published events', () => {
  it('are in the log in order, and in as few appends as their turns allow', async () => {
    const sizes: number[] = [];
    const publisher = publisherWith((events) => {
      sizes.push(events.length);
      return stores.events.append(events);
    });
    for (let at = 0; at < 1_500; at++) published(publisher, at);
    await publisher.flush();
    expect(await stored()).toEqual(Array.from({ length: 1_500 }, (_, at) => at));
    expect(sizes).toEqual([1_000, 500]);
    expect(clock.pending).toBe(0);
  });

  it('are appended too when they come in the very turn in which the last batch was stored', async () => {
    const held = new HeldAppends();
    let after = (): void => undefined;
    const publisher = publisherWith((events) => {
      const ids = held.append(events);
      // Runs right behind the publisher's own continuation, before anything that hangs on its promise.
      queueMicrotask(() => ids.then(() => after()));
      return ids;
    });
    published(publisher, 1);
    await clock.run(0);
    after = () => {
      after = () => undefined;
      published(publisher, 2);
    };
    held.answers[0]?.resolve();
    await until('the second append', () => held.batches.length === 2);
    expect(held.batches).toEqual([[1], [2]]);
    held.answers[1]?.resolve();
    await publisher.flush();
  });

  it('go together where they come close behind an append, and at once where somebody waits for all of them', async () => {
    const held = new HeldAppends();
    const publisher = publisherWith(held.append);
    published(publisher, 1);
    await clock.run(0);
    held.answers[0]?.resolve();
    await clock.run(0);
    published(publisher, 2);
    await clock.run(0);
    published(publisher, 3);
    await until('the second append', () => held.batches.length === 2);
    expect(held.batches).toEqual([[1], [2, 3]]);
    held.answers[1]?.resolve();
    await clock.run(0);
    published(publisher, 4);
    const flushed = publisher.flush();
    await clock.run(0);
    expect(held.batches[2]).toEqual([4]);
    held.answers[2]?.resolve();
    await flushed;
  });

  it('end the rest where somebody waits for one, with those that had come before it', async () => {
    const held = new HeldAppends();
    const publisher = publisherWith(held.append);
    const command = (at: number, state: string, job?: string): void =>
      publisher.publish('command', 'modem', at, {
        command: { state, ...(job === undefined ? {} : { job }) },
      });
    published(publisher, 1);
    await clock.run(0);
    held.answers[0]?.resolve();
    await clock.run(0);
    command(2, 'sent');
    command(3, 'done', 'a job');
    await clock.run(0);
    expect(held.batches).toEqual([[1]]);
    command(4, 'done');
    await clock.run(0);
    expect(held.batches).toEqual([[1], [2, 3, 4]]);
    held.answers[1]?.resolve();
    await clock.run(0);
    // The next one rests again.
    published(publisher, 5);
    await clock.run(0);
    expect(held.batches).toHaveLength(2);
    await until('the third append', () => held.batches.length === 3);
    held.answers[2]?.resolve();
    await publisher.flush();
  });

  it('wait out a store that refuses them, and keep their order', async () => {
    let down = true;
    const publisher = publisherWith((events) =>
      down ? Promise.reject(new StoreUnavailableError('the disk is full')) : stores.events.append(events),
    );
    published(publisher, 1);
    await clock.run(60_000);
    published(publisher, 2);
    down = false;
    await clock.run(500);
    await publisher.flush();
    expect(await stored()).toEqual([1, 2]);
    expect(publisher.lost).toBe(0);
  });

  it('are tried again with a pause', async () => {
    let tries = 0;
    const publisher = publisherWith(() => {
      tries++;
      return Promise.reject(new StoreUnavailableError('the disk is full'));
    });
    published(publisher, 1);
    await clock.run(10_000);
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(25);
  });

  it('do not wait for ever behind a batch that the store refuses for another reason', async () => {
    const publisher = publisherWith((events) =>
      events.some(({ at }) => at === 1)
        ? Promise.reject(new TypeError('this cannot be stored'))
        : stores.events.append(events),
    );
    published(publisher, 1);
    await clock.run(0);
    published(publisher, 2);
    await clock.run(10_000);
    await publisher.flush();
    expect(await stored()).toEqual([2]);
    expect(publisher.lost).toBe(1);
  });

  it('are given up oldest first, and counted, where too many wait; what is with the store is not', async () => {
    const held = new HeldAppends();
    const publisher = publisherWith(held.append);
    published(publisher, -1);
    await clock.run(0);
    for (let at = 0; at < 20_005; at++) published(publisher, at);
    expect(publisher.lost).toBe(6);
    for (let next = 0; held.batches.flat().length < 20_000; next++) {
      await until('an append', () => held.answers.length > next);
      held.answers[next]?.resolve();
    }
    expect(held.batches.flat()).toEqual([-1, ...Array.from({ length: 19_999 }, (_, index) => index + 6)]);
  });

  it.each([
    ['is out', () => Promise.reject(new StoreUnavailableError('the disk is full'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('are given up, and counted, at a close while the store %s', async (_, append: Append) => {
    const publisher = publisherWith(append);
    published(publisher, 1);
    await clock.run(0);
    published(publisher, 2);
    let flushed = false;
    const flush = publisher.flush().then(() => {
      flushed = true;
    });
    await clock.run(4_000);
    expect(flushed).toBe(false);
    await clock.run(1_000);
    await flush;
    expect(publisher.lost).toBe(2);
    expect(clock.pending).toBe(0);
  });
});
