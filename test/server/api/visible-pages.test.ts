import { describe, expect, test } from 'vitest';
import { visiblePage } from '../../../server/api/visible-pages.ts';

/** A list of numbers, paged by how many were passed. */
function list(length: number) {
  const limits: number[] = [];
  return {
    limits,
    read: async ({ limit, cursor }: { readonly limit: number; readonly cursor?: string }) => {
      limits.push(limit);
      const from = Number(cursor ?? 0);
      const items = Array.from({ length: Math.min(limit, length - from) }, (_, i) => from + i);
      const through = from + items.length;
      return { items, ...(through < length ? { next: String(through) } : {}) };
    },
  };
}

const every = (step: number) => async (items: readonly number[]) => items.filter((item) => item % step === 0);

async function all(length: number, step: number, limit: number): Promise<number[][]> {
  const pages: number[][] = [];
  const { read } = list(length);
  let cursor: string | undefined;
  do {
    const page = await visiblePage({ limit, ...(cursor === undefined ? {} : { cursor }) }, read, every(step));
    pages.push([...page.items]);
    cursor = page.next;
  } while (cursor !== undefined);
  return pages;
}

describe('a page of what somebody may see', () => {
  test.each([
    [100, 1, 10],
    [100, 7, 10],
    [100, 7, 1],
    [1000, 333, 3],
    [10, 100, 5],
    [0, 1, 5],
  ])(
    'of %i items, of which each %ith is seen, by %i: each once, in order, none left out',
    async (length, step, limit) => {
      const pages = await all(length, step, limit);
      expect(pages.flat()).toEqual(Array.from({ length }, (_, i) => i).filter((i) => i % step === 0));
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
    },
  );

  test('is given short where much would have to be looked through, and the next one goes on', async () => {
    const source = list(20_000);
    const first = await visiblePage({ limit: 100 }, source.read, every(15_000));
    expect(first.items).toEqual([0]);
    expect(Number(first.next)).toBeGreaterThanOrEqual(5_000);
    expect(source.limits.length).toBeLessThanOrEqual(200);
    expect((await all(20_000, 15_000, 100)).flat()).toEqual([0, 15_000]);
  });
});
