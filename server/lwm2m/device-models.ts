import type { ObjectRegistry } from '../../objects/registry.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { Registration } from '../ports/registration-store.ts';

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

type Versioned = Pick<Registration, 'version' | 'links'>;

/** Gives each device the object definitions in the versions that it registered. */
export class DeviceModels {
  readonly #registry: ObjectRegistry;
  /** By the links of a registration, for the version of LwM2M that it was asked for last. */
  readonly #found = new WeakMap<
    Versioned['links'],
    { readonly version: string; readonly model: ObjectRegistry }
  >();

  constructor(registry: ObjectRegistry) {
    this.#registry = registry;
  }

  /** Shows what is loaded later, too; devices that registered the same versions share one. */
  lookupFor(registration: Versioned): ObjectRegistry {
    const { version, links } = registration;
    const found = this.#found.get(links);
    if (found?.version === version) return found.model;
    const model = this.#registry.withVersions(registeredVersions(registration));
    this.#found.set(links, { version, model });
    return model;
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
