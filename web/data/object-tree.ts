import type { ApiLink, ApiObjectModel } from './api-types.ts';
import { comparePaths, type LastValue, type LastValues } from './last-values.ts';
import type { ApiResourceModel } from './resource-definition.ts';

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
  /** Of a single value. */
  readonly last: LastValue | undefined;
  /** False for what the definition has and the device did not show so far. */
  readonly seen: boolean;
  readonly children: readonly TreeNode[];
}

/** What the tree is made of. */
export interface TreeSource {
  /** As the device listed them when it registered; where it is away, what values tell. */
  readonly links: readonly ApiLink[];
  readonly models: ReadonlyMap<number, ApiObjectModel>;
  readonly values: LastValues;
  /** Paths that Discover or a Read has shown. */
  readonly discovered: ReadonlySet<string>;
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

/** The tree of a device, objects in the order of their ids. */
export function objectTree(source: TreeSource): readonly TreeNode[] {
  const places = new Set<string>();
  const add = (path: string): void => {
    for (let at = path; at !== ''; at = parentOf(at)) places.add(at);
  };
  for (const { path } of source.links) if (/^(\/\d+)+$/.test(path)) add(path);
  for (const path of source.values.keys()) add(path);
  for (const path of source.discovered) add(path);
  const children = new Map<string, Set<string>>();
  const under = (parent: string): Set<string> => {
    const set = children.get(parent) ?? new Set<string>();
    children.set(parent, set);
    return set;
  };
  for (const path of places) under(parentOf(path)).add(path);
  // Resources that the definition has: those that an instance must have are there, whoever has shown them.
  for (const path of places) {
    const ids = idsOf(path);
    if (ids.length !== 2) continue;
    for (const resource of source.models.get(ids[0] as number)?.resources ?? []) {
      if (source.all || resource.mandatory || resource.operations === 'E')
        under(path).add(`${path}/${resource.id}`);
    }
  }
  const build = (path: string): TreeNode => {
    const ids = idsOf(path);
    const [object, , resourceId] = ids;
    const model = source.models.get(object as number);
    const resource =
      resourceId === undefined ? undefined : model?.resources.find(({ id }) => id === resourceId);
    const below = [...(children.get(path) ?? [])].sort(comparePaths).map(build);
    return {
      path,
      level: ids.length as TreeNode['level'],
      id: ids.at(-1) as number,
      name: nameOf(ids, model, resource),
      model,
      resource,
      last: source.values.get(path),
      seen: places.has(path),
      children: below,
    };
  };
  return [...(children.get('') ?? [])].sort(comparePaths).map(build);
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
  const ids = idsOf(path);
  let nodes = tree;
  let found: TreeNode | undefined;
  for (let depth = 1; depth <= ids.length; depth++) {
    const at = `/${ids.slice(0, depth).join('/')}`;
    found = nodes.find((node) => node.path === at);
    if (found === undefined) return undefined;
    nodes = found.children;
  }
  return found;
}

/**
 * What matches a filter by id, path, name or value, with everything above it; of an object or instance that matches
 * itself all that is below. An empty filter keeps all.
 */
export function filterTree(tree: readonly TreeNode[], filter: string): readonly TreeNode[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return tree;
  const visit = (node: TreeNode): TreeNode | undefined => {
    if (matches(node, wanted)) return node;
    const children = node.children.flatMap((child) => visit(child) ?? []);
    return children.length === 0 ? undefined : { ...node, children };
  };
  return tree.flatMap((node) => visit(node) ?? []);
}

function matches({ path, id, name, level, last }: TreeNode, wanted: string): boolean {
  if (wanted.startsWith('/')) return path === wanted || path.startsWith(`${wanted}/`);
  if (/^\d+$/.test(wanted) && level !== 4 && String(id) === wanted) return true;
  if (name.toLowerCase().includes(wanted)) return true;
  return last !== undefined && String(last.value).toLowerCase().includes(wanted);
}

/** The rows of a tree of which so much is open, in order. */
export function visibleNodes(
  tree: readonly TreeNode[],
  isOpen: (path: string) => boolean,
): readonly TreeNode[] {
  const rows: TreeNode[] = [];
  const visit = (node: TreeNode): void => {
    rows.push(node);
    if (isOpen(node.path)) for (const child of node.children) visit(child);
  };
  for (const node of tree) visit(node);
  return rows;
}
