import { describe, expect, it } from 'vitest';
import { fuzzServer } from '../fuzz/server.ts';

describe('the whole server under generated and mutated datagrams', () => {
  it('throws nothing, logs no bug, and still answers', async () => {
    const { faults, sent } = await fuzzServer({ count: 30_000, seed: 11, samples: 2 });
    expect(faults).toEqual([]);
    // Some of it was understood: registrations were made, and observations asked for.
    expect(sent['2 2.1']).toBeGreaterThan(20);
    expect(sent['0 0.1']).toBeGreaterThan(20);
  }, 60_000);
});
