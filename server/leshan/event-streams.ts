import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { EventConnection } from '../api/event-connection.ts';
import type { LeshanFeed } from './feed.ts';
import { LeshanRefusal } from './refusals.ts';

const HEARTBEAT_MS = 10_000;
/** Heartbeats that a client may miss while something waits for it: then it is taken for gone. */
const MAX_STALLED_HEARTBEATS = 4;
const MAX_STREAMS = 256;
/** Bytes that may wait for a client: nothing is replayed, so one that falls further behind has to begin anew. */
const MAX_WAITING = 8 * 1024 * 1024;
const CLOSING_GRACE_MS = 1_000;

/** An empty line: it keeps the connection open, and is no event. */
const heartbeat = Buffer.from('\n');

/** The open event streams: their limit, their heartbeat and their end. */
export class LeshanEventStreams {
  readonly #feed: LeshanFeed;
  readonly #clock: Clock;
  readonly #open = new Map<EventConnection, () => void>();
  #timer: Timer | undefined;

  constructor(feed: LeshanFeed, clock: Clock) {
    this.#feed = feed;
    this.#clock = clock;
  }

  /** @throws LeshanRefusal where no more may be opened: ask before the answer's head is written. */
  admit(): void {
    if (this.#open.size < MAX_STREAMS) return;
    throw new LeshanRefusal(503, `${MAX_STREAMS} event streams are open, which is the limit`);
  }

  /** Streams into `response`, whose head is written, until either side ends it. */
  open(response: ServerResponse, endpoint: string | undefined): void {
    const connection = new EventConnection(response, () => undefined);
    const end = this.#feed.subscribe(endpoint, (frame) => {
      if (!connection.send(frame) && response.writableLength > MAX_WAITING) connection.destroy();
    });
    this.#open.set(connection, end);
    response.once('close', () => this.#forget(connection));
    if (connection.closed) this.#forget(connection);
    this.#beat();
  }

  /** Ends all streams. Idempotent. Resolves when the clients have what was on its way, or have had their time for it. */
  async close(): Promise<void> {
    const connections = [...this.#open.keys()];
    for (const connection of connections) {
      this.#forget(connection);
      connection.end();
    }
    const slow = this.#clock.setTimer(CLOSING_GRACE_MS, () => {
      for (const connection of connections) connection.destroy();
    });
    await Promise.all(connections.map(({ whenClosed }) => whenClosed));
    slow.cancel();
  }

  #forget(connection: EventConnection): void {
    this.#open.get(connection)?.();
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #beat(): void {
    this.#timer ??= this.#clock.setTimer(HEARTBEAT_MS, () => {
      this.#timer = undefined;
      for (const connection of this.#open.keys()) {
        if (connection.heartbeat(() => heartbeat) >= MAX_STALLED_HEARTBEATS) connection.destroy();
      }
      if (this.#open.size > 0) this.#beat();
    });
  }
}
