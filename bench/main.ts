/**
 * `npm run bench`: what a registration, an update and a confirmable notification cost, beside a raw UDP echo, npm `coap`
 * and Eclipse Leshan doing the same work in the same run; and what a registered device weighs.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { section, writeDocument } from './document.ts';
import { chosenBy, decimal, flagsOrExit, given, parseFlags, text, whole } from './flags.ts';
import { measure, type Row } from './measure.ts';
import {
  checkWritable,
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

/** The floor and the rows that are wanted. @throws RangeError where there are none but the floor */
function wantedRows(isFull: boolean, only: string): Row[] {
  const rows = isFull ? fullRows() : shortRows();
  const names = rows.flatMap(({ title, peers }) => peers.map(({ name }) => `${title}, ${name}`));
  const chosen = chosenRows(rows, only);
  if (chosen.every(({ work }) => work === 'echo')) chosenBy(only, names, String);
  return chosen;
}

function readFlags(args: readonly string[]) {
  const values = parseFlags(args, {
    full: given,
    seconds: decimal(undefined, { from: 0.1, to: 150 }),
    runs: whole(undefined, { to: 1_000 }),
    only: text(''),
    list: given,
    resume: given,
    'no-write': given,
  });
  if (values === undefined) return undefined;
  const { full, only, runs = full ? 5 : 3, seconds = full ? 4 : 5 } = values;
  return { ...values, rows: wantedRows(full, only), runs, seconds };
}

/** The first line in which a program tells its version; nothing where it is not installed. */
function versionOf(command: string, flag: string, pattern: RegExp): string | undefined {
  const { stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8' });
  return pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1];
}

const flags = flagsOrExit(usage, readFlags);
const { only, rows, runs, seconds } = flags;
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
  process.on(signal, () => {
    // Who is asked twice does not wait.
    if (isStopped) process.exit(130);
    isStopped = true;
    tell(`stops after the server that is measured now; what is measured is in ${unfinishedFile(set)}`);
  });
}
try {
  checkWritable();
} catch (error) {
  tell((error as Error).message);
  process.exit(1);
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
