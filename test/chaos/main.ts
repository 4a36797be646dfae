import { quantiles } from '../../bench/quantiles.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { runChaos, type Verdict } from './run.ts';
import { type ChaosSettings, help, parseSettings } from './settings.ts';

const began = performance.now();

function print(line: string): void {
  process.stdout.write(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
}

function summary({ findings, figures, outcomes, kills, latencies, outages }: Verdict): string {
  const { p50, p99, max } = quantiles(latencies);
  const killed = Object.entries(kills)
    .filter(([, times]) => times > 0)
    .map(([what, times]) => `${times} × ${what}`);
  const away = quantiles(outages);
  return [
    '',
    `Killed: ${killed.join(', ') || 'nothing'}${outages.length > 0 ? `; a node was away for ${(away.p50 / 1_000).toFixed(1)} s (median, its pause included)` : ''}`,
    `Readings acknowledged: ${figures.acknowledged}; in the log: ${figures.logged} in ${figures.entries} entries`,
    `Commands accepted: ${figures.commands}; executed by modems: ${figures.executed}`,
    `Registrations: ${figures.registrations}`,
    `REST answers: ${latencies.length}, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${max.toFixed(0)} ms`,
    ...[...outcomes].map(([what, times]) => `${String(times).padStart(8)}  ${what}`),
    '',
    'What must not happen:',
    ...findings.lines,
    '',
    findings.total === 0 ? 'Nothing was lost.' : `${findings.total} findings.`,
  ].join('\n');
}

async function main(): Promise<void> {
  let settings: ChaosSettings | 'help';
  try {
    settings = parseSettings(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)} (--help tells more)\n`);
    process.exitCode = 2;
    return;
  }
  if (settings === 'help') {
    process.stdout.write(`${help}\n`);
    return;
  }
  if (settings.store !== 'embedded' && !isInstalled('redis-server')) {
    process.stderr.write(
      'redis-server is not installed: apt install redis-server, or take --store embedded\n',
    );
    process.exitCode = 1;
    return;
  }
  const verdict = await runChaos(settings, print);
  process.stdout.write(`${summary(verdict)}\n`);
  process.exitCode = verdict.findings.total === 0 ? 0 : 1;
}

await main();
