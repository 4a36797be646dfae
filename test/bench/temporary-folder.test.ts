import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

const module = new URL('../../bench/temporary-folder.ts', import.meta.url).href;

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a folder of a server under test is gone after %s', async (signal, exitCode) => {
  const script = `import { temporaryFolder } from '${module}';
    process.stdout.write(temporaryFolder());
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  const ended = once(child, 'exit');
  const [folder] = await once(child.stdout, 'data');
  expect(existsSync(String(folder))).toBe(true);
  child.kill(signal);
  expect(await ended).toEqual([exitCode, null]);
  expect(existsSync(String(folder))).toBe(false);
});
