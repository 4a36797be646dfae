import { Code } from '../../protocol/coap/message.ts';
import { accept } from '../../protocol/coap/options.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { encodeRecords, negotiate } from './formats.ts';
import type { BoundResource, ClientObject, ObjectInstance, ObjectTree } from './object-tree.ts';
import { type Answer, content, type OperationContext } from './operation.ts';
import { OperationError } from './operation-error.ts';
import type { ServerContext } from './server-context.ts';
import { bootstrapObjects, isReadable, notFound, type Target, targetAt } from './target.ts';

/** Read, OMA-TS-LightweightM2M_Core §6.3.1. @throws OperationError */
export function read(context: OperationContext, target: Target): Answer {
  const { server, request, lookup, rootPath } = context;
  const records = readTarget(target, server);
  const format = negotiate(accept(request.options), target, server.version);
  return content(format, encodeRecords(format, target.path, records, lookup, rootPath));
}

/**
 * The values at and below a target, taken at one moment. What may not be read is left out below an object or an
 * instance, and declined where it is asked for itself. Without a server everything may be read that is readable.
 * @throws OperationError 4.01, 4.04, 4.05
 */
export function readTarget(target: Target, server?: ServerContext): LwM2mRecord[] {
  const { object, instance, resource, resourceInstance } = target;
  const records: LwM2mRecord[] = [];
  server?.authorize('read', target);
  if (instance === undefined) {
    readObject(records, object, server);
    return records;
  }
  if (resource === undefined) {
    readInstance(records, instance);
    return records;
  }
  if (!isReadable(resource)) {
    throw new OperationError(Code.METHOD_NOT_ALLOWED, `${resource.definition.title} cannot be read`);
  }
  readResource(records, `${instance.path}/${resource.definition.id}`, resource, true);
  if (resourceInstance === undefined) {
    if (records.length === 0 && resource.definition.multiple !== true) throw notFound(target.path);
    return records;
  }
  const wanted = records.filter((record) => record.path === target.path);
  if (wanted.length === 0) throw notFound(target.path);
  return wanted;
}

/**
 * The values at and below several paths, `/` included, each once: what is not there, not readable or not for this
 * server is left out (§6.3.8, best effort).
 */
export function readPaths(tree: ObjectTree, paths: readonly string[], server?: ServerContext): LwM2mRecord[] {
  const records: LwM2mRecord[] = [];
  for (const path of paths) {
    if (path === '/') {
      for (const object of tree.objects()) {
        if (!bootstrapObjects.has(object.definition.id)) readObject(records, object, server);
      }
    } else records.push(...whereAllowed(() => readTarget(targetAt(tree, path), server)));
  }
  // Where there are values of several moments, the times of some of them say nothing.
  return records.length > 1 ? records.map(({ path, value }) => ({ path, value })) : records;
}

function readObject(records: LwM2mRecord[], object: ClientObject, server: ServerContext | undefined): void {
  for (const instance of object.instances.values()) {
    const { path } = instance;
    records.push(...whereAllowed(() => readTarget({ path, object, instance }, server)));
  }
}

/** Nothing where a handler, or the access control, declines. */
function whereAllowed(work: () => LwM2mRecord[]): LwM2mRecord[] {
  try {
    return work();
  } catch (error) {
    if (error instanceof OperationError) return [];
    throw error;
  }
}

/**
 * Without the time of each value: an answer to a Read is of one moment, and servers (Leshan 2.0 is one) refuse it
 * when its records are of several.
 */
function readInstance(records: LwM2mRecord[], instance: ObjectInstance): void {
  for (const [id, resource] of instance.resources) {
    if (!isReadable(resource)) continue;
    const path = `${instance.path}/${id}`;
    records.push(
      ...whereAllowed(() => {
        const own: LwM2mRecord[] = [];
        readResource(own, path, resource, false);
        return own;
      }),
    );
  }
}

function readResource(records: LwM2mRecord[], path: string, resource: BoundResource, timed: boolean): void {
  const value = resource.handler.read?.();
  if (value === undefined) return;
  const time = timed ? resource.handler.takenAt?.() : undefined;
  if (value instanceof Map) {
    for (const [id, each] of value) records.push({ path: `${path}/${id}`, value: each });
  } else {
    const single = value as LwM2mRecord['value'];
    records.push(time === undefined ? { path, value: single } : { path, value: single, time });
  }
}
