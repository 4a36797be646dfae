import { beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import {
  isPassing,
  type ObservationCounts,
  pauseAfter,
  Troubles,
} from '../../../server/lwm2m/observation-troubles.ts';

let counts: ObservationCounts;
let troubles: Troubles;
beforeEach(() => {
  counts = { wanted: 0, observed: 0, refused: 0, failed: 0, drifted: 0, drifts: 0 };
  troubles = new Troubles(counts);
});
const failed = { state: 'failed' as const, reason: 'no answer', wantedSince: 1 };
const drifted = { ...failed, state: 'drifted' as const };
const refused = { ...failed, state: 'refused' as const };

describe('troubles with wanted observations', () => {
  it('are tried again with pauses that double up to an hour', () => {
    expect([1, 2, 3, 10, 11, 100].map(pauseAfter)).toEqual([
      5_000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000,
    ]);
    troubles.add('/3', failed, 100, 0);
    expect(troubles.get('/3')).toMatchObject({ attempts: 1, retryAt: 5_100 });
    troubles.add('/3', failed, 6_000, 0);
    expect(troubles.get('/3')).toMatchObject({ attempts: 2, retryAt: 16_000 });
  });

  it('last since they began, whatever was tried meanwhile', () => {
    troubles.add('/3', failed, 0, 50);
    troubles.add('/3', failed, 0, 90);
    expect(troubles.get('/3')?.since).toBe(50);
    troubles.add('/3', refused, 0, 95);
    expect(troubles.get('/3')?.since).toBe(95);
  });

  it('that are refusals wait until they are forgotten', () => {
    troubles.add('/3', refused, 0, 0);
    troubles.retry();
    expect(troubles.get('/3')?.retryAt).toBe(Number.POSITIVE_INFINITY);
    troubles.forgetRefusals();
    expect(troubles.size).toBe(0);
  });

  it('that are over are no troubles, and count as a relapse for ten minutes', () => {
    troubles.add('/3', drifted, 0, 0);
    troubles.mend('/3', 1_000);
    expect(troubles.get('/3')).toBeUndefined();
    expect([...troubles.open()]).toEqual([]);
    expect(troubles.attempts('/3', 600_999)).toBe(1);
    expect(troubles.attempts('/3', 601_000)).toBe(0);
    troubles.keep(new Set(['/3']), 600_999);
    expect(troubles.size).toBe(1);
    troubles.keep(new Set(['/3']), 601_000);
    expect(troubles.size).toBe(0);
  });

  it('of what is not wanted any more are forgotten', () => {
    troubles.add('/3', failed, 0, 0);
    troubles.add('/4', failed, 0, 0);
    troubles.keep(new Set(['/4']), 0);
    expect([...troubles.open()].map(([key]) => key)).toEqual(['/4']);
  });

  it('are counted by state, and drifts in all', () => {
    troubles.add('/3', drifted, 0, 0);
    troubles.add('/3', drifted, 0, 0);
    troubles.add('/4', failed, 0, 0);
    troubles.add('/5', refused, 0, 0);
    expect(counts).toMatchObject({ drifted: 1, failed: 1, refused: 1, drifts: 1 });
    troubles.mend('/3', 0);
    troubles.add('/4', refused, 0, 0);
    expect(counts).toMatchObject({ drifted: 0, failed: 0, refused: 2, drifts: 1 });
    troubles.clear();
    expect(counts).toMatchObject({ drifted: 0, failed: 0, refused: 0, drifts: 1 });
  });
});

describe('an answer of a device', () => {
  it('is its last word, unless it says that it cannot now', () => {
    expect(
      [Code.SERVICE_UNAVAILABLE, Code.INTERNAL_SERVER_ERROR, Code.TOO_MANY_REQUESTS].every(isPassing),
    ).toBe(true);
    expect([Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED, Code.NOT_IMPLEMENTED].some(isPassing)).toBe(false);
  });
});
