import type {
  NotificationAttributeName,
  NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { isAtOrBelow, isBelow } from '../../protocol/lwm2m/path.ts';
import type { AttributeStore } from './attributes.ts';
import { effectiveMaximum, type ValueConditions } from './notification-rules.ts';

/** What holds where no attribute says it: resources of the Server object. */
export interface ReportingDefaults {
  /** Default Minimum Period, seconds. */
  readonly minimumPeriod: number;
  /** Default Maximum Period, seconds; 0: none. */
  readonly maximumPeriod: number;
  /** Default Notification Mode (1.2); without it notifications are confirmable. */
  readonly confirmable?: boolean;
  /** How many values of a path are kept while they cannot be told, where hqmax does not say; default: nobody says. */
  readonly historyLength?: number;
}

/** Attributes that an Observe-Composite may bring along: those that can be assigned to an object (§6.4.4). */
export const compositeAttributes: ReadonlySet<NotificationAttributeName> = new Set([
  'pmin',
  'pmax',
  'epmin',
  'epmax',
  'con',
  'hqmax',
]);

/**
 * The attributes as they hold for one observation. Those that came with its request are for it alone, and what
 * was written to the nodes is then ignored (§6.4.1); an Observe-Composite can bring only some, and the others
 * hold as written (§6.4.4). Periods in seconds.
 */
export class ObservationConditions {
  readonly #paths: readonly string[];
  readonly #composite: boolean;
  readonly #own: NotificationAttributes | undefined;
  readonly #store: AttributeStore;
  readonly #defaults: () => ReportingDefaults;

  constructor(
    observed: {
      readonly paths: readonly string[];
      readonly composite: boolean;
      readonly attributes?: NotificationAttributes;
    },
    store: AttributeStore,
    defaults: () => ReportingDefaults,
  ) {
    this.#paths = observed.paths;
    this.#composite = observed.composite;
    this.#own = observed.attributes;
    this.#store = store;
    this.#defaults = defaults;
  }

  /**
   * How long after the last notification one may go out that a change at `changed` calls for. A composite
   * notification tells all its paths, so the longest of their minimum periods holds.
   */
  minimumPeriod(changed?: string): number {
    return this.#longest('pmin', this.#defaults().minimumPeriod, changed);
  }

  /** How long a change has to wait for being looked at since the last look. */
  minimumEvaluationPeriod(changed?: string): number {
    return this.#longest('epmin', 0, changed);
  }

  /** When at the latest one goes out after the last; undefined: never by time alone. */
  maximumPeriod(): number | undefined {
    const { minimumPeriod, maximumPeriod } = this.#defaults();
    let shortest: number | undefined;
    for (const node of this.#nodes()) {
      const minimum = this.#at(node, 'pmin') ?? minimumPeriod;
      const maximum = effectiveMaximum(minimum, this.#at(node, 'pmax') ?? maximumPeriod);
      if (maximum !== undefined) shortest = Math.min(shortest ?? maximum, maximum);
    }
    return shortest;
  }

  /** How often values are looked at although nobody says that they have changed. */
  maximumEvaluationPeriod(): number | undefined {
    let shortest: number | undefined;
    for (const node of this.#nodes()) {
      const own = this.#at(node, 'epmax');
      if (own !== undefined && own > 0) shortest = Math.min(shortest ?? own, own);
    }
    return shortest;
  }

  /** Confirmable if one of the nodes that are told asks for it (§5.1.2). */
  confirmable(): boolean {
    const { confirmable = true } = this.#defaults();
    return this.#nodes().some((node) => {
      const own = this.#at(node, 'con');
      return own === undefined ? confirmable : own === 1;
    });
  }

  /** How many values of a path are kept while they cannot be told; undefined: nobody says. */
  historyLength(path: string): number | undefined {
    return this.#at(path, 'hqmax') ?? this.#defaults().historyLength;
  }

  /** The longest of the histories that are kept while the server is away; undefined where nobody says. */
  longestHistory(): number | undefined {
    return this.longestOwnHistory() ?? this.#defaults().historyLength;
  }

  /** The longest of those that hqmax asks for: they also hold what comes while a notification is under way. */
  longestOwnHistory(): number | undefined {
    let longest: number | undefined;
    for (const node of this.#nodes()) {
      const own = this.#at(node, 'hqmax');
      if (own !== undefined) longest = Math.max(longest ?? own, own);
    }
    return longest;
  }

  /** What a value at this path, of a resource or a resource instance, must do to be told. */
  valueConditions(path: string): ValueConditions {
    const conditions: { gt?: number; lt?: number; st?: number; edge?: 0 | 1 } = {};
    for (const name of ['gt', 'lt', 'st'] as const) {
      const value = this.#at(path, name);
      if (value !== undefined) conditions[name] = value;
    }
    const edge = this.#at(path, 'edge');
    if (edge !== undefined) conditions.edge = edge === 1 ? 1 : 0;
    return conditions;
  }

  /** Whether any value at or below this path has conditions: without, every change is told. */
  hasValueConditions(path: string): boolean {
    if (this.#own === undefined && this.#store.size === 0) return false;
    return [path, ...this.#store.below(path)].some((node) =>
      (['gt', 'lt', 'st', 'edge'] as const).some((name) => this.#at(node, name) !== undefined),
    );
  }

  #at(path: string, name: NotificationAttributeName): number | undefined {
    const own = this.#own;
    if (own !== undefined && (!this.#composite || compositeAttributes.has(name))) return own[name];
    return this.#store.effective(path, name);
  }

  /** What is observed, and what below it has attributes of its own. */
  #nodes(): readonly string[] {
    if (this.#store.size === 0) return this.#paths;
    return this.#paths.flatMap((path) => [path, ...this.#store.below(path)]);
  }

  #longest(name: 'pmin' | 'epmin', fallback: number, changed: string | undefined): number {
    let longest = 0;
    for (const path of this.#paths) {
      const at = changed !== undefined && isAtOrBelow(changed, path) ? changed : path;
      longest = Math.max(longest, this.#at(at, name) ?? fallback);
    }
    return longest;
  }
}

/** Whether a change at `changed` shows in what is observed at `observed`, or the reverse. */
export function touches(observed: string, changed: string): boolean {
  return changed === observed || isBelow(changed, observed) || isBelow(observed, changed);
}
