import type { LiveItem, LivePosition } from '../events.ts';
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

interface Encoded {
  readonly body: string;
  readonly id: string;
  readonly frame: Buffer;
}

/**
 * Encodes each item once, however many subscribers get it: a thousand consoles cost one JSON.stringify
 * and share one buffer. What nobody sends any more is collected with its item.
 */
export class FrameEncoder {
  readonly #encoded = new WeakMap<object, Encoded>();

  encode(item: LiveItem, position: LivePosition): Buffer {
    const key = item.kind === 'event' ? item.event : item.readings;
    const known = this.#encoded.get(key);
    const id = formatPosition(position);
    if (known?.id === id) return known.frame;
    const body = known?.body ?? encodeBody(item);
    const frame = Buffer.from(`id: ${id}\n${body}`);
    this.#encoded.set(key, { body, id, frame });
    return frame;
  }
}

function encodeBody(item: LiveItem): string {
  const name = item.kind === 'event' ? item.event.type : 'readings';
  const data = item.kind === 'event' ? presentEvent(item.event) : presentLiveReadings(item.readings);
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
