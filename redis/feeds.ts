import type { Feeds, Following } from '../server/ports/cluster-ports.ts';
import type { StoredEvent } from '../server/ports/event-log.ts';
import type { LogEntry, LogPosition } from '../server/ports/telemetry-log.ts';
import type { RedisConnection } from './connection.ts';
import { eventStream } from './event-log.ts';
import { eventOf } from './stored-event.ts';
import { type EntryBytes, StreamFollower } from './stream-follower.ts';
import { logStream } from './telemetry-log.ts';

/** The logs as they grow, each follower by a connection of its own, on which Redis tells what is new. */
export class RedisFeeds implements Feeds {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  log(after: LogPosition, listener: (entries: readonly LogEntry[]) => void | Promise<void>): Following {
    return new StreamFollower(this.#redis, logStream(this.#redis), after, (entries) =>
      listener(entries.map(logEntryOf)),
    );
  }

  events(after: number, listener: (events: readonly StoredEvent[]) => void | Promise<void>): Following {
    return new StreamFollower(this.#redis, eventStream(this.#redis), after, (entries) =>
      listener(entries.map(([id, fields]) => eventOf([String(id), fields.map(String)]))),
    );
  }
}

function logEntryOf([id, fields]: EntryBytes): LogEntry {
  const [, endpoint, , receivedAt, , body = Buffer.alloc(0)] = fields;
  return {
    position: Number.parseInt(String(id), 10),
    endpoint: String(endpoint),
    receivedAt: Number(receivedAt),
    body: new Uint8Array(body.buffer, body.byteOffset, body.length),
  };
}
