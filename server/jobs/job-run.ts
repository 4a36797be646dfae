import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { type Command, finalCommandStates } from '../ports/command-queue.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import {
  finalJobStates,
  type Job,
  type JobDevice,
  type JobFilter,
  type JobTransition,
  openJobDeviceStates,
} from '../ports/job-store.ts';
import type { Stores } from '../ports/stores.ts';
import { type JobOperation, type PerformOperation, refusalOf } from './job-operations.ts';
import { reviewDevices } from './job-review.ts';
import { JobSteps, stepOf, withdrawn } from './job-steps.ts';

/** Devices that one call of the store reads, adds or ends. */
const PAGE = 500;
/** Commands that are taken back at a time. */
const CANCEL_AT_ONCE = 50;
/** Before it goes on after the store, or we, failed, ms. */
const RETRY_AFTER = 1_000;
/** How often it looks what became of devices that are under way and of which nobody has told, ms. */
const REVIEW_EVERY = 30_000;
/** How often at all that have a command, where many wait for their device, ms. */
const REVIEW_ALL_EVERY = 600_000;
/** A timer is not set for longer than this, ms. */
const LONGEST_TIMER = 86_400_000;

export interface JobRunParts {
  readonly stores: Pick<Stores, 'jobs' | 'commands'>;
  readonly perform: PerformOperation;
  /** A page of the devices that fit, by endpoint. */
  readonly select: (
    filter: JobFilter,
    after: string | undefined,
    limit: number,
  ) => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A command was taken back by the job. */
  readonly onStep: (command: Command) => void;
  /** The job has changed; `ended`: for the last time. */
  readonly onChanged: (job: Job, ended: boolean) => void;
}

/**
 * Brings one job to its end: makes the commands of its devices, a bounded number at a time, and notes what becomes of
 * them. All that it knows is in the stores, so that another run goes on where one was killed: a device that has a
 * command for this attempt gets no other one, for the queue itself keeps them apart.
 */
export class JobRun {
  readonly #parts: JobRunParts;
  #job: Job;
  /** The store may have another one. */
  #stale = false;
  readonly #steps = new JobSteps();
  /** Devices that take one of the places of `atOnce`: being begun, or under way at the device. */
  readonly #working = new Set<string>();
  /** Devices that are begun, and of which the store does not know that yet. */
  readonly #begun = new Map<string, JobDevice>();
  #beginning = 0;
  /** Devices that wait, as read last; and where the next page begins. */
  #next: JobDevice[] = [];
  #cursor: string | undefined;
  /** Where the selection is. */
  #selected: string | undefined;
  /** Commands that are not sent are to be taken back. */
  #toWithdraw = true;
  /** Endpoints that were heard of while the state that an earlier run left is read; undefined afterwards. */
  #recovering: Set<string> | undefined = new Set();
  /** Endpoints that were heard of while it reviews. */
  #heard: Set<string> | undefined;
  #reviewAt: number;
  #reviewAllAt: number;
  #kicked = false;
  #wake: (() => void) | undefined;
  #pausing = false;
  #closed = false;
  #running: Promise<void> | undefined;

  constructor(job: Job, parts: JobRunParts) {
    this.#job = job;
    this.#parts = parts;
    this.#reviewAt = parts.clock.now() + REVIEW_EVERY;
    this.#reviewAllAt = parts.clock.now() + REVIEW_ALL_EVERY;
  }

  /** `fresh`: it was made just now, so that nothing is left of an earlier run. */
  start(fresh: boolean): void {
    if (fresh) this.#recovering = undefined;
    this.#running ??= this.#run();
  }

  /** Somebody has changed the job in the store. */
  changed(): void {
    this.#stale = true;
    this.#toWithdraw = true;
    this.#kick();
  }

  /** A command of the job was made, or has taken a step. */
  stepped(command: Command): void {
    const { endpoint } = command;
    this.#recovering?.add(endpoint);
    this.#heard?.add(endpoint);
    this.#taken(command);
    this.#kick();
  }

  /** Where its command stands now. */
  #taken(command: Command): void {
    const { endpoint, state } = command;
    if ((finalCommandStates as readonly string[]).includes(state)) this.#working.delete(endpoint);
    else if (state !== 'queued') this.#working.add(endpoint);
    else if (this.#job.state !== 'running') this.#toWithdraw = true;
    this.#steps.add(stepOf(command));
  }

  /** The device sleeps, or is away: what waits for it takes no place. */
  unreachable(endpoint: string): void {
    if (this.#working.delete(endpoint)) this.#kick();
  }

  /** What is under way goes on in the next run. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#running;
  }

  #kick(): void {
    this.#kicked = true;
    if (!this.#pausing) this.#wake?.();
  }

  async #run(): Promise<void> {
    const { log } = this.#parts;
    while (!this.#closed) {
      this.#kicked = false;
      try {
        if (await this.#turn()) return;
      } catch (error) {
        if (this.#closed) return;
        log.warn({ error, job: this.#job.id }, 'a job does not get on; tried again');
        // A step may have taken place of which nobody could be told.
        this.#reviewAt = Number.NEGATIVE_INFINITY;
        this.#reviewAllAt = Number.NEGATIVE_INFINITY;
        this.#pausing = true;
        await this.#sleep(RETRY_AFTER);
        this.#pausing = false;
        continue;
      }
      // It may have been closed in the turn: nobody would wake it.
      if (!this.#closed && !this.#kicked && this.#steps.size === 0) await this.#sleep(this.#untilNext());
    }
  }

  /** True when the job has ended. */
  async #turn(): Promise<boolean> {
    const { jobs } = this.#parts.stores;
    if (this.#stale) {
      this.#stale = false;
      const job = await jobs.get(this.#job.id);
      // Removed: it had ended.
      if (job === undefined) return true;
      this.#take(job);
    }
    if (this.#recovering !== undefined) await this.#recover();
    if (this.#parts.clock.now() >= this.#reviewAt) await this.#review();
    if (this.#steps.size > 0) await this.#store();
    if ((finalJobStates as readonly string[]).includes(this.#job.state)) return true;
    if (this.#job.state === 'preparing') await this.#prepare();
    else if (this.#job.state === 'cancelling') await this.#endAll();
    else await this.#advance();
    return (finalJobStates as readonly string[]).includes(this.#job.state);
  }

  /** Takes up what an earlier run has left: commands that it made, and may not have noted. */
  async #recover(): Promise<void> {
    const { commands, jobs } = this.#parts.stores;
    const { id } = this.#job;
    const open = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await commands.list({
        job: id,
        states: ['queued', 'sent', 'accepted'],
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const command of page.items) {
        open.add(command.endpoint);
        this.#restore(command);
      }
      while (this.#steps.size > 0) await this.#store();
      cursor = page.next;
    } while (cursor !== undefined && !this.#closed);
    do {
      const page = await jobs.devices(id, {
        states: ['queued', 'sent', 'accepted'],
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const device of page.items) if (!open.has(device.endpoint)) await this.#resolve(device);
      while (this.#steps.size > 0) await this.#store();
      cursor = page.next;
    } while (cursor !== undefined && !this.#closed);
    this.#recovering = undefined;
  }

  /**
   * Looks what became of commands of which nobody has told: a node that was killed, or a store whose answer was lost,
   * leaves steps that are in the queue alone.
   */
  async #review(): Promise<void> {
    const { stores, clock } = this.#parts;
    const { id, counts, expiresAt } = this.#job;
    const now = clock.now();
    const all = now >= this.#reviewAllAt || counts.queued <= PAGE || clock.wallTime() >= expiresAt;
    const heard = new Set<string>();
    const open = new Set<string>();
    this.#heard = heard;
    const isNews = (device: JobDevice): boolean =>
      heard.has(device.endpoint) || this.#begun.has(device.endpoint) || this.#steps.has(device);
    await reviewDevices(
      stores,
      id,
      all ? ['queued', 'sent', 'accepted'] : ['sent', 'accepted'],
      (device, command) => {
        open.add(device.endpoint);
        if (isNews(device)) return;
        if (command?.job?.attempt !== device.attempt) this.#lost(device);
        else if (stepOf(command).state !== device.state) this.#taken(command);
        // It cannot be reached for so long: it takes no place.
        else if (command.state === 'queued' && clock.wallTime() - command.updatedAt >= REVIEW_EVERY) {
          this.#working.delete(device.endpoint);
        }
      },
      async () => {
        while (this.#steps.size > 0) await this.#store();
        return this.#closed;
      },
    );
    if (all) {
      for (const endpoint of this.#working) {
        if (!open.has(endpoint) && !heard.has(endpoint) && !this.#begun.has(endpoint)) {
          this.#working.delete(endpoint);
        }
      }
      this.#reviewAllAt = now + REVIEW_ALL_EVERY;
    }
    this.#reviewAt = now + REVIEW_EVERY;
    this.#heard = undefined;
  }

  /** Its command has ended while nobody noted it. */
  async #resolve(device: JobDevice): Promise<void> {
    const { attempt, command: id } = device;
    const command = id === undefined ? undefined : await this.#parts.stores.commands.get(id);
    if (command?.job?.attempt === attempt) this.#restore(command);
    else this.#lost(device);
  }

  #lost({ endpoint, attempt }: JobDevice): void {
    const { clock } = this.#parts;
    this.#working.delete(endpoint);
    this.#steps.add({
      endpoint,
      attempt,
      state: 'unknown',
      reason: 'its command is not kept any more: nobody can tell how it ended',
      at: Math.floor(clock.wallTime()),
    });
  }

  #restore(command: Command): void {
    // What came meanwhile is newer than what was read.
    if (this.#recovering?.has(command.endpoint) === true) return;
    if (command.state === 'sent' || command.state === 'accepted') this.#working.add(command.endpoint);
    this.#steps.add(stepOf(command));
  }

  async #store(): Promise<void> {
    const { job, steps } = await this.#steps.store(this.#parts.stores.jobs, this.#job.id);
    for (const { endpoint, attempt } of steps) {
      if (this.#begun.get(endpoint)?.attempt === attempt && !this.#steps.has({ endpoint, attempt })) {
        this.#begun.delete(endpoint);
      }
    }
    if (job !== undefined) this.#take(job);
  }

  /** Puts the devices together, a page at a time; then those that are to be tried again. */
  async #prepare(): Promise<void> {
    const { stores, select, clock } = this.#parts;
    const { id, filter, selected } = this.#job;
    const now = Math.floor(clock.wallTime());
    if (!selected && filter !== undefined) {
      const endpoints = await select(filter, this.#selected, PAGE);
      const last = endpoints.at(-1);
      if (last !== undefined) {
        const job = await stores.jobs.addDevices(id, endpoints, now);
        if (job === undefined) this.#stale = true;
        else this.#take(job);
        this.#selected = last;
      }
      if (endpoints.length === PAGE) {
        this.#kicked = true;
        return;
      }
    }
    if ((await stores.jobs.retryDevices(id, now, PAGE)) === PAGE) {
      this.#kicked = true;
      return;
    }
    await this.#transition({ from: ['preparing'], to: 'running', selected: true });
  }

  /** Of a job that runs, or is paused. */
  async #advance(): Promise<void> {
    const { clock } = this.#parts;
    const { state, failures, stopAfterFailures = Number.POSITIVE_INFINITY, expiresAt } = this.#job;
    if (failures >= stopAfterFailures) {
      const reason = `${failures} devices failed`;
      await this.#transition({ from: ['running', 'paused'], to: 'cancelling', endsAs: 'stopped', reason });
      return;
    }
    if (clock.wallTime() >= expiresAt) {
      await this.#endWaiting('expired', 'its turn did not come in the time of the job');
    } else if (state === 'running') {
      await this.#fill();
    } else {
      await this.#withdraw('the job is paused', withdrawn);
    }
    if (this.#open() === 0) await this.#transition({ from: ['running', 'paused'], to: 'done' });
  }

  async #endAll(): Promise<void> {
    const { endsAs = 'cancelled', reason } = this.#job;
    const why = endsAs === 'stopped' ? `the job stopped: ${reason ?? ''}` : 'the job was cancelled';
    await this.#endWaiting('cancelled', why);
    await this.#withdraw(why);
    if (this.#open() > 0) return;
    await this.#transition({
      from: ['cancelling'],
      to: endsAs,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /** Begins as many devices as there are places for. */
  async #fill(): Promise<void> {
    const { id, atOnce, counts } = this.#job;
    // From where it is to the end, and once from the beginning: what was given back is there.
    let beginnings = 0;
    while (this.#working.size < atOnce) {
      if (this.#next.length === 0) {
        if (counts.waiting <= this.#begun.size) return;
        if (this.#cursor === undefined && ++beginnings > 1) return;
        const page = await this.#parts.stores.jobs.devices(id, {
          states: ['waiting'],
          limit: PAGE,
          ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
        });
        this.#cursor = page.next;
        this.#next = page.items.filter(({ endpoint }) => !this.#begun.has(endpoint));
        if (this.#stale) return this.#again();
        continue;
      }
      const device = this.#next.shift();
      if (device !== undefined && !this.#begun.has(device.endpoint)) this.#begin(device);
    }
  }

  #begin(device: JobDevice): void {
    const { endpoint, attempt } = device;
    const { log, clock } = this.#parts;
    this.#begun.set(endpoint, device);
    this.#working.add(endpoint);
    this.#beginning++;
    const end = (state: 'done' | 'failed', reason: string | undefined): void => {
      this.#working.delete(endpoint);
      this.#steps.add({
        endpoint,
        attempt,
        state,
        ...(reason === undefined ? {} : { reason }),
        at: Math.floor(clock.wallTime()),
      });
    };
    this.#perform(device)
      .then((outcome) => {
        if ('done' in outcome) end('done', outcome.reason);
        // Of one that an earlier run made nobody has told.
        else if (!outcome.created && !this.#steps.has(device)) this.stepped(outcome.command);
      })
      .catch((error: unknown) => {
        const reason = refusalOf(error);
        if (reason !== undefined) return end('failed', reason);
        if (error instanceof StoreUnavailableError || this.#closed) {
          this.#begun.delete(endpoint);
          this.#working.delete(endpoint);
          return undefined;
        }
        log.error({ error, endpoint, job: this.#job.id }, 'a job met a fault of the server at a device');
        return end('failed', 'the server met a fault of its own; its log tells of it');
      })
      .finally(() => {
        this.#beginning--;
        this.#kick();
      });
  }

  #perform({ endpoint, attempt }: JobDevice) {
    const { perform, clock } = this.#parts;
    const { id, operation, expiresAt, tenant } = this.#job;
    const timeToLive = Math.max(1, expiresAt - Math.floor(clock.wallTime()));
    return perform(endpoint, operation as JobOperation, {
      job: id,
      attempt,
      timeToLive,
      ...(tenant === undefined ? {} : { tenant }),
    });
  }

  /** Devices that wait end; none that is being begun, for it may have a command in the next moment. */
  async #endWaiting(state: 'cancelled' | 'expired', reason: string): Promise<void> {
    this.#next = [];
    this.#cursor = undefined;
    if (this.#beginning > 0 || this.#begun.size > 0 || this.#job.counts.waiting === 0) return;
    const at = Math.floor(this.#parts.clock.wallTime());
    const job = await this.#parts.stores.jobs.endWaiting(this.#job.id, { state, reason, at, limit: PAGE });
    if (job !== undefined) this.#take(job);
    if (this.#job.counts.waiting > 0) this.#again();
  }

  /** Takes back what is queued; what is sent goes on to its end. */
  async #withdraw(reason: string, result?: typeof withdrawn): Promise<void> {
    const { jobs } = this.#parts.stores;
    this.#next = [];
    this.#cursor = undefined;
    // What is being begun is queued in a moment, and kicks.
    if (this.#beginning > 0 || !this.#toWithdraw) return;
    this.#toWithdraw = false;
    while (this.#steps.size > 0) await this.#store();
    let cursor: string | undefined;
    do {
      const page = await jobs.devices(this.#job.id, {
        states: ['queued'],
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (let from = 0; from < page.items.length; from += CANCEL_AT_ONCE) {
        const some = page.items.slice(from, from + CANCEL_AT_ONCE);
        await Promise.all(some.map(({ command }) => this.#cancel(command, reason, result)));
      }
      while (this.#steps.size > 0) await this.#store();
      cursor = page.next;
    } while (cursor !== undefined && !this.#closed);
  }

  async #cancel(id: string | undefined, reason: string, result: typeof withdrawn | undefined): Promise<void> {
    if (id === undefined) return;
    const { stores, clock, onStep } = this.#parts;
    const command = await stores.commands.transition({
      id,
      from: ['queued'],
      to: 'cancelled',
      at: Math.floor(clock.wallTime()),
      reason,
      ...(result === undefined ? {} : { result }),
    });
    if (command !== undefined) onStep(command);
  }

  async #transition(step: Omit<JobTransition, 'id' | 'at'>): Promise<void> {
    const { stores, clock } = this.#parts;
    const at = Math.floor(clock.wallTime());
    const job = await stores.jobs.transition({ id: this.#job.id, at, ...step });
    // Somebody was faster, and has said so; or it is not as we have it.
    if (job === undefined) this.#stale = true;
    else this.#take(job);
    this.#again();
  }

  #take(job: Job): void {
    const before = this.#job;
    this.#job = job;
    if (before.state !== job.state) this.#toWithdraw = true;
    const ended = (finalJobStates as readonly string[]).includes(job.state);
    this.#parts.onChanged(job, ended);
  }

  #open(): number {
    return openJobDeviceStates.reduce((sum, state) => sum + this.#job.counts[state], 0);
  }

  /** There is another turn. */
  #again(): void {
    this.#kicked = true;
  }

  #untilDeadline(): number | undefined {
    const left = this.#job.expiresAt - this.#parts.clock.wallTime();
    if (left <= 0 || this.#job.state === 'cancelling') return undefined;
    return Math.min(left, LONGEST_TIMER);
  }

  /** Until something has to be done, or looked at, without being told. */
  #untilNext(): number | undefined {
    const deadline = this.#untilDeadline();
    const { queued, sent, accepted } = this.#job.counts;
    if (queued + sent + accepted + this.#working.size === 0) return deadline;
    return Math.min(deadline ?? LONGEST_TIMER, this.#reviewAt - this.#parts.clock.now());
  }

  /** Until it is woken, or for so long. */
  #sleep(milliseconds: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const end = (): void => {
        this.#wake = undefined;
        timer?.cancel();
        resolve();
      };
      if (milliseconds !== undefined) timer = this.#parts.clock.setTimer(Math.max(1, milliseconds), end);
      this.#wake = end;
    });
  }
}
