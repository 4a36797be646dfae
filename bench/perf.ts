import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { runToEnd } from '../scripts/run-to-end.ts';
import type { Stack } from './flame-graph.ts';
import { newestCode, perfStacks } from './perf-stacks.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

/** Samples a second and thread: not a divisor of anything that happens once a millisecond. */
const RATE = 1_999;
/** Output of perf script, bytes at the most. */
const MOST = 2 ** 30;

/** Flags of node with which V8 tells perf the names of what it compiles. */
export const perfFlags = ['--perf-basic-prof', '--interpreted-frames-native-stack'];

/** Why Linux perf cannot look into a process here; undefined where it can. */
export function whyNoPerf(): string | undefined {
  const tried = spawnSync('perf', ['record', '-e', 'cpu-clock', '-o', '/dev/null', '--', 'true'], {
    encoding: 'utf8',
  });
  if (tried.error !== undefined) return 'perf is not installed';
  return tried.status === 0 ? undefined : `perf may not record: ${tried.stderr.trim().split('\n')[0]}`;
}

/** What a process that was started with `perfFlags` does, all its threads, from now until `end`. */
export class PerfRecording {
  readonly #pid: number;
  readonly #folder = temporaryFolder('simyard-perf-');
  readonly #ended: Promise<void>;
  readonly #end: () => void;

  constructor(pid: number) {
    this.#pid = pid;
    const child = spawn(
      'perf',
      ['record', '-F', String(RATE), '-e', 'cpu-clock', '-g', '-p', String(pid), '-o', this.#data],
      { stdio: 'ignore' },
    );
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve());
    });
    // perf writes what it has when it is interrupted.
    this.#end = () => void child.kill('SIGINT');
  }

  get #data(): string {
    return join(this.#folder, 'perf.data');
  }

  /** Ends it, and removes what it has left on disk. V8 writes names while the process runs: it has ended by now. */
  async end(): Promise<Stack[]> {
    const names = `/tmp/perf-${this.#pid}.map`;
    try {
      this.#end();
      await this.#ended;
      if (existsSync(names)) writeFileSync(names, newestCode(readFileSync(names, 'utf8')));
      const { code, output } = await runToEnd('perf', [
        ...['script', '--input', this.#data, '--fields', 'comm,tid,ip,sym,dso'],
      ]);
      if (code !== 0 || output.length > MOST) throw new Error(`perf script: ${output.slice(0, 500)}`);
      return perfStacks(output, { root });
    } finally {
      removeFolder(this.#folder);
      rmSync(names, { force: true });
    }
  }
}
