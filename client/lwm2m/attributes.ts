import { Code } from '../../protocol/coap/message.ts';
import {
  type AttributeChanges,
  type NotificationAttributeName,
  type NotificationAttributes,
  notificationAttributeNames,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { isBelow } from '../../protocol/lwm2m/path.ts';
import { areConsistent, periodsAreConsistent } from './notification-rules.ts';
import { OperationError } from './operation-error.ts';

/** Nodes that may carry attributes: bounds what a server can make us keep. */
const maxNodes = 1_000;

const none: NotificationAttributes = Object.freeze({});

/** Attributes that one server wrote, by path (OMA-TS-LightweightM2M_Core §5.1.2). */
export class AttributeStore {
  readonly #nodes = new Map<string, NotificationAttributes>();
  readonly #watchers = new Set<() => void>();

  /** How many nodes have attributes. */
  get size(): number {
    return this.#nodes.size;
  }

  /**
   * Sets attributes of a node, and removes those that are null.
   * @throws OperationError 4.00, and then nothing has changed
   */
  write(path: string, changes: AttributeChanges): void {
    const next = withChanges(this.#nodes.get(path) ?? none, changes);
    checkConsistency(next);
    if (Object.keys(next).length === 0) this.#nodes.delete(path);
    else if (this.#nodes.has(path) || this.#nodes.size < maxNodes) this.#nodes.set(path, next);
    else throw new OperationError(Code.BAD_REQUEST, 'attributes on too many nodes');
  }

  /** Calls the listener when attributes have changed, and the server has its answer; until what it returns is called. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** Tells that attributes have changed. */
  announce(): void {
    for (const listener of [...this.#watchers]) listener();
  }

  /** Those of the node itself. */
  of(path: string): NotificationAttributes {
    return this.#nodes.get(path) ?? none;
  }

  /** Those that hold at a node: its own, and of each level above what no nearer level says (§5.1.1). */
  inherited(path: string): NotificationAttributes {
    let found = none;
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const own = this.#nodes.get(at);
      if (own !== undefined) found = { ...own, ...found };
    }
    return found;
  }

  /** One attribute as it holds at a node: its own, or that of the nearest level above (§5.1.1). */
  effective(path: string, name: NotificationAttributeName): number | undefined {
    if (this.#nodes.size === 0) return undefined;
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const value = this.#nodes.get(at)?.[name];
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Paths below a node that have attributes of their own. */
  below(path: string): string[] {
    if (this.#nodes.size === 0) return [];
    return [...this.#nodes.keys()].filter((at) => isBelow(at, path));
  }

  /** Forgets those at and below a node that is gone. */
  forget(path: string): void {
    this.#nodes.delete(path);
    for (const at of this.below(path)) this.#nodes.delete(at);
  }

  /** Forgets all. */
  clear(): void {
    this.#nodes.clear();
  }
}

function withChanges(attributes: NotificationAttributes, changes: AttributeChanges): NotificationAttributes {
  const next: { [Name in NotificationAttributeName]?: number } = {};
  for (const name of notificationAttributeNames) {
    const value = changes[name] === undefined ? attributes[name] : changes[name];
    if (value !== undefined && value !== null) next[name] = value;
  }
  return next as NotificationAttributes;
}

/** @throws OperationError 4.00 attributes of one node, or of one observation, that contradict each other (§5.1.2) */
export function checkConsistency(attributes: NotificationAttributes): void {
  if (!areConsistent(attributes)) {
    throw new OperationError(Code.BAD_REQUEST, 'lt must lie below gt, by two steps');
  }
  if (!periodsAreConsistent(attributes)) {
    throw new OperationError(Code.BAD_REQUEST, 'epmin must be less than epmax');
  }
}
