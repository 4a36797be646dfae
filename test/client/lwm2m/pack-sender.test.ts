import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PackSender } from '../../../client/lwm2m/pack-sender.ts';
import { ReadingQueue } from '../../../client/lwm2m/reading-queue.ts';
import type { Observer, OutgoingResponse } from '../../../protocol/coap/exchange.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { registry } from '../../support/client/client-world.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

interface Sent {
  readonly path: string;
  readonly payload: Uint8Array;
  readonly confirmable: boolean | undefined;
  readonly settle: (delivered: boolean) => void;
}

/** A sender on fake time, observers that note what they get, and readings numbered in their values. */
class Bench {
  readonly clock = new FakeClock();
  readonly sent: Sent[] = [];
  readonly queues: ReadingQueue[];
  readonly sender: PackSender;
  minimum = 0;
  maximum: number | undefined;
  #next = 0;

  constructor(sensors: number, limit = 10_000) {
    this.sender = new PackSender({
      clock: this.clock,
      packInterval: 250,
      minimumPeriod: () => this.minimum,
      maximumPeriod: () => this.maximum,
    });
    this.queues = Array.from({ length: sensors }, () => new ReadingQueue(limit));
    for (const [i, queue] of this.queues.entries()) {
      this.sender.add({
        path: this.path(i),
        queue,
        takeNow: () => ({ time: this.#time(), value: this.#next++ }),
      });
    }
  }

  path(sensor: number): string {
    return `/42770/${sensor}/2`;
  }

  #time(): number {
    return Math.round(this.clock.wallTime() * 1_000) + (this.#next % 1_000);
  }

  /** Puts so many readings in a sensor's queue; their values are numbers that rise. */
  take(sensor: number, count: number): number[] {
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.#next++;
      this.queues[sensor]?.push(this.#time(), value);
      values.push(value);
    }
    this.sender.wake();
    return values;
  }

  observe(sensor: number): Observer {
    const path = this.path(sensor);
    const observer: Observer = {
      peer: 'server',
      token: Uint8Array.of(sensor),
      end: () => {},
      notify: (response: OutgoingResponse, options, done) => {
        this.sent.push({
          path,
          payload: response.payload ?? new Uint8Array(0),
          confirmable: options?.confirmable,
          settle: (delivered) => done?.(delivered),
        });
      },
    };
    this.sender.observe(path, observer, 'senml-cbor');
    return observer;
  }

  values(sent: Sent | undefined): number[] {
    if (sent === undefined) return [];
    return decodeContent(112, sent.path, sent.payload, registry).map((record) => Number(record.value));
  }
}

describe('the sender of packs', () => {
  it('keeps readings that nobody observes, and sends them when somebody does', () => {
    const bench = new Bench(1);
    const taken = bench.take(0, 20);
    bench.clock.advance(60_000);
    expect(bench.sent).toEqual([]);
    expect(bench.sender.pending()).toBe(20);
    bench.observe(0);
    expect(bench.values(bench.sent[0])).toEqual(taken);
    expect(bench.sent[0]?.confirmable).toBe(true);
    expect(bench.sender.pending()).toBe(20);
    bench.sent[0]?.settle(true);
    expect(bench.sender.pending()).toBe(0);
    expect(bench.sender.statistics).toMatchObject({ packsDelivered: 1, readingsDelivered: 20 });
  });

  it('lets readings wait for others to share their pack, but not longer than told', () => {
    const bench = new Bench(1);
    bench.observe(0);
    bench.take(0, 1);
    bench.clock.advance(200);
    bench.take(0, 1);
    expect(bench.sent).toEqual([]);
    bench.clock.advance(60);
    expect(bench.values(bench.sent[0])).toEqual([0, 1]);
  });

  it('has one pack under way for the whole device, and takes the sensors in turn', () => {
    const bench = new Bench(3);
    for (const sensor of [0, 1, 2]) bench.observe(sensor);
    for (const sensor of [0, 1, 2]) bench.take(sensor, 300);
    const order: string[] = [];
    for (let i = 0; i < 6; i++) {
      expect(bench.sent).toHaveLength(i + 1);
      order.push(bench.sent[i]?.path ?? '');
      bench.sent[i]?.settle(true);
    }
    expect(order.slice(0, 3).sort()).toEqual([0, 1, 2].map((sensor) => bench.path(sensor)));
    expect(order.slice(3)).toEqual(order.slice(0, 3));
  });

  it('sends a pack that was not acknowledged again as the same bytes, to the next observer', () => {
    const bench = new Bench(1);
    const observer = bench.observe(0);
    bench.take(0, 200);
    const first = bench.sent[0];
    bench.sender.forget(bench.path(0), observer, 'timeout');
    first?.settle(false);
    bench.take(0, 50);
    bench.clock.advance(100_000);
    expect(bench.sent).toHaveLength(1);
    bench.observe(0);
    expect(bench.sent[1]?.payload).toEqual(first?.payload);
    expect(bench.sender.statistics.packsReturned).toBe(1);
  });

  it('does not hurry a pack that came back while its observer is still there', () => {
    const bench = new Bench(1);
    bench.observe(0);
    bench.take(0, 200);
    bench.sent[0]?.settle(false);
    expect(bench.sent).toHaveLength(1);
    bench.clock.advance(1_001);
    expect(bench.sent[1]?.payload).toEqual(bench.sent[0]?.payload);
  });

  it('leaves pmin between packs', () => {
    const bench = new Bench(1);
    bench.minimum = 10;
    bench.observe(0);
    bench.take(0, 500);
    bench.clock.advance(9_999);
    expect(bench.sent).toEqual([]);
    bench.clock.advance(2);
    bench.sent[0]?.settle(true);
    bench.clock.advance(9_998);
    expect(bench.sent).toHaveLength(1);
    bench.clock.advance(2);
    expect(bench.sent).toHaveLength(2);
  });

  it('takes a reading when pmax is over and the sensor has none', () => {
    const bench = new Bench(1);
    bench.maximum = 30;
    bench.observe(0);
    bench.clock.advance(29_999);
    expect(bench.sent).toEqual([]);
    bench.clock.advance(2);
    expect(bench.values(bench.sent[0])).toEqual([0]);
  });

  it('is silent while paused, and the pause begins when nothing is under way', async () => {
    const bench = new Bench(1);
    bench.observe(0);
    bench.take(0, 200);
    let paused = false;
    const pausing = bench.sender.pause().then(() => {
      paused = true;
    });
    await bench.clock.run(1_000);
    expect(paused).toBe(false);
    bench.sent[0]?.settle(true);
    await pausing;
    await bench.clock.run(100_000);
    expect(bench.sent).toHaveLength(1);
    bench.sender.resume();
    expect(bench.sent).toHaveLength(2);
  });

  it('loses nothing within its bounds and has nothing acknowledged twice, whatever happens to its packs', () => {
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.record({ take: fc.nat(2), count: fc.integer({ min: 1, max: 120 }) }) },
      { weight: 4, arbitrary: fc.constant('acknowledge' as const) },
      { weight: 2, arbitrary: fc.constant('lose' as const) },
      { weight: 1, arbitrary: fc.constant('silence' as const) },
      { weight: 3, arbitrary: fc.record({ observe: fc.nat(2) }) },
      { weight: 2, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 2_000 }) }) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const bench = new Bench(3);
        const observers: (Observer | undefined)[] = [undefined, undefined, undefined];
        const taken: number[][] = [[], [], []];
        const acknowledged: number[][] = [[], [], []];
        const sealed = new Map<number, string>();
        let settled = 0;
        const sensorOf = (sent: Sent): number => Number(sent.path.split('/')[2]);
        const settle = (delivered: boolean): void => {
          const sent = bench.sent[settled];
          if (sent === undefined) return;
          settled++;
          const sensor = sensorOf(sent);
          if (delivered) {
            acknowledged[sensor]?.push(...bench.values(sent));
            sealed.delete(sensor);
          } else {
            sealed.set(sensor, Buffer.from(sent.payload).toString('hex'));
            const observer = observers[sensor];
            if (observer !== undefined) bench.sender.forget(bench.path(sensor), observer, 'timeout');
            observers[sensor] = undefined;
          }
          sent.settle(delivered);
        };
        const check = (): void => {
          expect(bench.sent.length - settled).toBeLessThanOrEqual(1);
          const underWay = bench.sent[settled];
          if (underWay !== undefined) {
            const kept = sealed.get(sensorOf(underWay));
            if (kept !== undefined) expect(Buffer.from(underWay.payload).toString('hex')).toBe(kept);
          }
        };
        for (const step of events) {
          if (step === 'acknowledge') settle(true);
          else if (step === 'lose') settle(false);
          else if (step === 'silence') bench.clock.advance(10_000);
          else if ('take' in step) taken[step.take]?.push(...bench.take(step.take, step.count));
          else if ('observe' in step) observers[step.observe] = bench.observe(step.observe);
          else bench.clock.advance(step.wait);
          check();
        }
        for (const sensor of [0, 1, 2]) observers[sensor] = bench.observe(sensor);
        for (let i = 0; i < 5_000 && bench.sender.pending() > 0; i++) {
          settle(true);
          bench.clock.advance(300);
          check();
        }
        expect(acknowledged).toEqual(taken);
        expect(bench.queues[0]?.dropped).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('flushes what observers are still to get, and gives up after the time', async () => {
    const bench = new Bench(2);
    bench.observe(0);
    bench.take(0, 3);
    bench.take(1, 3);
    let flushed = false;
    const flushing = bench.sender.flush(2_000).then(() => {
      flushed = true;
    });
    expect(bench.values(bench.sent[0])).toEqual([0, 1, 2]);
    await bench.clock.run(100);
    expect(flushed).toBe(false);
    bench.sent[0]?.settle(true);
    await flushing;
    expect(bench.sender.pending()).toBe(3);
    bench.take(0, 1);
    const given = bench.sender.flush(2_000);
    await bench.clock.run(2_001);
    await given;
    expect(bench.sent).toHaveLength(2);
  });

  it('drops the oldest readings beyond its bound and counts them, and never a sealed pack', () => {
    const bench = new Bench(1, 100);
    const observer = bench.observe(0);
    const taken = bench.take(0, 90);
    bench.sender.forget(bench.path(0), observer, 'timeout');
    const first = bench.sent[0];
    first?.settle(false);
    taken.push(...bench.take(0, 300));
    expect(bench.queues[0]?.dropped).toBe(90 - bench.values(first).length + 200);
    bench.observe(0);
    const got: number[] = [];
    for (let i = 1; i < bench.sent.length; i++) {
      got.push(...bench.values(bench.sent[i]));
      bench.sent[i]?.settle(true);
      bench.clock.advance(300);
    }
    expect(got).toEqual([...bench.values(first), ...taken.slice(-100)]);
  });
});
