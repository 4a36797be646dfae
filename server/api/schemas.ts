import { type Static, Type } from 'typebox';

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

/** One resource value: opaque as lower-case hex, objlnk as `object:instance`, integers beyond 2^53 as decimal strings. */
export const ValueSchema = Type.Union([Type.Number(), Type.String(), Type.Boolean()]);
export type ApiValue = Static<typeof ValueSchema>;

export const ResourceItemSchema = Type.Object(
  {
    path: Type.String(),
    value: ValueSchema,
    takenAt: Type.Optional(Type.Number({ description: 'Where the device said when' })),
    name: Type.Optional(Type.String({ description: 'From the object definition' })),
    type: Type.Optional(Type.String()),
    units: Type.Optional(Type.String()),
  },
  { $id: 'ResourceItem', additionalProperties: false },
);
export type ApiResourceItem = Static<typeof ResourceItemSchema>;

export const ReadResultSchema = Type.Object(
  {
    path: Type.String(),
    contentFormat: Type.Integer({ description: 'CoAP Content-Format id that the device answered in' }),
    value: Type.Optional(ValueSchema),
    items: Type.Array(ResourceItemSchema, { description: 'Every value at or below the path' }),
  },
  {
    $id: 'ReadResult',
    additionalProperties: false,
    description: '`value` is there where the path names one resource with one value',
  },
);
export type ApiReadResult = Static<typeof ReadResultSchema>;

export const WriteBodySchema = Type.Union(
  [
    Type.Object({ value: ValueSchema }, { additionalProperties: false }),
    Type.Object(
      {
        values: Type.Record(Type.String(), ValueSchema, {
          description: 'By path relative to the one written: {"7": 1000} or {"6/0": "x"}',
        }),
      },
      { additionalProperties: false },
    ),
  ],
  { $id: 'WriteBody' },
);
export type ApiWriteBody = Static<typeof WriteBodySchema>;

export const commandStates = [
  'queued',
  'sent',
  'accepted',
  'done',
  'failed',
  'cancelled',
  'expired',
  'unknown',
] as const;

export const CommandStateSchema = Type.Enum(commandStates);

export const CommandSchema = Type.Object(
  {
    id: Type.String(),
    endpoint: Type.String(),
    number: Type.Integer({ description: 'The id that the device sees; rises per device' }),
    kind: Type.String(),
    parameters: Type.Record(Type.String(), Type.Unknown()),
    state: CommandStateSchema,
    reason: Type.Optional(Type.String()),
    result: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    attempts: Type.Integer(),
    createdAt: Type.Number(),
    updatedAt: Type.Number(),
    expiresAt: Type.Number(),
    history: Type.Array(
      Type.Object({ state: CommandStateSchema, at: Type.Number(), reason: Type.Optional(Type.String()) }),
    ),
  },
  { $id: 'Command', additionalProperties: false },
);
export type ApiCommand = Static<typeof CommandSchema>;

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
  },
  { $id: 'CarrierBody', additionalProperties: false },
);

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

export const ServerSchema = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    startedAt: Type.Number(),
    now: Type.Number(),
    coapUri: Type.String(),
    store: Type.String(),
    devices: Type.Object({ known: Type.Integer(), registered: Type.Integer() }),
  },
  { $id: 'Server', additionalProperties: false },
);
export type ApiServer = Static<typeof ServerSchema>;

/** A page of `GET /api/commands` and `GET /api/devices/{endpoint}/commands`, newest first. */
export const CommandPageSchema = Type.Object(
  {
    items: Type.Array(CommandSchema),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'Cursor of the next page; null on the last',
    }),
  },
  { $id: 'CommandPage', additionalProperties: false },
);
export type ApiCommandPage = Static<typeof CommandPageSchema>;

/** One link of a device: from its registration, or from Discover. */
export const LinkSchema = Type.Object(
  {
    path: Type.String(),
    attributes: Type.Record(Type.String(), Type.String()),
    name: Type.Optional(
      Type.String({ description: 'Of the object or resource, where its definition is known' }),
    ),
    type: Type.Optional(Type.String()),
    operations: Type.Optional(Type.String({ description: 'R, W, RW or E' })),
    units: Type.Optional(Type.String()),
  },
  { $id: 'Link', additionalProperties: false },
);
export type ApiLink = Static<typeof LinkSchema>;

export const LinksAnswerSchema = Type.Object(
  { items: Type.Array(LinkSchema) },
  { $id: 'LinksAnswer', additionalProperties: false },
);
export type ApiLinksAnswer = Static<typeof LinksAnswerSchema>;

/** `POST /api/devices/{endpoint}/objects/{path}` on a resource: Execute. */
export const ExecuteBodySchema = Type.Union(
  [
    Type.Object(
      {
        args: Type.String({
          maxLength: 10_000,
          description: "As LwM2M writes them: 0='1',1='7'",
        }),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        arguments: Type.Array(Type.String({ maxLength: 1000, pattern: "^[^']*$" }), {
          maxItems: 10,
          description: 'By position: ["1", "7"]',
        }),
      },
      { additionalProperties: false },
    ),
    Type.Object({}, { additionalProperties: false, description: 'Without arguments' }),
  ],
  { $id: 'ExecuteBody' },
);
export type ApiExecuteBody = Static<typeof ExecuteBodySchema>;

/** `POST /api/devices/{endpoint}/objects/{path}` on an object or instance: Create. */
export const CreateBodySchema = Type.Object(
  {
    values: Type.Record(Type.String(), ValueSchema, {
      description: 'By path relative to the new instance: {"7": 1000} or {"6/0": "x"}',
    }),
  },
  { $id: 'CreateBody', additionalProperties: false },
);
export type ApiCreateBody = Static<typeof CreateBodySchema>;

export const CreatedSchema = Type.Object(
  { path: Type.String({ description: 'Of the new instance' }) },
  { $id: 'Created', additionalProperties: false },
);
export type ApiCreated = Static<typeof CreatedSchema>;

const seconds = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: `${description}, seconds` });
const flag = (description: string) => Type.Union([Type.Literal(0), Type.Literal(1)], { description });

/** Each notification attribute, as the specification spells it. */
const attributes = {
  pmin: seconds('Least time between two notifications'),
  pmax: seconds('Longest time between two notifications; 0: none'),
  gt: Type.Number({ description: 'Notify when the value crosses it' }),
  lt: Type.Number({ description: 'Notify when the value crosses it' }),
  st: Type.Number({ minimum: 0, description: 'Notify when the value has changed by it' }),
  epmin: seconds('Least time between two samples (1.1)'),
  epmax: seconds('Longest time between two samples (1.1)'),
  edge: flag('Notify on falling (0) or rising (1) edges of a boolean (1.2)'),
  con: flag('Confirmable notifications (1.2)'),
  hqmax: Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'Historical values kept (1.2)' }),
} as const;

export const NotificationAttributesSchema = Type.Object(
  {
    pmin: Type.Optional(attributes.pmin),
    pmax: Type.Optional(attributes.pmax),
    gt: Type.Optional(attributes.gt),
    lt: Type.Optional(attributes.lt),
    st: Type.Optional(attributes.st),
    epmin: Type.Optional(attributes.epmin),
    epmax: Type.Optional(attributes.epmax),
    edge: Type.Optional(attributes.edge),
    con: Type.Optional(attributes.con),
    hqmax: Type.Optional(attributes.hqmax),
  },
  { $id: 'NotificationAttributes', additionalProperties: false },
);
export type ApiNotificationAttributes = Static<typeof NotificationAttributesSchema>;

const removed = Type.Null({ description: 'Removed' });

/** `PUT /api/devices/{endpoint}/attributes/{path}`: what is not named stays. */
export const AttributeChangesSchema = Type.Object(
  {
    pmin: Type.Optional(Type.Union([attributes.pmin, removed])),
    pmax: Type.Optional(Type.Union([attributes.pmax, removed])),
    gt: Type.Optional(Type.Union([attributes.gt, removed])),
    lt: Type.Optional(Type.Union([attributes.lt, removed])),
    st: Type.Optional(Type.Union([attributes.st, removed])),
    epmin: Type.Optional(Type.Union([attributes.epmin, removed])),
    epmax: Type.Optional(Type.Union([attributes.epmax, removed])),
    edge: Type.Optional(Type.Union([attributes.edge, removed])),
    con: Type.Optional(Type.Union([attributes.con, removed])),
    hqmax: Type.Optional(Type.Union([attributes.hqmax, removed])),
  },
  { $id: 'AttributeChanges', additionalProperties: false, minProperties: 1 },
);

/** `POST /api/devices/{endpoint}/observations/{path}`. */
export const ObserveBodySchema = Type.Object(
  { attributes: Type.Optional(NotificationAttributesSchema) },
  { $id: 'ObserveBody', additionalProperties: false },
);

export const CompositeResultSchema = Type.Object(
  {
    paths: Type.Array(Type.String(), { description: 'That were asked for' }),
    contentFormat: Type.Integer({ description: 'CoAP Content-Format id that the device answered in' }),
    items: Type.Array(ResourceItemSchema, { description: 'Every value at or below them that is there' }),
  },
  { $id: 'CompositeResult', additionalProperties: false },
);
export type ApiCompositeResult = Static<typeof CompositeResultSchema>;

/** `PUT /api/devices/{endpoint}/composite`. */
export const CompositeBodySchema = Type.Object(
  {
    values: Type.Record(Type.String(), Type.Union([ValueSchema, Type.Null()]), {
      minProperties: 1,
      maxProperties: 1000,
      description:
        'By whole path: {"/3/0/14": "+01:00", "/1/0/1": 300}; null removes a resource instance (LwM2M 1.2)',
    }),
  },
  { $id: 'CompositeBody', additionalProperties: false },
);

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

/** `GET /api/profiles`. */
export const ProfileSchema = Type.Object(
  {
    id: Type.String(),
    objects: Type.Array(
      Type.Object({ path: Type.String(), attributes: Type.Record(Type.String(), Type.String()) }),
    ),
    storedAt: Type.Number(),
  },
  { $id: 'Profile', additionalProperties: false },
);
export type ApiProfile = Static<typeof ProfileSchema>;

export const ProfilesAnswerSchema = Type.Object(
  { items: Type.Array(ProfileSchema) },
  { $id: 'ProfilesAnswer', additionalProperties: false },
);

/** `PUT /api/profiles/{id}`. */
export const ProfileBodySchema = Type.Object(
  {
    objects: Type.String({
      minLength: 1,
      maxLength: 100_000,
      description: 'As a device lists them, in link format: `</1>;ver=1.2,</1/0>,</3/0>`',
    }),
  },
  { $id: 'ProfileBody', additionalProperties: false },
);

/** `PUT /api/devices/{endpoint}/server/mute-send`. */
export const MuteSendBodySchema = Type.Object(
  { muted: Type.Boolean() },
  { $id: 'MuteSendBody', additionalProperties: false },
);

/** `POST /api/devices/{endpoint}/requests`: one operation, with what it needs. */
export const HeldRequestBodySchema = Type.Object(
  {
    operation: Type.Enum([
      'read',
      'write',
      'execute',
      'create',
      'delete',
      'discover',
      'write-attributes',
      'observe',
      'cancel',
      'read-composite',
      'write-composite',
      'observe-composite',
      'cancel-composite',
    ] as const),
    path: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: '/3/0/9' })),
    paths: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 256,
        description: 'Of a composite operation',
      }),
    ),
    value: Type.Optional(ValueSchema),
    values: Type.Optional(
      Type.Record(Type.String(), Type.Union([ValueSchema, Type.Null()]), {
        description: 'As the routes of Write, Create and of the composite Write take them',
      }),
    ),
    mode: Type.Optional(Type.Union([Type.Literal('replace'), Type.Literal('update')])),
    args: Type.Optional(Type.String({ maxLength: 10_000, description: "Of Execute: 0='1',1='7'" })),
    arguments: Type.Optional(
      Type.Array(Type.String({ maxLength: 1000, pattern: "^[^']*$" }), { maxItems: 10 }),
    ),
    depth: Type.Optional(Type.Integer({ minimum: 0, maximum: 3 })),
    attributes: Type.Optional(AttributeChangesSchema),
    active: Type.Optional(Type.Boolean({ description: 'Of a cancellation: the device is told at once' })),
    format: Type.Optional(Type.String({ pattern: '^([0-9]{1,5}|[A-Za-z0-9_]{1,20})$' })),
    timeToLive: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 31_536_000_000,
        description: 'Milliseconds after which it expires if it was not sent; a day where absent',
      }),
    ),
  },
  { $id: 'HeldRequestBody', additionalProperties: false },
);
export type ApiHeldRequestBody = Static<typeof HeldRequestBodySchema>;

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

export const EventSchema = Type.Object(
  {
    id: Type.Integer(),
    type: Type.String(),
    endpoint: Type.Optional(Type.String()),
    at: Type.Number(),
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'Event', additionalProperties: false },
);
export type ApiEvent = Static<typeof EventSchema>;

/** Newest first. */
export const EventsAnswerSchema = Type.Object(
  { items: Type.Array(EventSchema) },
  { $id: 'EventsAnswer', additionalProperties: false },
);
export type ApiEventsAnswer = Static<typeof EventsAnswerSchema>;

export const HealthSchema = Type.Object(
  { status: Type.Literal('ready') },
  { $id: 'Health', additionalProperties: false },
);

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

/**
 * Server-sent events of `GET /api/events?endpoint=&types=`. `id:` is `<event>-<log>`; send it back as
 * Last-Event-ID (or `?after=`) to go on from there. The first is `event: hello` with ApiHello.
 * `event: readings` carries ApiLiveReadings; every other type carries ApiEvent. `event: gap` says that
 * something is no longer kept: load anew.
 */
export interface ApiHello {
  /** Where the stream begins: what a client that has not yet heard anything goes on from. */
  readonly position: string;
  /** The server's clock. */
  readonly now: number;
}

export interface ApiLiveReadings {
  readonly endpoint: string;
  readonly series: readonly {
    readonly path: string;
    /** `[takenAt, value]`, ms since the epoch with a fraction. */
    readonly points: readonly (readonly [number, ApiValue])[];
  }[];
}
