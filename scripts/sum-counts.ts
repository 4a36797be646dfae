import { existsSync, readFileSync } from 'node:fs';
import { type Counts, none, sum, summaryLine } from './summary.ts';

// node scripts/sum-counts.ts FILE…: one line for all of them. A suite that left no file did not get that far: a failure.
const counts = process.argv.slice(2).map((path): Counts => {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Counts;
  console.error(`${path} is missing: that suite did not run to its end`);
  return { ...none, failed: 1 };
});
console.log(summaryLine(sum(counts)));
