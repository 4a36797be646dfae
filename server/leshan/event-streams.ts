import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { EventConnection } from '../api/event-connection.ts';
import type { ApiLiveTrace } from '../api/schemas.ts';
import type { LiveStream } from '../events.ts';
import { presentCoapMessage } from './coap-log.ts';
import { encodeEvent, type LeshanFeed } from './feed.ts';
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
  readonly #log: Logger;
  readonly #feed: LeshanFeed;
  readonly #live: LiveStream;
  readonly #clock: Clock;
  readonly #open = new Map<EventConnection, () => void>();
  #timer: Timer | undefined;

  /** @param live has the CoAP messages of devices */
  constructor(feed: LeshanFeed, live: LiveStream, clock: Clock, log: Logger) {
    this.#log = log;
    this.#feed = feed;
    this.#live = live;
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
    const send = (frame: Buffer): void => {
      if (!connection.send(frame) && response.writableLength > MAX_WAITING) connection.destroy();
    };
    const endFeed = this.#feed.subscribe(endpoint, send);
    const endLog = endpoint === undefined ? undefined : this.#logOf(endpoint, connection, send);
    this.#open.set(connection, () => {
      endFeed();
      endLog?.();
    });
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

  /** The CoAP messages of a device, as they pass. @returns what ends it */
  #logOf(endpoint: string, connection: EventConnection, send: (frame: Buffer) => void): () => void {
    const subscription = this.#live.subscribe({
      after: this.#live.position(),
      wishes: [{ endpoint, types: new Set(['trace']) }],
      onEntries: (entries) => {
        for (const { item } of entries) {
          if (item.kind !== 'trace') continue;
          for (const message of (item.message as ApiLiveTrace).messages) {
            const shown = presentCoapMessage(endpoint, message);
            if (shown !== undefined) send(encodeEvent('COAPLOG', shown));
          }
        }
        return true;
      },
      // What was missed of a log that is not kept is not told here.
      onGap: () => undefined,
      onError: (error) => {
        this.#log.error({ err: error }, 'an event stream broke off');
        connection.end();
      },
    });
    return () => subscription.close();
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
