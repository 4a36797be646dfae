import { DecodeError } from '../../protocol/errors.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';

/** What a device has of the objects that a bootstrap writes. */
export interface DeviceContents {
  /** As it says, `1.2`; undefined where it does not. */
  readonly version: string | undefined;
  /** Objects that it lists; undefined: it could not be asked. */
  readonly objects: ReadonlySet<number> | undefined;
  /** Instances of the Security object by their short server id; that of the bootstrap account has none. */
  readonly security: ReadonlyMap<number, number | undefined>;
  /** Instances of the Server object by their short server id; undefined where that is not told. */
  readonly servers: ReadonlyMap<number, number | undefined>;
  /** Ids of instances of the Access Control object. */
  readonly access: ReadonlySet<number>;
}

/** A device that cannot be asked: its bootstrap account is taken to be the first instance, as it mostly is. */
export const unknownContents: DeviceContents = {
  version: undefined,
  objects: undefined,
  security: new Map([[0, undefined]]),
  servers: new Map(),
  access: new Set(),
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the answer to a Bootstrap-Discover (OMA-TS-LightweightM2M_Core §6.1.7.3): `</>;lwm2m=1.2,</0/0>,
 * </0/1>;ssid=101;uri="coaps://…",</1/0>;ssid=101`.
 * @throws DecodeError it is no link format
 */
export function decodeDeviceContents(payload: Uint8Array): DeviceContents {
  let text: string;
  try {
    text = utf8.decode(payload);
  } catch (error) {
    throw new DecodeError('what the device discovers is not UTF-8', { cause: error });
  }
  let version: string | undefined;
  const objects = new Set<number>();
  const security = new Map<number, number | undefined>();
  const servers = new Map<number, number | undefined>();
  const access = new Set<number>();
  for (const link of parseLinks(text)) {
    version ??= link.attributes['lwm2m'];
    const [objectId, instanceId, ...below] = pathIds(link.target) ?? [];
    if (objectId !== undefined) objects.add(objectId);
    if (instanceId === undefined || below.length > 0) continue;
    if (objectId === 0) security.set(instanceId, shortServerId(link));
    else if (objectId === 1) servers.set(instanceId, shortServerId(link));
    else if (objectId === 2) access.add(instanceId);
  }
  return { version, objects, security, servers, access };
}

function shortServerId({ attributes }: Link): number | undefined {
  const { ssid = '' } = attributes;
  return /^\d{1,5}$/.test(ssid) ? Number(ssid) : undefined;
}

/** For people: `LwM2M 1.2, bootstrap account /0/0, servers 101, 102`. */
export function describeContents({ version, security, servers }: DeviceContents): string {
  const own = [...security].find(([, server]) => server === undefined);
  const known = [...new Set([...security.values(), ...servers.values()])].filter((id) => id !== undefined);
  return [
    version === undefined ? 'LwM2M of an untold version' : `LwM2M ${version.slice(0, 10)}`,
    ...(own === undefined ? [] : [`bootstrap account /0/${own[0]}`]),
    known.length === 0 ? 'no servers' : `servers ${known.slice(0, 10).join(', ')}`,
  ].join(', ');
}
