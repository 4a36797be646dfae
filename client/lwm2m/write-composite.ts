import { Code } from '../../protocol/coap/message.ts';
import { changeFormats, decodeChanges } from '../../protocol/lwm2m/changes.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange } from '../../protocol/lwm2m/value.ts';
import { checkNotBootstrap, compositeFormat } from './composite.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { isWritable, targetAt } from './target.ts';
import { valuesByResource, WritePlan } from './write-plan.ts';

/**
 * Write-Composite, OMA-TS-LightweightM2M_Core §6.3.9: everything is there, may be written and fits, or nothing
 * is written. Of a multiple resource the instances that are named are written or made, or with SenML-ETCH removed.
 * @throws OperationError 4.00, 4.01, 4.04, 4.05, 4.15; DecodeError
 */
export async function writeComposite(context: OperationContext): Promise<Answer> {
  const { request, tree, server, lookup, rootPath } = context;
  const format = compositeFormat(context, changeFormats);
  const changes = decodeChanges(format, request.payload, lookup, rootPath);
  if (changes.length === 0) throw new OperationError(Code.BAD_REQUEST, 'nothing to write');
  const byInstance = new Map<string, LwM2mChange[]>();
  for (const change of changes) {
    checkNotBootstrap(change.path);
    const [object, instance, resource] = pathIds(change.path) ?? [];
    // All must exist, and all be writable, before a value is looked at.
    const target = targetAt(tree, `/${object}/${instance}/${resource}`);
    server.authorize('write', target);
    if (target.resource !== undefined && !isWritable(target.resource)) {
      throw new OperationError(
        Code.METHOD_NOT_ALLOWED,
        `${target.resource.definition.title} cannot be written`,
      );
    }
    const path = `/${object}/${instance}`;
    const own = byInstance.get(path);
    if (own === undefined) byInstance.set(path, [change]);
    else own.push(change);
  }
  const plan = new WritePlan(tree);
  for (const [path, own] of byInstance) {
    const { instance } = targetAt(tree, path);
    if (instance === undefined) throw new OperationError(Code.NOT_FOUND, `${path} is not here`);
    for (const [id, values] of valuesByResource(instance, own)) plan.write(instance, id, values, 'update');
  }
  await plan.carryOut();
  return { code: Code.CHANGED, afterwards: [() => tree.changed(plan.paths)] };
}
