import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { ObjectInstance } from '../lwm2m/object-tree.ts';

/**
 * Writes the values that an instance was created with, all of them checked before the first is written.
 * @throws OperationError
 */
export async function writeAll(made: ObjectInstance<never>, records: readonly LwM2mRecord[]): Promise<void> {
  const values = new Map<number, ResourceValue | Map<number, ResourceValue>>();
  for (const { path, value } of records) {
    const [, , , resource, resourceInstance] = path.split('/');
    const id = Number(resource);
    if (resourceInstance === undefined) values.set(id, value);
    else {
      const instances = values.get(id);
      const all = instances instanceof Map ? instances : new Map<number, ResourceValue>();
      values.set(id, all.set(Number(resourceInstance), value));
    }
  }
  for (const [id, value] of values) made.resources.get(id)?.handler.check?.(value);
  for (const [id, value] of values) await made.resources.get(id)?.handler.write?.(value);
}
