import { describe, expect, test } from 'vitest';
import { runChaos } from './run.ts';
import type { ChaosSettings } from './settings.ts';

/** A short run, for every day; `npm run chaos` is the long one. */
const short: ChaosSettings = {
  nodes: 3,
  store: 'redis',
  front: 'balancer',
  modems: 60,
  group: 20,
  seconds: 30,
  killEvery: 4,
  kill: ['node', 'modems'],
  packInterval: 1_000,
  callers: 3,
  callerPause: 20,
  mayflies: 3,
  seed: 4,
  folder: undefined,
};

async function findingsOf(change: Partial<ChaosSettings>): Promise<Readonly<Record<string, number>>> {
  const lines: string[] = [];
  const verdict = await runChaos({ ...short, ...change }, (line) => lines.push(line));
  const { findings, figures, kills } = verdict;
  if (findings.total > 0) process.stderr.write(`${[...lines, ...findings.lines].join('\n')}\n`);
  // A run in which nothing happened proves nothing.
  expect(figures.acknowledged).toBeGreaterThan(1_000);
  expect(figures.commands).toBeGreaterThan(5);
  for (const what of change.kill ?? short.kill) expect(kills[what]).toBeGreaterThan(0);
  return findings.counts;
}

const none = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.keys(counts).map((kind) => [kind, 0]));

describe('modems and REST requests while one after the other is killed with -9', () => {
  test('a server with the embedded store loses nothing that it acknowledged or accepted', async () => {
    // After a start this server gives devices a minute and a half to be heard before it takes one for lost.
    const counts = await findingsOf({ nodes: 1, store: 'embedded', front: 'direct', mayflies: 0 });
    expect(counts).toEqual(none(counts));
  }, 600_000);

  test('three nodes and their Redis lose nothing that they acknowledged or accepted, and do nothing twice', async () => {
    const counts = await findingsOf({ kill: ['node', 'modems', 'redis'] });
    expect(counts).toEqual(none(counts));
  }, 600_000);
});
