import { Type } from 'typebox';

/** `POST /api/devices/{endpoint}/server/disable`. */
export const DisableBodySchema = Type.Object(
  {
    seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description: 'After which the device comes back; what it has (a day by default) where absent',
      }),
    ),
  },
  { $id: 'DisableBody', additionalProperties: false },
);

/** `PUT /api/devices/{endpoint}/server/mute-send`. */
export const MuteSendBodySchema = Type.Object(
  { muted: Type.Boolean() },
  { $id: 'MuteSendBody', additionalProperties: false },
);
