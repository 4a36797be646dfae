/**
 * `npm run bench`: what a registration, an update and a confirmable notification cost, beside a raw UDP echo, npm `coap`
 * and Eclipse Leshan doing the same work in the same run; and what a registered device weighs.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { section, writeDocument } from './document.ts';
import { measure } from './measure.ts';
import {
  dropUnfinished,
  machineNow,
  type Results,
  readUnfinished,
  unfinishedFile,
  writeResults,
  writeUnfinished,
} from './results.ts';
import { type Found, runRows } from './run-rows.ts';
import { chosenRows, fullRows, shortRows } from './suite.ts';

const usage = `What an LwM2M server's daily work costs, beside a raw UDP echo, npm coap and Eclipse Leshan in the same run.

Usage: npm run bench -- [options]          the short set, within five minutes
       npm run bench:full -- [options]     the whole, within 25 minutes

  --full         ten thousand devices, packs, disk, other rates, reads, DTLS, Redis (npm run bench:full)
  --seconds N    length of a run                             (5, full: 4)
  --runs N       runs of each row; medians                   (3, full: 5)
  --only TEXT    the row of this name, or else rows and servers with this in their name, such as notification or
                 Leshan; and the echo. Nothing is written then
  --list         names the rows and their servers, and runs nothing
  --resume       goes on where a run of the same set and lengths was stopped
  --no-write     prints what it finds, and leaves docs/performance.md and bench/results alone

Ctrl-C stops it: what is measured by then is in bench/results/unfinished-….json.`;

function readFlags() {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      runs: { type: 'string' },
      only: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
      resume: { type: 'boolean', default: false },
      'no-write': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const runs = Number(values.runs ?? (values.full ? 5 : 3));
  const seconds = Number(values.seconds ?? (values.full ? 4 : 5));
  if (!(seconds > 0 && Number.isInteger(runs) && runs > 0)) {
    throw new RangeError('--seconds and --runs take a number above 0');
  }
  return { ...values, runs, seconds };
}

function flagsOrExit(): ReturnType<typeof readFlags> {
  try {
    const values = readFlags();
    if (!values.help) return values;
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** The first line in which a program tells its version; nothing where it is not installed. */
function versionOf(command: string, flag: string, pattern: RegExp): string | undefined {
  const { stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8' });
  return pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1];
}

const flags = flagsOrExit();
const { only, runs, seconds } = flags;
const rows = chosenRows(flags.full ? fullRows() : shortRows(), only);
if (flags.list) {
  for (const { title, peers } of rows)
    process.stdout.write(`${title}: ${peers.map(({ name }) => name).join('; ')}\n`);
  process.exit(0);
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const set = only !== '' ? 'part' : flags.full ? 'full' : 'short';
const java = versionOf('java', '-version', /^(openjdk .*|java .*)$/m);
const redis = versionOf('redis-server', '--version', /v=(\S+)/);
const versions = {
  ...(java === undefined ? {} : { java }),
  ...(redis === undefined ? {} : { redis }),
};
const earlier = flags.resume ? readUnfinished({ set, runs, seconds }) : undefined;
const begun = performance.now();
const loadBefore = loadavg()[0] ?? Number.NaN;
const resultsOf = ({ cells, missing }: Found): Results => ({
  ...{ version: 1, when: new Date().toISOString(), set, runs, seconds, cells, missing },
  minutes: (earlier?.minutes ?? 0) + (performance.now() - begun) / 60_000,
  machine: machineNow(loadBefore, versions),
});

let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isStopped = true;
    tell(`stops after the server that is measured now; what is measured is in ${unfinishedFile(set)}`);
  });
}
if (flags.resume && earlier === undefined) tell('no run of this set and these lengths was stopped');
const found = await runRows(rows, {
  measure: (row, peer) => measure(row, peer, { runs, run: seconds * 1_000 }),
  found: { cells: earlier?.cells ?? [], missing: [] },
  keep: (sofar) => writeUnfinished(resultsOf(sofar)),
  isStopped: () => isStopped,
  tell,
});
const results = resultsOf(found);
process.stdout.write(`${section(results)}\n`);
if (isStopped) process.exit(130);
if (only === '' && !flags['no-write']) {
  writeResults(results, flags.full ? 'full.json' : 'latest.json');
  writeDocument(results);
}
dropUnfinished(set);
// Every peer that can run has run; a run without one of ours has failed.
if (found.missing.some(({ peer }) => peer.startsWith('Simyard'))) process.exitCode = 1;
