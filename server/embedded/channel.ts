import { Worker } from 'node:worker_threads';
import { RequestError } from '../../protocol/errors.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { NewLogEntry, TelemetryLog } from '../ports/telemetry-log.ts';
import { AppendBatch } from './append-batch.ts';
import type { DatabaseOptions } from './database.ts';
import type { AppendResult } from './log-table.ts';
import type { Call, Failure, Opened, Reply, Request } from './messages.ts';
import type { Operations, Queries } from './operations.ts';
import { failureOf, Transactions } from './transactions.ts';

type AppendDone = Parameters<TelemetryLog['append']>[1];
type Reads = Operations['reads'];
type Writes = Operations['writes'];

/** Requests under way at most: while the worker is at one, the next lies ready for it. */
const requestsUnderWay = 2;

/**
 * How far apart requests are that hold only what devices wait for, ms, entries of the log and registrations, or what
 * nobody waits for, events: each one wakes two threads and is synced to disk, whatever is in it, and at a few thousand a
 * second that would cost more than all else. What comes after a rest goes out at once, and so does any other call, and an
 * entry for which somebody waits, with what waits.
 */
const spacing = 8;

/** What may wait for the worker before the store refuses more: calls, and bytes of log entries. */
const callsWaiting = 100_000;
const bytesWaiting = 67_108_864;

/** Buffers kept for coming batches, and the size above which one is not kept. */
const buffersKept = 4;
const largestKept = 4_194_304;

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A request on its way, and who waits for its log entries. */
interface Sent {
  readonly dones: readonly AppendDone[];
}

/** Whoever works on requests: a thread, or for a database in memory this one. */
interface DatabaseWorker {
  postMessage(request: Request, transferred: readonly ArrayBuffer[]): void;
}

/**
 * The server's end of the worker. Collects what one turn of the event loop asks for, and what comes
 * while the worker is busy, into one request.
 *
 * A database in memory has no disk to wait for: its requests are worked on here, at the end of the turn, for handing
 * them to another thread and back would cost more than they do.
 */
export class Channel {
  readonly #options: DatabaseOptions;
  readonly #restartPause: number;
  readonly #onFault: (error: Error) => void;
  #worker: DatabaseWorker | undefined;
  /** Told once when the worker has ended. */
  #onEnd: (() => void) | undefined;
  #opening: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #diedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  #calls: Call[] = [];
  readonly #pending = new Map<number, PendingCall>();
  #nextCall = 1;
  #batch: AppendBatch | undefined;
  #dones: AppendDone[] = [];
  #sentBytes = 0;
  #sent: (Sent & { readonly bytes: number })[] = [];
  /** Something waits that is to go out in this turn, or as soon as fewer requests are under way. */
  #urgent = false;
  #scheduled: NodeJS.Immediate | undefined;
  /** Until the next request may go out that is not urgent. */
  #rest: NodeJS.Timeout | undefined;
  /** When the last request went out, ms. */
  #sentAt = Number.NEGATIVE_INFINITY;
  readonly #buffers: ArrayBuffer[] = [];

  /**
   * `restartPause`: how long after the worker's end a new one may be started, ms. `onFault` hears what
   * ended the worker: an error that no code of ours foresaw.
   */
  constructor(options: DatabaseOptions, restartPause: number, onFault: (error: Error) => void) {
    this.#options = options;
    this.#restartPause = restartPause;
    this.#onFault = onFault;
  }

  /** @throws StoreUnavailableError the database cannot be opened. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#start();
    });
  }

  read<Name extends keyof Reads>(
    name: Name,
    ...args: Parameters<Reads[Name]>
  ): Promise<ReturnType<Reads[Name]>> {
    return this.#call(false, name, args, true) as Promise<ReturnType<Reads[Name]>>;
  }

  query<Name extends keyof Queries>(
    name: Name,
    ...args: Parameters<Queries[Name]>
  ): Promise<ReturnType<Queries[Name]>> {
    return this.#call(false, name, args, true) as Promise<ReturnType<Queries[Name]>>;
  }

  write<Name extends keyof Writes>(
    name: Name,
    ...args: Parameters<Writes[Name]>
  ): Promise<ReturnType<Writes[Name]>> {
    return this.#call(true, name, args, true) as Promise<ReturnType<Writes[Name]>>;
  }

  /** As `write`, for what only a device waits for, or nobody: close behind another request it waits for more like it. */
  writeSoon<Name extends keyof Writes>(
    name: Name,
    ...args: Parameters<Writes[Name]>
  ): Promise<ReturnType<Writes[Name]>> {
    return this.#call(true, name, args, false) as Promise<ReturnType<Writes[Name]>>;
  }

  append(entry: NewLogEntry, done: AppendDone): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      // Never from within append: a caller need not expect to be called back while it calls.
      setImmediate(done, refusal, 0, false);
      return;
    }
    this.#batch ??= new AppendBatch(this.#buffers.pop());
    this.#batch.add(entry);
    this.#dones.push(done);
    this.#schedule(entry.awaited === true);
  }

  /** Calls and entries that are not answered yet. */
  get waiting(): number {
    return (
      this.#pending.size + this.#dones.length + this.#sent.reduce((sum, { dones }) => sum + dones.length, 0)
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    if (this.#worker === undefined) return;
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve;
    });
    this.#send(true);
    await ended;
  }

  #call(write: boolean, name: string, args: readonly unknown[], urgent: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const id = this.#nextCall++;
      this.#pending.set(id, { resolve, reject });
      this.#calls.push([id, write, name, args]);
      this.#schedule(urgent);
    });
  }

  #refusal(): StoreUnavailableError | undefined {
    if (this.#closing !== undefined) return new StoreUnavailableError('the store is closed');
    if (this.#worker === undefined && !this.#mayRestart()) {
      return new StoreUnavailableError('the database thread has ended');
    }
    if (this.#pending.size >= callsWaiting || this.#sentBytes + (this.#batch?.length ?? 0) >= bytesWaiting) {
      return new StoreUnavailableError('the database does not keep up');
    }
    return undefined;
  }

  #mayRestart(): boolean {
    return this.#options.path !== ':memory:' && performance.now() - this.#diedAt >= this.#restartPause;
  }

  /** `urgent`: at the end of this turn, not after a rest. */
  #schedule(urgent: boolean): void {
    this.#urgent ||= urgent;
    if (this.#scheduled !== undefined || this.#sent.length >= requestsUnderWay) return;
    if (!this.#urgent) {
      if (this.#rest !== undefined) return;
      const rest = this.#sentAt + spacing - performance.now();
      if (rest > 0) {
        this.#rest = setTimeout(this.#rested, rest);
        return;
      }
    }
    this.#scheduled = setImmediate(this.#flush);
  }

  readonly #rested = (): void => {
    this.#rest = undefined;
    this.#urgent = true;
    if (this.#scheduled === undefined) this.#flush();
  };

  readonly #flush = (): void => {
    this.#scheduled = undefined;
    if (this.#closing === undefined && this.#sent.length < requestsUnderWay) this.#send(false);
  };

  #send(close: boolean): void {
    if (!close && this.#calls.length === 0 && this.#batch === undefined) return;
    if (this.#worker === undefined) this.#start();
    const batch = this.#batch;
    const request: Request = {
      calls: this.#calls,
      ...(batch === undefined ? {} : { batch: { buffer: batch.buffer, length: batch.length } }),
      ...(close ? { close } : {}),
    };
    this.#sent.push({ dones: this.#dones, bytes: batch?.length ?? 0 });
    this.#sentBytes += batch?.length ?? 0;
    this.#calls = [];
    this.#batch = undefined;
    this.#dones = [];
    this.#sentAt = performance.now();
    this.#isLevel();
    this.#worker?.postMessage(request, batch === undefined ? [] : [batch.buffer]);
  }

  /** Nothing waits any more. */
  #isLevel(): void {
    this.#urgent = false;
    clearTimeout(this.#rest);
    this.#rest = undefined;
  }

  #start(): void {
    if (this.#options.path === ':memory:') this.#startHere();
    else this.#startThread();
  }

  #startHere(): void {
    let transactions: Transactions;
    try {
      transactions = new Transactions(this.#options);
    } catch (error) {
      this.#ended(new StoreUnavailableError(failureOf(error).message));
      return;
    }
    this.#worker = {
      postMessage: (request) => {
        let reply: Reply;
        try {
          reply = transactions.run([request]);
        } catch (error) {
          // As a thread would end by it.
          this.#onFault(error as Error);
          this.#ended(new StoreUnavailableError(`the database failed: ${(error as Error).message}`));
          return;
        }
        // Who asks is not called back while he asks.
        queueMicrotask(() => {
          this.#receive(reply);
          if (request.close !== true) return;
          transactions.close();
          this.#ended(new StoreUnavailableError('the store is closed'));
        });
      },
    };
    this.#opened();
  }

  #opened(): void {
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  #ended(error: StoreUnavailableError): void {
    this.#worker = undefined;
    this.#diedAt = performance.now();
    this.#abandon(error);
    this.#onEnd?.();
  }

  #startThread(): void {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      name: this.#options.reader === true ? 'database reader' : 'database',
      workerData: this.#options,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker = { postMessage: (request, transferred) => worker.postMessage(request, [...transferred]) };
    let failure: string | undefined;
    worker.once('message', ({ failure: reason }: Opened) => {
      if (reason === undefined) {
        worker.on('message', this.#receive);
        this.#opened();
      } else {
        failure = reason.message;
      }
    });
    worker.on('error', (error) => {
      failure = `the database thread failed: ${error.message}`;
      this.#onFault(error);
    });
    worker.on('exit', () =>
      this.#ended(new StoreUnavailableError(failure ?? 'the database thread has ended')),
    );
  }

  readonly #receive = (reply: Reply): void => {
    const answered = this.#sent.splice(0, reply.requests);
    for (const { bytes } of answered) this.#sentBytes -= bytes;
    // What waits goes out first, so that the worker has work while the callbacks run.
    if (this.#closing === undefined && this.#urgent) this.#send(false);
    else if (this.#batch !== undefined || this.#calls.length > 0) this.#schedule(false);
    const batches = reply.batches.values();
    for (const { dones } of answered) {
      if (dones.length === 0) continue;
      const answer = batches.next().value;
      if (answer === undefined) throw new Error('the worker answered too few batches');
      if (this.#buffers.length < buffersKept && answer.buffer.byteLength <= largestKept) {
        this.#buffers.push(answer.buffer);
      }
      report(dones, answer.result);
    }
    for (const [id, failure, value] of reply.outcomes) {
      const call = this.#pending.get(id);
      this.#pending.delete(id);
      if (failure === undefined) call?.resolve(value);
      else call?.reject(errorOf(failure));
    }
  };

  /** The worker is gone: whatever it was asked is answered with the error. */
  #abandon(error: StoreUnavailableError): void {
    this.#opening?.reject(error);
    this.#opening = undefined;
    const dones = [...this.#sent.flatMap((sent) => sent.dones), ...this.#dones];
    const calls = [...this.#pending.values()];
    this.#sent = [];
    this.#sentBytes = 0;
    this.#pending.clear();
    this.#calls = [];
    this.#batch = undefined;
    this.#dones = [];
    this.#isLevel();
    for (const call of calls) call.reject(error);
    for (const done of dones) done(error, 0, false);
  }
}

function report(dones: readonly AppendDone[], result: AppendResult | Failure): void {
  if ('fault' in result) {
    const error = errorOf(result);
    for (const done of dones) done(error, 0, false);
    return;
  }
  const { duplicates } = result;
  let position = result.first;
  let duplicate = 0;
  for (let index = 0; index < dones.length; index++) {
    const done = dones[index] as AppendDone;
    if (duplicates[duplicate] === index) {
      done(undefined, duplicates[duplicate + 1] as number, true);
      duplicate += 2;
    } else {
      done(undefined, position, false);
      position += 1;
    }
  }
}

function errorOf(failure: Failure): Error {
  if (failure.fault === 'request') return new RequestError(failure.message);
  if (failure.fault === 'unavailable') return new StoreUnavailableError(failure.message);
  const error = new Error(`in the database thread: ${failure.message}`);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
