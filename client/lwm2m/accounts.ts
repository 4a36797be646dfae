import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { ServerAccount } from './server-account.ts';

/** Security modes, OMA-TS-LightweightM2M_Core §E.1. */
export const SecurityMode = {
  PRE_SHARED_KEY: 0,
  RAW_PUBLIC_KEY: 1,
  CERTIFICATE: 2,
  NO_SEC: 3,
} as const;

/** What the client knows of how to reach one server, an instance of the Security object (id 0). */
export interface SecurityAccount {
  readonly instanceId: number;
  /** `coap://host:port`, `coaps://host:port`. */
  readonly uri: string;
  readonly isBootstrap: boolean;
  readonly mode: number;
  /** PSK identity, raw public key or certificate of the client. */
  readonly publicKeyOrIdentity: Uint8Array;
  readonly serverPublicKey: Uint8Array;
  /** Pre-shared key, or private key of the client. */
  readonly secretKey: Uint8Array;
  /** Of a bootstrap server: 0. */
  readonly shortServerId: number;
  /** Seconds. */
  readonly holdOffTime: number;
  /** Seconds; 0: for ever. */
  readonly accountTimeout: number;
}

/** One server that the client registers with. */
export interface ServerOfAccount {
  readonly security: SecurityAccount;
  /** Of its instance of the Server object. */
  readonly instanceId: number;
  readonly account: Partial<ServerAccount>;
}

/** Rights on an object instance, an instance of the Access Control object (id 2). */
export interface GivenAccess {
  readonly objectId: number;
  readonly instanceId: number;
  readonly owner: number;
  readonly acl: readonly (readonly [shortServerId: number, rights: number])[];
}

/** All accounts of a client. */
export interface Accounts {
  readonly bootstrap: SecurityAccount | undefined;
  readonly servers: readonly ServerOfAccount[];
  readonly access: readonly GivenAccess[];
}

/** Values of the objects that accounts are kept in (0, 1 and 2), by path of resource or resource instance. */
export type AccountRecords = ReadonlyMap<string, ResourceValue>;

/** Accounts that do not fit together: a client cannot be what they say (§6.1.7.2). */
export class InconsistentAccountsError extends Error {
  override readonly name = 'InconsistentAccountsError';
}

/** The values of a Security instance that an account has. */
export function securityRecords(account: SecurityAccount): Map<string, ResourceValue> {
  const path = `/0/${account.instanceId}`;
  return new Map<string, ResourceValue>([
    [`${path}/0`, account.uri],
    [`${path}/1`, account.isBootstrap],
    [`${path}/2`, account.mode],
    [`${path}/3`, account.publicKeyOrIdentity],
    [`${path}/4`, account.serverPublicKey],
    [`${path}/5`, account.secretKey],
    ...(account.isBootstrap ? [] : ([[`${path}/10`, account.shortServerId]] as const)),
    [`${path}/11`, account.holdOffTime],
    [`${path}/12`, account.accountTimeout],
  ]);
}

type Resources = ReadonlyMap<number, ResourceValue | ReadonlyMap<number, ResourceValue>>;

/**
 * What the records say.
 * @throws InconsistentAccountsError
 */
export function readAccounts(records: AccountRecords): Accounts {
  const objects = byInstance(records);
  const security = [...(objects.get(0) ?? [])].map(([id, resources]) => securityOf(id, resources));
  const [bootstrap, ...more] = security.filter(({ isBootstrap }) => isBootstrap);
  if (more.length > 0) throw new InconsistentAccountsError('there is more than one bootstrap account');
  const given = objects.get(1) ?? new Map<number, Resources>();
  const servers = security
    .filter(({ isBootstrap }) => !isBootstrap)
    .map((account) => serverOf(account, given));
  const ids = servers.map(({ security: { shortServerId } }) => shortServerId);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    throw new InconsistentAccountsError(`two Security instances are of server ${twice}`);
  for (const [id, resources] of given) {
    const shortServerId = numberOf(resources, 0);
    if (shortServerId === undefined || !ids.includes(shortServerId)) {
      throw new InconsistentAccountsError(
        `/1/${id} is of server ${shortServerId ?? 'none'}, which has no Security instance`,
      );
    }
  }
  return { bootstrap, servers, access: [...(objects.get(2) ?? [])].map(([id, each]) => accessOf(id, each)) };
}

/** @throws InconsistentAccountsError */
function securityOf(instanceId: number, resources: Resources): SecurityAccount {
  const path = `/0/${instanceId}`;
  const uri = resources.get(0);
  if (typeof uri !== 'string' || !/^coaps?:\/\/[^/?#\s]+\/?$/i.test(uri)) {
    throw new InconsistentAccountsError(`${path} has no address of a server that can be spoken with`);
  }
  const isBootstrap = resources.get(1) === true;
  const mode = numberOf(resources, 2) ?? SecurityMode.NO_SEC;
  const account: SecurityAccount = {
    instanceId,
    uri,
    isBootstrap,
    mode,
    publicKeyOrIdentity: bytesOf(resources, 3),
    serverPublicKey: bytesOf(resources, 4),
    secretKey: bytesOf(resources, 5),
    shortServerId: isBootstrap ? 0 : (numberOf(resources, 10) ?? 0),
    holdOffTime: numberOf(resources, 11) ?? 0,
    accountTimeout: numberOf(resources, 12) ?? 0,
  };
  checkSecurity(path, account);
  return account;
}

/** @throws InconsistentAccountsError */
function checkSecurity(path: string, account: SecurityAccount): void {
  const { uri, isBootstrap, mode, publicKeyOrIdentity, serverPublicKey, secretKey } = account;
  const isSecure = /^coaps:/i.test(uri);
  if (mode === SecurityMode.NO_SEC) {
    if (isSecure) throw new InconsistentAccountsError(`${path}: ${uri} without security`);
    return;
  }
  if (!Object.values<number>(SecurityMode).includes(mode)) {
    throw new InconsistentAccountsError(`${path}: security mode ${mode} is not supported`);
  }
  if (!isSecure) throw new InconsistentAccountsError(`${path}: ${uri} with security is coaps`);
  const isPublic = mode !== SecurityMode.PRE_SHARED_KEY;
  // What a modem was set up with for its bootstrap server need not lie in its account.
  if (isPublic && isBootstrap) return;
  if (publicKeyOrIdentity.length === 0 || secretKey.length === 0) {
    throw new InconsistentAccountsError(`${path}: there is no identity, or no key`);
  }
  if (isPublic && serverPublicKey.length === 0) {
    throw new InconsistentAccountsError(`${path}: there is no public key of the server`);
  }
}

/** @throws InconsistentAccountsError */
function serverOf(security: SecurityAccount, given: ReadonlyMap<number, Resources>): ServerOfAccount {
  const { shortServerId } = security;
  if (shortServerId < 1 || shortServerId > 65_534) {
    throw new InconsistentAccountsError(`/0/${security.instanceId} has no short server id`);
  }
  const own = [...given].filter(([, resources]) => numberOf(resources, 0) === shortServerId);
  const [first] = own;
  if (first === undefined || own.length > 1) {
    throw new InconsistentAccountsError(`server ${shortServerId} has ${own.length} Server instances`);
  }
  const [instanceId, resources] = first;
  const lifetime = numberOf(resources, 1);
  const binding = resources.get(7);
  if (lifetime === undefined) throw new InconsistentAccountsError(`/1/${instanceId} has no lifetime`);
  if (typeof binding === 'string' && !binding.includes('U')) {
    throw new InconsistentAccountsError(
      `/1/${instanceId}: the client speaks UDP, and the binding is ${binding}`,
    );
  }
  return {
    security,
    instanceId,
    account: {
      lifetime,
      ...numbers(resources, {
        defaultMinimumPeriod: 2,
        defaultMaximumPeriod: 3,
        disableTimeout: 5,
        lastBootstrapped: 12,
        registrationPriorityOrder: 13,
        initialRegistrationDelayTimer: 14,
        communicationRetryCount: 17,
        communicationRetryTimer: 18,
        communicationSequenceDelayTimer: 19,
        communicationSequenceRetryCount: 20,
        defaultNotificationMode: 26,
        profileIdHashAlgorithm: 27,
      }),
      ...booleans(resources, {
        notificationStoring: 6,
        registrationFailureBlock: 15,
        bootstrapOnRegistrationFailure: 16,
        muteSend: 23,
      }),
      ...(typeof binding === 'string' ? { queueMode: binding.includes('Q') } : {}),
    },
  };
}

/** @throws InconsistentAccountsError */
function accessOf(id: number, resources: Resources): GivenAccess {
  const objectId = numberOf(resources, 0);
  const instanceId = numberOf(resources, 1);
  const owner = numberOf(resources, 3);
  if (objectId === undefined || instanceId === undefined || owner === undefined) {
    throw new InconsistentAccountsError(`/2/${id} lacks its object, its instance or its owner`);
  }
  const acl = resources.get(2);
  return {
    objectId,
    instanceId,
    owner,
    acl: acl instanceof Map ? [...acl].map(([server, rights]) => [server, Number(rights)] as const) : [],
  };
}

/** By object, instance and resource. */
function byInstance(records: AccountRecords): Map<number, Map<number, Resources>> {
  const objects = new Map<number, Map<number, Map<number, ResourceValue | Map<number, ResourceValue>>>>();
  for (const [path, value] of records) {
    const [objectId, instanceId, resourceId, resourceInstance] = pathIds(path) ?? [];
    if (objectId === undefined || instanceId === undefined || resourceId === undefined) continue;
    const instances = objects.get(objectId) ?? new Map();
    const resources = instances.get(instanceId) ?? new Map();
    if (resourceInstance === undefined) resources.set(resourceId, value);
    else {
      const present = resources.get(resourceId);
      const values = present instanceof Map ? present : new Map<number, ResourceValue>();
      resources.set(resourceId, values.set(resourceInstance, value));
    }
    objects.set(objectId, instances.set(instanceId, resources));
  }
  return objects;
}

function numberOf(resources: Resources, id: number): number | undefined {
  const value = resources.get(id);
  return typeof value === 'number' ? value : undefined;
}

function bytesOf(resources: Resources, id: number): Uint8Array {
  const value = resources.get(id);
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function numbers(
  resources: Resources,
  names: Partial<Record<keyof ServerAccount, number>>,
): Partial<ServerAccount> {
  const found = Object.entries(names).map(([name, id]) => [name, numberOf(resources, id)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

function booleans(
  resources: Resources,
  names: Partial<Record<keyof ServerAccount, number>>,
): Partial<ServerAccount> {
  const found = Object.entries(names).map(([name, id]) => [name, resources.get(id)] as const);
  return Object.fromEntries(found.filter(([, value]) => typeof value === 'boolean'));
}
