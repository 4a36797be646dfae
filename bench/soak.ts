/**
 * `npm run bench:soak`: an hour of mixed load on one server on disk, with its memory over time as a picture. What fails and
 * was not made to fail by the load is told.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { lineChart } from './chart.ts';
import { writePicture } from './document.ts';
import { decimal, flagsOrExit, given, parseFlags, text, whole } from './flags.ts';
import { Histogram } from './load/histogram.ts';
import { defaults, merged } from './load/load-report.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import { parseWorkMix } from './load/work-mix.ts';
import { simyardOnDisk } from './peers/peers.ts';
import { BenchProcess } from './process.ts';
import { publish } from './publish.ts';
import { slope } from './slope.ts';

const usage = `Mixed load for a long time: is memory flat, does anything fail?

  --minutes N    (60)
  --every S      a sample of memory, after garbage collection            (20)
  --devices N    (2000)
  --rate N       exchanges a second, in all                              (1000)
  --work MIX     (notify:85,update:10,send:4,register:1)
  --loss SHARE   of datagrams, in each direction                         (0.01)
  --write        put table and picture into docs/performance.md`;

const { minutes, every, devices, rate, work, mix, loss, write } = flagsOrExit(usage, (args) => {
  const values = parseFlags(args, {
    minutes: decimal(60, { from: 0.1, to: 10_080 }),
    every: decimal(20, { from: 0.5, to: 100 }),
    devices: whole(2_000, { to: 15_000 }),
    rate: decimal(1_000, { from: 1, to: 1_000_000 }),
    work: text('notify:85,update:10,send:4,register:1'),
    loss: decimal(0.01, { to: 0.99 }),
    write: given,
  });
  return values === undefined ? undefined : { ...values, mix: parseWorkMix(values.work) };
});
/** Caches and logs fill at first: from this share of the time on memory has to be flat. */
const FILLED = 0.25;
/** Growth of the heap over the rest that still counts as flat. */
const FLAT = 0.05;

function resident(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

interface Sample {
  /** min since the work began */
  readonly at: number;
  /** bytes */
  readonly heap: number;
  readonly resident: number;
}

const target = await simyardOnDisk.start();
const load = new BenchProcess('./load/main.ts');
try {
  const options = {
    ...defaults,
    port: target.port,
    devices,
    mix,
    loss,
  };
  await load.ask({ kind: 'open-sockets', options } satisfies LoadCommand);
  await load.ask({ kind: 'register', rate: 500 } satisfies LoadCommand);
  const samples: Sample[] = [];
  const reports: LoadReport[] = [];
  const begun = performance.now();
  const before = await target.use('cpu');
  for (let elapsed = 0; elapsed < minutes * 60_000; elapsed = performance.now() - begun) {
    const milliseconds = Math.min(every * 1_000, minutes * 60_000 - elapsed);
    reports.push(await load.ask<LoadReport>({ kind: 'pace', milliseconds, rate } satisfies LoadCommand));
    const { memory } = await target.use('memory');
    const sample = { at: (performance.now() - begun) / 60_000, heap: memory, resident: resident(target.pid) };
    samples.push(sample);
    process.stderr.write(
      `${sample.at.toFixed(1)} min: heap ${(memory / 2 ** 20).toFixed(0)} MiB, in RAM ${(sample.resident / 2 ** 20).toFixed(0)} MiB\n`,
    );
  }
  const after = await target.use('cpu');
  const all = merged(reports);
  const lines = [
    '| work | done | p50 / p99 / longest ms | sent again | failed |',
    '|---|--:|--:|--:|---|',
    ...Object.entries(all.works).map(([name, report]) => {
      const latency = new Histogram();
      latency.merge(report.latency);
      const { p50, p99, max } = latency.summary();
      const failed = Object.entries(report.failures).map(([why, count]) => `${count} × ${why}`);
      return `| ${name} | ${report.done.toLocaleString('en')} | ${[p50, p99, max].map((value) => value.toFixed(1)).join(' / ')} | ${report.retransmissions} | ${failed.join(', ') || 'none'} |`;
    }),
  ];
  const settled = samples.filter(({ at }) => at >= minutes * FILLED);
  const growth = slope(settled.map(({ at, heap }) => [at, heap]));
  const mean = settled.reduce((sum, { heap }) => sum + heap, 0) / settled.length;
  const total = (growth * minutes * (1 - FILLED)) / mean;
  const verdict = Math.abs(total) <= FLAT ? 'flat' : total < 0 ? 'falling' : 'NOT flat';
  lines.push(
    '',
    `${minutes} min, ${devices} devices, ${rate}/s of ${work}, ${loss * 100} % of datagrams lost in each direction, so retransmissions are the load's own; ${all.skipped} exchanges were due while no device was free. Heap after garbage collection: ${verdict}, ${(total * 100).toFixed(1)} % over the last ${100 * (1 - FILLED)} % of the time (${(growth / 1_024).toFixed(1)} KiB a minute on ${(mean / 2 ** 20).toFixed(0)} MiB). CPU ${((after.cpu - before.cpu) / all.done).toFixed(1)} µs for each exchange. ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}; load average ${loadavg()[0]?.toFixed(1)} at the end.`,
  );
  const title = 'Memory of the server under mixed load';
  const picture = ['', `![${title}](performance/soak.svg)`];
  const failures = all.done === 0 ? ['no exchange ended well'] : [];
  if (publish('soak', [...lines, ...(write ? picture : [])].join('\n'), { write, failures })) {
    const mib = (bytes: number): number => bytes / 2 ** 20;
    writePicture(
      'soak.svg',
      lineChart(title, { x: 'minutes', y: 'MiB' }, [
        { label: 'in RAM', own: false, points: samples.map((sample) => [sample.at, mib(sample.resident)]) },
        {
          label: 'heap and buffers after collection',
          own: true,
          points: samples.map(({ at, heap }) => [at, mib(heap)]),
        },
      ]),
    );
  }
} finally {
  await Promise.all([target.stop(), load.stop()]);
}
