/** One event of a server-sent event stream. */
export interface SseEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
  /** The last id seen up to and with this event; empty where there was none. */
  readonly lastEventId: string;
}

/** More than this in one event means that the peer is no event stream of ours. */
const maxEventCharacters = 16 * 1024 * 1024;

/**
 * Server-sent events out of text as it arrives, HTML Living Standard §9.2.6 "Interpreting an event
 * stream". Chunks may end anywhere, in the middle of a line or between CR and LF.
 */
export class SseParser {
  #rest = '';
  #type = '';
  #data: string[] = [];
  #size = 0;
  #lastEventId = '';
  /** As of the last empty line: what comes before the next one is not yet heard. */
  #endedId = '';
  #first = true;

  /** The last id that the stream gave, by an event or, as a heartbeat does, without one. */
  get lastEventId(): string {
    return this.#endedId;
  }

  /** @throws RangeError for an event that grows without end. */
  push(text: string): SseEvent[] {
    let input = this.#rest + text;
    if (this.#first && input.length > 0) {
      this.#first = false;
      if (input.charCodeAt(0) === 0xfeff) input = input.slice(1);
    }
    const events: SseEvent[] = [];
    let start = 0;
    for (;;) {
      const end = lineEnd(input, start);
      if (end < 0) break;
      const carriageReturn = input.charCodeAt(end) === 13;
      // CR may be the first half of CRLF: wait for what follows before the line counts as ended.
      if (carriageReturn && end + 1 === input.length) break;
      const event = this.#line(input.slice(start, end));
      if (event !== undefined) events.push(event);
      start = carriageReturn && input.charCodeAt(end + 1) === 10 ? end + 2 : end + 1;
    }
    this.#rest = input.slice(start);
    if (this.#rest.length + this.#size > maxEventCharacters) throw new RangeError('event without an end');
    return events;
  }

  #line(line: string): SseEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.#data.push(value);
      this.#size += value.length + 1;
    } else if (field === 'event') {
      this.#type = value;
    } else if (field === 'id' && !value.includes('\0')) {
      this.#lastEventId = value;
    }
    return undefined;
  }

  #dispatch(): SseEvent | undefined {
    const type = this.#type || 'message';
    const data = this.#data;
    this.#type = '';
    this.#data = [];
    this.#size = 0;
    this.#endedId = this.#lastEventId;
    if (data.length === 0) return undefined;
    return { type, data: data.join('\n'), lastEventId: this.#lastEventId };
  }
}

function lineEnd(text: string, from: number): number {
  const lineFeed = text.indexOf('\n', from);
  const carriageReturn = text.indexOf('\r', from);
  if (lineFeed < 0) return carriageReturn;
  if (carriageReturn < 0) return lineFeed;
  return Math.min(lineFeed, carriageReturn);
}
