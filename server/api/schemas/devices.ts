import { type Static, Type } from 'typebox';
import { PresenceSchema } from './presence.ts';

// Times in the API are milliseconds since the Unix epoch; a reading's time has a fraction down to the microsecond.

export const RegistrationSchema = Type.Object(
  {
    address: Type.String({ description: 'Where the device was last heard: host:port' }),
    lifetime: Type.Integer({ description: 'Seconds' }),
    version: Type.String({ description: 'LwM2M version' }),
    binding: Type.String(),
    queueMode: Type.Boolean(),
    rootPath: Type.String(),
    profiles: Type.Optional(
      Type.Array(Type.String(), { description: 'Profile ids that the device gave (LwM2M 1.2)' }),
    ),
    contentFormats: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'CoAP Content-Format ids that the device says it speaks; absent where it does not say',
      }),
    ),
    objects: Type.Array(
      Type.Object({ path: Type.String(), attributes: Type.Record(Type.String(), Type.String()) }),
      { description: 'Objects and instances that the device lists' },
    ),
    registeredAt: Type.Number(),
    updatedAt: Type.Number(),
    expiresAt: Type.Number(),
    node: Type.String({ description: 'The server node that heard it last' }),
  },
  { $id: 'Registration', additionalProperties: false },
);
export type ApiRegistration = Static<typeof RegistrationSchema>;

export const DeviceSchema = Type.Object(
  {
    endpoint: Type.String(),
    state: Type.Union([Type.Literal('registered'), Type.Literal('unregistered')]),
    firstSeen: Type.Number(),
    lastSeen: Type.Number(),
    manufacturer: Type.Optional(Type.String()),
    model: Type.Optional(Type.String()),
    serialNumber: Type.Optional(Type.String()),
    firmwareVersion: Type.Optional(Type.String()),
    iccid: Type.Optional(Type.String()),
    imsi: Type.Optional(Type.String()),
    imei: Type.Optional(Type.String()),
    carrier: Type.Optional(Type.String({ description: 'Current carrier; empty when disconnected' })),
    signal: Type.Optional(Type.Number({ description: 'dBm' })),
    registration: Type.Optional(RegistrationSchema),
    presence: Type.Optional(PresenceSchema),
  },
  { $id: 'Device', additionalProperties: false },
);
export type ApiDevice = Static<typeof DeviceSchema>;

export const DevicePageSchema = Type.Object(
  {
    items: Type.Array(DeviceSchema),
    total: Type.Integer({ description: 'How many match, on all pages' }),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'Cursor of the next page; null on the last',
    }),
  },
  { $id: 'DevicePage', additionalProperties: false },
);
export type ApiDevicePage = Static<typeof DevicePageSchema>;
