import { type Static, Type } from 'typebox';
import { tenantPattern } from '../../people/tenant-pattern.ts';
import { deviceStateFilters, deviceStates } from '../../ports/device-store.ts';
import { PresenceSchema } from './presence.ts';

// Times in the API are milliseconds since the Unix epoch; a reading's time has a fraction down to the microsecond.

export const RegistrationSchema = Type.Object(
  {
    address: Type.String({ description: 'Where the device was last heard: host:port' }),
    secure: Type.Boolean({ description: 'Whether it comes by DTLS' }),
    gateway: Type.Optional(
      Type.Literal(true, {
        description:
          'It does not speak LwM2M: the gateway answers in its name, and version and binding are the gateway’s. Absent: it does',
      }),
    ),
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

/** Whose a device is; null: the operator's own. */
export const TenantSchema = Type.Union([Type.String({ pattern: tenantPattern }), Type.Null()], {
  description: 'Whose it is; null: the operator’s own',
});

/** What may be changed of a device. */
export const DevicePatchSchema = Type.Object(
  { tenant: TenantSchema },
  { $id: 'DevicePatch', additionalProperties: false },
);
export type ApiDevicePatch = Static<typeof DevicePatchSchema>;

export const DeviceSchema = Type.Object(
  {
    endpoint: Type.String(),
    tenant: Type.Optional(Type.String({ description: 'Whose it is; absent: the operator’s own' })),
    state: Type.Enum(deviceStates, {
      description:
        'awake: registered, and it listens now. asleep: registered, and it sleeps (queue mode). lost: its ' +
        'registration ran out. left: it de-registered. known: it is not registered, and nobody knows since when.',
    }),
    firstSeen: Type.Optional(Type.Number({ description: 'Absent: it is enrolled, and was never heard' })),
    lastSeen: Type.Optional(Type.Number({ description: 'Absent: never' })),
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

/** Of a list whose reader chose fields: only the endpoint is there always. */
export const DeviceItemSchema = Type.Object(
  { ...Type.Partial(DeviceSchema).properties, endpoint: Type.String() },
  { $id: 'DeviceItem', additionalProperties: false },
);
export type ApiDeviceItem = Static<typeof DeviceItemSchema>;

export const DevicePageSchema = Type.Object(
  {
    items: Type.Array(DeviceItemSchema, {
      description: 'Each as the device itself, where no `fields` were asked for',
    }),
    total: Type.Integer({ description: 'How many match, on all pages' }),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'Cursor of the next page; null on the last',
    }),
  },
  { $id: 'DevicePage', additionalProperties: false },
);
export type ApiDevicePage = Static<typeof DevicePageSchema>;

function texts(description: string) {
  return Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000, description }));
}

/** Which devices are meant: those that match all that is given. */
export const DeviceFilterSchema = Type.Object(
  {
    q: Type.Optional(
      Type.String({
        maxLength: 255,
        description:
          'A part of the endpoint name, or the start of ICCID, IMSI, IMEI or serial number; any case',
      }),
    ),
    state: Type.Optional(
      Type.Array(Type.Enum(deviceStateFilters), {
        maxItems: 20,
        description: 'In one of these states; registered: awake or asleep, unregistered: any other',
      }),
    ),
    carrier: texts('Current carrier, one of these; an empty text: none is known, or it is disconnected'),
    manufacturer: texts('One of these; an empty text: not known'),
    model: texts('One of these; an empty text: not known'),
    firmware: texts('Firmware version, one of these; an empty text: not known'),
    node: texts('The server node of the registration, one of these; an empty text: not registered'),
    tenant: texts('One of these; an empty text: the operator’s own'),
    signalMin: Type.Optional(Type.Number({ description: 'dBm, inclusive' })),
    signalMax: Type.Optional(Type.Number({ description: 'dBm, inclusive' })),
    seenSince: Type.Optional(Type.Number({ description: 'Last seen at this time or after it' })),
    seenBefore: Type.Optional(Type.Number({ description: 'Last seen before this time' })),
  },
  { $id: 'DeviceFilter', additionalProperties: false },
);
export type ApiDeviceFilter = Static<typeof DeviceFilterSchema>;

const facet = Type.Optional(
  Type.Array(
    Type.Object({
      value: Type.Union([Type.String(), Type.Null()], { description: 'null: none is known' }),
      count: Type.Integer(),
    }),
  ),
);

export const DeviceFacetsSchema = Type.Object(
  {
    total: Type.Integer({ description: 'How many devices match' }),
    facets: Type.Object(
      {
        state: facet,
        carrier: facet,
        manufacturer: facet,
        model: facet,
        firmware: facet,
        node: facet,
        tenant: facet,
      },
      { description: 'By value how many of them have it: the most frequent first, at most 100 each' },
    ),
  },
  { $id: 'DeviceFacets', additionalProperties: false },
);
export type ApiDeviceFacets = Static<typeof DeviceFacetsSchema>;
