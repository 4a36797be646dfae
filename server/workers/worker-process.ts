import { type ChildProcess, spawn } from 'node:child_process';

/** What a worker tells the process that started it, once it serves. */
export const READY = 'ready';
/** What a worker is asked now and then, and what it answers while its event loop turns. */
export const KNOCK = 'knock';
export const ALIVE = 'alive';

/** How a process ended. */
export interface WorkerEnd {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined;
  /** `with exit code 1`, `by signal SIGKILL`. */
  readonly how: string;
}

/**
 * One worker. It writes to our output, and has a process group of its own: Ctrl-C in the terminal reaches only us,
 * who then stop all. When we are gone, by whatever, its channel to us breaks and it ends by itself.
 */
export class WorkerProcess {
  readonly #process: ChildProcess;
  /** Whether it came to serve: false where it ended before. */
  readonly ready: Promise<boolean>;
  readonly ended: Promise<WorkerEnd>;
  #served = false;
  #unanswered = 0;

  /** `args`: of node. */
  constructor(args: readonly string[]) {
    const child = spawn(process.execPath, [...process.execArgv, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    this.#process = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: undefined, how: `before it began: ${error.message}` }));
      child.once('exit', (code, signal) =>
        resolve({
          code: code ?? undefined,
          how: signal === null ? `with exit code ${code}` : `by signal ${signal}`,
        }),
      );
    });
    const served = new Promise<boolean>((resolve) => {
      child.on('message', (message) => {
        this.#unanswered = 0;
        if (message !== READY) return;
        this.#served = true;
        resolve(true);
      });
    });
    this.ready = Promise.race([served, this.ended.then(() => this.#served)]);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get served(): boolean {
    return this.#served;
  }

  /** Asks it whether its event loop turns; how often that was asked in vain before. */
  knock(): number {
    const before = this.#unanswered++;
    // Where the channel is closed it is ending, which `ended` tells.
    if (this.#process.connected) this.#process.send(KNOCK, () => undefined);
    return before;
  }

  /** Asks it to end, with all that is under way brought to its end. */
  stop(): void {
    this.#process.kill('SIGTERM');
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
