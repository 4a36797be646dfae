import type { ResourceType, ResourceTypeLookup } from '../protocol/lwm2m/value.ts';
import { accessControlObject } from './access-control.ts';
import { defineCarrierObject } from './carrier.ts';
import { cellularConnectivityObject } from './cellular-connectivity.ts';
import { connectivityMonitoringObject } from './connectivity-monitoring.ts';
import { connectivityStatisticsObject } from './connectivity-statistics.ts';
import { type CustomObjectIds, defaultCustomObjectIds } from './custom-ids.ts';
import type { ObjectDefinition, ResourceDefinition } from './define-object.ts';
import { deviceObject } from './device.ts';
import { firmwareUpdateObject } from './firmware-update.ts';
import { defineIotSensorObject } from './iot-sensor.ts';
import { locationObject } from './location.ts';
import { securityObject } from './security.ts';
import { serverObject } from './server.ts';
import { temperatureObject } from './temperature.ts';

/** All object definitions that are known, by id (and version). Also what the decoders ask. */
export interface ObjectRegistry extends ResourceTypeLookup {
  /** The newest known version where none is given. */
  object(objectId: number, version?: string): ObjectDefinition | undefined;
  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined;
  objects(): readonly ObjectDefinition[];
}

/** Definitions of objects that OMA has registered. */
export const omaObjects: readonly ObjectDefinition[] = [
  securityObject,
  serverObject,
  accessControlObject,
  deviceObject,
  connectivityMonitoringObject,
  firmwareUpdateObject,
  locationObject,
  connectivityStatisticsObject,
  cellularConnectivityObject,
  temperatureObject,
];

/** All that Simyard ships: OMA's objects, and our own under the ids of this installation. */
export function standardObjects(ids: CustomObjectIds = defaultCustomObjectIds): readonly ObjectDefinition[] {
  return [...omaObjects, defineCarrierObject(ids.carrier), defineIotSensorObject(ids.iotSensor)];
}

/**
 * A registry of these definitions. A version that is not known is taken as the newest one: minor
 * versions only add resources.
 * @throws TypeError the same object in the same version twice
 */
export function createObjectRegistry(definitions: readonly ObjectDefinition[]): ObjectRegistry {
  const sorted = [...definitions].sort((a, b) => a.id - b.id || compareVersions(a.version, b.version));
  const byVersion = new Map<string, Indexed>();
  const newest = new Map<number, Indexed>();
  const types = new Map<number, ResourceTypeEntry>();
  for (const definition of sorted) {
    const key = `${definition.id}/${definition.version}`;
    if (byVersion.has(key))
      throw new TypeError(`object ${definition.id} version ${definition.version} is defined twice`);
    const indexed = index(definition);
    byVersion.set(key, indexed);
    newest.set(definition.id, indexed);
    for (const { id, type, multiple } of indexed.byId.values()) {
      types.set(definition.id * 65536 + id, { type, multiple: multiple ?? false });
    }
  }
  const find = (objectId: number, version?: string): Indexed | undefined =>
    (version === undefined ? undefined : byVersion.get(`${objectId}/${version}`)) ?? newest.get(objectId);
  const objects = Object.freeze(sorted);
  return {
    object: (objectId, version) => find(objectId, version)?.definition,
    resource: (objectId, resourceId, version) => find(objectId, version)?.byId.get(resourceId),
    objects: () => objects,
    resourceType: (objectId, resourceId) => types.get(objectId * 65536 + resourceId),
  };
}

interface ResourceTypeEntry {
  readonly type: ResourceType;
  readonly multiple: boolean;
}

interface Indexed {
  readonly definition: ObjectDefinition;
  readonly byId: ReadonlyMap<number, ResourceDefinition>;
}

function index(definition: ObjectDefinition): Indexed {
  const resources = Object.values<ResourceDefinition>(definition.resources);
  return { definition, byId: new Map(resources.map((resource) => [resource.id, resource])) };
}

/** `1.10` is newer than `1.9`. */
function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
