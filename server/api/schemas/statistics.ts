import { type Static, Type } from 'typebox';

const count = Type.Integer();
const ofFleet = 'counted for the fleet as a whole: null to principals with a tenant';
const series = Type.Optional(
  Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: '[at, value]' })),
);

export const FleetCountsSchema = Type.Object(
  {
    known: count,
    registered: Type.Integer({ description: 'Awake or asleep' }),
    awake: count,
    asleep: count,
    lost: Type.Integer({ description: 'Their registration ran out' }),
    left: Type.Integer({ description: 'They de-registered' }),
  },
  { $id: 'FleetCounts', additionalProperties: false },
);

export const SwitchCountsSchema = Type.Object(
  {
    ack: Type.Integer({ description: 'The card said ACK' }),
    nack: Type.Integer({ description: 'The card said NACK' }),
    other: Type.Integer({ description: 'Ended otherwise: refused, expired, cancelled, unknown' }),
  },
  { $id: 'SwitchCounts', additionalProperties: false },
);

export const OverviewSchema = Type.Object(
  {
    now: Type.Integer(),
    devices: FleetCountsSchema,
    carriers: Type.Array(
      Type.Object({
        carrier: Type.Union([Type.String(), Type.Null()], { description: 'null: none is known' }),
        count,
      }),
      { description: 'Registered devices by carrier, the most frequent first' },
    ),
    switches: Type.Union(
      [
        Type.Object({
          ...SwitchCountsSchema.properties,
          pending: Type.Integer({ description: 'Not ended yet' }),
        }),
        Type.Null(),
      ],
      { description: `Carrier switches that ended since \`since\`; ${ofFleet}` },
    ),
    readingsPerSecond: Type.Union([Type.Number(), Type.Null()], { description: ofFleet }),
    notificationsPerSecond: Type.Union([Type.Number(), Type.Null()], { description: ofFleet }),
    comparison: Type.Union(
      [
        Type.Object({
          at: Type.Integer({ description: 'The same moment a week before' }),
          devices: Type.Union([FleetCountsSchema, Type.Null()]),
          switches: Type.Union([SwitchCountsSchema, Type.Null()]),
          readingsPerSecond: Type.Union([Type.Number(), Type.Null()]),
        }),
        Type.Null(),
      ],
      { description: `How it was a week before, null where nothing was kept; ${ofFleet}` },
    ),
  },
  { $id: 'Overview', additionalProperties: false },
);
export type ApiOverview = Static<typeof OverviewSchema>;

export const StatisticsSchema = Type.Object(
  {
    step: Type.Integer({ description: 'Length of a step, ms' }),
    series: Type.Object(
      {
        known: series,
        registered: series,
        awake: series,
        asleep: series,
        lost: series,
        left: series,
        readings: series,
        notifications: series,
        'switches-ack': series,
        'switches-nack': series,
        'switches-other': series,
        events: series,
      },
      {
        description:
          'By metric `[when the step began, value]`, oldest first. Steps in which the server did not run are not there.',
      },
    ),
  },
  { $id: 'Statistics', additionalProperties: false },
);
export type ApiStatistics = Static<typeof StatisticsSchema>;
