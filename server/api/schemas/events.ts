import { type Static, Type } from 'typebox';
import type { ApiValue } from './values.ts';

export const EventSchema = Type.Object(
  {
    id: Type.Integer(),
    type: Type.String(),
    endpoint: Type.Optional(Type.String()),
    at: Type.Number(),
    data: Type.Record(Type.String(), Type.Unknown()),
    trouble: Type.Optional(
      Type.Literal(true, { description: 'Something that an operator should look at; absent: it is not' }),
    ),
  },
  { $id: 'Event', additionalProperties: false },
);
export type ApiEvent = Static<typeof EventSchema>;

/** Newest first. */
export const EventsAnswerSchema = Type.Object(
  { items: Type.Array(EventSchema) },
  { $id: 'EventsAnswer', additionalProperties: false },
);
export type ApiEventsAnswer = Static<typeof EventsAnswerSchema>;

export const EventPageSchema = Type.Object(
  {
    items: Type.Array(EventSchema, { description: 'Newest first' }),
    next: Type.Union([Type.Integer(), Type.Null()], {
      description: '`before` of the next page; null on the last',
    }),
  },
  { $id: 'EventPage', additionalProperties: false },
);
export type ApiEventPage = Static<typeof EventPageSchema>;

/**
 * Server-sent events of `GET /api/events?endpoint=&types=`. `id:` is `<event>-<log>`; send it back as
 * Last-Event-ID (or `?after=`) to go on from there. The first is `event: hello` with ApiHello.
 * `event: readings` carries ApiLiveReadings; every other type carries ApiEvent. `event: gap` says that
 * something is no longer kept: load anew.
 */
export interface ApiHello {
  /** Where the stream begins: what a client that has not yet heard anything goes on from. */
  readonly position: string;
  /** The server's clock. */
  readonly now: number;
}

export interface ApiLiveReadings {
  readonly endpoint: string;
  readonly series: readonly {
    readonly path: string;
    /** `[takenAt, value]`, ms since the epoch with a fraction. */
    readonly points: readonly (readonly [number, ApiValue])[];
  }[];
}
