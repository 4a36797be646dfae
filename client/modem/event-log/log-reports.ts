import type { Clock, Timer } from '../../../protocol/clock.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import type { SendOutcome } from '../../lwm2m/send.ts';

/** A server that the log is sent to. */
export interface LogReceiver {
  readonly shortServerId: number;
  send(records: readonly LwM2mRecord[]): Promise<SendOutcome>;
}

export interface LogReportsOptions {
  readonly clock: Clock;
  /** Of LogDataIncremental. */
  readonly path: string;
  readonly receivers: () => readonly LogReceiver[];
  readonly onFault: (error: unknown) => void;
}

/** What waits for one server, and when it was sent something last, on the monotonic clock. */
interface Pending {
  entries: Uint8Array[];
  bytes: number;
  sentAt: number;
  sending: boolean;
}

/** What waits for a server at most, bytes: fits a block-wise Send of a few blocks. */
const mostBytes = 4_096;

/**
 * The log as LogDataIncremental: what is new goes to each server by Send, not sooner than the interval after
 * the last, until the server has it. Independent of what LogStart and LogStop do with the log.
 */
export class LogReports {
  readonly #options: LogReportsOptions;
  readonly #pending = new Map<number, Pending>();
  #interval = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: LogReportsOptions) {
    this.#options = options;
  }

  /** Seconds between two Sends to one server; 0: there are none. */
  get interval(): number {
    return this.#interval;
  }

  set interval(seconds: number) {
    if (seconds > 0 && this.#interval === 0) this.#pending.clear();
    this.#interval = seconds;
    this.#schedule();
  }

  add(entry: Uint8Array): void {
    if (this.#interval === 0) return;
    for (const { shortServerId } of this.#options.receivers()) {
      const pending = this.#of(shortServerId);
      pending.entries.push(entry);
      pending.bytes += entry.length;
      while (pending.bytes > mostBytes) pending.bytes -= pending.entries.shift()?.length ?? 0;
    }
    if (this.#timer === undefined) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #of(shortServerId: number): Pending {
    const known = this.#pending.get(shortServerId);
    if (known !== undefined) return known;
    const pending: Pending = {
      entries: [],
      bytes: 0,
      sentAt: this.#options.clock.now(),
      sending: false,
    };
    this.#pending.set(shortServerId, pending);
    return pending;
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#closed || this.#interval === 0) return;
    const { clock } = this.#options;
    let due = Number.POSITIVE_INFINITY;
    for (const { entries, sentAt, sending } of this.#pending.values()) {
      if (entries.length > 0 && !sending) due = Math.min(due, sentAt + this.#interval * 1_000);
    }
    if (due === Number.POSITIVE_INFINITY) return;
    // Longer than a timer can wait, or than a server that changes its mind would like: looked at again.
    const wait = Math.min(86_400_000, Math.max(1, due - clock.now()));
    this.#timer = clock.setTimer(wait, () => {
      this.#timer = undefined;
      this.#sendDue();
    });
  }

  #sendDue(): void {
    const { clock, receivers, onFault } = this.#options;
    for (const receiver of receivers()) {
      const pending = this.#pending.get(receiver.shortServerId);
      if (pending === undefined || pending.sending || pending.entries.length === 0) continue;
      if (pending.sentAt + this.#interval * 1_000 > clock.now()) continue;
      this.#send(receiver, pending).catch(onFault);
    }
    this.#schedule();
  }

  async #send(receiver: LogReceiver, pending: Pending): Promise<void> {
    const { clock, path } = this.#options;
    const { entries, bytes } = pending;
    pending.entries = [];
    pending.bytes = 0;
    pending.sending = true;
    pending.sentAt = clock.now();
    const { result } = await receiver.send([{ path, value: join(entries, bytes) }]);
    pending.sending = false;
    if (result !== 'accepted') {
      pending.entries = [...entries, ...pending.entries];
      pending.bytes += bytes;
      while (pending.bytes > mostBytes) pending.bytes -= pending.entries.shift()?.length ?? 0;
    }
    this.#schedule();
  }
}

function join(entries: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const entry of entries) {
    joined.set(entry, at);
    at += entry.length;
  }
  return joined;
}
