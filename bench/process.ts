import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** No step of the bench takes that long, ms: something hangs. */
const PATIENCE = 180_000;

/** A process of the bench that answers each message with one. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #name: string;

  /** @param flags of node, beside those that every process of the bench has */
  constructor(script: string, args: readonly string[] = [], flags: readonly string[] = []) {
    this.#name = script;
    this.#child = fork(new URL(script, import.meta.url), [...args], {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Settings of the caller's own server must not change what is measured.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SIMYARD_'))),
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** The first message, or the next answer. */
  async next<T>(): Promise<T> {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(PATIENCE)]);
    const exit = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`${this.#name} ended with code ${code}`);
    });
    try {
      const [message] = await Promise.race([once(this.#child, 'message', { signal }), exit]);
      return message as T;
    } finally {
      // The loser of the race is called off, and nobody waits for it any more.
      exit.catch(() => undefined);
      ended.abort();
    }
  }

  async ask<T>(question: string | object): Promise<T> {
    const answer = this.next<T>();
    this.#child.send(question);
    return answer;
  }

  /** Lets it end by itself, so that what it writes at its end is written. */
  async end(): Promise<void> {
    const exit = once(this.#child, 'exit', { signal: AbortSignal.timeout(PATIENCE) });
    this.#child.disconnect();
    await exit;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}
