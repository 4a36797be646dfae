import type { Logger } from 'pino';
import type { Timer } from '../../protocol/clock.ts';
import type { Command } from '../ports/command-queue.ts';
import { finalJobStates, type Job } from '../ports/job-store.ts';
import { JobRun, type JobRunParts } from './job-run.ts';

/** A job that goes on is told this seldom, ms: twice a second. */
const TELL_EVERY = 500;
/** Jobs that one call of the store lists. */
const PAGE = 100;

export interface JobRunnerParts extends Omit<JobRunParts, 'onChanged' | 'log'> {
  readonly log: Logger;
  /** A job as it is now: at most twice a second, and always the last. */
  readonly onProgress: (job: Job) => void;
}

interface Entry {
  readonly run: JobRun;
  toldAt: number;
  /** What is told when the time has come. */
  untold: Job | undefined;
  timer: Timer | undefined;
}

/** Brings all jobs that have not ended on their way, each by a run of its own. */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #runs = new Map<string, Entry>();
  #closed = false;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /** Jobs that have not ended. */
  get size(): number {
    return this.#runs.size;
  }

  /** Takes up the jobs that an earlier process left, or another node. It may be started again after `close`. */
  async start(): Promise<void> {
    this.#closed = false;
    const { jobs } = this.#parts.stores;
    const states = ['preparing', 'running', 'paused', 'cancelling'] as const;
    let cursor: string | undefined;
    do {
      const page = await jobs.list({ states, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      for (const job of page.items) this.#open(job, false);
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** A job that was made now, or is to be tried again. */
  begin(job: Job): void {
    this.#open(job, true);
    this.#tell(job, false);
  }

  /** Somebody has changed it in the store. */
  changed(job: Job): void {
    this.#runs.get(job.id)?.run.changed();
    this.#tell(job, false);
  }

  /** A command has taken a step. */
  stepped(command: Command): void {
    if (command.job !== undefined) this.#runs.get(command.job.id)?.run.stepped(command);
  }

  /** What waits for the device takes no place in a job. */
  unreachable(endpoint: string): void {
    for (const { run } of this.#runs.values()) run.unreachable(endpoint);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#runs.values()];
    for (const entry of entries) entry.timer?.cancel();
    await Promise.all(entries.map(({ run }) => run.close()));
    this.#runs.clear();
  }

  #open(job: Job, fresh: boolean): void {
    if (this.#closed || this.#runs.has(job.id)) return;
    const { onProgress: _, ...parts } = this.#parts;
    const run = new JobRun(job, { ...parts, onChanged: (changed, ended) => this.#tell(changed, ended) });
    this.#runs.set(job.id, { run, toldAt: Number.NEGATIVE_INFINITY, untold: undefined, timer: undefined });
    run.start(fresh);
  }

  #tell(job: Job, ended: boolean): void {
    const entry = this.#runs.get(job.id);
    if (entry === undefined || this.#closed) return;
    const { clock } = this.#parts;
    entry.untold = job;
    if (ended || (finalJobStates as readonly string[]).includes(job.state)) {
      entry.timer?.cancel();
      this.#tellNow(entry);
      this.#runs.delete(job.id);
      return;
    }
    const wait = entry.toldAt + TELL_EVERY - clock.now();
    if (wait <= 0) this.#tellNow(entry);
    else entry.timer ??= clock.setTimer(wait, () => this.#tellNow(entry));
  }

  #tellNow(entry: Entry): void {
    const { untold } = entry;
    entry.timer = undefined;
    if (untold === undefined) return;
    entry.untold = undefined;
    entry.toldAt = this.#parts.clock.now();
    this.#parts.onProgress(untold);
  }
}
