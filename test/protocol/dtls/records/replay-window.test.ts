import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplayWindow } from '../../../../protocol/dtls/records/replay-window.ts';

/** What RFC 6347 §4.1.2.6 says, with a set. */
class Model {
  highest = -1;
  readonly seen = new Set<number>();

  admits(sequence: number): boolean {
    return sequence > this.highest - 64 && !this.seen.has(sequence);
  }

  accept(sequence: number): void {
    this.seen.add(sequence);
    this.highest = Math.max(this.highest, sequence);
  }
}

describe('the replay window', () => {
  test('admits each number once, and none that is 64 behind the highest', () => {
    const window = new ReplayWindow();
    expect(window.admits(0)).toBe(true);
    expect(window.accept(0)).toBe(true);
    expect(window.admits(0)).toBe(false);
    expect(window.accept(70)).toBe(true);
    expect(window.admits(6)).toBe(false);
    expect(window.admits(7)).toBe(true);
    expect(window.accept(7)).toBe(false);
    expect(window.admits(7)).toBe(false);
    expect(window.highest).toBe(70);
  });

  test('agrees with a set of all numbers, whatever the order, and however often it is saved', () => {
    const step = fc.oneof(fc.integer({ min: -80, max: 80 }), fc.integer({ min: -5, max: 5 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 300 }), (steps) => {
        let window = new ReplayWindow();
        const model = new Model();
        for (const [by, saved] of steps) {
          const sequence = Math.max(0, model.highest + by);
          expect(window.admits(sequence)).toBe(model.admits(sequence));
          if (model.admits(sequence)) {
            expect(window.accept(sequence)).toBe(sequence > model.highest);
            model.accept(sequence);
          }
          if (saved) window = ReplayWindow.from(window.state());
        }
      }),
    );
  });

  test('is saved as the highest number and 64 bits behind it', () => {
    const window = new ReplayWindow();
    for (const sequence of [100, 99, 68, 67, 37]) window.accept(sequence);
    expect(window.state()).toEqual({
      highest: 100,
      seen: Uint8Array.of(0x80, 0, 0, 3, 0, 0, 0, 3).map((byte, at) => (at === 3 ? 0b11 : byte)),
    });
  });

  test('counts to 2^48', () => {
    const window = new ReplayWindow();
    expect(window.accept(2 ** 48 - 2)).toBe(true);
    expect(window.accept(2 ** 48 - 1)).toBe(true);
    expect(window.admits(2 ** 48 - 2)).toBe(false);
    expect(window.admits(2 ** 48 - 3)).toBe(true);
  });
});
