import { randomBytes } from 'node:crypto';
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import {
  type Command,
  type CommandQueue,
  type CommandState,
  type CommandTransition,
  finalCommandStates,
  type NewCommand,
  type WaitingBounds,
} from '../ports/command-queue.ts';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';

/** How long an idempotency key is kept, ms. */
const keyLifetime = 86_400_000;

/** Steps of a command that are kept: its beginning, and what is new. */
const firstSteps = 8;
const newestSteps = 24;

/** As the index command_ended has it. */
const ended = "state NOT IN ('queued', 'sent', 'accepted')";

/** Bytes of parameters, results and histories in one page, but for a single larger command. */
const pageBytes = 4_194_304;

/** Old keys that one call removes at most. */
const keysPerCall = 100;

const finalStates: ReadonlySet<CommandState> = new Set(finalCommandStates);

type CommandQuery = Parameters<CommandQueue['list']>[0];

/** Commands on the worker's side. */
export class CommandTable {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #last;
  readonly #waiting;
  readonly #get;
  readonly #head;
  readonly #owns;
  readonly #change;
  readonly #ofJob;
  readonly #key;
  readonly #setKey;
  readonly #dropKeys;
  readonly #pending;
  readonly #countOpen;
  readonly #expired;
  readonly #endOf;
  readonly #trim;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO command (id, endpoint, number, kind, parameters, state, attempts, created_at, updated_at, expires_at, history, job, job_attempt)
       VALUES (?, ?, ?, ?, ?, 'queued', 0, ?, ?, ?, ?, ?, ?) RETURNING *`,
    );
    this.#waiting = database.prepare(
      `SELECT count(*) AS count, coalesce(sum(octet_length(parameters)), 0) AS bytes FROM command
       WHERE endpoint = ? AND state IN ('queued', 'sent', 'accepted')`,
    );
    this.#last = database.prepare(
      'SELECT number FROM command WHERE endpoint = ? ORDER BY sequence DESC LIMIT 1',
    );
    this.#get = database.prepare('SELECT * FROM command WHERE id = ?');
    this.#owns = database.prepare('SELECT 1 FROM device WHERE endpoint = ? AND owner = ? AND fence = ?');
    this.#head = database.prepare(
      `SELECT * FROM command WHERE endpoint = ? AND state IN ('queued', 'sent', 'accepted')
       ORDER BY sequence LIMIT 1`,
    );
    this.#change = database.prepare(
      `UPDATE command SET state = ?, reason = ?, result = coalesce(?, result), attempts = attempts + ?,
         updated_at = ?, history = ? WHERE sequence = ? RETURNING *`,
    );
    this.#ofJob = database.prepare(
      'SELECT * FROM command WHERE job = ? AND endpoint = ? AND job_attempt = ?',
    );
    this.#key = database.prepare(
      'SELECT command, created_at FROM command_key WHERE endpoint = ? AND key = ?',
    );
    this.#setKey = database.prepare('INSERT OR REPLACE INTO command_key VALUES (?, ?, ?, ?)');
    this.#dropKeys = database.prepare(
      `DELETE FROM command_key WHERE (endpoint, key) IN
         (SELECT endpoint, key FROM command_key WHERE created_at <= ? ORDER BY created_at LIMIT ?)`,
    );
    this.#pending = database.prepare(
      "SELECT DISTINCT endpoint FROM command WHERE state IN ('queued', 'sent', 'accepted')",
    );
    this.#countOpen = database.prepare(
      "SELECT count(*) AS count FROM command WHERE kind = ? AND state IN ('queued', 'sent', 'accepted')",
    );
    this.#expired = database.prepare(
      "SELECT * FROM command WHERE expires_at <= ? AND state = 'queued' ORDER BY expires_at LIMIT ?",
    );
    this.#endOf = database.prepare(
      `SELECT updated_at FROM command WHERE ${ended} ORDER BY updated_at DESC LIMIT 1 OFFSET ?`,
    );
    this.#trim = database.prepare(
      `DELETE FROM command WHERE sequence IN (
         SELECT sequence FROM command AS old WHERE ${ended} AND (updated_at < ? OR updated_at <= ?)
           AND EXISTS (SELECT 1 FROM command WHERE endpoint = old.endpoint AND sequence > old.sequence)
         ORDER BY updated_at LIMIT ?)`,
    );
  }

  /** What waits already where no more may. */
  enqueue(
    command: NewCommand,
  ): { command: Command; created: boolean; conflict: boolean } | { waiting: WaitingBounds } {
    const { endpoint, kind, parameters, createdAt, expiresAt, idempotencyKey, job, bounds } = command;
    const before = this.#madeBefore(command);
    if (before !== undefined) {
      const same = before.kind === kind && isDeepStrictEqual(before.parameters, plain(parameters));
      return { command: before, created: false, conflict: !same };
    }
    const encoded = JSON.stringify(parameters);
    if (bounds !== undefined) {
      const { count, bytes } = this.#waiting.get(endpoint) as unknown as WaitingBounds;
      if (count >= bounds.count || bytes + Buffer.byteLength(encoded) > bounds.bytes) {
        return { waiting: { count, bytes } };
      }
    }
    const last = this.#last.get(endpoint)?.['number'] as number | undefined;
    const id = `c${BigInt(`0x${randomBytes(12).toString('hex')}`).toString(36)}`;
    const row = this.#insert.get(
      id,
      endpoint,
      Math.max((last ?? 0) + 1, Math.floor(createdAt)),
      kind,
      encoded,
      createdAt,
      createdAt,
      expiresAt,
      JSON.stringify([{ state: 'queued', at: createdAt }]),
      job?.id ?? null,
      job?.attempt ?? null,
    );
    if (idempotencyKey !== undefined) {
      this.#dropKeys.run(createdAt - keyLifetime, keysPerCall);
      this.#setKey.run(endpoint, idempotencyKey, id, createdAt);
    }
    return { command: commandOf(row as Row), created: true, conflict: false };
  }

  get(id: string): Command | undefined {
    const row = this.#get.get(id);
    return row && commandOf(row);
  }

  head(endpoint: string): Command | undefined {
    const row = this.#head.get(endpoint);
    return row && commandOf(row);
  }

  transition(step: CommandTransition): Command | undefined {
    const row = this.#get.get(step.id);
    const state = row?.['state'] as CommandState;
    if (row === undefined || !step.from.includes(state) || finalStates.has(state)) return undefined;
    const { owner } = step;
    if (owner !== undefined) {
      const owns = this.#owns.get(row['endpoint'] as string, owner.node, owner.fence);
      if (owns === undefined) return undefined;
    }
    return this.#step(row, step);
  }

  list(query: CommandQuery): { items: readonly Command[]; next?: string } {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    if (query.endpoint !== undefined) {
      conditions.push('endpoint = ?');
      values.push(query.endpoint);
    }
    if (query.kind !== undefined) {
      conditions.push('kind = ?');
      values.push(query.kind);
    }
    if (query.job !== undefined) {
      conditions.push('job = ?');
      values.push(query.job);
    }
    if (query.from !== undefined) {
      conditions.push('created_at >= ?');
      values.push(query.from);
    }
    if (query.to !== undefined) {
      conditions.push('created_at < ?');
      values.push(query.to);
    }
    if (query.states !== undefined) {
      conditions.push(`state IN (${query.states.map(() => '?').join(', ')})`);
      values.push(...query.states);
    }
    if (query.cursor !== undefined) {
      conditions.push('sequence < ?');
      values.push(decodeCursor('commands', query.cursor, 'number'));
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#database
      .prepare(`SELECT * FROM command ${where} ORDER BY sequence DESC LIMIT ?`)
      .iterate(...values, query.limit + 1);
    const items: Command[] = [];
    let last = 0;
    let left = pageBytes;
    for (const row of rows) {
      const size = (['parameters', 'result', 'history'] as const).reduce(
        (sum, column) => sum + ((row[column] as string | null)?.length ?? 0),
        0,
      );
      if (items.length === query.limit || (items.length > 0 && size > left)) {
        return { items, next: encodeCursor('commands', last) };
      }
      left -= size;
      last = row['sequence'] as number;
      items.push(commandOf(row));
    }
    return { items };
  }

  pendingEndpoints(): readonly string[] {
    return this.#pending.all().map((row) => row['endpoint'] as string);
  }

  countOpen(kind: string): number {
    return this.#countOpen.get(kind)?.['count'] as number;
  }

  expire(now: number, limit: number): readonly Command[] {
    return this.#expired.all(now, limit).map((row) => this.#step(row, { to: 'expired', at: now }));
  }

  trim({ endedBefore, keep, limit }: { endedBefore: number; keep: number; limit: number }): number {
    // What ended at the same time as the first that is too many goes with it.
    const tooMany = this.#endOf.get(keep)?.['updated_at'] ?? Number.NEGATIVE_INFINITY;
    return Number(this.#trim.run(endedBefore, tooMany, limit).changes);
  }

  #step(row: Row, step: Omit<CommandTransition, 'id' | 'from'>): Command {
    const history: unknown[] = JSON.parse(row['history'] as string);
    history.push({
      state: step.to,
      at: step.at,
      ...(step.reason === undefined ? {} : { reason: step.reason }),
    });
    const tooMany = history.length - firstSteps - newestSteps;
    if (tooMany > 0) history.splice(firstSteps, tooMany);
    const changed = this.#change.get(
      step.to,
      step.reason ?? null,
      step.result === undefined ? null : JSON.stringify(step.result),
      step.attempt === true ? 1 : 0,
      step.at,
      JSON.stringify(history),
      row['sequence'] as number,
    );
    return commandOf(changed as Row);
  }

  #madeBefore({ endpoint, createdAt, idempotencyKey, job }: NewCommand): Command | undefined {
    if (job !== undefined) {
      const row = this.#ofJob.get(job.id, endpoint, job.attempt);
      if (row !== undefined) return commandOf(row);
    }
    return idempotencyKey === undefined ? undefined : this.#byKey(endpoint, idempotencyKey, createdAt);
  }

  #byKey(endpoint: string, key: string, now: number): Command | undefined {
    const row = this.#key.get(endpoint, key);
    if (row === undefined || (row['created_at'] as number) <= now - keyLifetime) return undefined;
    return this.get(row['command'] as string);
  }
}

type Row = Record<string, SQLOutputValue>;

/** As JSON keeps it: what is compared with stored parameters. */
function plain(parameters: unknown): unknown {
  return JSON.parse(JSON.stringify(parameters));
}

function commandOf(row: Row): Command {
  return {
    id: row['id'] as string,
    endpoint: row['endpoint'] as string,
    number: row['number'] as number,
    kind: row['kind'] as string,
    parameters: JSON.parse(row['parameters'] as string),
    state: row['state'] as CommandState,
    ...(row['reason'] === null ? {} : { reason: row['reason'] as string }),
    ...(row['result'] === null ? {} : { result: JSON.parse(row['result'] as string) }),
    attempts: row['attempts'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    expiresAt: row['expires_at'] as number,
    ...(row['job'] === null
      ? {}
      : { job: { id: row['job'] as string, attempt: row['job_attempt'] as number } }),
    history: JSON.parse(row['history'] as string),
  };
}
