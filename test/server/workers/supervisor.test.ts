import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';

const LIMIT = 60_000;
const running: ProjectProcess[] = [];
const folders: string[] = [];

function supervise(workers: number, mode = 'steady', settings: Readonly<Record<string, string>> = {}) {
  const supervisor = new ProjectProcess(
    'test/support/workers/supervise.ts',
    [String(workers), mode],
    settings,
  );
  running.push(supervisor);
  return supervisor;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.kill('SIGKILL')));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const pidOf = async (supervisor: ProjectProcess, began: string): Promise<number> =>
  Number((await supervisor.printed(new RegExp(`${began} as (\\d+)\n`), LIMIT))[1]);

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

describe('workers', { timeout: 2 * LIMIT }, () => {
  test('are started the first alone, then the others, each with a name of its own', async () => {
    const supervisor = supervise(3);
    await supervisor.printed(/all workers are ready/, LIMIT);
    const lines = supervisor.output.split('\n');
    const at = (text: string): number => lines.findIndex((line) => line.startsWith(text));
    expect(at('node-1 began')).toBeGreaterThanOrEqual(0);
    for (const other of ['node-2 began', 'node-3 began']) {
      expect(at(other)).toBeGreaterThan(at('node-1 serves'));
    }
  });

  test('are all ended by a signal to the one who started them, which ends when they have', async () => {
    const supervisor = supervise(2);
    await supervisor.printed(/all workers are ready/, LIMIT);
    expect(await supervisor.kill('SIGTERM')).toBe(0);
    expect(supervisor.output).toMatch(/node-1 ends: SIGTERM/);
    expect(supervisor.output).toMatch(/node-2 ends: SIGTERM/);
    expect(supervisor.output).not.toMatch(/another one takes its place/);
  });

  test('that end badly make it end so too', async () => {
    const supervisor = supervise(2, 'ends-badly');
    await supervisor.printed(/all workers are ready/, LIMIT);
    expect(await supervisor.kill('SIGINT')).toBe(1);
  });

  test('that die are started again in their place, the others going on', async () => {
    const supervisor = supervise(2);
    await supervisor.printed(/all workers are ready/, LIMIT);
    const [first, second] = [
      await pidOf(supervisor, 'node-1 began'),
      await pidOf(supervisor, 'node-2 began'),
    ];
    process.kill(second, 'SIGKILL');
    const next = await pidOf(supervisor, 'node-2 began again');
    expect(next).not.toBe(second);
    expect(supervisor.output).toMatch(/"worker":2,"how":"by signal SIGKILL"/);
    expect(lives(first)).toBe(true);
    await supervisor.kill('SIGTERM');
    expect([first, next].filter(lives)).toEqual([]);
  });

  test('that hang are killed, and others take their place; those that answer stay', async () => {
    const supervisor = supervise(2);
    await supervisor.printed(/all workers are ready/, LIMIT);
    const [first, second] = [
      await pidOf(supervisor, 'node-1 began'),
      await pidOf(supervisor, 'node-2 began'),
    ];
    process.kill(second, 'SIGSTOP');
    const next = await pidOf(supervisor, 'node-2 began again');
    expect(supervisor.output).toMatch(/"worker":2,"silent":12000,"msg":"a worker hangs and is killed"/);
    expect([first, second, next].map(lives)).toEqual([true, false, true]);
    expect(supervisor.output).not.toContain('node-1 began again');
    expect(await supervisor.kill('SIGTERM')).toBe(0);
  });

  test('that fail at their start are tried again after pauses that grow', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-workers-'));
    folders.push(folder);
    const tally = join(folder, 'tally');
    writeFileSync(tally, '');
    const supervisor = supervise(2, 'second-fails-twice', { TALLY: tally });
    await supervisor.printed(/node-2 serves/, LIMIT);
    const pauses = [...supervisor.output.matchAll(/"how":"with exit code 4","pause":(\d+)/g)].map((match) =>
      Number(match[1]),
    );
    expect(pauses).toEqual([250, 500]);
  });

  test('end when the one who started them is killed', async () => {
    const supervisor = supervise(2);
    await supervisor.printed(/all workers are ready/, LIMIT);
    const pids = [await pidOf(supervisor, 'node-1 began'), await pidOf(supervisor, 'node-2 began')];
    await supervisor.kill('SIGKILL');
    await until('both have ended', () => !pids.some(lives), LIMIT);
    expect(supervisor.output).not.toMatch(/SIGTERM/);
  });
});

describe('a first worker that does not come to serve', { timeout: 2 * LIMIT }, () => {
  test('ends the start with its exit code, and what is wrong is said once', async () => {
    const supervisor = supervise(3, 'wrong-setting');
    expect(await supervisor.exit()).toBe(3);
    expect(supervisor.output).toMatch(/^node-1 began as \d+\nsimyard: one clear line\n$/);
  });

  test('by a signal is told of', async () => {
    const supervisor = supervise(2, 'killed-at-first');
    expect(await supervisor.exit()).toBe(1);
    expect(supervisor.output).toContain(
      'simyard: the first worker ended by signal SIGKILL before it was ready',
    );
    expect(supervisor.output).not.toContain('node-2');
  });
});
