import type { Logger } from 'pino';
import { DecodeError } from '../../protocol/errors.ts';
import type { LiveHub } from '../live/hub.ts';
import type { Feeds } from '../ports/cluster-ports.ts';
import type { StoredEvent } from '../ports/event-log.ts';
import type { LogPosition } from '../ports/telemetry-log.ts';
import { decodePack, type Pack } from '../telemetry/pack.ts';

export interface FeedParts {
  readonly feeds: Feeds;
  readonly hub: Pick<LiveHub, 'position' | 'publishEvent' | 'publishPack'>;
  readonly log: Logger;
  /** Before anybody else hears of it. */
  readonly onEvent: (event: StoredEvent) => void;
  readonly onPack: (pack: Pack, position: LogPosition) => void;
}

/** Follows both logs, whichever node appends to them, from where the hub stands: all that is heard live comes this way. */
export function followFeeds({ feeds, hub, log, onEvent, onPack }: FeedParts): { close(): Promise<void> } {
  const from = hub.position();
  const events = feeds.events(from.event, (some) => {
    for (const event of some) {
      try {
        onEvent(event);
      } catch (error) {
        log.error({ error, event: event.id }, 'what follows an event met a bug');
      }
      hub.publishEvent(event);
    }
  });
  const packs = feeds.log(from.log, (entries) => {
    for (const { endpoint, receivedAt, body, position } of entries) {
      try {
        const pack = decodePack(endpoint, receivedAt, body);
        onPack(pack, position);
        hub.publishPack(pack, position);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        log.error({ error, position, endpoint }, 'a log entry cannot be read; it is passed over');
      }
    }
  });
  return {
    close: async () => {
      await Promise.all([events.close(), packs.close()]);
    },
  };
}
