import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzDtls } from '../support/dtls/fuzz.ts';

// npm run fuzz:dtls -- [--count 10000000] [--seed 1]: the test of test/protocol/dtls/fuzz.test.ts at length, with an eye on memory.

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
if (!(count > 0) || !Number.isInteger(seed)) throw new Error('--count and --seed are numbers');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const memory = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

/** MB that may come on top between the first tenth and the end: what the runtime itself keeps. */
const GROWTH = 16;
const started = performance.now();
let told = 0;
let early: number | undefined;
const report = await fuzzDtls(count, seed, (inputs) => {
  if (early === undefined && inputs >= count / 10) early = memory();
  if (inputs - told < count / 20 && inputs < count) return;
  told = inputs;
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  console.log(`${inputs} inputs, ${seconds} s, ${memory().toFixed(1)} MB`);
});
console.table(report.byState);
const late = memory();
console.log(
  `seed ${seed}: ${report.inputs} inputs in ${report.stages} stages; memory ${early?.toFixed(1)} MB after a tenth, ${late.toFixed(1)} MB at the end`,
);
if (early !== undefined && late - early > GROWTH) throw new Error('memory has grown');
