import type { EventLog } from '../ports/event-log.ts';
import type { LastValue, LastValues } from '../ports/last-values.ts';
import type { StatisticsStore } from '../ports/statistics-store.ts';
import type { LogEntry, TelemetryLog } from '../ports/telemetry-log.ts';
import { EntryReader } from './append-batch.ts';
import type { Channel } from './channel.ts';
import { eventRow } from './event-table.ts';
import type { LastValueColumns } from './last-value-table.ts';
import type { LogSegments } from './log-table.ts';

export function telemetryLog(channel: Channel, queries: Channel): TelemetryLog {
  return {
    append: (entry, done) => channel.append(entry, done),
    read: async (after, limit) => entriesOf(await queries.query('readLog', after, limit), limit),
    cursor: (consumer) => channel.read('logCursor', consumer),
    commit: (consumer, position) => channel.write('commitLog', consumer, position),
    extent: () => channel.read('logExtent'),
    trim: async ({ now, maxAge, maxBytes }) => {
      let total = 0;
      for (;;) {
        const { removed, more } = await channel.write('trimLog', (now - maxAge) * 1000, maxBytes);
        total += removed;
        if (!more) return total;
      }
    },
  };
}

function entriesOf({ firsts, segments, from }: LogSegments, limit: number): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (const [index, segment] of segments.entries()) {
    const reader = new EntryReader(segment);
    for (let position = firsts[index] as number; reader.next(); position++) {
      if (position < from) continue;
      if (entries.length === limit) return entries;
      entries.push(reader.entry(position));
    }
  }
  return entries;
}

/** Columns cross between threads much faster than objects. */
function columnsOf(values: ReadonlyMap<string, readonly LastValue[]>): LastValueColumns {
  const names: string[] = [];
  const times: number[] = [];
  for (const [endpoint, ofDevice] of values) {
    for (const { path, value, takenAt, receivedAt } of ofDevice) {
      names.push(endpoint, path, JSON.stringify(value));
      times.push(takenAt, receivedAt);
    }
  }
  return { names, times: new Float64Array(times) };
}

export function lastValues(channel: Channel): LastValues {
  return {
    set: (endpoint, values) => channel.write('setLastValues', columnsOf(new Map([[endpoint, values]]))),
    setAll: (values) => channel.write('setLastValues', columnsOf(values)),
    get: (endpoint, prefix) => channel.read('lastValues', endpoint, prefix),
  };
}

export function eventLog(channel: Channel, queries: Channel): EventLog {
  return {
    append(events, awaited = false) {
      const rows = events.map(eventRow);
      return awaited ? channel.write('appendEvents', rows) : channel.writeSoon('appendEvents', rows);
    },
    read: ({ after, endpoint, limit }) => queries.query('readEvents', after, endpoint, limit),
    latest: (query) => queries.query('latestEvents', query),
    extent: () => channel.read('eventExtent'),
    trim: async (keep) => {
      while (await channel.write('trimEvents', keep));
    },
  };
}

export function statisticsStore(channel: Channel, queries: Channel): StatisticsStore {
  return {
    add: (sample) => channel.write('addStatistics', sample),
    read: ({ step, from, to }) => queries.query('readStatistics', step, from, to),
    trim: ({ minutesBefore, hoursBefore }) => channel.write('trimStatistics', minutesBefore, hoursBefore),
  };
}
