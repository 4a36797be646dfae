import {
  ObjectInstance as Instance,
  type ObjectInstance,
  type ObjectTree,
  type ResourceHandler,
  type ResourceInstances,
} from '../../../client/lwm2m/object-tree.ts';
import { OperationError } from '../../../client/lwm2m/operation-error.ts';
import type { ObjectDefinition, ResourceDefinition } from '../../../objects/define-object.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { Code } from '../../../protocol/coap/message.ts';
import type { LwM2mRecord, ResourceValue } from '../../../protocol/lwm2m/value.ts';
import { allTypesObject, firstValues, recordsOf } from '../../interop/leshan/all-types.ts';

/** The registry of everything, and of the object with a resource of every type. */
export const typesRegistry = createObjectRegistry([...standardObjects(), allTypesObject]);

/** In a client's tree: the object with a resource of every type, whose instances come and go. */
export class TypesObject {
  readonly executed: string[] = [];
  /** Paths whose next write fails, after the checks. */
  readonly failing = new Set<string>();
  /** Waited for by every create and delete. */
  ready: Promise<void> = Promise.resolve();
  readonly #tree: ObjectTree;
  readonly #kept = new Map<string, ResourceValue | ResourceInstances>();

  /** With the instance 0. */
  constructor(tree: ObjectTree, values: Readonly<Record<number, unknown>> = firstValues) {
    this.#tree = tree;
    tree.addObject(allTypesObject, {
      create: async (id, records) => {
        await this.ready;
        return this.#instance(id, records);
      },
      delete: async ({ path }) => {
        await this.ready;
        for (const key of [...this.#kept.keys()]) if (key.startsWith(`${path}/`)) this.#kept.delete(key);
      },
    });
    tree.add(this.#instance(0, recordsOf(0, values)));
  }

  /** Of a resource: `/42771/0/3`. */
  get(path: string): ResourceValue | ResourceInstances | undefined {
    return this.#kept.get(path);
  }

  /** Changes a value, as the device itself would. */
  set(path: string, value: ResourceValue | ResourceInstances): void {
    this.#kept.set(path, value);
    this.#tree.changed([path]);
  }

  /** Changes a value of which nobody says that it has changed. */
  setSilently(path: string, value: ResourceValue | ResourceInstances): void {
    this.#kept.set(path, value);
  }

  /** Makes the instance 0 what it was at first, and nobody hears of it; other instances go. */
  restore(values: Readonly<Record<number, unknown>> = firstValues): void {
    const { id } = allTypesObject;
    const others = [...(this.#tree.object(id)?.instances.keys() ?? [])].filter((each) => each !== 0);
    for (const each of others) this.#tree.remove(id, each);
    this.#kept.clear();
    this.executed.length = 0;
    const made = this.#instance(0, recordsOf(0, values));
    if (this.#tree.instance(id, 0) === undefined) this.#tree.add(made);
  }

  /** All values of an instance, by path. */
  values(instance = 0): Record<string, ResourceValue> {
    const found: Record<string, ResourceValue> = {};
    for (const [path, value] of this.#kept) {
      if (!path.startsWith(`/${allTypesObject.id}/${instance}/`)) continue;
      if (value instanceof Map) for (const [id, each] of value) found[`${path}/${id}`] = each;
      else found[path] = value as ResourceValue;
    }
    return found;
  }

  #instance(id: number, records: readonly LwM2mRecord[]): ObjectInstance {
    for (const { path, value } of records) {
      const [, , , resource, of] = path.split('/');
      const key = `/${allTypesObject.id}/${id}/${resource}`;
      const others = this.#kept.get(key);
      if (of === undefined) this.#kept.set(key, value);
      else this.#kept.set(key, new Map([...(others instanceof Map ? others : []), [Number(of), value]]));
    }
    const definition: ObjectDefinition = allTypesObject;
    const handlers = Object.entries<ResourceDefinition>(definition.resources).map(([name, resource]) => [
      name,
      this.#handler(`/${allTypesObject.id}/${id}/${resource.id}`),
    ]);
    return new Instance(definition, id, Object.fromEntries(handlers));
  }

  #handler(path: string): ResourceHandler {
    return {
      read: () => this.#kept.get(path),
      write: (value) => {
        if (this.failing.delete(path)) throw new OperationError(Code.INTERNAL_SERVER_ERROR, 'out of order');
        this.#kept.set(path, value);
      },
      reset: () => void this.#kept.delete(path),
      execute: (args) => void this.executed.push(`${path} ${JSON.stringify([...args])}`),
    };
  }
}
