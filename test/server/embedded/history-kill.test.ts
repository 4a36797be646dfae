import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { temporaryFolder } from './folder.ts';
import { begin, chunkAt } from './history-chunks.ts';

const program = fileURLToPath(new URL('./roll-up-killed.ts', import.meta.url));
const quarter = 900_000_000;

/** Runs the program until it kills itself; the position that it had acknowledged appends before, if any. */
async function runUntilKilled(path: string, from: number, calls: number): Promise<number> {
  const outputPath = join(path, 'output.txt');
  const output = await open(outputPath, 'w');
  const args = [program, path, `${from}`, `${calls}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', output.fd, 'inherit'] });
  const [code, signal] = await once(child, 'exit');
  await output.close();
  if (signal !== 'SIGKILL') throw new Error(`the program ended by itself, with ${code}`);
  const lines = (await readFile(outputPath, 'utf8')).split('\n').slice(0, -1);
  return Number(lines.at(-1) ?? from);
}

test('after kills -9 amid appends, roll-ups and trims, and repetitions, each reading counts once', {
  timeout: 60_000,
}, async () => {
  const path = await temporaryFolder();
  let acknowledged = 1;
  for (const calls of [1, 3, 20, 77, 140]) {
    // A consumer whose cursor was not written yet repeats what it had appended.
    acknowledged = await runUntilKilled(path, Math.max(1, acknowledged - 37), calls);
  }
  const stores = await openEmbeddedStores({ path });
  const first = Math.max(1, acknowledged - 60);
  for (let batch = 0; batch < 100; batch++) {
    await stores.history.append(
      Array.from({ length: 10 }, (_, index) => chunkAt(first + batch * 10 + index)),
    );
  }
  const positions = first + 999;
  const expected = new Map<number, number[]>();
  for (let position = 1; position <= positions; position++) {
    for (const { takenAt, value } of chunkAt(position).readings) {
      const start = Math.floor(takenAt / quarter) * quarter;
      expected.set(start, [...(expected.get(start) ?? []), value as number]);
    }
  }
  const from = begin - 4 * 3_600_000_000;
  const to = begin + (positions + 100) * 20_000_000;
  const { items, step } = await stores.history.series({
    endpoint: 'a',
    path: '/42770/0/2',
    from,
    to,
    points: Math.ceil((to - from) / quarter) + 1,
  });
  expect(step).toBe(quarter);
  const found = items.map(({ at, count, min, max, mean }) => [at, count, min, max, mean.toFixed(6)]);
  const plain = [...expected]
    .sort(([a], [b]) => a - b)
    .map(([at, values]) => [
      at,
      values.length,
      Math.min(...values),
      Math.max(...values),
      (values.reduce((sum, value) => sum + value) / values.length).toFixed(6),
    ]);
  expect(acknowledged).toBeGreaterThan(1000);
  expect(found).toEqual(plain);
  await stores.close();
  await rm(path, { recursive: true });
});
