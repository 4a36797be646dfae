import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import type { ResourceType, ResourceValue } from '../../protocol/lwm2m/value.ts';

// When a value is worth a notification: OMA-TS-LightweightM2M_Core-V1_2 §5.1.2, <NOTIFICATION> class attributes.

/** The attributes that look at the value. */
export type ValueConditions = Pick<NotificationAttributes, 'gt' | 'lt' | 'st' | 'edge'>;

/** Types whose values can be compared with gt, lt and st. */
const numericTypes: ReadonlySet<ResourceType> = new Set(['integer', 'unsigned', 'float', 'time']);

export function isNumeric(type: ResourceType): boolean {
  return numericTypes.has(type);
}

/** lt < gt, and lt + 2 * st < gt: what contradicts itself is refused when written, and passed over when inherited. */
export function areConsistent({ gt, lt, st = 0 }: ValueConditions): boolean {
  return gt === undefined || lt === undefined || (lt < gt && lt + 2 * st < gt);
}

/** epmin < epmax, where there are both. */
export function periodsAreConsistent({ epmin, epmax }: NotificationAttributes): boolean {
  return epmin === undefined || epmax === undefined || epmin < epmax;
}

/** A maximum of 0, or below the minimum, is none. Seconds. */
export function effectiveMaximum(minimum: number, maximum: number | undefined): number | undefined {
  return maximum === undefined || maximum === 0 || maximum < minimum ? undefined : maximum;
}

/**
 * Whether a value is to be told: `told` is what was told last (undefined: nothing yet), `before` what it was
 * when it was looked at last. A threshold is crossed in both directions, and lies outside: at `gt` itself
 * nothing is greater yet. A step is counted from what was told. An edge is one of the value, so what came
 * between two tellings counts. Without a condition that applies, every other value is told.
 */
export function isWorthTelling(
  conditions: ValueConditions,
  told: ResourceValue | undefined,
  before: ResourceValue | undefined,
  value: ResourceValue,
): boolean {
  if (told === undefined) return true;
  if (typeof value === 'boolean') {
    const { edge } = conditions;
    if (edge === undefined) return told !== value;
    return (before ?? told) !== value && value === (edge === 1);
  }
  const applies = conditions.gt !== undefined || conditions.lt !== undefined || conditions.st !== undefined;
  if (!applies || !isNumber(value) || !isNumber(told) || !areConsistent(conditions)) {
    return !isSameValue(told, value);
  }
  const { gt, lt, st } = conditions;
  return (
    (gt !== undefined && told > gt !== value > gt) ||
    (lt !== undefined && told < lt !== value < lt) ||
    (st !== undefined && told !== value && isStep(told, value, st))
  );
}

/** Bytes and object links by what they hold. */
export function isSameValue(a: ResourceValue, b: ResourceValue): boolean {
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  if (typeof a === 'object') {
    return (
      typeof b === 'object' &&
      !(b instanceof Uint8Array) &&
      a.objectId === b.objectId &&
      a.instanceId === b.instanceId
    );
  }
  // 5 and 5n are the same integer.
  return isNumber(a) && isNumber(b) ? a === b || (a >= b && a <= b) : Object.is(a, b);
}

function isNumber(value: ResourceValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Beyond 2^53 exact; between decimals that doubles round, such as 20.1 and 20.2, within that rounding. */
function isStep(a: number | bigint, b: number | bigint, step: number): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) + 4 * Number.EPSILON * Math.max(Math.abs(a), Math.abs(b)) >= step;
  }
  const difference = toBigInt(a) - toBigInt(b);
  return (difference < 0n ? -difference : difference) >= step;
}

function toBigInt(value: number | bigint): bigint {
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
}
