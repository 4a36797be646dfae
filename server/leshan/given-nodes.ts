import { DecodeError } from '../../protocol/errors.ts';
import { parseExactJson } from '../../protocol/lwm2m/exact-json.ts';
import type { ResourceType, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { LeshanPath } from './paths.ts';
import { invalid, type LeshanRefusal, unexpected } from './refusals.ts';
import { fromLeshanValue, resourceTypeOf } from './values.ts';

/** A body as it came. */
export interface RawBody {
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
}

/** A node that a caller gave. */
export type GivenNode =
  | { readonly kind: 'LwM2mObject' }
  | {
      readonly kind: 'LwM2mObjectInstance';
      readonly id?: number;
      readonly resources: readonly GivenResource[];
    }
  | GivenResource
  | {
      readonly kind: 'LwM2mResourceInstance';
      readonly id: number;
      readonly type: ResourceType;
      readonly value: ResourceValue;
    };

export type GivenResource =
  | {
      readonly kind: 'LwM2mSingleResource';
      readonly id: number;
      readonly type: ResourceType;
      readonly value: ResourceValue;
    }
  | {
      readonly kind: 'LwM2mMultipleResource';
      readonly id: number;
      readonly type: ResourceType;
      readonly values: readonly (readonly [number, ResourceValue])[];
    };

/** The node that a body is: JSON, or a text for the resource that the path ends with. @throws LeshanRefusal */
export function givenNode({ ids }: LeshanPath, body: RawBody): GivenNode {
  const type = body.contentType?.split(';')[0]?.trim();
  if (type === 'application/json') return nodeOfJson(jsonOf(body));
  if (type !== 'text/plain') throw invalid(`content type ${body.contentType ?? null} not supported`);
  const value = new TextDecoder().decode(body.bytes);
  return { kind: 'LwM2mSingleResource', id: ids.at(-1) ?? 0, type: 'string', value };
}

/** `{path: node}`. @throws LeshanRefusal */
export function givenNodes(body: RawBody): readonly (readonly [string, GivenNode])[] {
  const json = jsonOf(body);
  if (!isObject(json)) throw malformed('an object with a node for each path is expected');
  return Object.entries(json).map(([path, node]) => [path, nodeOfJson(node)] as const);
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
    return { kind: 'LwM2mMultipleResource', id, type, values: given };
  }
  if (!('value' in json)) throw malformed('Invalid node element');
  const id = idOf(json);
  const type = resourceTypeOf(json['type']);
  const value = fromLeshanValue(type, json['value']);
  return {
    kind: kind === 'resourceInstance' ? 'LwM2mResourceInstance' : 'LwM2mSingleResource',
    id,
    type,
    value,
  };
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
