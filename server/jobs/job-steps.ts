import type { Command } from '../ports/command-queue.ts';
import type { JobDevice, JobDeviceStep, JobStore } from '../ports/job-store.ts';

/** Characters of a result as JSON that are kept with a device; the command has the whole. */
const MAX_RESULT = 4_096;
/** Steps that go to the store in one call. */
const MAX_STEPS = 500;

/** Marks a command that a job took back before it was sent, in its result: the device waits again. */
export const withdrawn = { withdrawn: true } as const;

/** What a command's state means for the device in its job. */
export function stepOf(command: Command): JobDeviceStep {
  const { endpoint, state, reason, result, job } = command;
  const given = state === 'cancelled' && result?.['withdrawn'] === true;
  return {
    endpoint,
    attempt: job?.attempt ?? 1,
    state: given ? 'waiting' : state,
    command: command.id,
    ...(reason === undefined || given ? {} : { reason }),
    ...(result === undefined || given || JSON.stringify(result).length > MAX_RESULT ? {} : { result }),
    at: command.updatedAt,
  };
}

/** What has become of devices and is not in the store yet: the newest of each attempt. */
export class JobSteps {
  readonly #steps = new Map<string, JobDeviceStep>();

  get size(): number {
    return this.#steps.size;
  }

  /** Replaces what is not stored yet of the same attempt. */
  add(step: JobDeviceStep): void {
    this.#steps.set(keyOf(step), step);
  }

  /** Whether something is to be stored of this attempt. */
  has(device: Pick<JobDevice, 'endpoint' | 'attempt'>): boolean {
    return this.#steps.has(keyOf(device));
  }

  /**
   * Stores some of them; what it rejects with, they are still here. Those that are stored, and the job as it is then;
   * the job is undefined where it is not known any more.
   */
  async store(jobs: JobStore, id: string) {
    const steps = [...this.#steps.values()].slice(0, MAX_STEPS);
    const job = await jobs.note(id, steps);
    // A newer one that came meanwhile stays.
    for (const step of steps) if (this.#steps.get(keyOf(step)) === step) this.#steps.delete(keyOf(step));
    return { job, steps };
  }
}

function keyOf({ endpoint, attempt }: Pick<JobDevice, 'endpoint' | 'attempt'>): string {
  return `${attempt} ${endpoint}`;
}
