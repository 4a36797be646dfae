import { type Static, Type } from 'typebox';
import { bootstrapStates } from '../../ports/bootstrap-store.ts';

export const bootstrapProfileId = Type.String({
  pattern: '^[a-z0-9-]{1,64}$',
  description: 'Lower-case letters, digits and hyphens',
});
const shortServerId = Type.Integer({ minimum: 1, maximum: 65_534 });
const glob = (of: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: `Glob (\`*\`, \`?\`) of ${of}` }));
const path = Type.String({ minLength: 1, maxLength: 40 });
const period = (meaning: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: `${meaning}, s` }));

const server = Type.Object(
  {
    shortServerId,
    uri: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: '`coaps://host:port` or `coap://host:port`; this very server where absent',
      }),
    ),
    security: Type.Enum(['psk', 'nosec'] as const, {
      description: '`psk`: identity and key are made for each device, and enrolled before it gets them',
    }),
    lifetime: Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      description: 'Of registrations, s; 0: without end',
    }),
    binding: Type.String({
      pattern: '^[UTSNQMH]{1,8}$',
      description: 'Transports: `U`; with `Q` queue mode',
    }),
    notificationStoring: Type.Boolean({
      description: 'Whether notifications are kept while the server is away',
    }),
    defaultMinimumPeriod: period('Between two notifications at the least'),
    defaultMaximumPeriod: period('Between two notifications at the most'),
    disableTimeout: period('How long the device stays away when it is disabled'),
    bootstrapOnFailure: Type.Optional(
      Type.Boolean({ description: 'Whether a device that cannot register comes back for a bootstrap' }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_147_483_647,
        description: 'Order of registration among servers',
      }),
    ),
  },
  { additionalProperties: false },
);

const settings = {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  enabled: Type.Boolean(),
  devices: Type.Object(
    {
      endpoint: glob('endpoint names'),
      manufacturer: glob('manufacturers, in upper or lower case'),
      model: glob('models, in upper or lower case'),
    },
    {
      additionalProperties: false,
      description: 'Which devices it is for; those that were never registered are known by their name alone',
    },
  ),
  priority: Type.Integer({
    minimum: -1_000_000,
    maximum: 1_000_000,
    description: 'Of several profiles that fit a device the one with the greatest; then the first by id',
  }),
  readFirst: Type.Boolean({
    description: 'Whether the Server and Access Control objects are read first, to be seen',
  }),
  remove: Type.Array(path, {
    maxItems: 32,
    description:
      'Deleted first, in this order: `/`, objects, instances; the bootstrap account and Device stay',
  }),
  servers: Type.Array(server, { minItems: 1, maxItems: 16 }),
  objects: Type.Array(
    Type.Object(
      {
        path,
        value: Type.Union([Type.String({ maxLength: 4_096 }), Type.Number(), Type.Boolean()], {
          description: 'As everywhere in the API: bytes in hex, times in seconds',
        }),
      },
      { additionalProperties: false },
    ),
    { maxItems: 200, description: 'Values of other objects' },
  ),
  access: Type.Array(
    Type.Object(
      {
        objectId: Type.Integer({ minimum: 1, maximum: 65_534 }),
        instanceId: Type.Integer({ minimum: 0, maximum: 65_535, description: '65535: the object itself' }),
        owner: Type.Integer({
          minimum: 1,
          maximum: 65_535,
          description: 'Short server id; 65535: bootstrap servers',
        }),
        rights: Type.Array(
          Type.Object(
            {
              shortServerId: Type.Integer({ minimum: 0, maximum: 65_534, description: '0: all others' }),
              rights: Type.Integer({
                minimum: 0,
                maximum: 31,
                description: 'Bits: 1 read, 2 write, 4 execute, 8 delete, 16 create',
              }),
            },
            { additionalProperties: false },
          ),
          { maxItems: 64 },
        ),
      },
      { additionalProperties: false },
    ),
    { maxItems: 200, description: 'Instances of the Access Control object' },
  ),
  retries: Type.Integer({
    minimum: 0,
    maximum: 5,
    description: 'How often all is written again to a device that finds it inconsistent (4.06)',
  }),
};

/** `PUT /api/bootstrap/profiles/{id}`. */
export const BootstrapProfileBodySchema = Type.Object(settings, {
  $id: 'BootstrapProfileBody',
  additionalProperties: false,
});
export type ApiBootstrapProfileBody = Static<typeof BootstrapProfileBodySchema>;

export const BootstrapProfileSchema = Type.Object(
  {
    id: bootstrapProfileId,
    ...settings,
    builtIn: Type.Boolean({
      description: 'The server brings it along: it can be changed and restored, not removed',
    }),
    changed: Type.Boolean({ description: 'A built-in one that somebody changed' }),
    createdAt: Type.Number(),
    updatedAt: Type.Number(),
  },
  { $id: 'BootstrapProfile', additionalProperties: false },
);
export type ApiBootstrapProfile = Static<typeof BootstrapProfileSchema>;

export const BootstrapProfilesAnswerSchema = Type.Object(
  { items: Type.Array(BootstrapProfileSchema) },
  { $id: 'BootstrapProfilesAnswer', additionalProperties: false },
);
export type ApiBootstrapProfilesAnswer = Static<typeof BootstrapProfilesAnswerSchema>;

export const BootstrapAssignmentsAnswerSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({ endpoint: Type.String(), profile: Type.String() }, { additionalProperties: false }),
    ),
    next: Type.Union([Type.String(), Type.Null()]),
  },
  { $id: 'BootstrapAssignmentsAnswer', additionalProperties: false },
);
export type ApiBootstrapAssignmentsAnswer = Static<typeof BootstrapAssignmentsAnswerSchema>;

const step = Type.Object(
  {
    operation: Type.String({
      description: 'request, pack, discover, read, credential, delete, write or finish',
    }),
    path: Type.Optional(Type.String()),
    startedAt: Type.Number(),
    endedAt: Type.Optional(Type.Number({ description: 'Absent: it is under way' })),
    code: Type.Optional(Type.String({ description: 'What the device answered, `2.04`' })),
    detail: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

export const BootstrapSessionSchema = Type.Object(
  {
    id: Type.String(),
    endpoint: Type.String(),
    address: Type.String({ description: 'Of the device' }),
    secured: Type.Boolean({ description: 'Whether it takes place over DTLS' }),
    node: Type.String({ description: 'Where it takes place' }),
    kind: Type.Enum(['requests', 'pack'] as const),
    profile: Type.Optional(
      Type.Object({ id: Type.String(), name: Type.String() }, { additionalProperties: false }),
    ),
    state: Type.Enum(bootstrapStates, {
      description: '`replaced`: the device began anew meanwhile',
    }),
    reason: Type.Optional(Type.String({ description: 'Why it failed' })),
    startedAt: Type.Number(),
    updatedAt: Type.Number(),
    steps: Type.Array(step),
  },
  { $id: 'BootstrapSession', additionalProperties: false },
);
export type ApiBootstrapSession = Static<typeof BootstrapSessionSchema>;

export const BootstrapSessionsAnswerSchema = Type.Object(
  { items: Type.Array(BootstrapSessionSchema), next: Type.Union([Type.String(), Type.Null()]) },
  { $id: 'BootstrapSessionsAnswer', additionalProperties: false },
);
export type ApiBootstrapSessionsAnswer = Static<typeof BootstrapSessionsAnswerSchema>;

/** What a device would get now. */
export const DeviceBootstrapSchema = Type.Object(
  {
    assigned: Type.Union([Type.String(), Type.Null()], {
      description: 'Profile that was assigned to the device by itself',
    }),
    profile: Type.Union(
      [Type.Object({ id: Type.String(), name: Type.String() }, { additionalProperties: false }), Type.Null()],
      { description: 'What it gets when it asks for a bootstrap' },
    ),
    reason: Type.Optional(Type.String({ description: 'Why it gets none' })),
    sessions: Type.Array(BootstrapSessionSchema, { description: 'The newest ten, newest first' }),
  },
  { $id: 'DeviceBootstrap', additionalProperties: false },
);
export type ApiDeviceBootstrap = Static<typeof DeviceBootstrapSchema>;

/** `PUT /api/devices/{endpoint}/bootstrap/profile`. */
export const BootstrapAssignmentBodySchema = Type.Object(
  { profile: bootstrapProfileId },
  { $id: 'BootstrapAssignmentBody', additionalProperties: false },
);
export type ApiBootstrapAssignmentBody = Static<typeof BootstrapAssignmentBodySchema>;
