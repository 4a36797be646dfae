import { type Static, Type } from 'typebox';

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
