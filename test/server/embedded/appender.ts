/**
 * A process that appends to the log of a folder, with hundreds of entries under way at once, and prints
 * `key position` for each that was acknowledged; it kills itself in the middle of that. Its output is a
 * file. Arguments: folder, prefix of its keys, acknowledgements until its death; without these it
 * only holds the folder.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';

const [path = '', prefix = '', lines = '0'] = process.argv.slice(2);
const stores = await openEmbeddedStores({ path });
writeSync(1, 'open\n');

let left = Number(lines);
/** Written at once, in one piece: what the file holds was acknowledged before the kill. */
function acknowledge(line: string): void {
  writeSync(1, `${line}\n`);
  left -= 1;
  if (left > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The system may take its time; nothing is acknowledged any more.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

let sequence = 0;
function appendNext(): void {
  const key = `${prefix}-${sequence++}`;
  const body = new Uint8Array(300 + (sequence % 500)).fill(sequence & 255);
  stores.log.append(
    { endpoint: `dev-${sequence % 7}`, key, receivedAt: sequence, body },
    (error, position) => {
      if (error !== undefined) throw error;
      acknowledge(`${key} ${position}`);
      appendNext();
    },
  );
}
if (left > 0) {
  for (let index = 0; index < 300; index++) appendNext();
  // Beside it, commands, so that transactions are mixed.
  for (let createdAt = 0; ; createdAt++) {
    const { command } = await stores.commands.enqueue({
      endpoint: 'dev-1',
      kind: 'k',
      parameters: {},
      createdAt,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
    acknowledge(`command ${command.id}`);
  }
}
