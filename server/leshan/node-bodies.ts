import { DecodeError } from '../../protocol/errors.ts';
import { parseExactJson } from '../../protocol/lwm2m/exact-json.ts';
import type { LwM2mRecord, ResourceTypeLookup, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { WriteContent } from '../lwm2m/device-requests.ts';
import { type LeshanPath, pathOf } from './paths.ts';
import { invalid, type LeshanRefusal, unexpected } from './refusals.ts';
import { fromLeshanValue, resourceTypeOf, valueOfText } from './values.ts';

/** A body as it came. */
export interface RawBody {
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
}

/** A node that a caller gave. */
type GivenNode =
  | { readonly kind: 'LwM2mObject' }
  | {
      readonly kind: 'LwM2mObjectInstance';
      readonly id?: number;
      readonly resources: readonly GivenResource[];
    }
  | GivenResource
  | { readonly kind: 'LwM2mResourceInstance'; readonly id: number; readonly value: ResourceValue };

type GivenResource =
  | { readonly kind: 'LwM2mSingleResource'; readonly id: number; readonly value: ResourceValue }
  | {
      readonly kind: 'LwM2mMultipleResource';
      readonly id: number;
      readonly values: readonly (readonly [number, ResourceValue])[];
    };

/** What each level of the tree may be written as. */
const fitting: readonly (readonly string[])[] = [
  [],
  [],
  ['LwM2mObjectInstance'],
  ['LwM2mSingleResource', 'LwM2mMultipleResource'],
  ['LwM2mResourceInstance'],
];

/**
 * What a Write is to write at a path.
 * @throws LeshanRefusal the body is no node, or none that belongs there, or `update` has no meaning there
 */
export function writeContentOf(
  path: LeshanPath,
  body: RawBody,
  replace: boolean,
  lookup: ResourceTypeLookup,
): WriteContent {
  const { text, ids } = path;
  const node = givenNode(path, body, lookup);
  if (ids.length === 0) throw invalid('Write request cannot target root path');
  if (ids.length === 1) throw invalid(`write request ${text} cannot target an object`);
  if (!replace && ids.length === 4) {
    throw invalid(`Invalid mode for '${text}': update is not allowed on resource instance`);
  }
  if (fitting[ids.length]?.includes(node.kind) !== true) {
    throw invalid(`path '${text}' and node type '${node.kind}' do not match`);
  }
  if (!replace && node.kind === 'LwM2mSingleResource') {
    throw invalid(`Invalid mode for '${text}': update is not allowed on single resource`);
  }
  switch (node.kind) {
    case 'LwM2mObjectInstance':
      return { records: node.resources.flatMap((resource) => recordsOf(text, resource)) };
    case 'LwM2mMultipleResource':
      return { records: node.values.map(([id, value]) => ({ path: `${text}/${id}`, value })) };
    case 'LwM2mSingleResource':
    case 'LwM2mResourceInstance':
      return { value: node.value };
    default:
      throw new Error(`nothing is written as ${node.kind}`);
  }
}

/** The instance that a Create makes: its id, where the body names one, and what it begins with, below an instance. */
export function newInstanceOf(
  path: LeshanPath,
  body: RawBody,
  lookup: ResourceTypeLookup,
): { readonly id?: number; readonly recordsAt: (instance: string) => readonly LwM2mRecord[] } {
  const node = givenNode(path, body, lookup);
  if (node.kind !== 'LwM2mObjectInstance') throw unexpected('payload must contain an object instance');
  if (path.ids.length !== 1) throw invalid(`Invalid path ${path.text}: Create request must target an object`);
  const { id, resources } = node;
  return {
    ...(id === undefined ? {} : { id }),
    recordsAt: (instance) => resources.flatMap((resource) => recordsOf(instance, resource)),
  };
}

/**
 * `{path: node}` of a composite Write.
 * @throws LeshanRefusal
 */
export function compositeChangesOf(body: RawBody): readonly LwM2mRecord[] {
  const json = jsonOf(body);
  if (!isObject(json)) throw malformed('an object with a node for each path is expected');
  const records = Object.entries(json).map(([key, given]): LwM2mRecord => {
    const path = pathOf(key);
    const node = nodeOfJson(given);
    if (node.kind !== 'LwM2mSingleResource' && node.kind !== 'LwM2mResourceInstance') {
      throw invalid(
        `${node.kind} is not supported, only [LwM2mSingleResource, LwM2mResourceInstance] is allowed`,
      );
    }
    return { path: path.text, value: node.value };
  });
  if (records.length === 0) throw unexpected('The validated map is empty');
  return records;
}

function recordsOf(instance: string, resource: GivenResource): LwM2mRecord[] {
  const path = `${instance}/${resource.id}`;
  if (resource.kind === 'LwM2mSingleResource') return [{ path, value: resource.value }];
  return resource.values.map(([id, value]) => ({ path: `${path}/${id}`, value }));
}

function givenNode({ ids }: LeshanPath, body: RawBody, lookup: ResourceTypeLookup): GivenNode {
  const type = body.contentType?.split(';')[0]?.trim();
  if (type === 'application/json') return nodeOfJson(jsonOf(body));
  if (type !== 'text/plain') throw invalid(`content type ${body.contentType ?? null} not supported`);
  const [objectId, , resourceId] = ids;
  const definition =
    objectId === undefined || resourceId === undefined
      ? undefined
      : lookup.resourceType(objectId, resourceId);
  const value = valueOfText(definition?.type, new TextDecoder().decode(body.bytes));
  return { kind: 'LwM2mSingleResource', id: ids.at(-1) ?? 0, value };
}

function jsonOf({ bytes }: RawBody): unknown {
  try {
    return parseExactJson(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(error.message);
    throw error;
  }
}

function malformed(reason: string): LeshanRefusal {
  return invalid(`unable to parse json to tlv:${reason}`);
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** A node's kind stands in it, or shows in its members. */
function nodeOfJson(json: unknown): GivenNode {
  if (!isObject(json)) throw malformed('Invalid node element');
  const { kind } = json;
  if (kind === 'obj' || 'instances' in json) {
    idOf(json);
    return { kind: 'LwM2mObject' };
  }
  if (kind === 'instance' || 'resources' in json) {
    const { resources } = json;
    if (!Array.isArray(resources)) throw malformed('Resources element is not an array');
    const given = resources.map((resource) => resourceOf(nodeOfJson(resource)));
    return { kind: 'LwM2mObjectInstance', ...('id' in json ? { id: idOf(json) } : {}), resources: given };
  }
  if (kind === 'multiResource' || 'values' in json) {
    const { values } = json;
    const id = idOf(json);
    if (!isObject(values)) throw malformed('Values element is not an object');
    const type = resourceTypeOf(json['type']);
    const given = Object.entries(values).map(
      ([key, value]) => [instanceId(key), fromLeshanValue(type, value)] as const,
    );
    return { kind: 'LwM2mMultipleResource', id, values: given };
  }
  if (!('value' in json)) throw malformed('Invalid node element');
  const id = idOf(json);
  const value = fromLeshanValue(resourceTypeOf(json['type']), json['value']);
  return { kind: kind === 'resourceInstance' ? 'LwM2mResourceInstance' : 'LwM2mSingleResource', id, value };
}

function resourceOf(node: GivenNode): GivenResource {
  if (node.kind === 'LwM2mSingleResource' || node.kind === 'LwM2mMultipleResource') return node;
  throw unexpected(`${node.kind} is no resource`);
}

function idOf(json: Readonly<Record<string, unknown>>): number {
  if (!('id' in json)) throw malformed('Missing id');
  const id = Number(json['id']);
  if (!Number.isInteger(id) || id < 0 || id > 65534) throw unexpected(`Invalid id ${String(json['id'])}`);
  return id;
}

function instanceId(key: string): number {
  if (!/^\d{1,5}$/.test(key)) throw unexpected(`For input string: "${key}"`);
  return Number(key);
}
