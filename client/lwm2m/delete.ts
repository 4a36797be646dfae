import { Code } from '../../protocol/coap/message.ts';
import type { Answer, OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { isWritable, notFound, type Target } from './target.ts';

/**
 * Delete, OMA-TS-LightweightM2M_Core §6.3.7: of an object instance, where its object lets instances go, or of an
 * instance of a multiple resource (1.2).
 * @throws OperationError 4.01, 4.04, 4.05
 */
export async function remove(context: OperationContext, target: Target): Promise<Answer> {
  const { object, instance, resource } = target;
  if (instance !== undefined && resource !== undefined) return removeResourceInstance(context, target);
  const release = object.lifecycle.delete;
  if (instance === undefined || release === undefined) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${target.path} cannot be deleted`);
  }
  const { server, tree } = context;
  server.authorize('delete', target);
  await release(instance);
  // After the answer: observers are told, and the registration follows.
  return { code: Code.DELETED, afterwards: [() => tree.remove(object.definition.id, instance.id)] };
}

async function removeResourceInstance(
  { server, tree }: OperationContext,
  { path, resource, resourceInstance, ...above }: Target,
): Promise<Answer> {
  if (resource === undefined || resourceInstance === undefined || !isWritable(resource)) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${path} cannot be deleted`);
  }
  server.authorize('write', { path, resource, resourceInstance, ...above });
  const present = resource.handler.read?.();
  if (!(present instanceof Map) || !present.has(resourceInstance)) throw notFound(path);
  const left = new Map([...present].filter(([id]) => id !== resourceInstance));
  resource.handler.check?.(left);
  await resource.handler.write?.(left);
  server.attributes.forget(path);
  return { code: Code.DELETED, afterwards: [() => tree.changed([path])] };
}
