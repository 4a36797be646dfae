import { checkValue } from '../../objects/values.ts';
import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { BoundResource, ObjectInstance } from './object-tree.ts';
import { OperationError } from './operation-error.ts';
import { isWritable, notFound, type Target } from './target.ts';

export type WriteMode = 'replace' | 'update';

/**
 * Writes values (OMA-TS-LightweightM2M_Core §6.3.3): all of them are checked before the first is
 * written. `replace` gives a multiple resource just the instances named, `update` adds them to those
 * it has. Writable resources of an instance that are not named keep their values in both modes, for
 * ours are all mandatory to the modem.
 * @throws OperationError 4.00, 4.04, 4.05
 */
export async function writeTarget(
  target: Target,
  records: readonly LwM2mRecord[],
  mode: WriteMode,
): Promise<readonly string[]> {
  const { instance } = target;
  if (instance === undefined) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, 'an object is not written as a whole');
  }
  const named = new Map<number, { values: Map<number, ResourceValue>; single: ResourceValue | undefined }>();
  for (const { path, value } of records) {
    const [object, instanceId, resourceId, resourceInstance] = pathIds(path) ?? [];
    if (object !== instance.definition.id || instanceId !== instance.id || resourceId === undefined) {
      throw new OperationError(Code.BAD_REQUEST, `${path} is no resource of ${instance.path}`);
    }
    if (target.resource !== undefined && target.resource.definition.id !== resourceId) {
      throw new OperationError(Code.BAD_REQUEST, `${path} does not lie below ${target.path}`);
    }
    const entry = named.get(resourceId) ?? { values: new Map(), single: undefined };
    if (resourceInstance === undefined) entry.single = value;
    else entry.values.set(resourceInstance, value);
    named.set(resourceId, entry);
  }
  if (named.size === 0) throw new OperationError(Code.BAD_REQUEST, 'nothing to write');
  const writes: (() => void | Promise<void>)[] = [];
  for (const [id, entry] of named) writes.push(prepare(instance, id, entry, target, mode));
  for (const write of writes) await write();
  return [...named.keys()].map((id) => `${instance.path}/${id}`);
}

function prepare(
  instance: ObjectInstance,
  id: number,
  entry: { readonly values: Map<number, ResourceValue>; readonly single: ResourceValue | undefined },
  target: Target,
  mode: WriteMode,
): () => void | Promise<void> {
  const path = `${instance.path}/${id}`;
  const resource = instance.resources.get(id);
  if (resource === undefined) throw notFound(path);
  const { handler, definition } = resource;
  if (!isWritable(resource)) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${definition.title} cannot be written`);
  }
  if (definition.multiple === true) {
    if (entry.single !== undefined) {
      throw new OperationError(Code.BAD_REQUEST, `${path} is a multiple resource`);
    }
    for (const value of entry.values.values()) check(resource, value);
    const keep = mode === 'update' || target.resourceInstance !== undefined;
    return () => {
      const present = keep ? handler.read?.() : undefined;
      return handler.write?.(new Map([...(present instanceof Map ? present : []), ...entry.values]));
    };
  }
  const value = entry.single;
  if (value === undefined) throw new OperationError(Code.BAD_REQUEST, `${path} is no multiple resource`);
  check(resource, value);
  return () => handler.write?.(value);
}

/** Range and allowed values of the definition. */
function check({ definition }: BoundResource, value: ResourceValue): void {
  try {
    checkValue(definition, value);
  } catch (error) {
    if (error instanceof RequestError) throw new OperationError(Code.BAD_REQUEST, error.message);
    throw error;
  }
}
