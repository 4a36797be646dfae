import type { ApiNotificationAttributes } from './api-types.ts';
import type { AttributeChanges } from './device-operations.ts';
import type { ApiResourceModel } from './resource-definition.ts';

export type AttributeName = keyof ApiNotificationAttributes;

interface AttributeTraits {
  readonly name: AttributeName;
  readonly label: string;
  /** The version of LwM2M that it came with. */
  readonly since: '1.0' | '1.1' | '1.2';
  readonly fits: 'all' | 'number' | 'boolean';
}

/** Each notification attribute (OMA-TS-LightweightM2M_Core §5.1.2). */
const attributes: readonly AttributeTraits[] = [
  { name: 'pmin', label: 'Least time between two, s', since: '1.0', fits: 'all' },
  { name: 'pmax', label: 'Longest time between two, s', since: '1.0', fits: 'all' },
  { name: 'gt', label: 'When it crosses, upwards', since: '1.0', fits: 'number' },
  { name: 'lt', label: 'When it crosses, downwards', since: '1.0', fits: 'number' },
  { name: 'st', label: 'When it has changed by', since: '1.0', fits: 'number' },
  { name: 'epmin', label: 'Least time between samples, s', since: '1.1', fits: 'all' },
  { name: 'epmax', label: 'Longest time between samples, s', since: '1.1', fits: 'all' },
  { name: 'edge', label: 'On an edge: 0 falling, 1 rising', since: '1.2', fits: 'boolean' },
  { name: 'con', label: 'Confirmable: 0 or 1', since: '1.2', fits: 'all' },
  { name: 'hqmax', label: 'Historical values kept', since: '1.2', fits: 'all' },
];

const numeric = new Set(['integer', 'unsigned', 'float']);

/** Those that have a meaning at a place, and that a device of this version knows. */
export function fittingAttributes(
  resource: ApiResourceModel | undefined,
  version: string | undefined,
): readonly AttributeTraits[] {
  return attributes.filter(({ since, fits }) => {
    if (since > (version ?? '1.0')) return false;
    if (fits === 'all') return true;
    // Without a definition nobody can tell: the device will.
    if (resource === undefined) return true;
    return fits === 'number' ? numeric.has(resource.type) : resource.type === 'boolean';
  });
}

/** What is typed for each as a request takes it: `-` removes one, an empty text leaves it as it is. */
export function parseAttributes(
  texts: ReadonlyMap<AttributeName, string>,
): { readonly changes: AttributeChanges; readonly fault?: undefined } | { readonly fault: string } {
  const changes: Partial<Record<AttributeName, number | null>> = {};
  for (const [name, text] of texts) {
    const trimmed = text.trim();
    if (trimmed === '') continue;
    if (trimmed === '-' || trimmed === '–') {
      changes[name] = null;
      continue;
    }
    const number = Number(trimmed.replace('−', '-'));
    if (!Number.isFinite(number))
      return { fault: `${name} takes a number, or - to remove it; not “${trimmed}”` };
    const whole = !['gt', 'lt', 'st'].includes(name);
    if (whole && (!Number.isInteger(number) || number < 0))
      return { fault: `${name} takes a whole number of 0 or more` };
    changes[name] = number;
  }
  return { changes: changes as AttributeChanges };
}

/** As a condition of one observation: there is nothing to remove from it. */
export function withoutRemovals(changes: AttributeChanges): ApiNotificationAttributes {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
}
