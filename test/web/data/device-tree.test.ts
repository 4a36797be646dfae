import { describe, expect, it } from 'vitest';
import { DeviceTree } from '../../../web/data/device-tree.ts';
import type { LastValue } from '../../../web/data/last-values.ts';

const heard = (...values: readonly [string, LastValue['value'], number][]) =>
  new Map(values.map(([path, value, takenAt]) => [path, { path, value, takenAt }]));

const shown = {
  links: [{ path: '/33000/0' }],
  models: new Map(),
  discovered: new Set<string>(),
  mapped: new Set<string>(),
  gone: new Set<string>(),
  all: false,
};

describe('the tree of one device', () => {
  it('has of each path the newer of what was heard and what was read', () => {
    const tree = new DeviceTree();
    const values = tree.values(
      heard(['/33000/0/1', 'old', 1], ['/33000/0/2', 'new', 9]),
      heard(['/33000/0/1', 'read', 5], ['/33000/0/2', 'read', 5], ['/33000/0/3', 'read', 5]),
    );
    expect([...values.values()].map(({ value }) => value)).toEqual(['read', 'new', 'read']);
  });

  it('is the same while no other place is heard of, however often values come', () => {
    const tree = new DeviceTree();
    const read = new Map();
    tree.values(heard(['/33000/0/1', 1, 1]), read);
    const before = tree.nodes(shown);
    tree.values(heard(['/33000/0/1', 2, 2]), read);
    expect(tree.nodes(shown)).toBe(before);
    tree.values(heard(['/33000/0/1', 2, 2], ['/33000/0/2', 1, 2]), read);
    expect(tree.nodes(shown)).not.toBe(before);
    expect(tree.nodes(shown)[0]?.children[0]?.children.map(({ path }) => path)).toEqual([
      '/33000/0/1',
      '/33000/0/2',
    ]);
  });

  it('is made anew for another definition, another place that is gone to, and all that is defined', () => {
    const tree = new DeviceTree();
    const before = tree.nodes(shown);
    expect(tree.nodes({ ...shown, asked: '/33000/0/7' })).not.toBe(before);
    expect(tree.nodes({ ...shown, asked: '/33000/0/7' })[0]?.children[0]?.children).toHaveLength(1);
  });
});
