import { checkValue } from '../../objects/values.ts';
import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type {
  BoundResource,
  ObjectInstance,
  ObjectTree,
  ResourceHandler,
  ResourceInstances,
} from './object-tree.ts';
import { OperationError } from './operation-error.ts';
import { isReadable, isWritable, notFound } from './target.ts';

/** `replace` gives a multiple resource just the instances named, `update` adds them to those it has. */
export type WriteMode = 'replace' | 'update';

/** One resource that is about to be written. */
interface PlannedWrite {
  readonly path: string;
  readonly handler: ResourceHandler;
  readonly readable: boolean;
  /** Undefined: it is reset. */
  readonly value: ResourceValue | ResourceInstances | undefined;
}

/** Values of one resource as a payload names them. */
export interface NamedValues {
  readonly single: ResourceValue | undefined;
  /** Null: it goes. */
  readonly instances: Map<number, ResourceValue | null>;
}

const nullLink = 65_535;

/**
 * Values by resource id. All records are of that instance.
 * @throws OperationError 4.00 a record of another node, or a resource with a value and instances, or named twice
 */
export function valuesByResource(
  instance: ObjectInstance,
  changes: readonly LwM2mChange[],
): Map<number, NamedValues> {
  const named = new Map<number, NamedValues>();
  for (const { path, value } of changes) {
    const [object, instanceId, resourceId, resourceInstance] = pathIds(path) ?? [];
    if (object !== instance.definition.id || instanceId !== instance.id || resourceId === undefined) {
      throw new OperationError(Code.BAD_REQUEST, `${path} is no resource of ${instance.path}`);
    }
    const before = named.get(resourceId);
    const instances = before?.instances ?? new Map<number, ResourceValue | null>();
    if (resourceInstance === undefined ? before !== undefined : instances.has(resourceInstance)) {
      throw new OperationError(Code.BAD_REQUEST, `${path} is named twice`);
    }
    if (resourceInstance !== undefined) instances.set(resourceInstance, value);
    else if (value === null) {
      throw new OperationError(Code.BAD_REQUEST, `${path}: only an instance of a resource can be removed`);
    }
    named.set(resourceId, {
      single: resourceInstance === undefined ? (value ?? undefined) : before?.single,
      instances,
    });
  }
  return named;
}

/**
 * Writes to one or more resources that are all checked before the first is written, and that are all written or
 * none: OMA-TS-LightweightM2M_Core §6.3.3 and §6.3.9.
 */
export class WritePlan {
  readonly #tree: ObjectTree;
  readonly #writes: PlannedWrite[] = [];

  constructor(tree: ObjectTree) {
    this.#tree = tree;
  }

  /** What is written, for those who observe it. */
  get paths(): readonly string[] {
    return this.#writes.map(({ path }) => path);
  }

  /** @throws OperationError 4.00 type, range or kind; 4.05 it cannot be written; what the handler's check says */
  write(instance: ObjectInstance, resourceId: number, values: NamedValues, mode: WriteMode): void {
    const path = `${instance.path}/${resourceId}`;
    const resource = instance.resources.get(resourceId);
    if (resource === undefined) throw notFound(path);
    const { handler, definition } = resource;
    if (!isWritable(resource)) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, `${definition.title} cannot be written`);
    }
    const value = this.#valueOf(path, resource, values, mode);
    handler.check?.(value);
    this.#writes.push({ path, handler, readable: isReadable(resource), value });
  }

  /** A resource that a Replace does not name, where it can be without its value. */
  reset(instance: ObjectInstance, resourceId: number): void {
    const resource = instance.resources.get(resourceId);
    if (resource?.handler.reset === undefined || !isWritable(resource)) return;
    const { handler } = resource;
    const path = `${instance.path}/${resourceId}`;
    this.#writes.push({ path, handler, readable: isReadable(resource), value: undefined });
  }

  /** Writes all. Where one fails, those before it get back what they had, and the error is thrown on. */
  async carryOut(): Promise<void> {
    const before: (() => void | Promise<void>)[] = [];
    for (const { handler, readable, value } of this.#writes) {
      const former = readable ? handler.read?.() : undefined;
      try {
        await (value === undefined ? handler.reset?.() : handler.write?.(value));
      } catch (error) {
        for (const restore of before.reverse()) await restore();
        throw error;
      }
      if (former !== undefined) before.push(() => handler.write?.(former));
      else before.push(() => handler.reset?.());
    }
  }

  #valueOf(
    path: string,
    resource: BoundResource,
    { single, instances }: NamedValues,
    mode: WriteMode,
  ): ResourceValue | ResourceInstances {
    const { definition, handler } = resource;
    if (definition.multiple !== true) {
      if (single === undefined) throw new OperationError(Code.BAD_REQUEST, `${path} is no multiple resource`);
      this.#check(resource, single);
      return single;
    }
    if (single !== undefined) throw new OperationError(Code.BAD_REQUEST, `${path} is a multiple resource`);
    const present = mode === 'update' ? handler.read?.() : undefined;
    const all = new Map<number, ResourceValue>(present instanceof Map ? present : []);
    for (const [id, value] of instances) {
      if (value === null) {
        if (!all.delete(id)) throw notFound(`${path}/${id}`);
        continue;
      }
      this.#check(resource, value);
      all.set(id, value);
    }
    return new Map([...all].sort(([a], [b]) => a - b));
  }

  /** Range and allowed values of the definition; a link must lead somewhere (§6.3.3). */
  #check({ definition }: BoundResource, value: ResourceValue): void {
    checkAgainst(definition, value);
    if (typeof value !== 'object' || value instanceof Uint8Array) return;
    const { objectId, instanceId } = value;
    if (objectId === nullLink && instanceId === nullLink) return;
    const object = this.#tree.object(objectId);
    if (object === undefined || (instanceId !== nullLink && !object.instances.has(instanceId))) {
      throw new OperationError(
        Code.BAD_REQUEST,
        `${definition.title}: ${objectId}:${instanceId} is not here`,
      );
    }
  }
}

/** @throws OperationError 4.00 range or values of the definition */
export function checkAgainst(definition: BoundResource['definition'], value: ResourceValue): void {
  try {
    checkValue(definition, value);
  } catch (error) {
    if (error instanceof RequestError) throw new OperationError(Code.BAD_REQUEST, error.message);
    throw error;
  }
}
