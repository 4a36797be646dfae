import { describe, expect, test } from 'vitest';
import { fuzzEndpoint } from '../../fuzz/coap-endpoint.ts';

describe('generated and mutated datagrams', () => {
  test.each([1, 2, 3])('make the endpoint neither throw nor keep anything, seed %i', async (seed) => {
    const { faults, statistics, outcomes, handled } = await fuzzEndpoint({ count: 20_000, seed, samples: 4 });
    expect(faults).toEqual([]);
    // The run has reached what it is meant to reach.
    expect(handled).toBeGreaterThan(1_000);
    expect(statistics.malformed).toBeGreaterThan(1_000);
    expect(statistics.duplicates).toBeGreaterThan(50);
    for (const kind of [
      'answered',
      'observing',
      'notified',
      'ponged',
      'TimeoutError',
      'ResetError',
      'DecodeError',
    ]) {
      expect([kind, outcomes[kind] ?? 0]).toEqual([kind, expect.toSatisfy((count: number) => count > 0)]);
    }
  });
});
