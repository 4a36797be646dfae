import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';
import {
  finalJobStates,
  type Job,
  type JobDevice,
  type JobDeviceState,
  type JobDeviceStep,
  type JobState,
  type JobStore,
  type JobTransition,
  jobDeviceStates,
  type NewJob,
  openJobDeviceStates,
} from '../ports/job-store.ts';

type Counts = Record<JobDeviceState, number>;

/** Devices of removed jobs that one step takes out: appends have their turn between two. */
const purgeStep = 5000;
/** Characters of results in one page, but for a single larger one. */
const pageCharacters = 4_194_304;

const ended: ReadonlySet<string> = new Set(finalJobStates);
const open: ReadonlySet<string> = new Set(openJobDeviceStates);

/** Jobs and their devices on the worker's side. */
export class JobTable {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #get;
  readonly #change;
  readonly #setCounts;
  readonly #addDevice;
  readonly #device;
  readonly #setDevice;
  readonly #endWaiting;
  readonly #retry;
  readonly #remove;
  readonly #endOf;
  readonly #trim;
  readonly #purgeDevices;
  readonly #purgeJobs;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO job (id, name, tenant, filter, operation, time_to_live, at_once, stop_after, state, selected, counts,
         failures, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'preparing', ?, ?, 0, ?, ?) RETURNING *`,
    );
    this.#get = database.prepare('SELECT * FROM job WHERE id = ? AND removed = 0');
    this.#change = database.prepare(
      `UPDATE job SET state = ?, reason = ?, ends_as = ?, selected = ?, failures = ?, expires_at = ?, started_at = ?,
         ended_at = ? WHERE sequence = ? RETURNING *`,
    );
    this.#setCounts = database.prepare(
      'UPDATE job SET counts = ?, failures = ? WHERE sequence = ? RETURNING *',
    );
    this.#addDevice = database.prepare(
      `INSERT OR IGNORE INTO job_device (job, endpoint, state, attempt, updated_at) VALUES (?, ?, 'waiting', 1, ?)`,
    );
    this.#device = database.prepare('SELECT * FROM job_device WHERE job = ? AND endpoint = ?');
    this.#setDevice = database.prepare(
      `UPDATE job_device SET state = ?, attempt = ?, command = ?, reason = ?, result = ?, updated_at = ?
       WHERE job = ? AND endpoint = ?`,
    );
    this.#endWaiting = database.prepare(
      `UPDATE job_device SET state = ?, reason = ?, updated_at = ? WHERE job = ? AND endpoint IN
         (SELECT endpoint FROM job_device WHERE job = ? AND state = 'waiting' ORDER BY endpoint LIMIT ?)`,
    );
    this.#retry = database.prepare(
      `UPDATE job_device SET state = 'waiting', attempt = attempt + 1, reason = NULL, result = NULL, updated_at = ?
       WHERE job = ? AND endpoint IN
         (SELECT endpoint FROM job_device WHERE job = ? AND state = ? ORDER BY endpoint LIMIT ?)`,
    );
    this.#remove = database.prepare(
      'UPDATE job SET removed = 1 WHERE id = ? AND removed = 0 AND ended_at IS NOT NULL',
    );
    this.#endOf = database.prepare(
      'SELECT ended_at FROM job WHERE ended_at IS NOT NULL AND removed = 0 ORDER BY ended_at DESC LIMIT 1 OFFSET ?',
    );
    this.#trim = database.prepare(
      'UPDATE job SET removed = 1 WHERE removed = 0 AND (ended_at < ? OR ended_at <= ?)',
    );
    this.#purgeDevices = database.prepare(
      `DELETE FROM job_device WHERE (job, endpoint) IN (SELECT job, endpoint FROM job_device
         WHERE job IN (SELECT sequence FROM job WHERE removed = 1) LIMIT ?)`,
    );
    this.#purgeJobs = database.prepare('DELETE FROM job WHERE removed = 1');
  }

  create(job: NewJob): { job: Job; created: boolean } {
    const before = this.get(job.id);
    if (before !== undefined) return { job: before, created: false };
    const row = this.#insert.get(
      job.id,
      job.name ?? null,
      job.tenant ?? null,
      job.filter === undefined ? null : JSON.stringify(job.filter),
      JSON.stringify(job.operation),
      job.timeToLive,
      job.atOnce,
      job.stopAfterFailures ?? null,
      job.filter === undefined ? 1 : 0,
      JSON.stringify(noCounts()),
      job.createdAt,
      job.createdAt + job.timeToLive,
    ) as Row;
    return { job: this.#add(row, job.endpoints ?? [], job.createdAt), created: true };
  }

  get(id: string): Job | undefined {
    const row = this.#get.get(id);
    return row && jobOf(row);
  }

  list(query: Parameters<JobStore['list']>[0]): { items: readonly Job[]; next?: string } {
    const conditions = ['removed = 0'];
    const values: SQLInputValue[] = [];
    if (query.states !== undefined) {
      conditions.push(`state IN (${query.states.map(() => '?').join(', ')})`);
      values.push(...query.states);
    }
    if (query.tenant !== undefined) {
      conditions.push('tenant = ?');
      values.push(query.tenant);
    }
    if (query.cursor !== undefined) {
      conditions.push('sequence < ?');
      values.push(decodeCursor('jobs', query.cursor, 'number'));
    }
    const rows = this.#database
      .prepare(`SELECT * FROM job WHERE ${conditions.join(' AND ')} ORDER BY sequence DESC LIMIT ?`)
      .all(...values, query.limit + 1);
    const page = rows.slice(0, query.limit);
    const last = page.at(-1)?.['sequence'] as number | undefined;
    const more = rows.length > page.length && last !== undefined;
    return { items: page.map(jobOf), ...(more ? { next: encodeCursor('jobs', last) } : {}) };
  }

  addDevices(id: string, endpoints: readonly string[], at: number): Job | undefined {
    const row = this.#get.get(id);
    if (row?.['state'] !== 'preparing') return undefined;
    return this.#add(row, endpoints, at);
  }

  transition(step: JobTransition): Job | undefined {
    const row = this.#get.get(step.id);
    if (row === undefined || !step.from.includes(row['state'] as JobState)) return undefined;
    const ends = ended.has(step.to);
    if (ends && openDevices(countsOf(row)) > 0) return undefined;
    const changed = this.#change.get(
      step.to,
      step.reason ?? null,
      step.endsAs ?? null,
      step.selected === undefined ? column(row, 'selected') : Number(step.selected),
      step.forgive === true ? 0 : column(row, 'failures'),
      step.expiresAt ?? column(row, 'expires_at'),
      column(row, 'started_at') ?? (step.to === 'running' ? step.at : null),
      ends ? step.at : null,
      row['sequence'] as number,
    );
    return jobOf(changed as Row);
  }

  devices(
    id: string,
    query: Parameters<JobStore['devices']>[1],
  ): { items: readonly JobDevice[]; next?: string } {
    const job = this.#get.get(id)?.['sequence'];
    const after =
      query.cursor === undefined ? undefined : decodeCursor('job-devices', query.cursor, 'string');
    if (job === undefined) return { items: [] };
    const conditions = ['job = ?'];
    const values: SQLInputValue[] = [job as number];
    if (query.states !== undefined) {
      conditions.push(`state IN (${query.states.map(() => '?').join(', ')})`);
      values.push(...query.states);
    }
    if (after !== undefined) {
      conditions.push('endpoint > ?');
      values.push(after);
    }
    const rows = this.#database
      .prepare(`SELECT * FROM job_device WHERE ${conditions.join(' AND ')} ORDER BY endpoint LIMIT ?`)
      .iterate(...values, query.limit + 1);
    const items: JobDevice[] = [];
    let left = pageCharacters;
    for (const row of rows) {
      const size = (row['result'] as string | null)?.length ?? 0;
      const last = items.at(-1);
      if (last !== undefined && (items.length === query.limit || size > left)) {
        return { items, next: encodeCursor('job-devices', last.endpoint) };
      }
      left -= size;
      items.push(deviceOf(row));
    }
    return { items };
  }

  note(id: string, steps: readonly JobDeviceStep[]): Job | undefined {
    const row = this.#get.get(id);
    if (row === undefined) return undefined;
    const counts = countsOf(row);
    let failures = row['failures'] as number;
    for (const step of steps) {
      const device = this.#device.get(row['sequence'] as number, step.endpoint);
      if (device === undefined || device['attempt'] !== step.attempt) continue;
      const state = device['state'] as JobDeviceState;
      if (!open.has(state)) continue;
      this.#setDevice.run(
        step.state,
        step.state === 'waiting' ? step.attempt + 1 : step.attempt,
        step.command ?? device['command'] ?? null,
        step.reason ?? null,
        step.result === undefined ? null : JSON.stringify(step.result),
        step.at,
        row['sequence'] as number,
        step.endpoint,
      );
      counts[state]--;
      counts[step.state]++;
      if (step.state === 'failed' || step.state === 'unknown') failures++;
    }
    return this.#count(row, counts, failures);
  }

  endWaiting(
    id: string,
    { state, reason, at, limit }: Parameters<JobStore['endWaiting']>[1],
  ): Job | undefined {
    const row = this.#get.get(id);
    if (row === undefined) return undefined;
    const job = row['sequence'] as number;
    const changed = Number(this.#endWaiting.run(state, reason, at, job, job, limit).changes);
    const counts = countsOf(row);
    counts.waiting -= changed;
    counts[state] += changed;
    return this.#count(row, counts);
  }

  retryDevices(id: string, at: number, limit: number): number {
    const row = this.#get.get(id);
    if (row?.['state'] !== 'preparing') return 0;
    const job = row['sequence'] as number;
    const counts = countsOf(row);
    let left = limit;
    for (const state of ['failed', 'expired', 'cancelled'] as const) {
      const changed = Number(this.#retry.run(at, job, job, state, left).changes);
      counts[state] -= changed;
      counts.waiting += changed;
      left -= changed;
    }
    this.#count(row, counts);
    return limit - left;
  }

  /** It is not seen any more; its devices await their removal (`purge`). */
  remove(id: string): boolean {
    return this.#remove.run(id).changes === 1;
  }

  /** As `remove`. */
  trim({ endedBefore, keep }: Parameters<JobStore['trim']>[0]): number {
    const tooMany = this.#endOf.get(keep)?.['ended_at'] ?? Number.NEGATIVE_INFINITY;
    return Number(this.#trim.run(endedBefore, tooMany).changes);
  }

  /** One step; true where there may be more to remove. */
  purge(): boolean {
    if (Number(this.#purgeDevices.run(purgeStep).changes) === purgeStep) return true;
    this.#purgeJobs.run();
    return false;
  }

  #add(row: Row, endpoints: readonly string[], at: number): Job {
    const counts = countsOf(row);
    for (const endpoint of endpoints) {
      counts.waiting += Number(this.#addDevice.run(row['sequence'] as number, endpoint, at).changes);
    }
    return this.#count(row, counts);
  }

  #count(row: Row, counts: Counts, failures = row['failures'] as number): Job {
    return jobOf(this.#setCounts.get(JSON.stringify(counts), failures, row['sequence'] as number) as Row);
  }
}

type Row = Record<string, SQLOutputValue>;

function column(row: Row, name: string): SQLOutputValue {
  return row[name] ?? null;
}

function noCounts(): Counts {
  return Object.fromEntries(jobDeviceStates.map((state) => [state, 0])) as Counts;
}

function countsOf(row: Row): Counts {
  return JSON.parse(row['counts'] as string);
}

function openDevices(counts: Counts): number {
  return openJobDeviceStates.reduce((sum, state) => sum + counts[state], 0);
}

function jobOf(row: Row): Job {
  const counts = countsOf(row);
  return {
    id: row['id'] as string,
    ...(row['name'] === null ? {} : { name: row['name'] as string }),
    ...(row['tenant'] === null ? {} : { tenant: row['tenant'] as string }),
    ...(row['filter'] === null ? {} : { filter: JSON.parse(row['filter'] as string) }),
    operation: JSON.parse(row['operation'] as string),
    timeToLive: row['time_to_live'] as number,
    atOnce: row['at_once'] as number,
    ...(row['stop_after'] === null ? {} : { stopAfterFailures: row['stop_after'] as number }),
    createdAt: row['created_at'] as number,
    state: row['state'] as JobState,
    selected: row['selected'] === 1,
    ...(row['ends_as'] === null ? {} : { endsAs: row['ends_as'] as 'cancelled' | 'stopped' }),
    ...(row['reason'] === null ? {} : { reason: row['reason'] as string }),
    total: jobDeviceStates.reduce((sum, state) => sum + counts[state], 0),
    counts,
    failures: row['failures'] as number,
    expiresAt: row['expires_at'] as number,
    ...(row['started_at'] === null ? {} : { startedAt: row['started_at'] as number }),
    ...(row['ended_at'] === null ? {} : { endedAt: row['ended_at'] as number }),
  };
}

function deviceOf(row: Row): JobDevice {
  return {
    endpoint: row['endpoint'] as string,
    state: row['state'] as JobDeviceState,
    attempt: row['attempt'] as number,
    ...(row['command'] === null ? {} : { command: row['command'] as string }),
    ...(row['reason'] === null ? {} : { reason: row['reason'] as string }),
    ...(row['result'] === null ? {} : { result: JSON.parse(row['result'] as string) }),
    updatedAt: row['updated_at'] as number,
  };
}
