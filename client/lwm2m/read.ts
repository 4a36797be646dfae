import { Code } from '../../protocol/coap/message.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { BoundResource, ObjectInstance } from './object-tree.ts';
import { OperationError } from './operation-error.ts';
import { isReadable, notFound, type Target } from './target.ts';

/**
 * The values at and below a target, taken at one moment (OMA-TS-LightweightM2M_Core §6.3.1). What may
 * not be read is left out below an instance, and declined where it is asked for itself.
 * @throws OperationError 4.04, 4.05
 */
export function readTarget(target: Target): LwM2mRecord[] {
  const { object, instance, resource } = target;
  const records: LwM2mRecord[] = [];
  if (instance === undefined) {
    for (const each of object.instances.values()) readInstance(records, each);
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
  if (target.resourceInstance === undefined) {
    if (records.length === 0 && resource.definition.multiple !== true) throw notFound(target.path);
    return records;
  }
  const wanted = records.filter((record) => record.path === target.path);
  if (wanted.length === 0) throw notFound(target.path);
  return wanted;
}

/**
 * Without the time of each value: an answer to a Read is of one moment, and servers (Leshan 2.0 is one) refuse it
 * when its records are of several.
 */
function readInstance(records: LwM2mRecord[], instance: ObjectInstance): void {
  for (const [id, resource] of instance.resources) {
    if (isReadable(resource)) readResource(records, `${instance.path}/${id}`, resource, false);
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
