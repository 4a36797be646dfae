import type { ObjectDefinition, ResourceDefinition } from '../../objects/define-object.ts';
import type { ObjectRegistry } from '../../objects/registry.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { ResourceType, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { Registration } from '../ports/registration-store.ts';

/** Views kept: beyond it the one that was made first goes. A fleet has few sets of versions. */
const MAX_VIEWS = 1024;

/**
 * Versions that a client means by an object without `ver`. LwM2M 1.0 knows no other than 1.0; 1.2 names
 * them in OMA-TS-LightweightM2M_Core-V1_2 Appendix E; 1.1 is understood by what was published with it.
 * All other objects are 1.0 then (§7.2.3).
 */
const coreVersions: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  '1.0': {},
  '1.1': { 0: '1.1', 1: '1.1', 3: '1.1', 4: '1.2' },
  '1.2': { 0: '1.2', 1: '1.2', 2: '1.1', 3: '1.2', 4: '1.3', 5: '1.1', 21: '2.0' },
};

/** The object definitions as one device has them: the version that it registered counts. */
export interface DeviceModel extends ResourceTypeLookup {
  object(objectId: number): ObjectDefinition | undefined;
  resource(objectId: number, resourceId: number): ResourceDefinition | undefined;
}

type Versioned = Pick<Registration, 'version' | 'links'>;

/** Gives each device the object definitions in the versions that it registered. */
export class DeviceModels {
  readonly #registry: ObjectRegistry;
  readonly #views = new Map<string, View>();
  #edition: Edition = {};

  constructor(registry: ObjectRegistry) {
    this.#registry = registry;
  }

  /** The same view for devices that registered the same versions; it shows what is loaded later, too. */
  lookupFor(registration: Versioned): DeviceModel {
    const versions = registeredVersions(registration);
    const key = [...versions].map(([id, version]) => `${id}/${version}`).join(',');
    let view = this.#views.get(key);
    if (view === undefined) {
      view = new View(this.#registry, versions, () => this.#edition);
      if (this.#views.size >= MAX_VIEWS) {
        for (const oldest of this.#views.keys()) {
          this.#views.delete(oldest);
          break;
        }
      }
      this.#views.set(key, view);
    }
    return view;
  }

  /** Definitions were loaded or removed: what views remember is looked up anew. */
  changed(): void {
    this.#edition = {};
  }
}

/** Versions of the objects that a device lists, in the order of their ids: `ver`, or what its absence means. */
export function registeredVersions({ version, links }: Versioned): ReadonlyMap<number, string> {
  const stated = new Map<number, string | undefined>();
  for (const { target, attributes } of links) {
    const object = pathIds(target)?.[0];
    if (object === undefined) continue;
    // An object's version stands at one of its links, and holds for all of them.
    const ver = attributes['ver'];
    if (ver !== undefined && /^\d{1,3}\.\d{1,3}$/.test(ver)) stated.set(object, ver);
    else if (!stated.has(object)) stated.set(object, undefined);
  }
  const implied = coreVersions[version] ?? {};
  return new Map(
    [...stated].sort(([a], [b]) => a - b).map(([object, ver]) => [object, ver ?? implied[object] ?? '1.0']),
  );
}

/** Identity alone counts. */
type Edition = object;

/** What a decoder needs of a resource. */
interface TypeEntry {
  readonly type: ResourceType;
  readonly multiple: boolean;
}

class View implements DeviceModel {
  readonly #registry: ObjectRegistry;
  readonly #versions: ReadonlyMap<number, string>;
  readonly #edition: () => Edition;
  readonly #types = new Map<number, TypeEntry>();
  #typesOf: Edition | undefined;

  constructor(registry: ObjectRegistry, versions: ReadonlyMap<number, string>, edition: () => Edition) {
    this.#registry = registry;
    this.#versions = versions;
    this.#edition = edition;
  }

  object(objectId: number): ObjectDefinition | undefined {
    return this.#registry.object(objectId, this.#versions.get(objectId));
  }

  /**
   * Of the registered version; what that version does not have, of the newest: clients that leave `ver`
   * out often have the resources of a later version.
   */
  resource(objectId: number, resourceId: number): ResourceDefinition | undefined {
    const version = this.#versions.get(objectId);
    return (
      this.#registry.resource(objectId, resourceId, version) ??
      (version === undefined ? undefined : this.#registry.resource(objectId, resourceId))
    );
  }

  resourceType(objectId: number, resourceId: number): TypeEntry | undefined {
    const edition = this.#edition();
    if (this.#typesOf !== edition) {
      this.#types.clear();
      this.#typesOf = edition;
    }
    const key = objectId * 65536 + resourceId;
    const known = this.#types.get(key);
    if (known !== undefined) return known;
    const definition = this.resource(objectId, resourceId);
    if (definition === undefined) return undefined;
    const entry = { type: definition.type, multiple: definition.multiple ?? false };
    this.#types.set(key, entry);
    return entry;
  }
}
