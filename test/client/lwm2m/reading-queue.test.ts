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
              queue.remove(step.remove);
              model = model.slice(step.remove);
            }
            expect([queue.length, queue.dropped, queue.oldest]).toEqual([model.length, dropped, model[0]]);
            expect(model.map((_, i) => [queue.time(i), queue.value(i)])).toEqual(model.map((n) => [n, -n]));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
