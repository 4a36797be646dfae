import { describe, expect, test } from 'vitest';
import { ReadAhead } from '../../../protocol/coap/read-ahead.ts';

/** Turns of an event loop: what is read in one, and then what was deferred to its end. */
function setUp() {
  const handled: number[] = [];
  let deferred: (() => void)[] = [];
  const ahead = new ReadAhead<number>(
    (_, from) => handled.push(from),
    (run) => deferred.push(run),
  );
  let next = 0;
  const turn = (datagrams: number, bytes = 10): number => {
    const before = handled.length;
    for (let count = 0; count < datagrams; count++) ahead.take(new Uint8Array(bytes), next++);
    const due = deferred;
    deferred = [];
    for (const run of due) run();
    return handled.length - before;
  };
  return { ahead, handled, turn, isIdle: () => deferred.length === 0 };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('datagrams', () => {
  test('that come no faster than a turn reads them are handled as they come', () => {
    const { turn, handled, isIdle } = setUp();
    for (let count = 0; count < 100; count++) expect(turn(20)).toBe(20);
    expect(handled).toEqual(upTo(2_000));
    turn(0);
    expect(isIdle()).toBe(true);
  });

  test('of a burst are all read before more of them are handled, and handled in their order, some in each turn', () => {
    const { turn, handled, isIdle } = setUp();
    expect(turn(32)).toBe(32);
    for (let count = 0; count < 100; count++) expect(turn(32)).toBe(0);
    expect(turn(5)).toBe(32);
    while (handled.length < 3_237) expect(turn(0)).toBeGreaterThan(0);
    expect(handled).toEqual(upTo(3_237));
    turn(0);
    expect(isIdle()).toBe(true);
    expect(turn(1)).toBe(1);
  });

  test('wait up to a bound, and are then read as fast as they are handled', () => {
    const { turn, handled } = setUp();
    turn(32);
    for (let count = 0; count < 16_384 / 32; count++) turn(32);
    expect(handled).toHaveLength(32);
    for (let count = 0; count < 10; count++) expect(turn(32)).toBe(32);
    expect(handled).toEqual(upTo(352));
  });

  test('wait up to a bound of bytes', () => {
    const { turn, handled } = setUp();
    turn(32);
    for (let count = 0; count < 10; count++) turn(32, 65_000);
    expect(handled.length).toBe(32 + 320 - Math.floor((16 * 1024 * 1024) / 65_000));
    expect(handled).toEqual(upTo(handled.length));
  });

  test('that wait when the port closes are forgotten', () => {
    const { turn, handled, ahead, isIdle } = setUp();
    turn(32);
    turn(32);
    ahead.clear();
    turn(0);
    expect(handled).toHaveLength(32);
    expect(isIdle()).toBe(true);
  });
});
