import { expect } from 'vitest';

/** What the page will show when it is done; how long that takes is no concern of these tests. */
export function eventually<T>(look: () => T | Promise<T>) {
  return expect.poll(look, { timeout: 60_000, interval: 50 });
}
