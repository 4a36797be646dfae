import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadingQueue } from '../../../client/lwm2m/reading-queue.ts';

describe('a queue of readings', () => {
  it('behaves as a list that drops its oldest when it is full, whatever is done to it', () => {
    const operation = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 150 }) }),
      fc.record({ remove: fc.integer({ min: 0, max: 200 }) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(operation, { maxLength: 40 }),
        (limit, operations) => {
          const queue = new ReadingQueue(limit);
          const reader = queue.reader();
          reader.attach();
          let model: number[] = [];
          let next = 0;
          let dropped = 0;
          for (const step of operations) {
            if ('push' in step) {
              for (let i = 0; i < step.push; i++, next++) {
                queue.push(next, -next);
                model.push(next);
                if (model.length > limit) {
                  model.shift();
                  dropped++;
                }
              }
            } else {
              reader.remove(step.remove);
              model = model.slice(step.remove);
            }
            expect([reader.length, queue.length, queue.dropped, reader.oldest]).toEqual([
              model.length,
              model.length,
              dropped,
              model[0],
            ]);
            expect(model.map((_, i) => [reader.time(i), reader.value(i)])).toEqual(model.map((n) => [n, -n]));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives every attached reader every reading once, and keeps no more than the slowest has to read', () => {
    const operation = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ reader: fc.nat(2), remove: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ attach: fc.nat(2) }),
      fc.record({ detach: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const queue = new ReadingQueue(10_000);
        const readers = [queue.reader(), queue.reader(), queue.reader()];
        /** What each has read since it was attached. */
        const read: number[][] = [[], [], []];
        let next = 0;
        for (const step of operations) {
          if ('push' in step) for (let i = 0; i < step.push; i++, next++) queue.push(next, next);
          else if ('attach' in step) {
            if (readers[step.attach]?.attached === false) read[step.attach] = [];
            readers[step.attach]?.attach();
          } else if ('detach' in step) readers[step.detach]?.detach();
          else {
            const reader = readers[step.reader];
            if (reader === undefined || !reader.attached) continue;
            const count = Math.min(step.remove, reader.length);
            for (let i = 0; i < count; i++) read[step.reader]?.push(reader.value(i));
            reader.remove(count);
          }
          for (const values of read) {
            for (let i = 1; i < values.length; i++) expect(values[i]).toBe((values[i - 1] ?? 0) + 1);
          }
          const attached = readers.filter((reader) => reader.attached);
          if (attached.length > 0 && !('push' in step) && !('attach' in step)) {
            expect(queue.length).toBe(Math.max(...attached.map((reader) => reader.length)));
          }
          for (const reader of attached) {
            expect(Array.from({ length: reader.length }, (_, i) => reader.value(i))).toEqual(
              Array.from({ length: reader.length }, (_, i) => next - reader.length + i),
            );
          }
        }
        expect(queue.dropped).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps all while nobody is attached, for the first who comes', () => {
    const queue = new ReadingQueue(5);
    const [first, second] = [queue.reader(), queue.reader()];
    for (let i = 0; i < 7; i++) queue.push(i, i);
    first.attach();
    expect([first.length, first.oldest, queue.dropped]).toEqual([5, 2, 2]);
    first.remove(5);
    expect(queue.length).toBe(0);
    second.attach();
    queue.push(7, 7);
    first.remove(1);
    expect([first.length, second.length, queue.length]).toEqual([0, 1, 1]);
    second.detach();
    expect(queue.length).toBe(0);
  });
});
