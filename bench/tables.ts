import { goals } from './goals.ts';
import type { Cell } from './measure.ts';
import type { Results } from './results.ts';

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** From this share of a core on the generator may be what limits, not the server. */
const STARVED = 0.9;

function notes(cell: Cell): string {
  const due = cell.done + cell.skipped;
  return [
    cell.failed > 0 ? `${cell.failed} failed` : '',
    cell.fallenOut === undefined ? '' : `${whole(cell.fallenOut)} devices fell out`,
    cell.retransmissions > 0 ? `${cell.retransmissions} sent again` : '',
    cell.lost > 0 ? `${whole(cell.lost)} datagrams lost before the server` : '',
    cell.done < 0.98 * cell.rate && due > 0 ? `did not keep up: ${whole(cell.done)}/s` : '',
    cell.load.core > STARVED ? 'starved by the load generator' : '',
  ]
    .filter((text) => text !== '')
    .join('; ');
}

/** What an exchange costs, at the fixed rate and at most. */
export function costs(results: Results): string {
  const floor = results.cells.find(({ work }) => work === 'echo');
  const lines = [
    '| work | server | CPU µs each (least–most) | of the floor | p50 / p99 ms | flat out: /s | CPU µs each | of the floor | Redis CPU µs | load µs | |',
    '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|',
  ];
  for (const cell of results.cells) {
    const { median, least, most } = cell.cpu;
    lines.push(
      `| ${[
        `${cell.title}${cell.title.includes('datagram') ? '' : `, ${whole(cell.rate)}/s`}`,
        cell.peer,
        `${median.toFixed(1)} (${least.toFixed(1)}–${most.toFixed(1)})`,
        floor === undefined ? '' : (median / floor.cpu.median).toFixed(1),
        cell.latency.count === 0 ? '' : `${cell.latency.p50.toFixed(2)} / ${cell.latency.p99.toFixed(2)}`,
        whole(cell.saturated.rate),
        cell.saturated.cpu.toFixed(1),
        floor === undefined ? '' : (cell.saturated.cpu / floor.saturated.cpu).toFixed(1),
        cell.redisCpu === undefined ? '' : cell.redisCpu.median.toFixed(1),
        cell.load.cpu.toFixed(1),
        notes(cell),
      ].join(' | ')} |`,
    );
  }
  return lines.join('\n');
}

/** What one core does with packs: readings that are decoded, and stored where the server stores them. */
export function readings(results: Results): string {
  const cells = results.cells.filter(({ work, readings: pack }) => work === 'notify' && pack > 0);
  if (cells.length === 0) return '';
  const perCore = (pack: number, cpu: number): string => whole((pack * 1e6) / cpu);
  return [
    '| work | server | readings a second and core, at the fixed rate | flat out |',
    '|---|---|--:|--:|',
    ...cells.map(
      (cell) =>
        `| ${cell.title} | ${cell.peer} | ${perCore(cell.readings, cell.cpu.median)} | ${perCore(cell.readings, cell.saturated.cpu)} |`,
    ),
  ].join('\n');
}

/** CPU of one exchange by how many come at a time; empty where one rate alone was looked at. */
export function byRate(results: Results): string {
  const cells = results.cells.filter(({ otherRates }) => otherRates !== undefined);
  const rates = [
    ...new Set(cells.flatMap(({ rate, otherRates = [] }) => [rate, ...otherRates.map((one) => one.rate)])),
  ].sort((a, b) => a - b);
  if (rates.length === 0) return '';
  const lines = [
    `| CPU µs each | server | ${rates.map((rate) => `at ${whole(rate)}/s`).join(' | ')} | flat out |`,
    `|---|---|${'--:|'.repeat(rates.length + 1)}`,
  ];
  for (const cell of cells) {
    const costs = new Map(cell.otherRates?.map(({ rate, cpu }) => [rate, cpu])).set(
      cell.rate,
      cell.cpu.median,
    );
    const figures = [...rates.map((rate) => costs.get(rate)), cell.saturated.cpu];
    lines.push(
      `| ${cell.title} | ${cell.peer} | ${figures.map((cpu) => cpu?.toFixed(1) ?? '').join(' | ')} |`,
    );
  }
  return lines.join('\n');
}

/** What they weigh. */
export function memory(results: Results): string {
  const lines = [
    '| after | server | devices | heap after collection, MiB | most in RAM, MiB | each idle device, bytes of heap |',
    '|---|---|--:|--:|--:|--:|',
  ];
  for (const cell of results.cells.filter(({ work }) => work !== 'echo')) {
    const each = cell.device === undefined ? '' : whole(cell.device);
    lines.push(
      `| ${cell.title} | ${cell.peer} | ${whole(cell.devices)} | ${mib(cell.heap)} | ${mib(cell.peakMemory)} | ${each} |`,
    );
  }
  return lines.join('\n');
}

export function goalTable(results: Results): string {
  const all = goals(results.cells);
  if (all.length === 0) return 'No promise has both of its sides in this run.';
  return [
    '| promise | measured | |',
    '|---|--:|---|',
    ...all.map(
      ({ promise, measured, kept }) => `| ${promise} | ${measured} | ${kept ? 'kept' : '**missed**'} |`,
    ),
  ].join('\n');
}

/** Whether the load generator is cheap enough for a server to be the bottleneck: what it costs where nothing else does. */
export function generator(results: Results): string {
  const floor = results.cells.find(({ work }) => work === 'echo');
  if (floor === undefined) return '';
  const { load, rate } = floor.saturated;
  const others = results.cells.filter((cell) => cell !== floor);
  const [cheapest] = [...others].sort((a, b) => a.saturated.cpu - b.saturated.cpu);
  const compared =
    cheapest === undefined
      ? ''
      : ` The cheapest work of a server here (${cheapest.peer}, ${cheapest.title}) costs it ${cheapest.saturated.cpu.toFixed(1)} µs, and the generator ${cheapest.saturated.load.toFixed(1)} µs.`;
  return `The load generator against the raw echo, flat out: ${load.toFixed(1)} µs of its CPU for each exchange, ${whole(rate)}/s with both sides on this machine, so one process of it gives up to ${whole(1e6 / load)}/s where it has a core to itself.${compared} In the runs at a fixed rate it took ${Math.max(...results.cells.map((cell) => cell.load.core)).toFixed(2)} of one core at the most.`;
}

/** On what it ran, and who did not. */
export function circumstances(results: Results): string {
  const { machine, runs, seconds, minutes, cells, missing } = results;
  const versions = new Map(
    cells.flatMap(({ peer, version }) => (version === undefined ? [] : [[peer, version]])),
  );
  const parts = [
    `${results.when.slice(0, 10)}: ${machine.cores} × ${machine.cpu}, ${machine.memoryGib} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
    ...(machine.java === undefined ? [] : [machine.java]),
    ...(machine.redis === undefined ? [] : [`Redis ${machine.redis}`]),
    ...[...versions].map(([peer, version]) => `${peer} ${version}`),
  ];
  const busy = `load average ${machine.loadBefore.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after`;
  const lines = [
    `${parts.join('; ')}. Runs: ${runs} of ${seconds} s each after a warm-up, medians; ${minutes.toFixed(0)} minutes in all; ${busy}.`,
  ];
  for (const { peer, reason } of missing) lines.push('', `**${peer} could not run: ${reason}.**`);
  return lines.join('\n');
}
