import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttributeStore } from '../../../client/lwm2m/attributes.ts';
import { Observations } from '../../../client/lwm2m/observations.ts';
import type { Observer } from '../../../protocol/coap/exchange.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

// What holds for any course of changes, silences and answers; no network, so that many are tried.

const path = '/42771/0/3';

interface Told {
  readonly at: number;
  readonly records: readonly LwM2mRecord[];
}

/** A server behind an observer that acknowledges after a while, or not at all. */
class Bench {
  readonly clock = new FakeClock();
  readonly attributes = new AttributeStore();
  readonly told: Told[] = [];
  readonly observations: Observations;
  value = 0;
  /** ms until an ACK; undefined: the notification comes back undelivered after that time. */
  answer: { readonly after: number; readonly delivered: boolean } = { after: 0, delivered: true };
  inFlight = 0;
  #records: readonly LwM2mRecord[] = [];

  constructor() {
    const read = (): LwM2mRecord[] => [{ path, value: this.value }];
    this.observations = new Observations({
      clock: this.clock,
      attributes: this.attributes,
      defaults: () => ({ minimumPeriod: 0, maximumPeriod: 0 }),
      valuesAt: read,
    });
    const observer: Observer = {
      peer: 'server',
      token: Uint8Array.of(1),
      end: () => {},
      notify: (_response, _options, done) => {
        this.inFlight++;
        // One at a time: a second would wait, and be out of date.
        expect(this.inFlight).toBe(1);
        const records = this.#records;
        const { after, delivered } = this.answer;
        const at = this.clock.now();
        this.clock.setTimer(after, () => {
          this.inFlight--;
          if (delivered) this.told.push({ at, records });
          done?.(delivered);
        });
      },
    };
    const observed = {
      paths: [path],
      composite: false,
      observer,
      contentFormat: 112,
      timed: true,
      read,
      encode: (records: readonly LwM2mRecord[]): Uint8Array => {
        this.#records = records;
        return new Uint8Array(0);
      },
    };
    this.observations.add(observed, read());
  }

  set(value: number): void {
    this.value = value;
    this.observations.changed([path]);
  }
}

interface Step {
  readonly value: number;
  readonly wait: number;
  readonly after: number;
  readonly delivered: boolean;
  readonly pause: boolean;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    value: fc.integer({ min: -20, max: 20 }),
    wait: fc.integer({ min: 0, max: 4_000 }),
    after: fc.integer({ min: 1, max: 3_000 }),
    delivered: fc.boolean(),
    pause: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Lets it all happen, and then gives the server time to hear the rest. */
function run(bench: Bench, course: readonly Step[]): void {
  let paused = false;
  for (const { value, wait, after, delivered, pause } of course) {
    if (pause && !paused) bench.observations.pause();
    if (!pause && paused) bench.observations.resume();
    paused = pause;
    bench.answer = { after, delivered };
    bench.set(value);
    bench.clock.advance(wait);
  }
  bench.answer = { after: 1, delivered: true };
  if (paused) bench.observations.resume();
  bench.clock.advance(60_000);
}

const values = ({ told }: Bench): unknown[] =>
  told.flatMap(({ records }) => records.map(({ value }) => value));

describe('whatever happens', () => {
  it('the server knows the newest state in the end', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 5 }), (course, pmin) => {
        const bench = new Bench();
        bench.attributes.write(path, { pmin });
        run(bench, course);
        expect(values(bench).at(-1)).toBe(bench.value);
        expect(bench.clock.pending).toBe(0);
      }),
    );
  });

  it('no two notifications are nearer than pmin, but for one that has to be repeated', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (course, pmin) => {
        const bench = new Bench();
        bench.attributes.write(path, { pmin });
        run(
          bench,
          course.map((each) => ({ ...each, delivered: true })),
        );
        const times = bench.told.map(({ at }) => at);
        for (let i = 1; i < times.length; i++) {
          expect((times[i] as number) - (times[i - 1] as number)).toBeGreaterThanOrEqual(pmin * 1_000);
        }
      }),
    );
  });

  it('with gt the server knows on which side of it the value is, in the end', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: -20, max: 20 }), (course, gt) => {
        const bench = new Bench();
        bench.attributes.write(path, { gt });
        run(bench, course);
        const known = [0, ...values(bench)].at(-1) as number;
        expect(known > gt).toBe(bench.value > gt);
      }),
    );
  });

  it('with st what the server knows is nearer than a step, in the end', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 }), (course, st) => {
        const bench = new Bench();
        bench.attributes.write(path, { st });
        run(bench, course);
        const known = [0, ...values(bench)].at(-1) as number;
        expect(Math.abs(known - bench.value)).toBeLessThan(st);
      }),
    );
  });

  it('with hqmax every state that was worth telling is told once, in order, while there is room', () => {
    fc.assert(
      fc.property(steps, (course) => {
        const bench = new Bench();
        bench.attributes.write(path, { hqmax: 1_000, st: 1 });
        run(bench, course);
        const changes = course
          .map(({ value }) => value)
          .filter((value, i, all) => value !== (all[i - 1] ?? 0));
        expect(values(bench)).toEqual(changes);
      }),
    );
  });
});
