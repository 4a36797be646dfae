import { DecodeError, RequestError } from '../errors.ts';
import { plainDecimal } from './text.ts';

/**
 * Notification attributes of a node or of one observation, OMA-TS-LightweightM2M_Core-V1_2 §5.1.2 and
 * §7.3.2. Times in seconds; `gt`, `lt` and `st` in the resource's unit.
 */
export interface NotificationAttributes {
  /** Least time between two notifications. */
  readonly pmin?: number;
  /** Longest time between two notifications; 0, or less than pmin: none. */
  readonly pmax?: number;
  /** Notify when the value crosses it. */
  readonly gt?: number;
  readonly lt?: number;
  /** Notify when the value has changed by it. */
  readonly st?: number;
  /** Least and longest time between two samples of the value (1.1). */
  readonly epmin?: number;
  readonly epmax?: number;
  /** Boolean resources: notify on falling (0) or rising (1) edges only (1.2). */
  readonly edge?: 0 | 1;
  /** Confirmable notifications: 1 (1.2). */
  readonly con?: 0 | 1;
  /** The most historical values that a device keeps for a notification (1.2). */
  readonly hqmax?: number;
}

export const notificationAttributeNames = [
  'pmin',
  'pmax',
  'gt',
  'lt',
  'st',
  'epmin',
  'epmax',
  'edge',
  'con',
  'hqmax',
] as const satisfies readonly (keyof NotificationAttributes)[];
export type NotificationAttributeName = (typeof notificationAttributeNames)[number];

/** Attributes to set, and those to remove: `null` (§6.3.4, Write-Attributes). */
export type AttributeChanges = {
  readonly [Name in NotificationAttributeName]?: NotificationAttributes[Name] | null;
};

/** What the specification says of each attribute. */
export interface AttributeRule {
  /** `seconds` and `count` are whole numbers from 0; `flag` is 0 or 1. */
  readonly kind: 'seconds' | 'count' | 'number' | 'flag';
  /** The LwM2M version that brought it. */
  readonly since: '1.0' | '1.1' | '1.2';
  /** Only of a resource or a resource instance, whose value is of that sort. */
  readonly only?: 'numeric' | 'boolean';
}

export const attributeRules: { readonly [Name in NotificationAttributeName]: AttributeRule } = {
  pmin: { kind: 'seconds', since: '1.0' },
  pmax: { kind: 'seconds', since: '1.0' },
  gt: { kind: 'number', since: '1.0', only: 'numeric' },
  lt: { kind: 'number', since: '1.0', only: 'numeric' },
  st: { kind: 'number', since: '1.0', only: 'numeric' },
  epmin: { kind: 'seconds', since: '1.1' },
  epmax: { kind: 'seconds', since: '1.1' },
  edge: { kind: 'flag', since: '1.2', only: 'boolean' },
  con: { kind: 'flag', since: '1.2' },
  hqmax: { kind: 'count', since: '1.2' },
};

/** A name that this list has, of whatever a peer or a caller says. */
export function isNotificationAttribute(name: string): name is NotificationAttributeName {
  return Object.hasOwn(attributeRules, name);
}

/**
 * The attributes as Uri-Query arguments: `pmin=10`, and `pmin` alone to remove it (§5.1.2).
 * @throws RequestError a value that the attribute cannot have
 */
export function attributeQueries(changes: AttributeChanges): string[] {
  const queries: string[] = [];
  for (const name of notificationAttributeNames) {
    const value = changes[name];
    if (value === undefined) continue;
    if (value === null) {
      queries.push(name);
      continue;
    }
    const fault = valueFault(name, value);
    if (fault !== undefined) throw new RequestError(fault);
    queries.push(`${name}=${plainDecimal(value)}`);
  }
  return queries;
}

/**
 * Reads the Uri-Query arguments of a Write-Attributes or an Observe.
 * @throws DecodeError a name that is no attribute, one given twice, or a value that it cannot have
 */
export function decodeAttributeQueries(queries: readonly string[]): AttributeChanges {
  const changes: { [Name in NotificationAttributeName]?: number | null } = {};
  for (const query of queries) {
    const equals = query.indexOf('=');
    const name = equals < 0 ? query : query.slice(0, equals);
    if (!isNotificationAttribute(name)) {
      throw new DecodeError(`'${name.slice(0, 40)}' is no notification attribute`);
    }
    if (changes[name] !== undefined) throw new DecodeError(`${name} is given twice`);
    changes[name] = equals < 0 ? null : decodeValue(name, query.slice(equals + 1));
  }
  return changes as AttributeChanges;
}

/** The notification attributes among those of a link, as Discover has them (§6.3.2); what is none, or unreadable, is left out. */
export function attributesOfLink(attributes: Readonly<Record<string, string>>): NotificationAttributes {
  const found: { [Name in NotificationAttributeName]?: number } = {};
  for (const name of notificationAttributeNames) {
    const text = attributes[name];
    if (text === undefined || !NUMBER.test(text)) continue;
    const value = Number(text);
    if (valueFault(name, value) === undefined) found[name] = value;
  }
  return found as NotificationAttributes;
}

const NUMBER = /^[+-]?\d{1,30}(\.\d{1,30})?$/;

function decodeValue(name: NotificationAttributeName, text: string): number {
  if (!NUMBER.test(text)) throw new DecodeError(`${name} cannot be '${text.slice(0, 40)}'`);
  const value = Number(text);
  const fault = valueFault(name, value);
  if (fault !== undefined) throw new DecodeError(fault);
  return value;
}

/** Why the attribute cannot have this value; undefined where it can. */
function valueFault(name: NotificationAttributeName, value: number): string | undefined {
  const { kind } = attributeRules[name];
  switch (kind) {
    case 'flag':
      return value === 0 || value === 1 ? undefined : `${name} is 0 or 1, not ${value}`;
    case 'number':
      if (!Number.isFinite(value)) return `${name} must be a finite number`;
      return name === 'st' && value < 0 ? `st is a distance: it cannot be ${value}` : undefined;
    default:
      return Number.isSafeInteger(value) && value >= 0
        ? undefined
        : `${name} is a whole number from 0, not ${value}`;
  }
}

/**
 * Why these attributes cannot stand together; undefined where they can. Those of one node: what is set,
 * over what was there before. `pmax` 0 means none.
 */
export function contradiction(attributes: AttributeChanges): string | undefined {
  const { pmin, pmax, epmin, epmax, gt, lt, st } = attributes;
  if (isNumber(pmin) && isNumber(pmax) && pmax !== 0 && pmax < pmin) {
    return `pmax (${pmax}) is less than pmin (${pmin})`;
  }
  if (isNumber(epmin) && isNumber(epmax) && epmax <= epmin) {
    return `epmax (${epmax}) is not more than epmin (${epmin})`;
  }
  if (!isNumber(lt) || !isNumber(gt)) return undefined;
  // §5.1.2: with both limits there must be room for two steps between them.
  const steps = isNumber(st) ? 2 * st : 0;
  return lt + steps < gt
    ? undefined
    : `lt (${lt})${isNumber(st) ? ` + 2 st (${st})` : ''} is not less than gt (${gt})`;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}
