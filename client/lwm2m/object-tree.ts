import type { ObjectDefinition, ResourceDefinition } from '../../objects/define-object.ts';
import type { ResourceValueOf } from '../../protocol/lwm2m/typed-value.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { ExecuteArguments } from './execute-arguments.ts';

/** Beside the arguments of an Execute. */
export interface ExecuteContext {
  /** Runs `work` when the answer has been handed to the network. */
  afterAnswer(work: () => void): void;
}

/** Values of a multiple resource by resource-instance id. */
export type ResourceInstances<Value = ResourceValue> = ReadonlyMap<number, Value>;

/** What a resource is, behind its definition. Handlers decline by throwing OperationError. */
export interface ResourceHandler<Value = ResourceValue> {
  /** The value now; undefined: not there at the moment (4.04, and left out of its instance). */
  read?(): Value | ResourceInstances<Value> | undefined;
  /** When the value was taken, seconds since the epoch; formats that carry time then do. */
  takenAt?(): number | undefined;
  write?(value: Value | ResourceInstances<Value>): void | Promise<void>;
  execute?(args: ExecuteArguments, context: ExecuteContext): void | Promise<void>;
}

/** Handlers by the resource names of a definition; a resource without one does not exist. */
export type Handlers<Definition extends ObjectDefinition> = {
  readonly [Name in keyof Definition['resources']]?: Definition['resources'][Name] extends ResourceDefinition
    ? ResourceHandler<ResourceValueOf[Definition['resources'][Name]['type']]>
    : never;
};

/** A resource that exists in an instance. */
export interface BoundResource {
  readonly definition: ResourceDefinition;
  readonly handler: ResourceHandler;
}

/** One instance of an object. */
export class ObjectInstance<Names extends string = string> {
  readonly definition: ObjectDefinition;
  readonly id: number;
  readonly path: string;
  /** By resource id, in the order of the ids. */
  readonly resources: ReadonlyMap<number, BoundResource>;
  onChange: ((paths: readonly string[]) => void) | undefined;

  constructor(
    definition: ObjectDefinition,
    id: number,
    handlers: Readonly<Record<string, ResourceHandler | undefined>>,
  ) {
    this.definition = definition;
    this.id = id;
    this.path = `/${definition.id}/${id}`;
    const bound: [number, BoundResource][] = [];
    for (const [name, handler] of Object.entries(handlers)) {
      const resource = definition.resources[name];
      if (resource !== undefined && handler !== undefined) {
        bound.push([resource.id, { definition: resource, handler }]);
      }
    }
    this.resources = new Map(bound.sort(([a], [b]) => a - b));
  }

  /** Says that these resources have new values, all at once: observers get them in one notification. */
  changed(...names: readonly Names[]): void {
    if (this.onChange === undefined) return;
    const paths: string[] = [];
    for (const name of names) {
      const resource = this.definition.resources[name];
      if (resource !== undefined) paths.push(`${this.path}/${resource.id}`);
    }
    this.onChange(paths);
  }
}

/** Makes an instance of an object from its definition; handlers go by the resources' names. */
export function instance<const Definition extends ObjectDefinition>(
  definition: Definition,
  id: number,
  handlers: Handlers<Definition>,
): ObjectInstance<keyof Definition['resources'] & string> {
  return new ObjectInstance(
    definition,
    id,
    handlers as Readonly<Record<string, ResourceHandler | undefined>>,
  );
}

/** How the server may create and delete instances of an object, where it may. */
export interface InstanceLifecycle {
  /** @throws OperationError */
  create?(id: number, records: readonly LwM2mRecord[]): ObjectInstance;
  /** Called before it goes. @throws OperationError */
  delete?(instance: ObjectInstance): void;
}

/** An object that the client has, with or without instances. */
export interface ClientObject {
  readonly definition: ObjectDefinition;
  readonly lifecycle: InstanceLifecycle;
  /** In the order of their ids. */
  readonly instances: ReadonlyMap<number, ObjectInstance>;
}

interface MutableObject extends ClientObject {
  instances: Map<number, ObjectInstance>;
}

/** All objects of a client. */
export class ObjectTree {
  readonly #objects = new Map<number, MutableObject>();
  #onChange: (paths: readonly string[]) => void = () => {};
  #onInstancesChange: () => void = () => {};

  /** Sets who hears of changed values, and of instances that come and go. */
  listen(listeners: { onChange: (paths: readonly string[]) => void; onInstancesChange: () => void }): void {
    this.#onChange = listeners.onChange;
    this.#onInstancesChange = listeners.onInstancesChange;
  }

  /** Says that values at these paths have changed, all at once. */
  changed(paths: readonly string[]): void {
    this.#onChange(paths);
  }

  /** Adds an object that may have no instance yet. */
  addObject(definition: ObjectDefinition, lifecycle: InstanceLifecycle = {}): void {
    this.#objects.set(definition.id, { definition, lifecycle, instances: new Map() });
    this.#onInstancesChange();
  }

  /** Adds an instance, and its object where that is new. */
  add(added: ObjectInstance<never>): void {
    const entry = added as ObjectInstance;
    const { id } = entry.definition;
    if (!this.#objects.has(id)) {
      this.#objects.set(id, { definition: entry.definition, lifecycle: {}, instances: new Map() });
    }
    const object = this.#objects.get(id) as MutableObject;
    const instances = [...object.instances, [entry.id, entry] as const];
    object.instances = new Map(instances.sort(([a], [b]) => a - b));
    entry.onChange = (paths) => this.#onChange(paths);
    this.#onInstancesChange();
  }

  remove(objectId: number, instanceId: number): void {
    const object = this.#objects.get(objectId);
    const entry = object?.instances.get(instanceId);
    if (object === undefined || entry === undefined) return;
    object.instances.delete(instanceId);
    entry.onChange = undefined;
    this.#onInstancesChange();
  }

  object(objectId: number): ClientObject | undefined {
    return this.#objects.get(objectId);
  }

  instance(objectId: number, instanceId: number): ObjectInstance | undefined {
    return this.#objects.get(objectId)?.instances.get(instanceId);
  }

  /** In the order of their ids. */
  objects(): readonly ClientObject[] {
    return [...this.#objects.values()].sort((a, b) => a.definition.id - b.definition.id);
  }
}
