import { type Static, Type } from 'typebox';
import { NotificationAttributesSchema } from './attributes.ts';

/** `POST /api/devices/{endpoint}/observations/{path}`. */
export const ObserveBodySchema = Type.Object(
  { attributes: Type.Optional(NotificationAttributesSchema) },
  { $id: 'ObserveBody', additionalProperties: false },
);

export const ObservationSchema = Type.Object(
  {
    paths: Type.Array(Type.String(), { description: 'More than one for a composite observation' }),
    composite: Type.Optional(
      Type.Boolean({ description: 'Several paths (or one) observed together by one message' }),
    ),
    attributes: Type.Optional(NotificationAttributesSchema),
    contentFormat: Type.Optional(Type.Integer({ description: 'CoAP Content-Format id that was asked for' })),
    origin: Type.Union([Type.Literal('policy'), Type.Literal('api')], {
      description: "Who wanted it: the device's policy, or a caller of the API",
    }),
    createdAt: Type.Number(),
  },
  { $id: 'Observation', additionalProperties: false },
);
export type ApiObservation = Static<typeof ObservationSchema>;

export const ObservationsAnswerSchema = Type.Object(
  { items: Type.Array(ObservationSchema) },
  { $id: 'ObservationsAnswer', additionalProperties: false },
);
export type ApiObservationsAnswer = Static<typeof ObservationsAnswerSchema>;
