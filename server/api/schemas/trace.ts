import { type Static, Type } from 'typebox';
import { LinkSchema, ResourceItemSchema } from './objects.ts';

export const TraceOptionSchema = Type.Object(
  {
    number: Type.Integer(),
    name: Type.String({ description: 'As `Uri-Path`; `Option 65001` of one that is not known' }),
    value: Type.String({
      description: 'Text, number, `number/more/size` of a block, or hex of what has no other form',
    }),
  },
  { $id: 'TraceOption', additionalProperties: false },
);

export const TraceFragmentSchema = Type.Object(
  {
    number: Type.Integer(),
    more: Type.Boolean(),
    size: Type.Integer({ description: 'Of a block, in bytes' }),
  },
  { $id: 'TraceFragment', additionalProperties: false, description: 'A block of a body (RFC 7959)' },
);

export const TracePayloadSchema = Type.Object(
  {
    length: Type.Integer({ description: 'Bytes; they are the last ones of the datagram' }),
    text: Type.Optional(Type.String()),
    values: Type.Optional(Type.Array(ResourceItemSchema, { description: 'Decoded by its Content-Format' })),
    removed: Type.Optional(
      Type.Array(Type.String(), { description: 'Resource instances that a Write-Composite removes' }),
    ),
    links: Type.Optional(Type.Array(LinkSchema)),
    paths: Type.Optional(
      Type.Array(Type.String(), { description: 'What a composite Read or Observe asks for' }),
    ),
    fragment: Type.Optional(TraceFragmentSchema),
    problem: Type.Optional(Type.String({ description: 'Why it cannot be read' })),
  },
  { $id: 'TracePayload', additionalProperties: false },
);
export type ApiTracePayload = Static<typeof TracePayloadSchema>;

export const TraceMessageSchema = Type.Object(
  {
    id: Type.Integer({ description: 'Rises' }),
    at: Type.Number({ description: 'With a fraction, down to the microsecond' }),
    direction: Type.Union([Type.Literal('in'), Type.Literal('out')], {
      description: '`in`: from the device to the server',
    }),
    peer: Type.String({ description: "The device's address then" }),
    size: Type.Integer({ description: 'Of the datagram, in bytes' }),
    hex: Type.String({ description: 'The datagram, at most its first 2048 bytes' }),
    truncated: Type.Optional(Type.Boolean({ description: 'The datagram is longer than `hex`' })),
    malformed: Type.Optional(
      Type.String({ description: 'Why it is no CoAP message; there is nothing but its bytes then' }),
    ),
    type: Type.Optional(
      Type.Union([Type.Literal('CON'), Type.Literal('NON'), Type.Literal('ACK'), Type.Literal('RST')]),
    ),
    code: Type.Optional(Type.String({ description: '`0.01`, `2.05`; `0.00` of an empty message' })),
    name: Type.Optional(Type.String({ description: '`GET`, `Content`, `Acknowledgement`' })),
    messageId: Type.Optional(Type.Integer()),
    token: Type.Optional(Type.String({ description: 'Hex' })),
    options: Type.Array(TraceOptionSchema),
    path: Type.Optional(Type.String({ description: 'Of the request; of a response that of its request' })),
    contentFormat: Type.Optional(Type.Integer()),
    payload: Type.Optional(TracePayloadSchema),
    retransmission: Type.Optional(
      Type.Integer({ description: 'A confirmable message that is sent again: the how manieth time' }),
    ),
    duplicate: Type.Optional(
      Type.Boolean({ description: 'The same message once more, other than by a retransmission' }),
    ),
    answers: Type.Optional(
      Type.Integer({
        description:
          'Id of the request that it answers, or of the message that it acknowledges; the first of its transmissions',
      }),
    ),
    elapsed: Type.Optional(Type.Number({ description: 'ms since that' })),
  },
  { $id: 'TraceMessage', additionalProperties: false },
);
export type ApiTraceMessage = Static<typeof TraceMessageSchema>;

/** Oldest first. */
export const TraceAnswerSchema = Type.Object(
  {
    items: Type.Array(TraceMessageSchema),
    since: Type.Number({ description: 'Messages from before are no longer kept' }),
  },
  { $id: 'TraceAnswer', additionalProperties: false },
);
export type ApiTraceAnswer = Static<typeof TraceAnswerSchema>;

/** `event: trace` of a stream with `watch=trace@<endpoint>`. It has no id, and is not replayed. */
export interface ApiLiveTrace {
  readonly endpoint: string;
  readonly messages: readonly ApiTraceMessage[];
  /** So many before them were left out, for there were too many at once: `GET …/trace?after=` has them. */
  readonly missed?: number;
  /** Messages of so many devices are asked for that those of this one do not come live. */
  readonly refused?: true;
}
