import { defineConfig } from 'vitest/config';

/** Against peers that others wrote; serial, for they share ports, processes and two cores. */
export default defineConfig({
  test: {
    name: 'interop',
    include: ['test/interop/**/*.interop.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
