import { expect, test } from 'vitest';
import { fuzzDtls } from '../../support/dtls/fuzz.ts';
import { fuzzStages } from '../../support/dtls/fuzz-stages.ts';

// Millions by hand: npm run fuzz:dtls -- --count 10000000
test('whatever comes, in whatever state: nothing is thrown, let in, or kept', async () => {
  const report = await fuzzDtls(40_000, 6);
  expect(report.inputs).toBe(40_000);
  expect(Object.keys(report.byState).sort()).toEqual(fuzzStages.map(([name]) => name).sort());
});
