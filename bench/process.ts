import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** No step of the bench takes that long, ms: something hangs. */
const PATIENCE = 180_000;

/** A process of the bench that answers each message with one. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<string>;

  /** @param flags of node, beside those that every process of the bench has */
  constructor(script: string, args: readonly string[] = [], flags: readonly string[] = []) {
    this.#name = script;
    const child = fork(new URL(script, import.meta.url), [...args], {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Settings of the caller's own server must not change what is measured.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SIMYARD_'))),
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
      child.once('error', (error) => resolve(error.message));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /**
   * The first message, or the next answer.
   * @throws Error where the process has ended, or tells nothing for three minutes
   */
  async next<T>(): Promise<T> {
    const heard = new AbortController();
    const message = once(this.#child, 'message', { signal: heard.signal }).then(([answer]) => answer as T);
    // Who loses the race is called off, and nobody waits for it any more.
    message.catch(() => undefined);
    const { promise: silence, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${this.#name} told nothing for ${PATIENCE / 1_000} s`)),
      PATIENCE,
    );
    const end = this.#ended.then((how) => {
      throw new Error(`${this.#name} ended: ${how}`);
    });
    end.catch(() => undefined);
    try {
      return await Promise.race([message, silence, end]);
    } finally {
      clearTimeout(timer);
      heard.abort();
    }
  }

  async ask<T>(question: string | object): Promise<T> {
    const answer = this.next<T>();
    // Where the process has ended the answer says so.
    this.#child.send(question, () => undefined);
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
