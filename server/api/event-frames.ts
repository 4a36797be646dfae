import type { LiveEntry, LiveItem, LivePosition } from '../events.ts';
import type { Mask } from './masks.ts';
import { presentEvent, presentLiveReadings } from './presenters.ts';

// Server-sent events, WHATWG HTML §9.2.6: fields by line, an empty line ends an event.

/** `<event>-<log>` */
export function formatPosition({ event, log }: LivePosition): string {
  return `${event}-${log}`;
}

/** Undefined for what `formatPosition` did not make. */
export function parsePosition(text: string): LivePosition | undefined {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text);
  if (match === null) return undefined;
  const [event, log] = [Number(match[1]), Number(match[2])];
  return Number.isSafeInteger(event) && Number.isSafeInteger(log) ? { event, log } : undefined;
}

/** One event of the stream that is not a stored one. `data` becomes one line of JSON. */
export function encodeFrame(name: string, data: unknown, position?: LivePosition): Buffer {
  const id = position === undefined ? '' : `id: ${formatPosition(position)}\n`;
  return Buffer.from(`${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * Encodes each item once, however many subscribers get it, and the entries that several get alike into one
 * buffer that they share: a thousand consoles cost one JSON.stringify. What nobody sends any more is
 * collected with its item.
 */
export class FrameEncoder {
  readonly #mask: Mask;
  readonly #bodies = new WeakMap<object, string>();
  readonly #frames = new WeakMap<readonly LiveEntry[], Buffer>();

  /** @param mask what is hidden of each item; nothing where absent */
  constructor(mask: Mask = (shown) => shown) {
    this.#mask = mask;
  }

  encode(entries: readonly LiveEntry[]): Buffer {
    const known = this.#frames.get(entries);
    if (known !== undefined) return known;
    let text = '';
    for (const { item, position } of entries) {
      if (position !== undefined) text += `id: ${formatPosition(position)}\n`;
      text += this.#bodyOf(item);
    }
    const frames = Buffer.from(text);
    this.#frames.set(entries, frames);
    return frames;
  }

  #bodyOf(item: LiveItem): string {
    const known = this.#bodies.get(item);
    if (known !== undefined) return known;
    const body = encodeBody(item, this.#mask);
    this.#bodies.set(item, body);
    return body;
  }
}

function encodeBody(item: LiveItem, mask: Mask): string {
  const [name, data] = contentOf(item);
  return `event: ${name}\ndata: ${JSON.stringify(mask(data))}\n\n`;
}

function contentOf(item: LiveItem): [name: string, data: object] {
  switch (item.kind) {
    case 'event':
      return [item.event.type, presentEvent(item.event)];
    case 'readings':
      return ['readings', presentLiveReadings(item.readings)];
    case 'trace':
      return ['trace', item.message];
  }
}
