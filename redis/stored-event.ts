import type { StoredEvent } from '../server/ports/event-log.ts';

/** An entry of a stream, as the client gives it: id, and names and values of its fields by turns. */
export type StreamEntry = readonly [string, readonly string[]];

/** Where an event's value stands among those of its entry; as `scripts/events-append.lua` writes them. */
export const beforeOfEndpoint = 6;
export const beforeOfType = 7;
export const beforeOfTrouble = 8;

export function eventOf([id, fields]: StreamEntry): StoredEvent {
  const [, type = '', , endpoint = '', , at, , data = '', , trouble] = fields;
  return {
    id: Number.parseInt(id, 10),
    type,
    ...(endpoint === '' ? {} : { endpoint }),
    at: Number(at),
    data: JSON.parse(data) as StoredEvent['data'],
    ...(trouble === '1' ? { trouble: true } : {}),
  };
}
