import type { Cell } from '../../bench/measure.ts';

const latency = { count: 10, mean: 1, p50: 1, p95: 2, p99: 3, max: 4 };

/** What a server is taken to have cost. @param cpu µs of an exchange, at the fixed rate and flat out */
export function cellOf(title: string, peer: string, cpu: number, change: Partial<Cell> = {}): Cell {
  return {
    ...{ title, peer, work: 'register', readings: 1, devices: 1_000, rate: 4_000, done: 4_000, latency },
    cpu: { median: cpu, least: cpu, most: cpu },
    saturated: { rate: 10_000, cpu, load: 5 },
    ...{ retransmissions: 0, failed: 0, lost: 0, skipped: 0 },
    ...{ peakMemory: 2 ** 27, heap: 2 ** 26, machineLoad: 0.1 },
    load: { cpu: 5, core: 0.1 },
    ...change,
  };
}
