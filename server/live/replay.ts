import type { Clock } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { LiveItem, LivePosition, LiveReadings } from '../events.ts';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { decodePack, type Pack } from '../telemetry/pack.ts';
import { historyReadings } from '../telemetry/readings.ts';
import { type Block, BlockReader } from './block-reader.ts';

/** How much is read from the logs at a time. */
const EVENTS_PER_BLOCK = 500;
const PACKS_PER_BLOCK = 200;

/** Something that a log has. */
export interface Replayed {
  /** Its event id, or its position in the telemetry log. */
  readonly position: number;
  readonly endpoint: string | undefined;
  readonly type: string;
  /** Undefined where it is there and cannot be read. */
  readonly item: LiveItem | undefined;
}

/** Reads both logs for subscribers that are behind, who share what was read. */
export class Replay {
  readonly #events: EventLog;
  readonly #log: TelemetryLog;
  readonly #newest: () => LivePosition;
  readonly #eventBlocks: BlockReader<Replayed>;
  readonly #packBlocks: BlockReader<Replayed>;
  /** The read of one device's events that was asked for last: the next goes behind it. */
  #deviceReads: Promise<unknown> = Promise.resolve();

  constructor(events: EventLog, log: TelemetryLog, newest: () => LivePosition, clock: Clock) {
    this.#events = events;
    this.#log = log;
    this.#newest = newest;
    this.#eventBlocks = new BlockReader((after) => this.#readEvents(after), clock);
    this.#packBlocks = new BlockReader((after) => this.#readPacks(after), clock);
  }

  /** @param endpoint where only events of this device are of use: the log finds them without the others. */
  events(after: number, endpoint: string | undefined): Promise<Block<Replayed>> {
    if (endpoint === undefined) return this.#eventBlocks.blockFor(after);
    const read = this.#deviceReads.then(() => this.#readEvents(after, endpoint));
    this.#deviceReads = read.catch(() => undefined);
    return read;
  }

  /** Where the logs end now, whoever appends to them. */
  async ends(): Promise<LivePosition> {
    const [events, log] = await Promise.all([this.#events.extent(), this.#log.extent()]);
    return { event: events.newest, log: log.newest };
  }

  packs(after: LogPosition): Promise<Block<Replayed>> {
    return this.#packBlocks.blockFor(after);
  }

  // The extent is asked for behind the entries: what was trimmed between the two is told as a gap that is
  // none, never the other way round.

  async #readEvents(after: number, endpoint?: string): Promise<Block<Replayed>> {
    const { event: newest } = this.#newest();
    const query = { after, limit: EVENTS_PER_BLOCK };
    const events = await this.#events.read(endpoint === undefined ? query : { ...query, endpoint });
    const { oldest } = await this.#events.extent();
    const last = events.at(-1)?.id ?? after;
    const through = events.length < EVENTS_PER_BLOCK ? Math.max(last, newest) : last;
    return { after, through, oldest, items: events.map(replayedEvent) };
  }

  async #readPacks(after: LogPosition): Promise<Block<Replayed>> {
    const { log: newest } = this.#newest();
    const entries = await this.#log.read(after, PACKS_PER_BLOCK);
    const { oldest } = await this.#log.extent();
    // Fewer than asked for may be all that fits one answer: only none means the end.
    const through = entries.at(-1)?.position ?? Math.max(after, newest);
    const items = entries.map(({ position, endpoint, receivedAt, body }): Replayed => {
      try {
        const readings = liveReadings(decodePack(endpoint, receivedAt, body), position);
        return { position, endpoint, type: 'readings', item: { kind: 'readings', readings } };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        return { position, endpoint, type: 'readings', item: undefined };
      }
    });
    return { after, through, oldest, items };
  }
}

function replayedEvent(event: StoredEvent): Replayed {
  return { position: event.id, endpoint: event.endpoint, type: event.type, item: { kind: 'event', event } };
}

/** A pack as those who listen get it. */
export function liveReadings(pack: Pack, position: LogPosition): LiveReadings {
  return {
    position,
    endpoint: pack.endpoint,
    series: pack.series.map((series) => ({
      path: series.path,
      readings: historyReadings(series, pack.receivedAt),
    })),
  };
}
