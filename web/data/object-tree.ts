import type { ApiLink, ApiObjectModel } from './api-types.ts';
import { comparePaths, type LastValues } from './last-values.ts';
import { type ApiResourceModel, isExecutable } from './resource-definition.ts';

/** A place in a device's object tree: an object (level 1), an instance, a resource, an instance of a resource (4). */
export interface TreeNode {
  readonly path: string;
  readonly level: 1 | 2 | 3 | 4;
  readonly id: number;
  readonly name: string;
  /** The definition of the object that it is or lies in; undefined where the server has none. */
  readonly model: ApiObjectModel | undefined;
  /** Of a resource or an instance of one. */
  readonly resource: ApiResourceModel | undefined;
  /**
   * False for what the definition has and the device did not show so far, and for an instance of which values were
   * heard and which the device does not list.
   */
  readonly seen: boolean;
  readonly children: readonly TreeNode[];
}

/** What the tree is made of. */
export interface TreeSource {
  /** As the device listed them when it registered; undefined where it is away: what was heard then tells. */
  readonly links: readonly Pick<ApiLink, 'path'>[] | undefined;
  readonly models: ReadonlyMap<number, ApiObjectModel>;
  /** Of values that were heard. */
  readonly heard: Iterable<string>;
  /** Paths that Discover, a Read or a Create has shown. */
  readonly discovered: ReadonlySet<string>;
  /** Instances of which Discover has listed every resource. */
  readonly mapped: ReadonlySet<string>;
  /** Deleted since the device listed them. */
  readonly gone: ReadonlySet<string>;
  /** A place that the reader has gone to: a resource is there, whether the device has shown it or not. */
  readonly asked?: string;
  /** Resources too that the definition has and the device has not shown. */
  readonly all: boolean;
}

/** The ids of a path: `/3/0/9` is `[3, 0, 9]`. */
export function idsOf(path: string): readonly number[] {
  return path.split('/').slice(1).map(Number);
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The places that lead to one, from its object to itself. */
export function trailOf(path: string): readonly string[] {
  const ids = idsOf(path);
  return ids.map((_, index) => `/${ids.slice(0, index + 1).join('/')}`);
}

/** Whether a place is another one, or lies in it. */
export function liesIn(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`);
}

/** The tree of a device, objects in the order of their ids. */
export function objectTree(source: TreeSource): readonly TreeNode[] {
  const listed = new Set<string>();
  const shown = new Set<string>();
  const add = (to: Set<string>, path: string): void => {
    for (let at = path; at !== ''; at = parentOf(at)) to.add(at);
  };
  for (const { path } of source.links ?? []) {
    if (/^(\/\d+)+$/.test(path) && !isGone(path, source.gone)) add(listed, path);
  }
  for (const path of source.discovered) add(listed, path);
  for (const path of source.heard) if (!isGone(path, source.gone)) add(shown, path);
  const children = new Map<string, Set<string>>();
  const under = (parent: string): Set<string> => {
    const set = children.get(parent) ?? new Set<string>();
    children.set(parent, set);
    return set;
  };
  for (const path of [...listed, ...shown]) under(parentOf(path)).add(path);
  for (const object of children.get('') ?? []) {
    const resources = source.models.get(Number(object.slice(1)))?.resources ?? [];
    for (const instance of children.get(object) ?? []) {
      // What an instance must have, and what cannot be heard of, is there, unless the device has shown otherwise.
      const expected = !source.mapped.has(instance);
      for (const resource of resources) {
        if (source.all || (expected && (resource.mandatory || isExecutable(resource))))
          under(instance).add(`${instance}/${resource.id}`);
      }
    }
  }
  const [, instance = '', ...below] = trailOf(source.asked ?? '');
  if (children.get(parentOf(instance))?.has(instance))
    for (const path of below) under(parentOf(path)).add(path);
  const build = (path: string): TreeNode => {
    const ids = idsOf(path);
    const [object, , resourceId] = ids;
    const model = source.models.get(object as number);
    const resource =
      resourceId === undefined ? undefined : model?.resources.find(({ id }) => id === resourceId);
    return {
      path,
      level: ids.length as TreeNode['level'],
      id: ids.at(-1) as number,
      name: nameOf(ids, model, resource),
      model,
      resource,
      seen: listed.has(path) || (shown.has(path) && (ids.length > 2 || source.links === undefined)),
      children: [...(children.get(path) ?? [])].sort(comparePaths).map(build),
    };
  };
  return [...(children.get('') ?? [])].sort(comparePaths).map(build);
}

function isGone(path: string, gone: ReadonlySet<string>): boolean {
  return gone.size > 0 && trailOf(path).some((place) => gone.has(place));
}

function nameOf(
  ids: readonly number[],
  model: ApiObjectModel | undefined,
  resource: ApiResourceModel | undefined,
): string {
  if (ids.length === 1) return model?.name ?? `Object ${ids[0]}`;
  if (ids.length === 2) return `Instance ${ids[1]}`;
  if (ids.length === 3) return resource?.name ?? `Resource ${ids[2]}`;
  return `Instance ${ids[3]}`;
}

/** The node of a path; undefined where the tree has none. */
export function nodeAt(tree: readonly TreeNode[], path: string): TreeNode | undefined {
  let nodes = tree;
  let found: TreeNode | undefined;
  for (const place of trailOf(path)) {
    found = nodes.find((node) => node.path === place);
    if (found === undefined) return undefined;
    nodes = found.children;
  }
  return found;
}

/**
 * What matches a filter by id, path, name or value, with everything above it; of an object or instance that matches
 * itself all that is below. An empty filter keeps all.
 */
export function filterTree(
  tree: readonly TreeNode[],
  filter: string,
  values: LastValues,
): readonly TreeNode[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return tree;
  const visit = (node: TreeNode): TreeNode | undefined => {
    if (matches(node, wanted, values)) return node;
    const children = node.children.flatMap((child) => visit(child) ?? []);
    return children.length === 0 ? undefined : { ...node, children };
  };
  return tree.flatMap((node) => visit(node) ?? []);
}

function matches({ path, id, name, level }: TreeNode, wanted: string, values: LastValues): boolean {
  if (wanted.startsWith('/')) return liesIn(path, wanted.replace(/\/+$/, ''));
  if (/^\d+$/.test(wanted) && level !== 4 && String(id) === wanted) return true;
  // Every instance is called one: its number is what tells it from others.
  if ((level === 1 || level === 3) && name.toLowerCase().includes(wanted)) return true;
  const last = values.get(path);
  return last !== undefined && String(last.value).toLowerCase().includes(wanted);
}

/** One line of a tree that is open in part. */
export interface TreeRow {
  readonly node: TreeNode;
  /** From 1, among those that have the same parent. */
  readonly position: number;
  readonly siblings: number;
}

/** The rows of a tree of which so much is open, in order. */
export function visibleRows(
  tree: readonly TreeNode[],
  isOpen: (path: string) => boolean,
): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const visit = (nodes: readonly TreeNode[]): void => {
    nodes.forEach((node, index) => {
      rows.push({ node, position: index + 1, siblings: nodes.length });
      if (node.children.length > 0 && isOpen(node.path)) visit(node.children);
    });
  };
  visit(tree);
  return rows;
}
