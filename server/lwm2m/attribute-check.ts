import { RequestError } from '../../protocol/errors.ts';
import {
  type AttributeChanges,
  attributeRules,
  contradiction,
  notificationAttributeNames,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { ResourceType, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { Registration } from '../ports/registration-store.ts';
import { speaks } from './versions.ts';

const numericTypes: readonly ResourceType[] = ['integer', 'unsigned', 'float', 'time'];

/**
 * Whether these attributes may be written at this path of this device, §5.1.2: values are checked where
 * they are encoded.
 * @throws RequestError an attribute that the device's version does not have, one at a level or on a type
 *   where it has no meaning, or two that contradict each other
 */
export function checkAttributes(
  registration: Registration,
  path: string,
  changes: AttributeChanges,
  lookup: ResourceTypeLookup,
): void {
  const ids = pathIds(path) ?? [];
  const [objectId, , resourceId] = ids;
  if (objectId === undefined)
    throw new RequestError('attributes belong to an object or to what is below one');
  const type = resourceId === undefined ? undefined : lookup.resourceType(objectId, resourceId)?.type;
  for (const name of notificationAttributeNames) {
    if (changes[name] === undefined) continue;
    const { since, only } = attributeRules[name];
    if (!speaks(registration, since)) {
      throw new RequestError(
        `'${registration.endpoint}' registered with LwM2M ${registration.version}: ${name} came with ${since}`,
      );
    }
    if (only === undefined) continue;
    if (resourceId === undefined)
      throw new RequestError(`${name} is an attribute of resources, not of ${path}`);
    if (type === undefined) continue;
    if (only === 'numeric' && !numericTypes.includes(type)) {
      throw new RequestError(`${name} needs a number, and ${path} is of type ${type}`);
    }
    if (only === 'boolean' && type !== 'boolean') {
      throw new RequestError(`${name} needs a boolean, and ${path} is of type ${type}`);
    }
  }
  const fault = contradiction(changes);
  if (fault !== undefined) throw new RequestError(fault);
}
