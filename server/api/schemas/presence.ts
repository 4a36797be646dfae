import { type Static, Type } from 'typebox';

const awakeTime = { minimum: 1_000, maximum: 86_400_000 };

/** Whether a device listens: always, or in queue mode for a time after it was heard. */
export const PresenceSchema = Type.Object(
  {
    queueMode: Type.Boolean({
      description: 'The device registered with queue mode: it sleeps between whiles',
    }),
    awake: Type.Boolean(),
    awakeUntil: Type.Optional(
      Type.Number({ description: 'Until when it listens; absent where it listens always, or sleeps' }),
    ),
    window: Type.Number({ description: 'Milliseconds that it listens after it was heard' }),
    source: Type.Union(
      [Type.Literal('default'), Type.Literal('configured'), Type.Literal('learnt'), Type.Literal('device')],
      { description: 'Where the window comes from; `device`: its Active Timer' },
    ),
    powerSaving: Type.Optional(
      Type.Object(
        {
          psmTimer: Type.Optional(Type.Number({ description: 'Extended T3412, seconds' })),
          activeTimer: Type.Optional(Type.Number({ description: 'T3324, seconds' })),
          edrxCycle: Type.Optional(Type.Number({ description: 'Seconds' })),
          modes: Type.Optional(
            Type.Array(Type.Union([Type.Literal('psm'), Type.Literal('edrx')]), {
              description: 'Those that are active',
            }),
          ),
        },
        { additionalProperties: false, description: 'What the device says in object 10, as last heard' },
      ),
    ),
  },
  { $id: 'Presence', additionalProperties: false },
);
export type ApiPresence = Static<typeof PresenceSchema>;

/** `PUT /api/devices/{endpoint}/presence`. */
export const AwakeTimeBodySchema = Type.Object(
  {
    awakeTime: Type.Union([Type.Integer(awakeTime), Type.Null()], {
      description: 'Milliseconds that the device listens after it was heard; null: learnt anew',
    }),
  },
  { $id: 'AwakeTimeBody', additionalProperties: false },
);
