import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { isFailure, isProgress } from './answering.ts';

/** No step of the bench takes that long, ms: something hangs. */
const PATIENCE = 180_000;

/** A process of the bench that answers each message with one. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<string>;

  /** It tells how far it is with what it was asked. */
  onProgress: ((told: unknown) => void) | undefined;

  /**
   * @param flags of node, beside those that every process of the bench has
   * @param options `isApart`: Ctrl-C does not reach it, and who started it ends it
   */
  constructor(
    script: string,
    args: readonly string[] = [],
    flags: readonly string[] = [],
    options: { readonly isApart?: boolean } = {},
  ) {
    this.#name = script;
    const child = fork(new URL(script, import.meta.url), [...args], {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: options.isApart === true,
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
   * @throws Error where it answers with the reason why it cannot, has ended, or tells nothing for three minutes
   */
  async next<T>(): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let timer: NodeJS.Timeout | undefined;
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(
        () => reject(new Error(`${this.#name} told nothing for ${PATIENCE / 1_000} s`)),
        PATIENCE,
      );
    };
    const heard = (message: unknown): void => {
      if (isFailure(message)) reject(new Error(message.failure));
      else if (!isProgress(message)) resolve(message as T);
      else {
        wait();
        this.onProgress?.(message.progress);
      }
    };
    this.#child.on('message', heard);
    wait();
    void this.#ended.then((how) => reject(new Error(`${this.#name} ended: ${how}`)));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#child.off('message', heard);
    }
  }

  /** Asks, and resolves with the answer. */
  async ask<T>(question: string | object): Promise<T> {
    const answer = this.next<T>();
    this.tell(question);
    return answer;
  }

  /** Sends what is not answered. */
  tell(message: string | object): void {
    // Where the process has ended the answer that is waited for says so.
    this.#child.send(message, () => undefined);
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
