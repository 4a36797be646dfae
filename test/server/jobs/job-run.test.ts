import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { JobOperation } from '../../../server/jobs/job-operations.ts';
import { JobRun } from '../../../server/jobs/job-run.ts';
import type { Command, CommandState } from '../../../server/ports/command-queue.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { Job, JobStore } from '../../../server/ports/job-store.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';
import { until } from '../../support/until.ts';

const operation: JobOperation & Readonly<Record<string, unknown>> = { kind: 'forget' };

describe('a job of whose commands nobody tells any more', () => {
  let stores: Stores;
  let clock: ManualClock;
  let run: JobRun;
  let job: Job;
  /** While it is set, nothing can be noted; how often that was tried. */
  let refusing: boolean;
  let refused: number;
  const begun: Command[] = [];

  beforeEach(async () => {
    stores = await openEmbeddedStores({ path: ':memory:' });
    clock = new ManualClock();
    refusing = false;
    refused = 0;
    begun.length = 0;
    const jobs: JobStore = {
      ...stores.jobs,
      note: async (id, steps) => {
        if (!refusing) return stores.jobs.note(id, steps);
        refused += 1;
        throw new StoreUnavailableError('away');
      },
    };
    const made = await stores.jobs.create({
      id: 'j',
      endpoints: ['a', 'b', 'c'],
      operation,
      timeToLive: 3_600_000,
      atOnce: 2,
      createdAt: clock.wallTime(),
    });
    job = made.job;
    run = new JobRun(job, {
      stores: { jobs, commands: stores.commands },
      perform: async (endpoint, _operation, { job: id, attempt, timeToLive }) => {
        const createdAt = clock.wallTime();
        const { command, created } = await stores.commands.enqueue({
          endpoint,
          kind: 'request',
          parameters: {},
          createdAt,
          expiresAt: createdAt + timeToLive,
          idempotencyKey: `${id} ${endpoint} ${attempt}`,
          job: { id, attempt },
        });
        begun.push(command);
        if (created) run.stepped(command);
        return { command, created };
      },
      select: async () => [],
      clock,
      log: pino({ level: 'silent' }),
      onStep: () => undefined,
      onChanged: (changed) => {
        job = changed;
      },
    });
    run.start(true);
  });
  afterEach(async () => {
    await run.close();
    await stores.close();
  });

  /** In the queue alone. */
  async function step(endpoint: string, to: CommandState): Promise<Command> {
    const command = await stores.commands.head(endpoint);
    const taken = await stores.commands.transition({
      id: command?.id ?? '',
      from: ['queued', 'sent', 'accepted'],
      to,
      at: clock.wallTime(),
    });
    if (taken === undefined) throw new Error(`${endpoint} took no step`);
    return taken;
  }
  /** While time goes by. */
  const inTime = (what: string, fits: () => boolean): Promise<unknown> =>
    until(what, () => {
      if (fits()) return true;
      clock.advance(100);
      return undefined;
    });
  const bothBegun = (): Promise<unknown> =>
    until('two have a command', () => (job.counts.queued === 2 ? true : undefined));

  test('finds out by itself, and goes on with the places that are free then', async () => {
    await bothBegun();
    run.stepped(await step('a', 'sent'));
    await step('a', 'done');
    await step('b', 'sent');
    await step('b', 'failed');
    clock.advance(29_000);
    await inTime('the third has its turn', () => job.counts.queued === 1 && begun.length === 3);
    expect(job.counts).toMatchObject({ done: 1, failed: 1, queued: 1 });
    await step('c', 'expired');
    clock.advance(29_000);
    await inTime('the job has ended', () => job.state === 'done');
    expect(job.counts).toMatchObject({ done: 1, failed: 1, expired: 1 });
    expect(begun).toHaveLength(3);
  });

  test('looks at once where the store had been away', async () => {
    await bothBegun();
    refusing = true;
    await step('b', 'done');
    run.stepped(await step('a', 'sent'));
    await until('it is refused', () => (refused > 0 ? true : undefined));
    refusing = false;
    await inTime('it has looked', () => job.counts.done === 1);
    expect(job.counts).toMatchObject({ sent: 1, done: 1 });
    expect(clock.now()).toBeLessThan(25_000);
  });

  test('is closed in the middle of a turn', async () => {
    await bothBegun();
    run.stepped(await step('a', 'sent'));
    await run.close();
    expect(await stores.jobs.get('j')).toMatchObject({ state: 'running' });
  });

  test('leaves alone what is under way; what is queued for so long takes no place', async () => {
    await bothBegun();
    clock.advance(28_000);
    run.stepped(await step('a', 'sent'));
    await inTime('the third has its turn', () => job.counts.waiting === 0);
    expect(job.counts).toMatchObject({ queued: 2, sent: 1, waiting: 0, unknown: 0 });
    expect(clock.now()).toBeGreaterThanOrEqual(30_000);
    expect(begun.map(({ endpoint }) => endpoint)).toEqual(['a', 'b', 'c']);
  });
});
