import { Code } from '../../protocol/coap/message.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { BoundResource, ClientObject, ObjectInstance, ObjectTree } from './object-tree.ts';
import { OperationError } from './operation-error.ts';

/** What a path of the server names in our tree; members as deep as it goes, all of them existing. */
export interface Target {
  /** Canonical. */
  readonly path: string;
  readonly object: ClientObject;
  readonly instance?: ObjectInstance;
  readonly resource?: BoundResource;
  readonly resourceInstance?: number;
}

/** Objects that only a bootstrap server may touch, Security and OSCORE: no server sees them (§6.3). */
export const bootstrapObjects: ReadonlySet<number> = new Set([0, 21]);

/**
 * Finds what a Uri-Path names.
 * @throws OperationError 4.04 nothing there; 4.01 the Security and OSCORE objects, which only a
 *   bootstrap server may touch (OMA-TS-LightweightM2M_Core §E.1)
 */
export function findTarget(tree: ObjectTree, segments: readonly string[]): Target {
  return targetAt(tree, `/${segments.join('/')}`);
}

/** As findTarget, of a path: `/3/0/9`. @throws OperationError 4.04, 4.01 */
export function targetAt(tree: ObjectTree, path: string): Target {
  const [objectId, instanceId, resourceId, resourceInstance] = pathIds(path) ?? [];
  if (objectId === undefined) throw notFound(path);
  if (bootstrapObjects.has(objectId)) {
    throw new OperationError(Code.UNAUTHORIZED, 'only a bootstrap server may access this object');
  }
  const object = tree.object(objectId);
  if (object === undefined) throw notFound(path);
  if (instanceId === undefined) return { path, object };
  const instance = object.instances.get(instanceId);
  if (instance === undefined) throw notFound(path);
  if (resourceId === undefined) return { path, object, instance };
  const resource = instance.resources.get(resourceId);
  if (resource === undefined) throw notFound(path);
  if (resourceInstance === undefined) return { path, object, instance, resource };
  if (resource.definition.multiple !== true) throw notFound(path);
  return { path, object, instance, resource, resourceInstance };
}

export function notFound(path: string): OperationError {
  return new OperationError(Code.NOT_FOUND, `${path.slice(0, 80)} is not here`);
}

export function isReadable(resource: BoundResource): boolean {
  return resource.definition.operations.includes('R') && resource.handler.read !== undefined;
}

export function isWritable(resource: BoundResource): boolean {
  return resource.definition.operations.includes('W') && resource.handler.write !== undefined;
}

export function isExecutable(resource: BoundResource): boolean {
  return resource.definition.operations === 'E' && resource.handler.execute !== undefined;
}
