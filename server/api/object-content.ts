import type { ObjectRegistry } from '../../objects/registry.ts';
import { fromApiValue } from '../../objects/values.ts';
import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../protocol/lwm2m/object-links.ts';
import { joinPath, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { WriteContent } from '../lwm2m/device-requests.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { ApiExecuteBody, ApiValue, ApiWriteBody } from './schemas.ts';

/** An LwM2M path out of a URL: one to four ids (OMA-TS-LightweightM2M_Core §7.3). */
export interface ObjectPath {
  /** `/3/0/9` */
  readonly canonical: string;
  readonly ids: readonly number[];
}

/**
 * Reads `3/0/9`, with or without a slash before or after it.
 * @throws RequestError for what is no path of one to four ids.
 */
export function objectPath(text: string): ObjectPath {
  const ids = pathIds(text.replace(/\/$/, ''));
  if (ids === undefined || ids.length === 0) {
    throw new RequestError(
      `'${text.slice(0, 64)}' is no path: object/instance/resource/resource instance, each 0 to 65534`,
    );
  }
  return { canonical: `/${ids.join('/')}`, ids };
}

/** @throws RequestError a value that does not fit its resource, or a key that is no path below `path`. */
export function writeContent(path: ObjectPath, body: ApiWriteBody, registry: ObjectRegistry): WriteContent {
  if ('value' in body) {
    const [objectId, , resourceId] = path.ids;
    const multiple = resourceId !== undefined && registry.resource(objectId as number, resourceId)?.multiple;
    if (multiple === true && path.ids.length === 3) {
      throw new RequestError(`${path.canonical} has instances: give them as {"values": {"0": ...}}`);
    }
    return { value: typedValue(path.ids, body.value, registry) };
  }
  return { records: recordsBelow(path.canonical, body.values, registry) };
}

/**
 * What a new instance begins with. Where the caller names only the object, the instance gets the lowest
 * id that the device has not listed.
 * @throws RequestError as writeContent
 */
export function newInstanceRecords(
  path: ObjectPath,
  values: Readonly<Record<string, ApiValue>>,
  registry: ObjectRegistry,
  links: Registration['links'],
): readonly LwM2mRecord[] {
  const [objectId, instanceId] = path.ids as readonly [number, number?];
  const instance = instanceId ?? lowestFreeInstance(objectId, links);
  return recordsBelow(`/${objectId}/${instance}`, values, registry);
}

/** The id that a new instance gets where nobody names one. */
export function lowestFreeInstance(objectId: number, links: Registration['links']): number {
  const taken = new Set<number | undefined>();
  for (const { target } of links) {
    const ids = pathIds(target);
    if (ids?.[0] === objectId) taken.add(ids[1]);
  }
  let id = 0;
  while (taken.has(id)) id++;
  return id;
}

/**
 * `/3/0/9,/4/0/2` as the paths of a composite operation; `/` is all that the device has.
 * @throws RequestError one that is no path
 */
export function compositePathList(text: string): readonly string[] {
  return text.split(',').map((path) => {
    const trimmed = path.trim();
    return trimmed === '/' ? '/' : objectPath(trimmed).canonical;
  });
}

/**
 * Objects and instances out of a link-format text, as a device lists them.
 * @throws RequestError it is none, or has no object
 */
export function objectLinksOf(text: string): readonly Link[] {
  let links: readonly Link[];
  try {
    links = parseLinks(text);
  } catch (error) {
    if (error instanceof DecodeError) throw new RequestError(error.message, { cause: error });
    throw error;
  }
  const { objects } = objectLinks(links);
  if (objects.length === 0) throw new RequestError('there is no object in it');
  return objects.map(({ path, attributes }) => ({ target: path, attributes }));
}

/**
 * What a composite write changes, by whole path; null removes a resource instance.
 * @throws RequestError as writeContent; null for what is no resource instance
 */
export function compositeChanges(
  values: Readonly<Record<string, ApiValue | null>>,
  registry: ObjectRegistry,
): readonly LwM2mChange[] {
  return Object.entries(values).map(([text, value]) => {
    const { canonical, ids } = objectPath(text);
    if (value === null) {
      if (ids.length === 4) return { path: canonical, value };
      throw new RequestError(`null removes an instance of a resource, and ${canonical} is none`);
    }
    return { path: canonical, value: typedValue(ids, value, registry) };
  });
}

/** One argument: a digit, and maybe a text of printable ASCII without an apostrophe. */
const ARGUMENT = "[0-9](?:='[!\\x23-\\x26\\x28-\\x5b\\x5d-\\x7e]*')?";
const ARGUMENTS = new RegExp(`^(?:${ARGUMENT}(?:,${ARGUMENT})*)?$`);

/** @throws RequestError what the grammar of §6.3.5 does not have */
function checkedArguments(args: string): string {
  if (ARGUMENTS.test(args)) return args;
  throw new RequestError(
    `'${args.slice(0, 64)}' are no arguments of an Execute: 0='1',1='7', each a digit with or without a text in apostrophes`,
  );
}

/** `0='1',1='7'` (OMA-TS-LightweightM2M_Core §6.3.5); undefined where there are none. */
export function executeArguments(body: ApiExecuteBody | null): string | undefined {
  if (body === null) return undefined;
  if ('args' in body) return checkedArguments(body.args);
  if (!('arguments' in body)) return undefined;
  return checkedArguments(body.arguments.map((argument, position) => `${position}='${argument}'`).join(','));
}

function recordsBelow(
  base: string,
  values: Readonly<Record<string, ApiValue>>,
  registry: ObjectRegistry,
): readonly LwM2mRecord[] {
  return Object.entries(values).map(([below, value]) => {
    const path = joinPath(base, below);
    const ids = pathIds(path) ?? [];
    if (ids.length < 3 || path === base) {
      throw new RequestError(`'${below}' does not lead from ${base} to a resource`);
    }
    return { path, value: typedValue(ids, value, registry) };
  });
}

/** As the resource's definition wants it; where it is not known, JSON's own types are taken. */
function typedValue(ids: readonly number[], value: ApiValue, registry: ObjectRegistry): ResourceValue {
  const [objectId, , resourceId] = ids;
  if (objectId === undefined || resourceId === undefined) {
    throw new RequestError(`/${ids.join('/')} is no resource: give its resources as {"values": {...}}`);
  }
  const definition = registry.resource(objectId, resourceId);
  return definition === undefined ? value : fromApiValue(definition, value);
}
