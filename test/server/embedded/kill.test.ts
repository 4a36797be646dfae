import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { readAll } from '../../contract/telemetry-log.ts';
import { temporaryFolder } from './folder.ts';

const program = fileURLToPath(new URL('./appender.ts', import.meta.url));

interface Acknowledged {
  readonly entries: ReadonlyMap<string, number>;
  readonly commands: readonly string[];
}

/** Runs the appender until it has acknowledged so many and kills itself; returns what it acknowledged. */
async function appendUntilKilled(path: string, prefix: string, lines: number): Promise<Acknowledged> {
  const outputPath = join(path, `${prefix}.txt`);
  const output = await open(outputPath, 'w');
  const child = spawn(process.execPath, [program, path, prefix, `${lines}`], {
    stdio: ['ignore', output.fd, 'inherit'],
  });
  const [code, signal] = await once(child, 'exit');
  await output.close();
  if (signal !== 'SIGKILL') throw new Error(`the appender ended by itself, with ${code}`);
  const entries = new Map<string, number>();
  const commands: string[] = [];
  for (const line of (await readFile(outputPath, 'utf8')).split('\n').slice(0, -1)) {
    const [key = '', value = ''] = line.split(' ');
    if (key === 'command') commands.push(value);
    else if (key !== 'open') entries.set(key, Number(value));
  }
  return { entries, commands };
}

test('what was acknowledged before a kill -9 is there afterwards, exactly once', {
  timeout: 60_000,
}, async () => {
  const path = await temporaryFolder();
  const acknowledged = new Map<string, number>();
  const commands: string[] = [];
  // Kills at the first acknowledgement, within a batch, and after many commits and a checkpoint.
  for (const [round, kill] of [1, 137, 777, 4000, 12_000].entries()) {
    const one = await appendUntilKilled(path, `r${round}`, kill);
    for (const [key, position] of one.entries) acknowledged.set(key, position);
    commands.push(...one.commands);
  }
  expect(acknowledged.size).toBeGreaterThan(10_000);
  const stores = await openEmbeddedStores({ path });
  const entries = await readAll(stores.log, 0, 1000);
  const positions = entries.map(({ position }) => position);
  expect(new Set(positions).size).toBe(positions.length);
  const stored = new Map<number, string>();
  for (const { position, endpoint, receivedAt } of entries) stored.set(position, `${endpoint} ${receivedAt}`);
  expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
  for (const [key, position] of acknowledged) {
    const sequence = Number(key.split('-')[1]) + 1;
    expect(stored.get(position)).toBe(`dev-${sequence % 7} ${sequence}`);
  }
  // Sent again, as devices do that saw no acknowledgement: each of them is known.
  for (const [key, position] of acknowledged) {
    const sequence = Number(key.split('-')[1]) + 1;
    const entry = { endpoint: `dev-${sequence % 7}`, key, receivedAt: 0, body: new Uint8Array(1) };
    stores.log.append(entry, (error, at, duplicate) => {
      if (error !== undefined || at !== position || !duplicate) throw new Error(`${key} was appended again`);
    });
  }
  await stores.check();
  expect((await stores.log.extent()).newest).toBe(positions.at(-1));
  for (const id of commands) expect(await stores.commands.get(id)).toMatchObject({ state: 'queued' });
  await stores.close();
  await rm(path, { recursive: true });
});
