import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBudget } from '../../../protocol/coap/byte-budget.ts';
import { DeduplicationRing, type Seen, SeenReply } from '../../../protocol/coap/deduplication.ts';

describe('the ring of message ids', () => {
  test('remembers the newest that were answered, and all that were not', () => {
    const step = fc.record({
      id: fc.integer({ min: 0, max: 40 }),
      answer: fc.boolean(),
      pass: fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (steps, capacity) => {
        const ring = new DeduplicationRing(capacity, new ByteBudget(1_000));
        const LIFETIME = 50;
        let now = 0;
        const pending: { seen: Seen; id: number; expires: number }[] = [];
        let last: { id: number; expires: number } | undefined;
        for (const { id, answer, pass } of steps) {
          now += pass;
          const alive = pending.filter(({ expires }) => expires > now);
          // What is being worked on is always known.
          for (const one of alive) expect(ring.find(one.id, now)).toBe(one.seen);
          // So is the newest of all.
          if (last !== undefined && last.expires > now) expect(ring.find(last.id, now)).toBeDefined();
          expect(ring.pending(now)).toBe(alive.length > 0);
          if (ring.find(id, now) !== undefined) continue;
          const seen = ring.insert(id, now + LIFETIME, now);
          if (seen === undefined) {
            expect(alive.length).toBe(capacity);
            continue;
          }
          expect(ring.size).toBeLessThanOrEqual(capacity);
          last = { id, expires: now + LIFETIME };
          if (answer) seen.reply = SeenReply.ACK;
          else pending.push({ seen, id, expires: now + LIFETIME });
        }
      }),
    );
  });

  test('forgets on demand, and gives the entry to the next', () => {
    const ring = new DeduplicationRing(2, new ByteBudget(1_000));
    const first = ring.insert(1, 100, 0) as Seen;
    const generation = first.generation;
    ring.forget(first);
    expect(ring.find(1, 0)).toBeUndefined();
    expect(first.generation).toBeGreaterThan(generation);
    expect(ring.insert(1, 100, 0)).toBe(first);
  });

  test('grows only as far as it must', () => {
    const ring = new DeduplicationRing(64, new ByteBudget(1_000));
    for (let i = 0; i < 100; i++) {
      const seen = ring.insert(i, i * 10 + 25, i * 10) as Seen;
      seen.reply = SeenReply.ACK;
    }
    expect(ring.size).toBeLessThanOrEqual(4);
  });

  test('keeps no more bytes of answers than all rings may have, and gives them back', () => {
    const budget = new ByteBudget(100);
    const [one, two] = [new DeduplicationRing(2, budget), new DeduplicationRing(2, budget)];
    const answer = (ring: DeduplicationRing, id: number) => {
      const seen = ring.insert(id, 100, 0) as Seen;
      ring.answered(seen, new Uint8Array(60));
      return seen.reply;
    };
    expect(answer(one, 1)).toBe(SeenReply.DATA);
    // Duplicates of this one meet silence; it is not handled again.
    expect(answer(two, 1)).toBe(SeenReply.SILENCE);
    expect(two.find(1, 0)).toBeDefined();
    one.forget(one.find(1, 0) as Seen);
    expect(answer(two, 2)).toBe(SeenReply.DATA);
    expect(answer(one, 3)).toBe(SeenReply.SILENCE);
    two.clear();
    expect(two.find(2, 0)).toBeUndefined();
    expect(answer(one, 4)).toBe(SeenReply.DATA);
    // Overwriting gives back, too.
    for (let id = 5; id < 20; id++) answer(one, id);
    expect(budget.take(41)).toBe(false);
    one.clear();
    expect(budget.take(100)).toBe(true);
  });
});
