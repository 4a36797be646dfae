import { Code } from '../../protocol/coap/message.ts';
import { OperationError } from './operation-error.ts';

/** Notification attributes of one node, by name (OMA-TS-LightweightM2M_Core §5.1.2). Numbers as they were written. */
export type Attributes = ReadonlyMap<string, string>;

/** Name and form of each; the bounds of what may be set. */
const forms: Readonly<Record<string, RegExp>> = {
  pmin: /^\d{1,10}$/,
  pmax: /^\d{1,10}$/,
  epmin: /^\d{1,10}$/,
  epmax: /^\d{1,10}$/,
  gt: /^-?\d+(\.\d+)?$/,
  lt: /^-?\d+(\.\d+)?$/,
  st: /^\d+(\.\d+)?$/,
  edge: /^[01]$/,
  con: /^[01]$/,
  hqmax: /^\d{1,10}$/,
};

/** Nodes that may carry attributes: bounds what a server can make us keep. */
const maxNodes = 1_000;

/** Attributes that the server wrote, by path. */
export class AttributeStore {
  readonly #nodes = new Map<string, Map<string, string>>();

  /**
   * Takes the query of a Write-Attributes: `pmin=10` sets, `pmin` alone removes.
   * @throws OperationError 4.00, and then nothing has changed
   */
  write(path: string, query: readonly string[]): void {
    const next = new Map(this.#nodes.get(path));
    for (const parameter of query) {
      const separator = parameter.indexOf('=');
      const name = separator < 0 ? parameter : parameter.slice(0, separator);
      const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
      if (form === undefined)
        throw new OperationError(Code.BAD_REQUEST, `no notification attribute: ${name}`);
      const value = separator < 0 ? '' : parameter.slice(separator + 1);
      if (value === '') next.delete(name);
      else if (form.test(value)) next.set(name, value);
      else throw new OperationError(Code.BAD_REQUEST, `${name} cannot be ${value}`);
    }
    const [gt, lt, st] = [next.get('gt'), next.get('lt'), next.get('st')];
    // §5.1.2: lt + 2 * st < gt.
    if (gt !== undefined && lt !== undefined && Number(lt) + 2 * Number(st ?? 0) >= Number(gt)) {
      throw new OperationError(Code.BAD_REQUEST, 'lt must lie below gt, by two steps');
    }
    if (next.size === 0) this.#nodes.delete(path);
    else if (this.#nodes.has(path) || this.#nodes.size < maxNodes) this.#nodes.set(path, next);
    else throw new OperationError(Code.BAD_REQUEST, 'attributes on too many nodes');
  }

  /** Those of the node itself. */
  of(path: string): Attributes {
    return this.#nodes.get(path) ?? new Map();
  }

  /** One attribute as it holds at a node: its own, or that of the nearest level above (§5.1.1). */
  effective(path: string, name: string): number | undefined {
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const value = this.#nodes.get(at)?.get(name);
      if (value !== undefined) return Number(value);
    }
    return undefined;
  }

  /** Forgets those at and below a node that is gone. */
  forget(path: string): void {
    for (const at of [...this.#nodes.keys()]) {
      if (at === path || at.startsWith(`${path}/`)) this.#nodes.delete(at);
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#nodes.clear();
  }
}
