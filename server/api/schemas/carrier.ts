import { type Static, Type } from 'typebox';
import { CommandSchema } from './commands.ts';

export const CarrierStatusSchema = Type.Object(
  {
    slot: Type.Integer(),
    current: Type.Optional(Type.String({ description: 'Empty when disconnected' })),
    available: Type.Array(Type.Object({ id: Type.Integer(), name: Type.String() })),
    state: Type.Optional(
      Type.Union([
        Type.Literal('idle'),
        Type.Literal('switching'),
        Type.Literal('succeeded'),
        Type.Literal('failed'),
        Type.Literal('unknown'),
      ]),
    ),
    lastResult: Type.Optional(Type.Union([Type.Literal('ACK'), Type.Literal('NACK')])),
    lastReason: Type.Optional(Type.String()),
    iccid: Type.Optional(Type.String()),
    imsi: Type.Optional(Type.String()),
    lastSwitch: Type.Optional(Type.Number()),
    command: Type.Optional(CommandSchema),
  },
  { $id: 'CarrierStatus', additionalProperties: false },
);

/** `GET /api/devices/{endpoint}/carrier`: the first slot's status, and all slots. */
export const CarrierAnswerSchema = Type.Object(
  {
    current: Type.Union([Type.String(), Type.Null()], {
      description: 'Of the first slot; null where never heard',
    }),
    slots: Type.Array(CarrierStatusSchema),
  },
  { $id: 'CarrierAnswer', additionalProperties: false },
);
export type ApiCarrierAnswer = Static<typeof CarrierAnswerSchema>;

export const CarrierBodySchema = Type.Object(
  {
    carrier: Type.Union(
      [Type.String({ minLength: 1, maxLength: 100 }), Type.Integer({ minimum: 0, maximum: 65534 })],
      {
        description: 'Name or id of an available carrier, or "Disconnect"',
      },
    ),
    slot: Type.Optional(Type.Integer({ minimum: 0, maximum: 65534 })),
    timeToLive: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 31_536_000_000,
        description: 'Milliseconds after which it expires if it was not sent; a day where absent',
      }),
    ),
  },
  { $id: 'CarrierBody', additionalProperties: false },
);
