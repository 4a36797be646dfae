import { defineConfig } from 'vitest/config';

/**
 * `protocol` is what coverage is asked of; `unit` is everything else that needs no browser: unit, contract and
 * integration tests. The interop suites have their own file.
 */
export default defineConfig({
  test: {
    // All cores: by default one is left free, which on two cores doubles the time.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'protocol',
          include: ['test/protocol/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/protocol/**', 'test/browser/**', 'test/interop/**'],
          // Generous: with coverage and two cores the longest of them takes half a minute.
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.browser.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['protocol/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
      reportsDirectory: 'coverage',
      reportOnFailure: true,
      thresholds: { 'protocol/**/*.ts': { lines: 95 } },
    },
  },
});
