import type { ResourceType, ResourceTypeLookup } from '../protocol/lwm2m/value.ts';
import { defineCarrierObject } from './carrier.ts';
import { type CustomObjectIds, defaultCustomObjectIds } from './custom-ids.ts';
import type { ObjectDefinition, ResourceDefinition } from './define-object.ts';
import { defineIotSensorObject } from './iot-sensor.ts';
import { omaObjects } from './oma-objects.ts';
import { compareVersions, nearestVersion } from './versions.ts';

/** All object definitions that are known, by id (and version). Also what the decoders ask. */
export interface ObjectRegistry extends ResourceTypeLookup {
  /**
   * The newest known version where none is given. A version that is not known is taken as the nearest:
   * the next newer one with the same major version, which has all its resources and perhaps more; else the
   * newest of that major version; else the newest of all.
   */
  object(objectId: number, version?: string): ObjectDefinition | undefined;
  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined;
  /** In the order of ids and versions. */
  objects(): readonly ObjectDefinition[];
  /** Where exactly this version comes from; undefined where it is not there. */
  originOf(objectId: number, version: string): DefinitionOrigin | undefined;
  /**
   * The registry as a device sees it that announced these versions of its objects: where a lookup gives no
   * version, it is the announced one, types for decoders included; a resource that this version does not have is
   * that of the newest, for devices that leave `ver` out often have later resources. `objects` has each object once.
   * The view follows what is loaded and unloaded later. It is cheap to ask for again with the same map,
   * and devices that announce the same share one. The map must not change afterwards.
   */
  withVersions(versions: ReadonlyMap<number, string>): ObjectRegistry;
}

/** Where a definition comes from: shipped with Simyard, or loaded while it runs. */
export type DefinitionOrigin = 'built-in' | 'loaded';

/** A registry that takes in definitions while it runs; its views follow at once. */
export interface MutableObjectRegistry extends ObjectRegistry {
  /** Adds the definition, or replaces the one with its id and version, a built-in one too. */
  load(definition: ObjectDefinition): void;
  /** Takes a loaded definition out; the built-in one that it replaced is there again. False: none was loaded. */
  unload(objectId: number, version: string): boolean;
}

/** All that Simyard ships: OMA's objects, and our own under the ids of this installation. */
export function standardObjects(ids: CustomObjectIds = defaultCustomObjectIds): readonly ObjectDefinition[] {
  return [...omaObjects, defineCarrierObject(ids.carrier), defineIotSensorObject(ids.iotSensor)];
}

/**
 * A registry with these built-in definitions.
 * @throws TypeError the same object in the same version twice
 */
export function createObjectRegistry(definitions: readonly ObjectDefinition[]): MutableObjectRegistry {
  return new Registry(definitions);
}

interface ResourceTypeEntry {
  readonly type: ResourceType;
  readonly multiple: boolean;
}

interface Indexed {
  readonly definition: ObjectDefinition;
  readonly origin: DefinitionOrigin;
  readonly byId: ReadonlyMap<number, ResourceDefinition>;
  readonly types: ReadonlyMap<number, ResourceTypeEntry>;
}

/** How many views are kept for devices that announce the same; a device's own map keeps its view beside. */
const MAX_SHARED_VIEWS = 256;

class Registry implements MutableObjectRegistry {
  readonly #builtIn = new Map<string, Indexed>();
  /** By object id, sorted by version. */
  readonly #versions = new Map<number, Indexed[]>();
  /** Types of the newest version that has the resource, by `objectId * 65536 + resourceId`. */
  readonly #types = new Map<number, ResourceTypeEntry>();
  #objects: readonly ObjectDefinition[] | undefined;
  /** Counts changes, so that views know when they are stale. */
  #generation = 0;
  readonly #views = new WeakMap<ReadonlyMap<number, string>, ObjectRegistry>();
  readonly #sharedViews = new Map<string, ObjectRegistry>();

  constructor(definitions: readonly ObjectDefinition[]) {
    for (const definition of definitions) {
      const key = keyOf(definition.id, definition.version);
      if (this.#builtIn.has(key))
        throw new TypeError(`object ${definition.id} version ${definition.version} is defined twice`);
      const indexed = index(definition, 'built-in');
      this.#builtIn.set(key, indexed);
      this.#put(indexed);
    }
  }

  get generation(): number {
    return this.#generation;
  }

  ids(): Iterable<number> {
    return this.#versions.keys();
  }

  find(objectId: number, version?: string): Indexed | undefined {
    const known = this.#versions.get(objectId);
    if (known === undefined) return undefined;
    return version === undefined ? known.at(-1) : nearestVersion(known, version, versionOf);
  }

  object(objectId: number, version?: string): ObjectDefinition | undefined {
    return this.find(objectId, version)?.definition;
  }

  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined {
    return this.find(objectId, version)?.byId.get(resourceId);
  }

  resourceType(objectId: number, resourceId: number): ResourceTypeEntry | undefined {
    return this.#types.get(objectId * 65536 + resourceId);
  }

  objects(): readonly ObjectDefinition[] {
    this.#objects ??= Object.freeze(
      [...this.#versions.values()]
        .flat()
        .map(({ definition }) => definition)
        .sort((a, b) => a.id - b.id || compareVersions(a.version, b.version)),
    );
    return this.#objects;
  }

  originOf(objectId: number, version: string): DefinitionOrigin | undefined {
    return this.#versions.get(objectId)?.find(({ definition }) => definition.version === version)?.origin;
  }

  load(definition: ObjectDefinition): void {
    this.#put(index(definition, 'loaded'));
  }

  unload(objectId: number, version: string): boolean {
    if (this.originOf(objectId, version) !== 'loaded') return false;
    const builtIn = this.#builtIn.get(keyOf(objectId, version));
    if (builtIn !== undefined) {
      this.#put(builtIn);
      return true;
    }
    const left = (this.#versions.get(objectId) ?? []).filter(
      ({ definition }) => definition.version !== version,
    );
    this.#replace(objectId, left);
    return true;
  }

  withVersions(versions: ReadonlyMap<number, string>): ObjectRegistry {
    const own = this.#views.get(versions);
    if (own !== undefined) return own;
    const key = JSON.stringify([...versions].sort(([a], [b]) => a - b));
    const view = this.#sharedViews.get(key) ?? new VersionedView(this, versions);
    // What was asked for last goes to the end, so that the first is the one to give up.
    this.#sharedViews.delete(key);
    this.#sharedViews.set(key, view);
    if (this.#sharedViews.size > MAX_SHARED_VIEWS) {
      this.#sharedViews.delete(this.#sharedViews.keys().next().value as string);
    }
    this.#views.set(versions, view);
    return view;
  }

  #put(indexed: Indexed): void {
    const { id, version } = indexed.definition;
    const others = (this.#versions.get(id) ?? []).filter(({ definition }) => definition.version !== version);
    this.#replace(
      id,
      [...others, indexed].sort((a, b) => compareVersions(versionOf(a), versionOf(b))),
    );
  }

  #replace(objectId: number, versions: Indexed[]): void {
    for (const { types } of this.#versions.get(objectId) ?? []) {
      for (const id of types.keys()) this.#types.delete(objectId * 65536 + id);
    }
    for (const { types } of versions) {
      for (const [id, type] of types) this.#types.set(objectId * 65536 + id, type);
    }
    if (versions.length === 0) this.#versions.delete(objectId);
    else this.#versions.set(objectId, versions);
    this.#objects = undefined;
    this.#generation++;
  }
}

/** What a device announced, over the registry. Holds nothing but the objects that are not in their newest version. */
class VersionedView implements ObjectRegistry {
  readonly #registry: Registry;
  readonly #versions: ReadonlyMap<number, string>;
  /** Objects whose announced version is not the newest known. */
  #pinned: ReadonlyMap<number, Indexed> = new Map();
  #objects: readonly ObjectDefinition[] | undefined;
  #generation = -1;

  constructor(registry: Registry, versions: ReadonlyMap<number, string>) {
    this.#registry = registry;
    this.#versions = versions;
  }

  object(objectId: number, version?: string): ObjectDefinition | undefined {
    return this.#find(objectId, version)?.definition;
  }

  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined {
    const own = this.#find(objectId, version)?.byId.get(resourceId);
    return own ?? (version === undefined ? this.#registry.resource(objectId, resourceId) : undefined);
  }

  resourceType(objectId: number, resourceId: number): ResourceTypeEntry | undefined {
    if (this.#generation !== this.#registry.generation) this.#refresh();
    const own = this.#pinned.get(objectId)?.types.get(resourceId);
    return own ?? this.#registry.resourceType(objectId, resourceId);
  }

  objects(): readonly ObjectDefinition[] {
    if (this.#generation !== this.#registry.generation) this.#refresh();
    this.#objects ??= Object.freeze(
      [...this.#registry.ids()].sort((a, b) => a - b).flatMap((id) => this.object(id) ?? []),
    );
    return this.#objects;
  }

  originOf(objectId: number, version: string): DefinitionOrigin | undefined {
    return this.#registry.originOf(objectId, version);
  }

  withVersions(versions: ReadonlyMap<number, string>): ObjectRegistry {
    return this.#registry.withVersions(new Map([...this.#versions, ...versions]));
  }

  #find(objectId: number, version: string | undefined): Indexed | undefined {
    if (version !== undefined) return this.#registry.find(objectId, version);
    if (this.#generation !== this.#registry.generation) this.#refresh();
    return this.#pinned.get(objectId) ?? this.#registry.find(objectId);
  }

  #refresh(): void {
    const pinned = new Map<number, Indexed>();
    for (const [id, version] of this.#versions) {
      const announced = this.#registry.find(id, version);
      if (announced !== undefined && announced !== this.#registry.find(id)) pinned.set(id, announced);
    }
    this.#pinned = pinned;
    this.#objects = undefined;
    this.#generation = this.#registry.generation;
  }
}

function index(definition: ObjectDefinition, origin: DefinitionOrigin): Indexed {
  const resources = Object.values<ResourceDefinition>(definition.resources);
  return {
    definition,
    origin,
    byId: new Map(resources.map((resource) => [resource.id, resource])),
    types: new Map(resources.map(({ id, type, multiple }) => [id, { type, multiple: multiple ?? false }])),
  };
}

function versionOf({ definition }: Indexed): string {
  return definition.version;
}

function keyOf(objectId: number, version: string): string {
  return `${objectId}/${version}`;
}
