import type { Feeds, Following } from '../server/ports/cluster-ports.ts';
import type { StoredEvent } from '../server/ports/event-log.ts';
import type { LogEntry, LogPosition } from '../server/ports/telemetry-log.ts';
import type { RedisConnection } from './connection.ts';
import { eventStream } from './event-log.ts';
import { OwnEvents } from './own-events.ts';
import { followedEvent } from './stored-event.ts';
import { type EntryBytes, StreamFollower } from './stream-follower.ts';
import { logStream } from './telemetry-log.ts';

/** The logs as they grow, each follower by a connection of its own, on which Redis tells what is new. */
export class RedisFeeds implements Feeds {
  readonly #redis: RedisConnection;
  readonly #read: OwnEvents['read'];

  constructor(redis: RedisConnection, own = new OwnEvents()) {
    this.#redis = redis;
    this.#read = (data) => own.read(data);
  }

  log(after: LogPosition, listener: (entries: readonly LogEntry[]) => void | Promise<void>): Following {
    return new StreamFollower(this.#redis, logStream(this.#redis), after, (entries) =>
      listener(entries.map(logEntryOf)),
    );
  }

  events(after: number, listener: (events: readonly StoredEvent[]) => void | Promise<void>): Following {
    return new StreamFollower(this.#redis, eventStream(this.#redis), after, (entries) =>
      listener(entries.map((entry) => followedEvent(entry, this.#read))),
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
