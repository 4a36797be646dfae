import { describe, expect, it } from 'vitest';
import type { LastValue } from '../../../web/data/last-values.ts';
import {
  filterTree,
  nodeAt,
  objectTree,
  parentOf,
  type TreeNode,
  type TreeSource,
  trailOf,
  visibleRows,
} from '../../../web/data/object-tree.ts';
import { modelOf } from '../support/models.ts';

const values = (entries: Readonly<Record<string, LastValue['value']>>) =>
  new Map(Object.entries(entries).map(([path, value]) => [path, { path, value, takenAt: 5 }]));

const links = (...paths: string[]) => paths.map((path) => ({ path, attributes: {} }));

const source = (change: Partial<TreeSource>): TreeSource => ({
  links: undefined,
  models: new Map([3, 4, 6].map((id) => [id, modelOf(id)])),
  heard: [],
  discovered: new Set(),
  mapped: new Set(),
  gone: new Set(),
  all: false,
  ...change,
});

const paths = (tree: readonly TreeNode[]): string[] =>
  tree.flatMap((node) => [node.path, ...paths(node.children)]);

describe('the object tree of a device', () => {
  it('has objects and instances as the device listed them, in the order of their ids', () => {
    const tree = objectTree(source({ links: links('/33000/2', '/33000/10', '/9', '/33000/0') }));
    expect(paths(tree)).toEqual(['/9', '/33000', '/33000/0', '/33000/2', '/33000/10']);
  });

  it('passes over links that are no places of objects', () => {
    expect(paths(objectTree(source({ links: links('/', '/rd', '/33000/0', '') })))).toEqual([
      '/33000',
      '/33000/0',
    ]);
  });

  it('has what values and Discover have shown, down to instances of resources', () => {
    const tree = objectTree(
      source({
        heard: ['/33000/0/1'],
        discovered: new Set(['/33000/0/2/7']),
      }),
    );
    expect(paths(tree)).toEqual(['/33000', '/33000/0', '/33000/0/1', '/33000/0/2', '/33000/0/2/7']);
    expect(nodeAt(tree, '/33000/0/2/7')).toMatchObject({ level: 4, name: 'Instance 7', seen: true });
  });

  it('names places by the definition, and by their numbers where there is none', () => {
    const tree = objectTree(source({ links: links('/3/0', '/33000/1'), heard: ['/3/0/9'] }));
    expect(nodeAt(tree, '/3')?.name).toBe('Device');
    expect(nodeAt(tree, '/3/0')?.name).toBe('Instance 0');
    expect(nodeAt(tree, '/3/0/9')).toMatchObject({
      name: 'Battery Level',
      resource: { units: '/100', operations: 'R' },
    });
    expect(nodeAt(tree, '/33000')).toMatchObject({ name: 'Object 33000', model: undefined });
  });

  it('has of every instance what it must have, and what can be executed, as not yet seen', () => {
    const tree = objectTree(source({ links: links('/3/0') }));
    expect(nodeAt(tree, '/3/0/4')).toMatchObject({ name: 'Reboot', seen: false });
    expect(nodeAt(tree, '/3/0/11')).toMatchObject({ name: 'Error Code', seen: false });
    expect(nodeAt(tree, '/3/0/9')).toBeUndefined();
  });

  it('has the rest of the definition when it is asked for, told apart from what the device has shown', () => {
    const tree = objectTree(source({ links: links('/3/0'), heard: ['/3/0/9'], all: true }));
    const children = nodeAt(tree, '/3/0')?.children ?? [];
    expect(children).toHaveLength(modelOf(3).resources.length);
    expect(children.filter(({ seen }) => seen).map(({ path }) => path)).toEqual(['/3/0/9']);
  });

  it('has nothing more of an instance that Discover has listed whole', () => {
    const tree = objectTree(
      source({
        links: links('/3/0'),
        discovered: new Set(['/3/0/9', '/3/0/4']),
        mapped: new Set(['/3/0']),
      }),
    );
    expect(paths(tree)).toEqual(['/3', '/3/0', '/3/0/4', '/3/0/9']);
    expect(nodeAt(tree, '/3/0/4')?.seen).toBe(true);
  });

  it('tells instances that the device does not list from those that it does', () => {
    const heard = ['/33000/0/1', '/33000/1/1'];
    const tree = objectTree(source({ links: links('/33000/0'), heard }));
    expect(nodeAt(tree, '/33000/0')?.seen).toBe(true);
    expect(nodeAt(tree, '/33000/1')?.seen).toBe(false);
    expect(nodeAt(objectTree(source({ heard })), '/33000/1')?.seen).toBe(true);
  });

  it('has no longer what was deleted, whatever was listed or heard of it before', () => {
    const tree = objectTree(
      source({
        links: links('/33000/0', '/33000/1'),
        heard: ['/33000/1/1'],
        gone: new Set(['/33000/1']),
      }),
    );
    expect(paths(tree)).toEqual(['/33000', '/33000/0']);
  });

  it('has the resource that the reader has gone to, where its instance is there', () => {
    const at = (asked: string) =>
      paths(objectTree(source({ links: links('/6/0'), mapped: new Set(['/6/0']), asked })));
    expect(at('/6/0/3')).toEqual(['/6', '/6/0', '/6/0/3']);
    expect(at('/6/1/3')).toEqual(['/6', '/6/0']);
    expect(at('/6/0')).toEqual(['/6', '/6/0']);
    expect(at('')).toEqual(['/6', '/6/0']);
  });

  it('has no resources of an object without instances', () => {
    expect(paths(objectTree(source({ links: links('/6'), all: true })))).toEqual(['/6']);
  });
});

describe('nodeAt', () => {
  it('finds nothing where the tree has no such place', () => {
    const tree = objectTree(source({ links: links('/3/0') }));
    expect(nodeAt(tree, '/3/1')).toBeUndefined();
    expect(nodeAt(tree, '/4/0/1')).toBeUndefined();
    expect(nodeAt(tree, '/3/0/4/0/1')).toBeUndefined();
  });

  it('goes up by parentOf until there is nothing above', () => {
    expect(['/3/0/9/1', '/3/0', '/3'].map(parentOf)).toEqual(['/3/0/9', '/3', '']);
  });
});

describe('a filter of the tree', () => {
  const heard = values({ '/3/0/0': 'Acme Radio', '/3/0/9': 80, '/4/0/2': -93, '/6/0/0': 48.1 });
  const tree = objectTree(source({ links: links('/3/0', '/4/0', '/6/0'), heard: heard.keys() }));

  it.each([
    ['a name', 'battery', ['/3', '/3/0', '/3/0/9']],
    ['a text that a value has in it', 'acme', ['/3', '/3/0', '/3/0/0']],
    ['a number that is a value', '-93', ['/4', '/4/0', '/4/0/2']],
    ['a path', '/3/0/9', ['/3', '/3/0', '/3/0/9']],
    ['a path with a stroke at its end', '/3/0/9/', ['/3', '/3/0', '/3/0/9']],
    ['nothing that there is', 'zzz', []],
  ])('keeps %s with what is above it', (_, filter, kept) => {
    expect(paths(filterTree(tree, filter, heard))).toEqual(kept);
  });

  it('keeps all below an object whose name it is', () => {
    const location = nodeAt(tree, '/6');
    expect(filterTree(tree, 'Location', heard).find(({ path }) => path === '/6')).toEqual(location);
  });

  it('takes ids whole', () => {
    expect(paths(filterTree(tree, '/3/0/1', heard))).not.toContain('/3/0/11');
    expect(paths(filterTree(tree, '6', heard))).toContain('/6/0');
  });

  it('does not keep every instance because all are called so', () => {
    expect(filterTree(tree, 'instance', heard)).toEqual([]);
  });

  it('keeps everything while it is empty', () => {
    expect(filterTree(tree, '  ', heard)).toBe(tree);
  });
});

describe('the rows of a tree', () => {
  const tree = objectTree(
    source({ links: links('/33000/0', '/33001/0'), discovered: new Set(['/33000/0/1']) }),
  );
  const rows = (isOpen: (path: string) => boolean) => visibleRows(tree, isOpen).map(({ node }) => node.path);

  it('are the objects alone while nothing is open', () => {
    expect(rows(() => false)).toEqual(['/33000', '/33001']);
  });

  it('go as deep as is open', () => {
    expect(rows((path) => path === '/33000')).toEqual(['/33000', '/33000/0', '/33001']);
    expect(rows(() => true)).toEqual(paths(tree));
  });

  it('do not show what is open below something closed', () => {
    expect(rows((path) => path === '/33000/0')).toEqual(['/33000', '/33001']);
  });

  it('say where they stand among their siblings', () => {
    expect(visibleRows(tree, () => false).map(({ position, siblings }) => [position, siblings])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('are there for thousands of instances', () => {
    const many = Array.from({ length: 1000 }, (_, instance) => `/3/${instance}`);
    const large = objectTree(source({ links: links(...many), all: true }));
    expect(visibleRows(large, () => true)).toHaveLength(1 + 1000 * (1 + modelOf(3).resources.length));
  });
});

describe('the trail of a place', () => {
  it('leads from its object to itself', () => {
    expect(trailOf('/3/0/9')).toEqual(['/3', '/3/0', '/3/0/9']);
  });
});
