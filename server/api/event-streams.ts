import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { LivePosition, LiveStream, LiveSubscription, LiveWish } from '../events.ts';
import { EventConnection } from './event-connection.ts';
import { encodeFrame, FrameEncoder, formatPosition } from './event-frames.ts';
import type { Mask } from './masks.ts';
import { ProblemError } from './problems.ts';
import type { ApiHello } from './schemas.ts';
import { isLoopbackAddress } from './sources.ts';

const HEARTBEAT_MS = 15_000;
/** Heartbeats that a client may miss while something waits for it: then it is taken for gone. */
const MAX_STALLED_HEARTBEATS = 4;
/** How long a browser waits before it connects again. */
const RETRY_MS = 2_000;

/** How long a client may take for the rest when the server closes. */
const CLOSING_GRACE_MS = 1_000;

const retry = Buffer.from(`retry: ${RETRY_MS}\n\n`);

interface OpenStream {
  readonly request: StreamRequest;
  readonly connection: EventConnection;
  readonly subscription: LiveSubscription;
}

export interface StreamRequest {
  /** As `callerOf` names it. */
  readonly caller: string;
  /** Absent: only what is new. `'lost'`: the client named a place that never was here. */
  readonly after?: LivePosition | 'lost';
  readonly wishes: readonly LiveWish[];
  /** Only what is this tenant's. */
  readonly tenant: string | undefined;
  /** Identifiers are masked. */
  readonly masked: boolean;
  readonly onError: (error: Error) => void;
  /** Whether the client may go on; asked at each heartbeat. For ever where absent. */
  readonly mayGoOn?: () => Promise<boolean>;
}

/** All event streams of the API that are open: their limit, their heartbeat and their end. */
export class EventStreams {
  readonly #live: LiveStream;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #perCaller: number;
  /** Open streams by caller. */
  readonly #callers = new Map<string, number>();
  readonly #encoder = new FrameEncoder();
  readonly #maskingEncoder: FrameEncoder;
  readonly #open = new Set<OpenStream>();
  #heartbeat: Timer | undefined;
  #closed = false;

  constructor(
    live: LiveStream,
    clock: Clock,
    mask: Mask,
    limit: number,
    perCaller = Number.POSITIVE_INFINITY,
  ) {
    this.#maskingEncoder = new FrameEncoder(mask);
    this.#live = live;
    this.#clock = clock;
    this.#limit = limit;
    this.#perCaller = perCaller;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * @param caller as `callerOf` names it
   * @throws ProblemError where no more may be opened: ask before the answer's head is written.
   */
  admit(caller: string): void {
    if (this.#closed) throw new ProblemError('closing', 'the server is closing');
    if (this.#open.size >= this.#limit) {
      throw new ProblemError('too_many_streams', `${this.#limit} event streams are open, which is the limit`);
    }
    if (isLoopbackAddress(caller) || (this.#callers.get(caller) ?? 0) < this.#perCaller) return;
    throw new ProblemError(
      'streams_limited',
      `${this.#perCaller} event streams of this address are open, which is the limit for one`,
    );
  }

  /** Streams into `response`, whose head is written, until either side ends it. */
  open(response: ServerResponse, request: StreamRequest): void {
    this.#count(request.caller, 1);
    response.once('close', () => this.#count(request.caller, -1));
    const now = this.#live.position();
    const lost = request.after === 'lost' || (request.after !== undefined && isBeyond(request.after, now));
    const after = request.after === undefined || request.after === 'lost' || lost ? now : request.after;

    const encoder = request.masked ? this.#maskingEncoder : this.#encoder;
    let subscription: LiveSubscription | undefined;
    const connection = new EventConnection(response, () => subscription?.resume());
    const hello: ApiHello = { position: formatPosition(after), now: this.#clock.wallTime() };
    connection.send(retry);
    connection.send(encodeFrame('hello', hello, after));
    if (lost) connection.send(encodeFrame('gap', {}));

    subscription = this.#live.subscribe({
      after,
      wishes: request.wishes,
      tenant: request.tenant,
      onEntries: (entries) => connection.send(encoder.encode(entries)),
      onGap: () => connection.send(encodeFrame('gap', {})),
      onPace: (pace, missed = 0) => {
        connection.send(encodeFrame(pace, missed === 0 ? {} : { missedTraces: missed }));
      },
      onError: (error) => {
        // The client connects again after `retry`, and goes on from the last id that it has.
        request.onError(error);
        connection.end();
      },
    });
    const stream = { request, connection, subscription };
    this.#open.add(stream);
    this.#startHeartbeat();
    response.once('close', () => this.#forget(stream));
    if (connection.closed) this.#forget(stream);
  }

  /**
   * Ends all streams; none can be opened afterwards. Idempotent. Resolves when the clients have what
   * was on its way to them, or have had their time for it: they come back and go on from their last id.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const connections = [...this.#open].map(({ connection }) => connection);
    for (const stream of this.#open) {
      this.#forget(stream);
      stream.connection.end();
    }
    const slow = this.#clock.setTimer(CLOSING_GRACE_MS, () => {
      for (const connection of connections) connection.destroy();
    });
    await Promise.all(connections.map((connection) => connection.whenClosed));
    slow.cancel();
  }

  #count(caller: string, change: number): void {
    const count = (this.#callers.get(caller) ?? 0) + change;
    if (count > 0) this.#callers.set(caller, count);
    else this.#callers.delete(caller);
  }

  #forget(stream: OpenStream): void {
    if (!this.#open.delete(stream)) return;
    stream.subscription.close();
    if (this.#open.size > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }

  /** Who was logged out, or may less than before, comes again, and is told so. */
  #endUnlessAllowed(stream: OpenStream): void {
    const { mayGoOn, onError } = stream.request;
    if (mayGoOn === undefined) return;
    mayGoOn().then(
      (allowed) => {
        if (allowed) return;
        this.#forget(stream);
        stream.connection.end();
      },
      // It goes on until somebody can tell.
      (error: unknown) => onError(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #startHeartbeat(): void {
    this.#heartbeat ??= this.#clock.setTimer(HEARTBEAT_MS, () => {
      this.#heartbeat = undefined;
      for (const stream of this.#open) {
        const { connection, subscription } = stream;
        this.#endUnlessAllowed(stream);
        const stalled = connection.heartbeat(() => heartbeat(subscription.position()));
        if (stalled >= MAX_STALLED_HEARTBEATS) connection.destroy();
      }
      if (this.#open.size > 0) this.#startHeartbeat();
    });
  }
}

/**
 * A comment, and where the stream is: a client of one quiet device does not go back to what it heard last of
 * it, perhaps hours ago, when it comes again. An id without data is kept and dispatches nothing
 * (WHATWG HTML §9.2.6).
 */
function heartbeat(position: LivePosition): Buffer {
  return Buffer.from(`:\nid: ${formatPosition(position)}\n\n`);
}

/** The client has seen what this server never said: another database, or one restored from a backup. */
function isBeyond(position: LivePosition, now: LivePosition): boolean {
  return position.event > now.event || position.log > now.log;
}
