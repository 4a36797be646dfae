import type { ObjectRegistry } from '../../objects/registry.ts';
import { fromApiValue } from '../../objects/values.ts';
import { RequestError } from '../../protocol/errors.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type {
  BootstrapAccess,
  BootstrapObjectValue,
  BootstrapProfile,
  BootstrapServerAccount,
} from '../ports/bootstrap-store.ts';
import type { DeviceContents } from './device-contents.ts';

/** How a device is to prove at a server who it is: identity and key, or nothing. */
export interface PreSharedAccount {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** A server account as it is written: with its address, and what was made for this one device. */
export interface ReadyAccount {
  readonly account: BootstrapServerAccount;
  readonly uri: string;
  /** Undefined: NoSec. */
  readonly psk: PreSharedAccount | undefined;
}

/** One Bootstrap-Write: an object instance, and what it is to hold. */
export interface PlannedWrite {
  readonly path: string;
  readonly records: readonly LwM2mRecord[];
}

export interface BootstrapPlan {
  /** Bootstrap-Delete, in this order. */
  readonly removals: readonly string[];
  /** Bootstrap-Write, in this order. */
  readonly writes: readonly PlannedWrite[];
}

/** Security modes, OMA-TS-LightweightM2M_Core §E.1. */
const PRE_SHARED_KEY = 0;
const NO_SEC = 3;
const empty = new Uint8Array();

/**
 * What is to be deleted and written, with instance ids: an account keeps the instances that it has on the device, the
 * bootstrap account's is never touched.
 * @throws RequestError a value that does not fit its resource
 */
export function planBootstrap(
  profile: Pick<BootstrapProfile, 'remove' | 'objects' | 'access'>,
  accounts: readonly ReadyAccount[],
  contents: DeviceContents,
  registry: ObjectRegistry,
): BootstrapPlan {
  const left = leftOf(contents, profile.remove);
  const taken = new Set([...left.security.keys(), ...bootstrapInstances(contents)]);
  const security = instanceIds(accounts, left.security, taken, contents.security.size === 0 ? 1 : 0);
  const servers = instanceIds(accounts, left.servers, new Set(left.servers.keys()), 0);
  return {
    removals: profile.remove.filter((path) => isThere(path, contents)),
    writes: [
      ...accounts.map((account, index) => securityWrite(security[index] as number, account)),
      ...accounts.map(({ account }, index) => serverWrite(servers[index] as number, account)),
      ...accessWrites(profile.access, left.access),
      ...objectWrites(profile.objects, registry),
    ],
  };
}

/** A device need not know how to delete what it does not have: some decline that. */
function isThere(path: string, { objects }: DeviceContents): boolean {
  const [objectId] = pathIds(path) ?? [];
  return objectId === undefined || objects === undefined || objects.has(objectId);
}

/** What is still there when these paths were deleted. */
function leftOf(contents: DeviceContents, removals: readonly string[]): DeviceContents {
  const isRemoved = (objectId: number, instanceId: number): boolean =>
    removals.some((path) => path === '/' || path === `/${objectId}` || path === `/${objectId}/${instanceId}`);
  const kept = <T>(objectId: number, instances: ReadonlyMap<number, T>): Map<number, T> =>
    new Map([...instances].filter(([id]) => !isRemoved(objectId, id)));
  return {
    version: contents.version,
    objects: contents.objects,
    security: kept(0, contents.security),
    servers: kept(1, contents.servers),
    access: new Set([...contents.access].filter((id) => !isRemoved(2, id))),
  };
}

function bootstrapInstances({ security }: DeviceContents): number[] {
  return [...security].flatMap(([id, server]) => (server === undefined ? [id] : []));
}

/** For each account the instance that it has, or else a free one. */
function instanceIds(
  accounts: readonly ReadyAccount[],
  present: ReadonlyMap<number, number | undefined>,
  taken: Set<number>,
  lowest: number,
): number[] {
  const owned = new Map([...present].map(([id, server]) => [server, id]));
  return accounts.map(({ account }) => owned.get(account.shortServerId) ?? freeId(taken, lowest));
}

function freeId(taken: Set<number>, lowest = 0): number {
  let id = lowest;
  while (taken.has(id)) id++;
  taken.add(id);
  return id;
}

function securityWrite(id: number, { account, uri, psk }: ReadyAccount): PlannedWrite {
  const path = `/0/${id}`;
  return written(path, [
    [0, uri],
    [1, false],
    [2, psk === undefined ? NO_SEC : PRE_SHARED_KEY],
    [3, psk === undefined ? empty : new TextEncoder().encode(psk.identity)],
    [4, empty],
    [5, psk?.key ?? empty],
    [10, account.shortServerId],
  ]);
}

function serverWrite(id: number, account: BootstrapServerAccount): PlannedWrite {
  return written(`/1/${id}`, [
    [0, account.shortServerId],
    [1, account.lifetime],
    [2, account.defaultMinimumPeriod],
    [3, account.defaultMaximumPeriod],
    [5, account.disableTimeout],
    [6, account.notificationStoring],
    [7, account.binding],
    [13, account.priority],
    [16, account.bootstrapOnFailure],
  ]);
}

function accessWrites(access: readonly BootstrapAccess[], present: ReadonlySet<number>): PlannedWrite[] {
  const taken = new Set(present);
  return access.map(({ objectId, instanceId, owner, rights }) => {
    const path = `/2/${freeId(taken)}`;
    return {
      path,
      records: [
        { path: `${path}/0`, value: objectId },
        { path: `${path}/1`, value: instanceId },
        ...rights.map((entry) => ({ path: `${path}/2/${entry.shortServerId}`, value: entry.rights })),
        { path: `${path}/3`, value: owner },
      ],
    };
  });
}

/** Values by object instance, in the order in which the instances are named first. */
export function objectWrites(
  objects: readonly BootstrapObjectValue[],
  registry: ObjectRegistry,
): PlannedWrite[] {
  const writes = new Map<string, LwM2mRecord[]>();
  for (const { path, value } of objects) {
    const [objectId, instanceId, resourceId] = pathIds(path) ?? [];
    if (objectId === undefined || instanceId === undefined || resourceId === undefined) {
      throw new RequestError(`${path} is no resource`);
    }
    const definition = registry.resource(objectId, resourceId);
    if (definition === undefined) throw new RequestError(`${path}: nothing is known of this resource`);
    const instance = `/${objectId}/${instanceId}`;
    const records = writes.get(instance) ?? [];
    records.push({ path, value: fromApiValue(definition, value) });
    writes.set(instance, records);
  }
  return [...writes].map(([path, records]) => ({ path, records }));
}

function written(
  path: string,
  values: readonly (readonly [number, ResourceValue | undefined])[],
): PlannedWrite {
  return {
    path,
    records: values.flatMap(([id, value]) => (value === undefined ? [] : [{ path: `${path}/${id}`, value }])),
  };
}
