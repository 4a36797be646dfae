/**
 * A process that fills history from a folder's own notes, rolls up and trims all the while, and kills itself.
 * Arguments: folder, position of the first chunk that may not be there yet, seed, how many calls until its death.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { chunkAt } from './history-chunks.ts';

const [path = '', from = '', calls = ''] = process.argv.slice(2);
const { history } = await openEmbeddedStores({ path });
let left = Number(calls);
let position = Number(from);

function step(): void {
  left -= 1;
  if (left > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The system may take its time; nothing is acknowledged any more.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function append(): Promise<void> {
  for (;;) {
    const chunks = Array.from({ length: 20 }, () => chunkAt(position++));
    await history.append(chunks);
    writeSync(1, `${position}\n`);
    step();
  }
}

async function upkeep(): Promise<void> {
  for (;;) {
    await history.rollUp(Number.MAX_SAFE_INTEGER);
    step();
    const readingsBefore = chunkAt(Math.max(1, position - 300)).readings[0]?.takenAt as number;
    await history.trim({ readingsBefore, rollUpsBefore: 0, maxBytes: Number.MAX_SAFE_INTEGER });
    step();
  }
}

await Promise.all([append(), upkeep()]);
