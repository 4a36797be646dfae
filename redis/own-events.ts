import type { StoredEvent } from '../server/ports/event-log.ts';

type EventData = StoredEvent['data'];

/** Events that are remembered: those of some seconds, at the most. */
const KEPT = 4_096;
/** Longer ones are read again: few are, and they would fill the memory. */
const LONGEST = 4_096;

/**
 * What this node has written into the event log: all events come back to it from there, in their order among those of
 * the others, and its own need not be read again.
 */
export class OwnEvents {
  #newer = new Map<string, EventData>();
  #older = new Map<string, EventData>();

  /** As JSON, for the log. */
  write(data: EventData): string {
    const text = JSON.stringify(data);
    if (text.length > LONGEST) return text;
    if (this.#newer.size >= KEPT) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(text, data);
    return text;
  }

  /** What stands in the log. */
  read(text: string): EventData {
    const own = this.#newer.get(text) ?? this.#older.get(text);
    if (own === undefined) return JSON.parse(text) as EventData;
    this.#newer.delete(text);
    this.#older.delete(text);
    return own;
  }
}
