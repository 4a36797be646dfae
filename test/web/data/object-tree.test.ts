import { describe, expect, it } from 'vitest';
import type { LastValue } from '../../../web/data/last-values.ts';
import {
  filterTree,
  nodeAt,
  objectTree,
  parentOf,
  type TreeNode,
  type TreeSource,
  visibleNodes,
} from '../../../web/data/object-tree.ts';
import { modelOf } from '../support/models.ts';

const values = (entries: Readonly<Record<string, LastValue['value']>>) =>
  new Map(Object.entries(entries).map(([path, value]) => [path, { path, value, takenAt: 5 }]));

const links = (...paths: string[]) => paths.map((path) => ({ path, attributes: {} }));

const source = (change: Partial<TreeSource>): TreeSource => ({
  links: [],
  models: new Map([3, 4, 6].map((id) => [id, modelOf(id)])),
  values: new Map(),
  discovered: new Set(),
  all: false,
  ...change,
});

const paths = (tree: readonly TreeNode[]): string[] =>
  tree.flatMap((node) => [node.path, ...paths(node.children)]);

const everything = () => true;

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
        values: values({ '/33000/0/1': 5 }),
        discovered: new Set(['/33000/0/2/7']),
      }),
    );
    expect(paths(tree)).toEqual(['/33000', '/33000/0', '/33000/0/1', '/33000/0/2', '/33000/0/2/7']);
    expect(nodeAt(tree, '/33000/0/1')?.last?.value).toBe(5);
    expect(nodeAt(tree, '/33000/0/2/7')).toMatchObject({ level: 4, name: 'Instance 7', seen: true });
  });

  it('names places by the definition, and by their numbers where there is none', () => {
    const tree = objectTree(source({ links: links('/3/0', '/33000/1'), values: values({ '/3/0/9': 80 }) }));
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
    const tree = objectTree(source({ links: links('/3/0'), values: values({ '/3/0/9': 80 }), all: true }));
    const children = nodeAt(tree, '/3/0')?.children ?? [];
    expect(children).toHaveLength(modelOf(3).resources.length);
    expect(children.filter(({ seen }) => seen).map(({ path }) => path)).toEqual(['/3/0/9']);
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
  const tree = objectTree(
    source({
      links: links('/3/0', '/4/0', '/6/0'),
      values: values({ '/3/0/0': 'Acme Radio', '/3/0/9': 80, '/4/0/2': -93, '/6/0/0': 48.1 }),
    }),
  );

  it.each([
    ['a name', 'battery', ['/3', '/3/0', '/3/0/9']],
    ['a text that a value has in it', 'acme', ['/3', '/3/0', '/3/0/0']],
    ['a number that is a value', '-93', ['/4', '/4/0', '/4/0/2']],
    ['the beginning of a path', '/3/0/9', ['/3', '/3/0', '/3/0/9']],
    ['nothing that there is', 'zzz', []],
  ])('keeps %s with what is above it', (_, filter, kept) => {
    expect(paths(filterTree(tree, filter))).toEqual(kept);
  });

  it('keeps all below an object whose name it is', () => {
    const location = nodeAt(tree, '/6');
    expect(filterTree(tree, 'Location').find(({ path }) => path === '/6')).toEqual(location);
  });

  it('takes the beginning of a path by whole ids', () => {
    expect(paths(filterTree(tree, '/3/0/1')).filter((path) => path !== '/3' && path !== '/3/0')).toEqual(
      paths(tree).filter((path) => path === '/3/0/1'),
    );
  });

  it('keeps everything while it is empty', () => {
    expect(filterTree(tree, '  ')).toBe(tree);
  });
});

describe('the rows of a tree', () => {
  const tree = objectTree(
    source({ links: links('/33000/0', '/33001/0'), values: values({ '/33000/0/1': 5 }) }),
  );

  it('are the objects alone while nothing is open', () => {
    expect(visibleNodes(tree, () => false).map(({ path }) => path)).toEqual(['/33000', '/33001']);
  });

  it('go as deep as is open', () => {
    expect(visibleNodes(tree, (path) => path === '/33000').map(({ path }) => path)).toEqual([
      '/33000',
      '/33000/0',
      '/33001',
    ]);
    expect(visibleNodes(tree, everything).map(({ path }) => path)).toEqual(paths(tree));
  });

  it('do not show what is open below something closed', () => {
    expect(visibleNodes(tree, (path) => path === '/33000/0').map(({ path }) => path)).toEqual([
      '/33000',
      '/33001',
    ]);
  });
});
