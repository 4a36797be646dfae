import { RequestError } from '../../protocol/errors.ts';
import {
  type AttributeChanges,
  attributeRules,
  contradiction,
  type NotificationAttributeName,
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
  for (const name of notificationAttributeNames) {
    if (changes[name] !== undefined) checkVersion(registration, name);
  }
  checkMeaning(path, changes, lookup);
}

/**
 * As checkAttributes, whatever the version of the device.
 * @throws RequestError one at a level or on a type where it has no meaning, or two that contradict each other
 */
export function checkMeaning(path: string, changes: AttributeChanges, lookup: ResourceTypeLookup): void {
  const [objectId, , resourceId] = pathIds(path) ?? [];
  if (objectId === undefined)
    throw new RequestError('attributes belong to an object or to what is below one');
  const type = resourceId === undefined ? undefined : lookup.resourceType(objectId, resourceId)?.type;
  for (const name of notificationAttributeNames) {
    const { only } = attributeRules[name];
    // What is there may be taken off again, whatever it is.
    if (only === undefined || typeof changes[name] !== 'number') continue;
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

/** Those that an Observe-Composite may have: of objects, and the same for all its paths (§6.4.4). */
const compositeAttributes: readonly NotificationAttributeName[] = ['pmin', 'pmax', 'epmin', 'epmax', 'con'];

/** @throws RequestError as checkAttributes; an attribute that a composite observation cannot have */
export function checkCompositeAttributes(registration: Registration, attributes: AttributeChanges): void {
  for (const name of notificationAttributeNames) {
    if (attributes[name] !== undefined) checkVersion(registration, name);
  }
  checkCompositeMeaning(attributes);
}

/** As checkCompositeAttributes, whatever the version of the device. @throws RequestError */
export function checkCompositeMeaning(attributes: AttributeChanges): void {
  for (const name of notificationAttributeNames) {
    if (attributes[name] === undefined) continue;
    if (compositeAttributes.includes(name)) continue;
    throw new RequestError(
      `${name} belongs to one resource: a composite observation has ${compositeAttributes.join(', ')}`,
    );
  }
  const fault = contradiction(attributes);
  if (fault !== undefined) throw new RequestError(fault);
}

function checkVersion({ endpoint, version }: Registration, name: NotificationAttributeName): void {
  const { since } = attributeRules[name];
  if (speaks({ version }, since)) return;
  throw new RequestError(`'${endpoint}' registered with LwM2M ${version}: ${name} came with ${since}`);
}
