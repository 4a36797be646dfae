import { Code } from '../../protocol/coap/message.ts';
import { isAtOrBelow } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ObjectInstance, ObjectTree } from './object-tree.ts';
import { type Answer, type OperationContext, requestRecords } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { isWritable, notFound, type Target } from './target.ts';
import { valuesByResource, type WriteMode, WritePlan } from './write-plan.ts';

/**
 * Write, OMA-TS-LightweightM2M_Core §6.3.3: all of it or nothing.
 * @throws OperationError 4.00, 4.01, 4.04, 4.05, 4.15; DecodeError
 */
export async function write(context: OperationContext, target: Target, mode: WriteMode): Promise<Answer> {
  const { instance, resource } = target;
  if (instance === undefined) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, 'an object is not written as a whole');
  }
  context.server.authorize('write', target);
  if (resource !== undefined && !isWritable(resource)) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${resource.definition.title} cannot be written`);
  }
  const records = requestRecords(context, target.path);
  const plan = planOf(context.tree, target, instance, records, mode);
  await plan.carryOut();
  return { code: Code.CHANGED, afterwards: [() => context.tree.changed(plan.paths)] };
}

function planOf(
  tree: ObjectTree,
  target: Target,
  instance: ObjectInstance,
  records: readonly LwM2mRecord[],
  mode: WriteMode,
): WritePlan {
  const { path, resource, resourceInstance } = target;
  for (const record of records) {
    if (!isAtOrBelow(record.path, path)) {
      throw new OperationError(Code.BAD_REQUEST, `${record.path} does not lie below ${path}`);
    }
  }
  const plan = new WritePlan(tree);
  const named = valuesByResource(instance, records);
  if (resource !== undefined) {
    const id = resource.definition.id;
    // A multiple resource may be replaced by none; TLV says that with an empty payload.
    const values = named.get(id) ?? { single: undefined, instances: new Map() };
    if (resourceInstance === undefined) {
      if (named.size === 0 && resource.definition.multiple !== true) throw nothing();
      plan.write(instance, id, values, mode);
      return plan;
    }
    const present = resource.handler.read?.();
    if (!(present instanceof Map) || !present.has(resourceInstance)) throw notFound(path);
    if (named.size === 0) throw nothing();
    plan.write(instance, id, values, 'update');
    return plan;
  }
  if (named.size === 0) throw nothing();
  for (const [id, values] of named) {
    // Resources that this instance does not have are no error (§6.3.3).
    if (instance.resources.has(id)) plan.write(instance, id, values, mode);
  }
  if (mode === 'replace') {
    for (const id of instance.resources.keys()) if (!named.has(id)) plan.reset(instance, id);
  }
  return plan;
}

function nothing(): OperationError {
  return new OperationError(Code.BAD_REQUEST, 'nothing to write');
}
