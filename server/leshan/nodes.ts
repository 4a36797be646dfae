import { DecodeError } from '../../protocol/errors.ts';
import { isAtOrBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import { naturalType } from '../../protocol/lwm2m/typed-value.ts';
import type {
  LwM2mRecord,
  ResourceType,
  ResourceTypeLookup,
  ResourceValue,
} from '../../protocol/lwm2m/value.ts';
import { type LeshanType, type LeshanValue, leshanTypes, toLeshanValue } from './values.ts';

/** A node of the object tree, as the interface shows it. */
export type LeshanNode =
  | { readonly kind: 'root'; readonly objects: readonly LeshanNode[] }
  | { readonly kind: 'obj'; readonly id: number; readonly instances: readonly LeshanNode[] }
  | { readonly kind: 'instance'; readonly id: number; readonly resources: readonly LeshanNode[] }
  | {
      readonly kind: 'singleResource' | 'resourceInstance';
      readonly id: number;
      readonly type: LeshanType;
      readonly value: LeshanValue;
    }
  | {
      readonly kind: 'multiResource';
      readonly id: number;
      readonly type: LeshanType;
      readonly values: Readonly<Record<string, LeshanValue>>;
    };

/** What is below a path, by the next id. */
interface Branch {
  readonly below: Map<number, Branch>;
  value?: ResourceValue;
}

/** RFC 8428 §4.5.3: a time under 2^28 s is relative to now. */
const RELATIVE_TIME_BOUND = 2 ** 28;

/**
 * The node at a path, of the records that a device gave for it; of several values of one place the newest.
 * @throws DecodeError there is no value, where one belongs
 */
export function nodeAt(
  path: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  now: number,
): LeshanNode {
  const ids = pathIds(path) ?? [];
  const tree: Branch = { below: new Map() };
  for (const { path: at, value } of newest(records, now)) {
    let branch = tree;
    for (const id of (pathIds(at) ?? []).slice(ids.length)) {
      const next = branch.below.get(id) ?? { below: new Map() };
      branch.below.set(id, next);
      branch = next;
    }
    branch.value = value;
  }
  return nodeOf(ids, tree, lookup);
}

/**
 * Several places by their paths, as the answer to a composite request has them; those without a value are left
 * out.
 */
export function nodesAt(
  paths: readonly string[],
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  now: number,
): Record<string, LeshanNode> {
  const nodes: Record<string, LeshanNode> = {};
  for (const path of paths) {
    const within = records.filter((record) => isAtOrBelow(record.path, path));
    if (within.length > 0) nodes[path] = nodeAt(path, within, lookup, now);
  }
  return nodes;
}

/** The newest value of each place; one without a time is of now. */
function newest(records: readonly LwM2mRecord[], now: number): Iterable<LwM2mRecord> {
  const found = new Map<string, { readonly record: LwM2mRecord; readonly at: number }>();
  for (const record of records) {
    const { path, time } = record;
    const at = time === undefined ? Number.POSITIVE_INFINITY : absolute(time, now / 1000);
    const other = found.get(path);
    if (other === undefined || at >= other.at) found.set(path, { record, at });
  }
  return [...found.values()].map(({ record }) => record);
}

function absolute(time: number, now: number): number {
  return time < RELATIVE_TIME_BOUND ? now + time : time;
}

function nodeOf(ids: readonly number[], branch: Branch, lookup: ResourceTypeLookup): LeshanNode {
  const id = ids.at(-1) ?? 0;
  const children = (): LeshanNode[] =>
    [...branch.below].sort(([a], [b]) => a - b).map(([next, child]) => nodeOf([...ids, next], child, lookup));
  switch (ids.length) {
    case 0:
      return { kind: 'root', objects: children() };
    case 1:
      return { kind: 'obj', id, instances: children() };
    case 2:
      return { kind: 'instance', id, resources: children() };
    case 3:
      return resourceNode(ids, branch, lookup);
    default:
      return valueNode('resourceInstance', ids, branch, lookup);
  }
}

function resourceNode(ids: readonly number[], branch: Branch, lookup: ResourceTypeLookup): LeshanNode {
  const definition = definitionOf(ids, lookup);
  const isMultiple = branch.below.size > 0 || (branch.value === undefined && definition?.multiple === true);
  if (!isMultiple) return valueNode('singleResource', ids, branch, lookup);
  const instances = [...branch.below]
    .sort(([a], [b]) => a - b)
    .flatMap(([id, { value }]): [number, ResourceValue][] => (value === undefined ? [] : [[id, value]]));
  const type = definition?.type ?? naturalType(instances[0]?.[1] ?? '');
  const values = instances.map(([id, value]) => [String(id), toLeshanValue(type, value)]);
  return {
    kind: 'multiResource',
    id: ids[2] as number,
    type: leshanTypes[type],
    values: Object.fromEntries(values) as Record<string, LeshanValue>,
  };
}

function valueNode(
  kind: 'singleResource' | 'resourceInstance',
  ids: readonly number[],
  { value }: Branch,
  lookup: ResourceTypeLookup,
): LeshanNode {
  if (value === undefined) throw new DecodeError(`there is no value of /${ids.join('/')}`);
  const type: ResourceType = definitionOf(ids, lookup)?.type ?? naturalType(value);
  return { kind, id: ids.at(-1) as number, type: leshanTypes[type], value: toLeshanValue(type, value) };
}

function definitionOf(ids: readonly number[], lookup: ResourceTypeLookup) {
  return lookup.resourceType(ids[0] as number, ids[2] as number);
}
