import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';

/** A worker that served for so long, ms, did not end because of how it was started. */
const SETTLED = 10_000;
/** Between the end of a worker that never settled and the next one in its place, ms: doubles each time. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;
/** How often workers are asked whether they live, ms. */
const KNOCK_PERIOD = 2_000;
/**
 * So many times in vain, and a worker hangs. By then others count its node as gone, and yet the system goes on giving
 * it its part of the datagrams and connections, as long as its sockets are open.
 */
const MOST_UNANSWERED = 6;
/** ms that a worker may take to bring to its end what is under way. */
const PATIENCE = 30_000;

/** The first worker ended before it served; it has told why. */
export class WorkerFailedError extends Error {
  override readonly name = 'WorkerFailedError';
  readonly end: WorkerEnd;

  constructor(end: WorkerEnd) {
    super(`the first worker ended ${end.how} before it was ready`);
    this.end = end;
  }
}

export interface SupervisorOptions {
  readonly workers: number;
  /** Arguments of node for the worker with that number, from 1. `again`: one that had it has ended. */
  readonly argsOf: (worker: number, again: boolean) => readonly string[];
  readonly log: Logger;
  readonly clock: Clock;
}

/** Keeps a number of workers running, each a process. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<number, WorkerProcess>();
  readonly #pauses = new Map<number, Timer>();
  #stopping: Promise<boolean> | undefined;
  #knocking: Timer | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Process ids by worker. */
  get pids(): ReadonlyMap<number, number | undefined> {
    return new Map([...this.#running].map(([worker, { pid }]) => [worker, pid]));
  }

  /**
   * Resolves when all serve. The first is alone at first: what is wrong with the settings or the store is told once,
   * and what a new version has to do to the store is done once.
   * @throws WorkerFailedError
   */
  async start(): Promise<void> {
    this.#knock();
    const first = this.#launch(1, false);
    if (!(await first.ready)) throw new WorkerFailedError(await first.ended);
    this.#keep(1, first, 0);
    const others: Promise<boolean>[] = [];
    for (let worker = 2; worker <= this.#options.workers && this.#stopping === undefined; worker++) {
      const launched = this.#launch(worker, false);
      this.#keep(worker, launched, 0);
      others.push(launched.ready);
    }
    const served = await Promise.all(others);
    if (served.every(Boolean) && this.#stopping === undefined) {
      this.#options.log.info({ workers: this.#options.workers }, 'all workers are ready');
    }
  }

  /** Idempotent: ends all workers; true where each ended well, in time. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<boolean> {
    const { clock, log } = this.#options;
    this.#knocking?.cancel();
    for (const pause of this.#pauses.values()) pause.cancel();
    this.#pauses.clear();
    const workers = [...this.#running];
    const late = clock.setTimer(PATIENCE, () => {
      for (const [worker, process] of this.#running) {
        log.error({ worker, patience: PATIENCE }, 'a worker did not end in time and is killed');
        process.kill();
      }
    });
    for (const [, process] of workers) process.stop();
    const ends = await Promise.all(workers.map(([, process]) => process.ended));
    late.cancel();
    return ends.every(({ code }) => code === 0);
  }

  /** Counts what was asked in vain, and no time: a supervisor that was itself held up has asked nobody meanwhile. */
  #knock(): void {
    const { clock, log } = this.#options;
    this.#knocking = clock.setTimer(KNOCK_PERIOD, () => this.#knock());
    for (const [worker, process] of this.#running) {
      // One that is starting may have much to read.
      if (!process.served || process.knock() < MOST_UNANSWERED) continue;
      log.error({ worker, silent: MOST_UNANSWERED * KNOCK_PERIOD }, 'a worker hangs and is killed');
      process.kill();
    }
  }

  #launch(worker: number, again: boolean): WorkerProcess {
    const process = new WorkerProcess(this.#options.argsOf(worker, again));
    this.#running.set(worker, process);
    process.ended.then(() => this.#running.delete(worker));
    return process;
  }

  /** Starts another in its place when it ends. `failures`: how many before it in a row did not settle. */
  #keep(worker: number, process: WorkerProcess, failures: number): void {
    const { clock, log } = this.#options;
    const startedAt = clock.now();
    process.ended.then(({ how }) => {
      if (this.#stopping !== undefined) return;
      const settled = process.served && clock.now() - startedAt >= SETTLED;
      const pause = settled ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
      log.error({ worker, how, pause }, 'a worker ended; another one takes its place');
      const timer = clock.setTimer(pause, () => {
        this.#pauses.delete(worker);
        this.#keep(worker, this.#launch(worker, true), settled ? 0 : failures + 1);
      });
      this.#pauses.set(worker, timer);
    });
  }
}
