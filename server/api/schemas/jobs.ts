import { type Static, Type } from 'typebox';
import { NotificationAttributesSchema } from './attributes.ts';
import { CarrierBodySchema } from './carrier.ts';
import { DeviceFilterSchema, TenantSchema } from './devices.ts';
import { HeldRequestBodySchema } from './requests.ts';

export const jobStates = [
  'preparing',
  'running',
  'paused',
  'cancelling',
  'done',
  'cancelled',
  'stopped',
] as const;
export const JobStateSchema = Type.Enum(jobStates);

export const jobDeviceStates = [
  'waiting',
  'queued',
  'sent',
  'accepted',
  'done',
  'failed',
  'cancelled',
  'expired',
  'unknown',
] as const;
export const JobDeviceStateSchema = Type.Enum(jobDeviceStates);

export const JobEndpointsSchema = Type.Object(
  {
    endpoints: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      minItems: 1,
      maxItems: 10_000,
      description: 'Endpoint names; more are chosen by a filter',
    }),
  },
  { $id: 'JobEndpoints', additionalProperties: false },
);

export const JobFilterSchema = Type.Object(
  { filter: DeviceFilterSchema },
  {
    $id: 'JobFilter',
    additionalProperties: false,
    description: 'All devices that fit when the job is made; `{}`: all',
  },
);

export const JobCarrierSwitchSchema = Type.Object(
  {
    kind: Type.Literal('carrier-switch'),
    carrier: CarrierBodySchema.properties.carrier,
    slot: CarrierBodySchema.properties.slot,
  },
  { $id: 'JobCarrierSwitch', additionalProperties: false },
);

export const JobRequestSchema = Type.Object(
  { kind: Type.Literal('request'), request: HeldRequestBodySchema },
  {
    $id: 'JobRequest',
    additionalProperties: false,
    description: 'As `POST /api/devices/{endpoint}/requests`; its time is that of the job',
  },
);

export const JobForgetSchema = Type.Object(
  { kind: Type.Literal('forget') },
  { $id: 'JobForget', additionalProperties: false, description: 'As `DELETE /api/devices/{endpoint}`' },
);

export const JobTenantSchema = Type.Object(
  { kind: Type.Literal('tenant'), tenant: TenantSchema },
  {
    $id: 'JobTenant',
    additionalProperties: false,
    description: 'As `PATCH /api/devices/{endpoint}`; by administrators without a tenant alone',
  },
);

export const JobObserveSchema = Type.Object(
  {
    kind: Type.Literal('observe'),
    paths: Type.Array(Type.String({ maxLength: 40 }), { minItems: 1, maxItems: 64 }),
    attributes: Type.Optional(NotificationAttributesSchema),
    wanted: Type.Boolean({ description: 'false: not to be observed, whatever policies say' }),
  },
  {
    $id: 'JobObserve',
    additionalProperties: false,
    description: 'As `PUT /api/devices/{endpoint}/observation-policy`',
  },
);

export const JobOperationSchema = Type.Union(
  [JobCarrierSwitchSchema, JobRequestSchema, JobForgetSchema, JobObserveSchema, JobTenantSchema],
  { $id: 'JobOperation' },
);
export type ApiJobOperation = Static<typeof JobOperationSchema>;

const timeToLive = Type.Integer({
  minimum: 1_000,
  maximum: 31_536_000_000,
  description: 'Milliseconds after which what was not sent expires; a day where absent',
});
const atOnce = Type.Integer({
  minimum: 1,
  maximum: 1_000,
  description:
    'Devices that are worked on at a time; 50 where absent. One that sleeps or is away takes no place: its command waits for it',
});
const stopAfterFailures = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'The job stops when so many devices have failed, or ended as unknown; never where absent',
});

export const JobOptionsSchema = Type.Object(
  {
    timeToLive: Type.Optional(timeToLive),
    atOnce: Type.Optional(atOnce),
    stopAfterFailures: Type.Optional(stopAfterFailures),
  },
  { $id: 'JobOptions', additionalProperties: false },
);

export const JobBodySchema = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    devices: Type.Union([JobEndpointsSchema, JobFilterSchema]),
    operation: JobOperationSchema,
    options: Type.Optional(JobOptionsSchema),
  },
  { $id: 'JobBody', additionalProperties: false },
);
export type ApiJobBody = Static<typeof JobBodySchema>;

export const JobCountsSchema = Type.Object(
  {
    waiting: Type.Integer({ description: 'For their turn' }),
    queued: Type.Integer({ description: 'Their command waits, as for a device that sleeps' }),
    sent: Type.Integer(),
    accepted: Type.Integer(),
    done: Type.Integer(),
    failed: Type.Integer(),
    cancelled: Type.Integer(),
    expired: Type.Integer(),
    unknown: Type.Integer({ description: 'Nobody can tell whether it was carried out' }),
  },
  { $id: 'JobCounts', additionalProperties: false },
);

export const JobSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.Optional(Type.String()),
    tenant: Type.Optional(Type.String({ description: 'Whose it is: it touches no other devices' })),
    filter: Type.Optional(DeviceFilterSchema),
    operation: JobOperationSchema,
    options: JobOptionsSchema,
    state: JobStateSchema,
    reason: Type.Optional(Type.String()),
    total: Type.Integer({ description: 'Devices; it rises while the job prepares' }),
    counts: JobCountsSchema,
    createdAt: Type.Number(),
    expiresAt: Type.Number({ description: 'What was not sent by then expires' }),
    startedAt: Type.Optional(Type.Number()),
    endedAt: Type.Optional(Type.Number()),
  },
  { $id: 'Job', additionalProperties: false },
);
export type ApiJob = Static<typeof JobSchema>;

export const JobPreviewSchema = Type.Object(
  {
    total: Type.Integer({ description: 'Devices that the job would be of' }),
    endpoints: Type.Array(Type.String(), { description: 'The first 20 of them' }),
  },
  { $id: 'JobPreview', additionalProperties: false },
);
export type ApiJobPreview = Static<typeof JobPreviewSchema>;

const next = Type.Union([Type.String(), Type.Null()], {
  description: 'Cursor of the next page; null on the last',
});

export const JobPageSchema = Type.Object(
  { items: Type.Array(JobSchema), next },
  { $id: 'JobPage', additionalProperties: false },
);
export type ApiJobPage = Static<typeof JobPageSchema>;

export const JobDeviceSchema = Type.Object(
  {
    endpoint: Type.String(),
    state: JobDeviceStateSchema,
    command: Type.Optional(Type.String({ description: 'Id of the newest command that the job made for it' })),
    reason: Type.Optional(Type.String()),
    result: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'As that of its command; a large one stands there alone',
      }),
    ),
    updatedAt: Type.Number(),
  },
  { $id: 'JobDevice', additionalProperties: false },
);
export type ApiJobDevice = Static<typeof JobDeviceSchema>;

/** By endpoint name. */
export const JobDevicePageSchema = Type.Object(
  { items: Type.Array(JobDeviceSchema), next },
  { $id: 'JobDevicePage', additionalProperties: false },
);
export type ApiJobDevicePage = Static<typeof JobDevicePageSchema>;
