import type { StoredEvent } from '../server/ports/event-log.ts';

/** An entry of a stream, as the client gives it: id, and names and values of its fields by turns. */
export type StreamEntry = readonly [string, readonly string[]];

/** Where an event's value stands among those of its entry; as `scripts/events-append.lua` writes them. */
export const beforeOfEndpoint = 6;
export const beforeOfType = 7;
export const beforeOfTrouble = 8;

export function eventOf([id, fields]: StreamEntry): StoredEvent {
  const [, type = '', , endpoint = '', , at, , data = '', , trouble] = fields;
  return storedEvent(id, type, endpoint, at, JSON.parse(data), trouble);
}

/** An event of an entry whose texts come as bytes: those that tell of the events before it stay so. */
export function followedEvent(
  [id, fields]: readonly [Buffer, readonly Buffer[]],
  read: (data: string) => StoredEvent['data'],
): StoredEvent {
  const text = (index: number): string => String(fields[index] ?? '');
  return storedEvent(String(id), text(1), text(3), text(5), read(text(7)), text(9));
}

function storedEvent(
  id: string,
  type: string,
  endpoint: string,
  at: string | undefined,
  data: StoredEvent['data'],
  trouble: string | undefined,
): StoredEvent {
  return {
    id: Number.parseInt(id, 10),
    type,
    ...(endpoint === '' ? {} : { endpoint }),
    at: Number(at),
    data,
    ...(trouble === '1' ? { trouble: true } : {}),
  };
}
