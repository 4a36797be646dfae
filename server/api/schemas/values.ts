import { type Static, Type } from 'typebox';

/** One resource value: opaque as lower-case hex, objlnk as `object:instance`, integers beyond 2^53 as decimal strings. */
export const ValueSchema = Type.Union([Type.Number(), Type.String(), Type.Boolean()]);
export type ApiValue = Static<typeof ValueSchema>;
