/**
 * `npm run bench`: what a registration, an update and a confirmable notification cost, beside a raw UDP echo, npm `coap`
 * and Eclipse Leshan doing the same work in the same run; and what a registered device weighs.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { section, writeDocument } from './document.ts';
import { type Cell, measure, type Row } from './measure.ts';
import type { Peer } from './peers/target.ts';
import { type Missing, machineNow, type Results, writeResults } from './results.ts';
import { fullRows, shortRows } from './suite.ts';

const usage = `What an LwM2M server's daily work costs, beside a raw UDP echo, npm coap and Eclipse Leshan in the same run.

Usage: npm run bench -- [options]          the short set, within five minutes
       npm run bench:full -- [options]     the whole

  --full         ten thousand devices, packs, Redis          (npm run bench:full)
  --seconds N    length of a run                             (5)
  --runs N       runs of each row; medians                   (3, full: 5)
  --only TEXT    only rows or servers with this in their name, such as notification or Leshan;
                 nothing is written then
  --no-write     prints what it finds, and leaves docs/performance.md and bench/results/latest.json alone`;

function readFlags() {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '5' },
      runs: { type: 'string' },
      only: { type: 'string', default: '' },
      'no-write': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const runs = Number(values.runs ?? (values.full ? 5 : 3));
  const seconds = Number(values.seconds);
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
const { only } = flags;
const isWanted = (row: Row, peer: Peer): boolean =>
  only === '' || row.work === 'echo' || `${row.title} ${peer.name}`.includes(only);
const rows = (flags.full ? fullRows() : shortRows())
  .map((row) => ({ ...row, peers: row.peers.filter((peer) => isWanted(row, peer)) }))
  .filter(({ peers }) => peers.length > 0);

const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const loadBefore = loadavg()[0] ?? Number.NaN;
const missing: Missing[] = [];
for (const peer of new Set(rows.flatMap(({ peers }) => peers))) {
  const reason = await peer.prepare();
  if (reason === undefined) continue;
  missing.push({ peer: peer.name, reason });
  tell(`${peer.name} cannot run: ${reason}`);
}
const cells: Cell[] = [];
for (const row of rows) {
  for (const peer of row.peers) {
    if (missing.some((one) => one.peer === peer.name)) continue;
    try {
      const cell = await measure(row, peer, { runs: flags.runs, run: flags.seconds * 1_000 });
      cells.push(cell);
      const flatOut = `flat out ${Math.round(cell.saturated.rate)}/s at ${cell.saturated.cpu.toFixed(1)} µs`;
      tell(`${row.title}: ${peer.name}: ${cell.cpu.median.toFixed(1)} µs at ${row.rate}/s; ${flatOut}`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      missing.push({ peer: `${peer.name}, ${row.title}`, reason: error.message });
      tell(`${row.title}: ${peer.name} could not: ${error.message}`);
    }
  }
}
const java = versionOf('java', '-version', /^(openjdk .*|java .*)$/m);
const redis = versionOf('redis-server', '--version', /v=(\S+)/);
const results: Results = {
  version: 1,
  when: new Date().toISOString(),
  set: only !== '' ? 'part' : flags.full ? 'full' : 'short',
  ...{ runs: flags.runs, seconds: flags.seconds, cells, missing },
  machine: machineNow(loadBefore, {
    ...(java === undefined ? {} : { java }),
    ...(redis === undefined ? {} : { redis }),
  }),
};
process.stdout.write(`${section(results)}\n`);
if (only === '' && !flags['no-write']) {
  writeResults(results);
  writeDocument(results);
}
// Every peer that can run has run; a run without one of ours has failed.
if (missing.some(({ peer }) => peer.startsWith('Simyard'))) process.exitCode = 1;
