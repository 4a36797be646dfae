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
  /**
   * Declines a value that the definition's type and range let through, before anything of the request is written.
   * @throws OperationError
   */
  check?(value: Value | ResourceInstances<Value>): void;
  /** Where one of several writes fails, those before it are written back: what `read` gave. */
  write?(value: Value | ResourceInstances<Value>): void | Promise<void>;
  /** Makes a writable resource what it is without a value: its instance is replaced, and the new one does not name it. */
  reset?(): void | Promise<void>;
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
  onChange: ((instance: ObjectInstance, names: readonly string[]) => void) | undefined;

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
    this.onChange?.(this as ObjectInstance, names);
  }

  /** The paths of resources by their names. */
  pathsOf(names: readonly string[]): string[] {
    const paths: string[] = [];
    for (const name of names) {
      const resource = this.definition.resources[name];
      if (resource !== undefined) paths.push(`${this.path}/${resource.id}`);
    }
    return paths;
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
  /**
   * Makes an instance of the values that the server gave, which fit the definition: no read-only ones, none that
   * the definition does not know. What it does not name, the mandatory included, may be given a value here.
   * @throws OperationError
   */
  create?(id: number, records: readonly LwM2mRecord[]): ObjectInstance | Promise<ObjectInstance>;
  /** Called before it goes. @throws OperationError */
  delete?(instance: ObjectInstance): void | Promise<void>;
}

/** Who hears of an object tree. */
export interface TreeListener {
  /** Values at these paths have changed; a path of an instance: it has come or gone. */
  onChange(paths: readonly string[]): void;
  /** Objects or instances have come or gone. */
  onInstancesChange(): void;
  /** The instance at this path is no more. */
  onRemoved?(path: string): void;
  /** Whether anybody wants to hear of changed values now; default: yes. */
  isObserved?(): boolean;
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
  #listener: TreeListener | undefined;

  /** Sets who hears of changed values, and of instances that come and go. */
  listen(listener: TreeListener): void {
    this.#listener = listener;
  }

  /** Says that values at these paths have changed, all at once. */
  changed(paths: readonly string[]): void {
    if (paths.length > 0) this.#listener?.onChange(paths);
  }

  /** Adds an object that may have no instance yet. */
  addObject(definition: ObjectDefinition, lifecycle: InstanceLifecycle = {}): void {
    this.#objects.set(definition.id, { definition, lifecycle, instances: new Map() });
    this.#listener?.onInstancesChange();
  }

  /** Adds an instance, and its object where that is new. `quietly`: nobody hears of it until `announce`. */
  add(added: ObjectInstance<never>, options: { readonly quietly?: boolean } = {}): void {
    const entry = added as ObjectInstance;
    const { id } = entry.definition;
    if (!this.#objects.has(id)) {
      this.#objects.set(id, { definition: entry.definition, lifecycle: {}, instances: new Map() });
    }
    const object = this.#objects.get(id) as MutableObject;
    const instances = [...object.instances, [entry.id, entry] as const];
    object.instances = new Map(instances.sort(([a], [b]) => a - b));
    entry.onChange = this.#changed;
    if (options.quietly !== true) this.announce(entry);
  }

  /** Tells of an instance that came or went. */
  announce({ path }: ObjectInstance): void {
    this.#listener?.onInstancesChange();
    this.#listener?.onChange([path]);
  }

  remove(objectId: number, instanceId: number): void {
    const object = this.#objects.get(objectId);
    const entry = object?.instances.get(instanceId);
    if (object === undefined || entry === undefined) return;
    object.instances.delete(instanceId);
    entry.onChange = undefined;
    this.#listener?.onRemoved?.(entry.path);
    this.announce(entry);
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

  /** Costs next to nothing while nobody observes: sensors change a hundred times a second. */
  readonly #changed = (entry: ObjectInstance, names: readonly string[]): void => {
    const listener = this.#listener;
    if (listener === undefined || listener.isObserved?.() === false) return;
    listener.onChange(entry.pathsOf(names));
  };
}
