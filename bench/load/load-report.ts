import type { FleetOptions, FleetReport } from './fleet.ts';
import { Histogram, type LatencySummary } from './histogram.ts';

export interface LoadReport extends FleetReport {
  /** Exchanges that ended well. */
  readonly done: number;
  readonly retransmissions: number;
  readonly failed: number;
  /** From the first transmission to the answer. */
  readonly latency: LatencySummary;
}
/** What a load is unless told. */
export const defaults: Omit<FleetOptions, 'devices' | 'port'> = {
  host: '127.0.0.1',
  first: 0,
  prefix: 'bench-',
  mix: { update: 1 },
  updating: 0,
  readings: 1,
  confirmable: true,
  resource: '/42770/0/2',
  links: '</>;rt="oma.lwm2m";ct="112",</1/0>,</42770/0>',
  lifetime: 86_400,
  source: '127.0.1.1',
  loss: 0,
  duplicates: 0,
  delay: 0,
  ackTimeout: 2_000,
  seed: 1,
  numbered: false,
};
/** With what all its works sum up to. */
export function summed(report: FleetReport): LoadReport {
  const latency = new Histogram();
  let [done, retransmissions, failed] = [0, 0, 0];
  for (const work of Object.values(report.works)) {
    done += work.done;
    retransmissions += work.retransmissions;
    failed += Object.values(work.failures).reduce((sum, count) => sum + count, 0);
    latency.merge(work.latency);
  }
  return { ...report, done, retransmissions, failed, latency: latency.summary() };
}

/** What several processes did beside each other. */
export function merged(reports: readonly LoadReport[]): LoadReport {
  const [first, ...others] = reports;
  if (first === undefined) throw new RangeError('no process told what it did');
  return others.reduce((sum, report) => summed(joined(sum, report)), first);
}

function joined(one: FleetReport, other: FleetReport): FleetReport {
  const works = { ...one.works };
  for (const [name, theirs] of Object.entries(other.works)) {
    const work = name as keyof typeof works;
    const mine = works[work];
    if (mine === undefined) {
      works[work] = theirs;
      continue;
    }
    const latency = new Histogram();
    latency.merge(mine.latency);
    latency.merge(theirs.latency);
    works[work] = {
      done: mine.done + theirs.done,
      retransmissions: mine.retransmissions + theirs.retransmissions,
      sentThrice: mine.sentThrice + theirs.sentThrice,
      failures: added(mine.failures, theirs.failures),
      latency: latency.toData(),
    };
  }
  return {
    works,
    asked: one.asked + other.asked,
    socketErrors: added(one.socketErrors, other.socketErrors),
    elapsed: Math.max(one.elapsed, other.elapsed),
    skipped: one.skipped + other.skipped,
    fallenOut: one.fallenOut + other.fallenOut,
    cpu: one.cpu + other.cpu,
  };
}

function added(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
