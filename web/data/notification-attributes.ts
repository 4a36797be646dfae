import { RequestError } from '../../protocol/errors.ts';
import {
  type AttributeChanges,
  attributeQueries,
  attributeRules,
  contradiction,
  type NotificationAttributeName,
  type NotificationAttributes,
  notificationAttributeNames,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { ApiResourceModel } from './resource-definition.ts';

export type { AttributeChanges, NotificationAttributeName, NotificationAttributes };

/** What each attribute is for, in the fewest words (OMA-TS-LightweightM2M_Core §5.1.2). */
export const attributeLabels: Readonly<Record<NotificationAttributeName, string>> = {
  pmin: 'least time between two, s',
  pmax: 'longest time between two, s',
  gt: 'when it crosses this limit',
  lt: 'when it crosses this limit',
  st: 'when it has changed by',
  epmin: 'least time between samples, s',
  epmax: 'longest time between samples, s',
  edge: 'on an edge: 0 falling, 1 rising',
  con: 'confirmable: 0 or 1',
  hqmax: 'values kept while it cannot be told',
};

const numeric = new Set(['integer', 'unsigned', 'float', 'time']);

/** Those that have a meaning at a place, and that a device of this version knows. A resource: at or below one. */
export function fittingAttributes(
  level: 1 | 2 | 3 | 4,
  resource: ApiResourceModel | undefined,
  version: string | undefined,
): readonly NotificationAttributeName[] {
  return notificationAttributeNames.filter((name) => {
    const { since, only } = attributeRules[name];
    if (since > (version ?? '1.0')) return false;
    if (only === undefined) return true;
    if (level < 3) return false;
    // Without a definition nobody can tell: the device will.
    if (resource === undefined) return true;
    return only === 'numeric' ? numeric.has(resource.type) : resource.type === 'boolean';
  });
}

export type ParsedAttributes =
  | { readonly changes: AttributeChanges; readonly fault?: undefined }
  | { readonly fault: string; readonly changes?: undefined };

/** What is typed for each as a request takes it: a dash removes one, an empty text leaves it as it is. */
export function parseAttributes(texts: ReadonlyMap<NotificationAttributeName, string>): ParsedAttributes {
  const changes: { [Name in NotificationAttributeName]?: number | null } = {};
  for (const [name, text] of texts) {
    const trimmed = text.trim().replace('−', '-');
    if (trimmed === '') continue;
    const number = Number(trimmed);
    if (trimmed !== '-' && trimmed !== '–' && !Number.isFinite(number)) {
      return { fault: `${name} takes a number, or a dash to remove it; not “${text.trim()}”` };
    }
    changes[name] = trimmed === '-' || trimmed === '–' ? null : number;
  }
  const checked = changes as AttributeChanges;
  const fault = valuesFault(checked) ?? contradiction(checked);
  return fault === undefined ? { changes: checked } : { fault };
}

function valuesFault(changes: AttributeChanges): string | undefined {
  try {
    attributeQueries(changes);
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return error.message;
    throw error;
  }
}

/** As conditions of one observation: there is nothing to remove from it. */
export function withoutRemovals(changes: AttributeChanges): NotificationAttributes {
  return Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== null),
  ) as NotificationAttributes;
}

/** `pmin=5 gt=1.5`; empty where there are none. */
export function attributesText(attributes: NotificationAttributes | undefined): string {
  return notificationAttributeNames
    .flatMap((name) => (attributes?.[name] === undefined ? [] : `${name}=${attributes[name]}`))
    .join(' ');
}
