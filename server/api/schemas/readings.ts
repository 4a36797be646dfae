import { type Static, Type } from 'typebox';
import { ValueSchema } from './values.ts';

export const ReadingSchema = Type.Object(
  {
    path: Type.String(),
    value: ValueSchema,
    takenAt: Type.Number(),
    receivedAt: Type.Number(),
    claimedAt: Type.Optional(Type.Number({ description: "The device's own time, where it cannot be right" })),
  },
  { $id: 'Reading', additionalProperties: false },
);
export type ApiReading = Static<typeof ReadingSchema>;

/** Oldest first; `path` absent in the query: the newest value of every path. */
export const ReadingsAnswerSchema = Type.Object(
  {
    items: Type.Array(ReadingSchema),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'As `cursor` it leads to the readings before these; null where there are none',
    }),
  },
  { $id: 'ReadingsAnswer', additionalProperties: false },
);
export type ApiReadingsAnswer = Static<typeof ReadingsAnswerSchema>;

export const ReadingSummarySchema = Type.Object(
  {
    at: Type.Number({ description: 'Where the step begins; where `step` is 0, when the reading was taken' }),
    count: Type.Integer({ minimum: 1, description: 'Readings' }),
    min: Type.Number(),
    max: Type.Number(),
    mean: Type.Number(),
    last: Type.Number({ description: 'Of the reading that was taken last' }),
  },
  { $id: 'ReadingSummary', additionalProperties: false },
);
export type ApiReadingSummary = Static<typeof ReadingSummarySchema>;

/** Oldest first; a step without a reading has no item. */
export const ReadingSeriesSchema = Type.Object(
  {
    path: Type.String(),
    step: Type.Number({ description: 'Milliseconds that each item stands for; 0: each is one reading' }),
    items: Type.Array(ReadingSummarySchema),
  },
  { $id: 'ReadingSeries', additionalProperties: false },
);
export type ApiReadingSeries = Static<typeof ReadingSeriesSchema>;
