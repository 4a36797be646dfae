import type { LwM2mRecord, ResourceType, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { WriteContent } from '../lwm2m/device-requests.ts';
import { type GivenResource, givenNode, givenNodes, type RawBody } from './given-nodes.ts';
import { type LeshanPath, pathOf } from './paths.ts';
import { invalid, unexpected } from './refusals.ts';
import { leshanTypes } from './values.ts';

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
  const node = givenNode(path, body);
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
      return { records: node.resources.flatMap((resource) => recordsOf(text, resource, lookup)) };
    case 'LwM2mMultipleResource':
      return { records: valuesOf(text, node, lookup) };
    case 'LwM2mSingleResource':
    case 'LwM2mResourceInstance':
      checkType(text, ids, node.type, lookup);
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
  const node = givenNode(path, body);
  if (node.kind !== 'LwM2mObjectInstance') throw unexpected('payload must contain an object instance');
  if (path.ids.length !== 1) throw invalid(`Invalid path ${path.text}: Create request must target an object`);
  const { id, resources } = node;
  return {
    ...(id === undefined ? {} : { id }),
    recordsAt: (instance) => resources.flatMap((resource) => recordsOf(instance, resource, lookup)),
  };
}

/**
 * `{path: node}` of a composite Write.
 * @throws LeshanRefusal
 */
export function compositeChangesOf(body: RawBody, lookup: ResourceTypeLookup): readonly LwM2mRecord[] {
  const records = givenNodes(body).map(([key, node]): LwM2mRecord => {
    const path = pathOf(key);
    if (node.kind !== 'LwM2mSingleResource' && node.kind !== 'LwM2mResourceInstance') {
      throw invalid(
        `${node.kind} is not supported, only [LwM2mSingleResource, LwM2mResourceInstance] is allowed`,
      );
    }
    checkType(path.text, path.ids, node.type, lookup);
    return { path: path.text, value: node.value };
  });
  if (records.length === 0) throw unexpected('The validated map is empty');
  return records;
}

function recordsOf(instance: string, resource: GivenResource, lookup: ResourceTypeLookup): LwM2mRecord[] {
  const path = `${instance}/${resource.id}`;
  if (resource.kind === 'LwM2mMultipleResource') return valuesOf(path, resource, lookup);
  checkType(path, pathOf(path).ids, resource.type, lookup);
  return [{ path, value: resource.value }];
}

function valuesOf(
  resource: string,
  { type, values }: Extract<GivenResource, { readonly kind: 'LwM2mMultipleResource' }>,
  lookup: ResourceTypeLookup,
): LwM2mRecord[] {
  const { ids } = pathOf(resource);
  return values.map(([id, value]) => {
    const path = `${resource}/${id}`;
    checkType(path, ids, type, lookup);
    return { path, value };
  });
}

/** A caller has to name the type that the definition has. @throws LeshanRefusal */
function checkType(
  path: string,
  [object, , resource]: readonly number[],
  type: ResourceType,
  lookup: ResourceTypeLookup,
): void {
  const expected = lookup.resourceType(object as number, resource as number)?.type;
  if (expected === undefined || expected === type) return;
  throw invalid(
    `Invalid value type for resource ${path}, expected ${leshanTypes[expected]}, got ${leshanTypes[type]}`,
  );
}
