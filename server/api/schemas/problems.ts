import { type Static, Type } from 'typebox';

/** RFC 9457 problem details; `code` is one of docs/errors.md. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.Optional(Type.String()),
    /** The device's own answer, where it is one: `4.04`. */
    coapCode: Type.Optional(Type.String()),
  },
  { $id: 'Problem', additionalProperties: false },
);
export type ApiProblem = Static<typeof ProblemSchema>;
