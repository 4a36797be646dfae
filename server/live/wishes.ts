import type { LiveWish } from '../events.ts';

/** Which types a wish is for; all but `trace` where undefined. */
type Types = ReadonlySet<string> | undefined;

/** The wishes of a subscriber, made ready to be asked for every item. */
export class Wishes {
  /** Equal for equal wishes, in whatever order they were given. */
  readonly key: string;
  /** Of all devices; empty where each wish names one. */
  readonly #fleet: Types[] = [];
  readonly #byEndpoint = new Map<string, Types[]>();
  readonly #traced = new Set<string>();
  /** Only what is this tenant's. */
  readonly tenant: string | undefined;

  /** @param wishes none: everything but traces. */
  constructor(wishes: readonly LiveWish[], tenant?: string) {
    this.tenant = tenant;
    const given = wishes.length === 0 ? [{}] : wishes;
    for (const { endpoint, types } of given) {
      if (endpoint === undefined) {
        this.#fleet.push(types);
        continue;
      }
      if (types?.has('trace') === true) this.#traced.add(endpoint);
      const known = this.#byEndpoint.get(endpoint);
      if (known === undefined) this.#byEndpoint.set(endpoint, [types]);
      else known.push(types);
    }
    this.key = JSON.stringify([
      tenant,
      given.map(({ endpoint, types }) => JSON.stringify([endpoint, types && [...types].sort()])).sort(),
    ]);
  }

  /** Whether any wish is for all devices. */
  get ofFleet(): boolean {
    return this.#fleet.length > 0;
  }

  /** The devices that wishes name. */
  get endpoints(): Iterable<string> {
    return this.#byEndpoint.keys();
  }

  /** The one device that all wishes are about. */
  get onlyEndpoint(): string | undefined {
    if (this.ofFleet || this.#byEndpoint.size !== 1) return undefined;
    return this.#byEndpoint.keys().next().value;
  }

  /** The devices whose messages are to be traced. */
  get traced(): ReadonlySet<string> {
    return this.#traced;
  }

  /** @param endpoint undefined for what is of no device */
  wants(type: string, endpoint: string | undefined): boolean {
    if (type === 'trace') return endpoint !== undefined && this.#traced.has(endpoint);
    if (names(this.#fleet, type)) return true;
    if (endpoint === undefined) return false;
    const types = this.#byEndpoint.get(endpoint);
    return types !== undefined && names(types, type);
  }

  get wantsReadings(): boolean {
    return this.#some((types) => types === undefined || types.has('readings'));
  }

  get wantsEvents(): boolean {
    return this.#some((types) => types === undefined || [...types].some(isStored));
  }

  #some(test: (types: Types) => boolean): boolean {
    return this.#fleet.some(test) || [...this.#byEndpoint.values()].some((list) => list.some(test));
  }
}

function names(list: readonly Types[], type: string): boolean {
  for (const types of list) if (types === undefined || types.has(type)) return true;
  return false;
}

function isStored(type: string): boolean {
  return type !== 'readings' && type !== 'trace';
}
