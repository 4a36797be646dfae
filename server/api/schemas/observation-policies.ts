import { type Static, Type } from 'typebox';
import { NotificationAttributesSchema } from './attributes.ts';

const glob = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: `${description}; * is any text, ? one character`,
    }),
  );

export const DeviceSelectorSchema = Type.Object(
  {
    endpoint: glob('Endpoint name'),
    manufacturer: glob('Manufacturer of the Device object, without case'),
    model: glob('Model number of the Device object, without case'),
    object: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65534, description: 'An object that the device lists' }),
    ),
  },
  {
    $id: 'DeviceSelector',
    additionalProperties: false,
    description: 'Devices that fit every member; all devices where there is none',
  },
);

export const WantedObservationSchema = Type.Object(
  {
    paths: Type.Array(
      Type.String({
        maxLength: 40,
        description: 'A path; its instance may be *, each that the device lists',
      }),
      {
        minItems: 1,
        maxItems: 64,
        description: 'More than one are observed together, by a composite observation',
      },
    ),
    composite: Type.Optional(Type.Boolean({ description: 'By a composite observation, even of one path' })),
    attributes: Type.Optional(NotificationAttributesSchema),
    contentFormat: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        description: 'The best that the device speaks where absent',
      }),
    ),
    exclude: Type.Optional(
      Type.Boolean({ description: 'Not to be observed, whatever a weaker policy wants' }),
    ),
  },
  { $id: 'WantedObservation', additionalProperties: false },
);

const policyMembers = {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  devices: DeviceSelectorSchema,
  observations: Type.Array(WantedObservationSchema, { maxItems: 100 }),
} as const;

export const ObservationPolicySchema = Type.Object(
  {
    id: Type.String(),
    ...policyMembers,
    enabled: Type.Boolean(),
    builtIn: Type.Boolean({
      description: 'The server brings it along: it can be changed, switched off, restored',
    }),
    changed: Type.Boolean({ description: 'A built-in one is other than the server brings it along' }),
    createdAt: Type.Number(),
    updatedAt: Type.Number({ description: '0 where nobody changed it' }),
  },
  { $id: 'ObservationPolicy', additionalProperties: false },
);
export type ApiObservationPolicy = Static<typeof ObservationPolicySchema>;

export const ObservationPolicyBodySchema = Type.Object(
  {
    name: policyMembers.name,
    enabled: Type.Optional(Type.Boolean({ description: 'true where absent' })),
    devices: Type.Optional(policyMembers.devices),
    observations: policyMembers.observations,
  },
  { $id: 'ObservationPolicyBody', additionalProperties: false },
);
export type ApiObservationPolicyBody = Static<typeof ObservationPolicyBodySchema>;

export const ObservationPoliciesAnswerSchema = Type.Object(
  { items: Type.Array(ObservationPolicySchema, { description: 'By id' }) },
  { $id: 'ObservationPoliciesAnswer', additionalProperties: false },
);

const By = Type.Object(
  {
    kind: Type.Union([Type.Literal('hand'), Type.Literal('policy')], {
      description: 'A person chose it for this device, or a policy wants it',
    }),
    id: Type.Optional(Type.String({ description: 'Of the policy' })),
    name: Type.Optional(Type.String({ description: 'Of the policy' })),
  },
  { additionalProperties: false },
);

const target = {
  paths: Type.Array(Type.String()),
  composite: Type.Boolean(),
} as const;

export const WantedStatusSchema = Type.Object(
  {
    ...target,
    attributes: Type.Optional(NotificationAttributesSchema),
    contentFormat: Type.Optional(Type.Integer()),
    by: By,
    state: Type.Union(
      [
        Type.Literal('observed'),
        Type.Literal('pending'),
        Type.Literal('refused'),
        Type.Literal('failed'),
        Type.Literal('drifted'),
      ],
      {
        description:
          'pending: not yet made; refused: the device says no, and is asked again when it registers anew or the ' +
          'policy changes; failed: tried again at retryAt; drifted: it was there and is not as it should be',
      },
    ),
    since: Type.Number(),
    code: Type.Optional(Type.String({ description: "The device's answer: 4.04" })),
    reason: Type.Optional(Type.String()),
    attempts: Type.Optional(Type.Integer({ description: 'How often it was tried, or fell back, in a row' })),
    retryAt: Type.Optional(
      Type.Number({ description: 'When it is tried again without the device having spoken' }),
    ),
    real: Type.Optional(
      Type.Object(
        {
          attributes: Type.Optional(NotificationAttributesSchema),
          contentFormat: Type.Optional(Type.Integer()),
          since: Type.Number(),
        },
        { additionalProperties: false, description: 'What there is' },
      ),
    ),
  },
  { $id: 'WantedStatus', additionalProperties: false },
);
export type ApiWantedStatus = Static<typeof WantedStatusSchema>;

/** `GET /api/devices/{endpoint}/observation-policy`: what is wanted beside what there is. */
export const ObservationStatusSchema = Type.Object(
  {
    registered: Type.Boolean(),
    busy: Type.Boolean({ description: 'Something is being made or ended now' }),
    fault: Type.Optional(
      Type.String({
        description:
          'Bringing the device in line met a fault of the server, which its log tells of; it is tried again',
      }),
    ),
    policies: Type.Array(Type.Object({ id: Type.String(), name: Type.String() }), {
      description: 'That are for this device, the strongest first',
    }),
    wanted: Type.Array(WantedStatusSchema),
    suppressed: Type.Array(Type.Object({ ...target, by: By }, { additionalProperties: false }), {
      description: 'That a policy wants, and a person or a stronger policy has ruled out',
    }),
    unwanted: Type.Array(
      Type.Object({ ...target, createdAt: Type.Number() }, { additionalProperties: false }),
      {
        description: 'Observed, although nobody wants it any more: about to end',
      },
    ),
    beyondLimit: Type.Integer({
      description: 'How many more are wanted than a device is asked for (256 paths)',
    }),
  },
  { $id: 'ObservationStatus', additionalProperties: false },
);
export type ApiObservationStatus = Static<typeof ObservationStatusSchema>;

/** `PUT /api/devices/{endpoint}/observation-policy`: by hand. */
export const ObservationChoiceBodySchema = Type.Object(
  {
    paths: Type.Array(Type.String({ maxLength: 40 }), { minItems: 1, maxItems: 64 }),
    composite: Type.Optional(Type.Boolean({ description: 'By a composite observation, even of one path' })),
    wanted: Type.Boolean({ description: 'false: not to be observed, whatever policies say' }),
    attributes: Type.Optional(NotificationAttributesSchema),
    contentFormat: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
  },
  { $id: 'ObservationChoiceBody', additionalProperties: false },
);
