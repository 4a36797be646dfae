import type { LastValue, LastValues } from './last-values.ts';
import { objectTree, type TreeNode, type TreeSource } from './object-tree.ts';

type Shown = Omit<TreeSource, 'heard'>;

/**
 * The tree of one device, and its values, made anew only where something of it has changed: values come many times a
 * second, other places seldom.
 */
export class DeviceTree {
  #values: LastValues = new Map();
  #valuesOf: readonly unknown[] = [];
  #nodes: readonly TreeNode[] = [];
  #nodesOf: readonly unknown[] = [];
  /** Every path that a value was heard of. */
  readonly #heard = new Set<string>();

  /** What was heard, and what Reads have brought: of each path what is newer. */
  values(heard: LastValues, read: LastValues): LastValues {
    if (heard === this.#valuesOf[0] && read === this.#valuesOf[1]) return this.#values;
    this.#valuesOf = [heard, read];
    const merged = new Map<string, LastValue>(heard);
    for (const [path, value] of read) {
      if (value.takenAt >= (merged.get(path)?.takenAt ?? 0)) merged.set(path, value);
    }
    for (const path of heard.keys()) this.#heard.add(path);
    this.#values = merged;
    return merged;
  }

  nodes(shown: Shown): readonly TreeNode[] {
    const { links, models, discovered, mapped, gone, asked, all } = shown;
    const inputs = [links, models, discovered, mapped, gone, asked, all, this.#heard.size];
    if (inputs.every((input, index) => input === this.#nodesOf[index])) return this.#nodes;
    this.#nodesOf = inputs;
    this.#nodes = objectTree({ ...shown, heard: this.#heard });
    return this.#nodes;
  }
}
