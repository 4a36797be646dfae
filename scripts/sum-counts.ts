import { existsSync, readFileSync } from 'node:fs';
import { type Counts, none, sum, summaryText } from './summary.ts';

// node scripts/sum-counts.ts FILE…: what is to be known of them, and one line for all. A suite that left no file did not get that far: a failure.
const counts = process.argv.slice(2).map((path): Counts => {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Counts;
  console.error(`${path} is missing: that suite did not run to its end`);
  return { ...none, failed: 1 };
});
console.log(summaryText(sum(counts)));
