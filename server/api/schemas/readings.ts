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
  { items: Type.Array(ReadingSchema) },
  { $id: 'ReadingsAnswer', additionalProperties: false },
);
export type ApiReadingsAnswer = Static<typeof ReadingsAnswerSchema>;
