import { UnknownDeviceError } from '../errors.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { DeviceStore } from '../ports/device-store.ts';
import type { StoredEvent } from '../ports/event-log.ts';
import { NoSecretKeyError, SealError } from '../secrets/sealer.ts';

/** Who asks: with a tenant he sees what is that tenant's, without one all. */
export interface Seer {
  readonly tenant?: string | undefined;
}

/** Devices of which it is remembered whose they are. */
const KEPT = 50_000;
/** Devices that one call of the store tells of. */
const AT_ONCE = 500;

/** Whether he may see what belongs to `tenant`; null and undefined: to the operator. */
export function sees(seer: Seer, tenant: string | null | undefined): boolean {
  return seer.tenant === undefined || seer.tenant === tenant;
}

/** What of an event says whose it is. */
export type ItemOfTenant = Pick<StoredEvent, 'type'> & Partial<Pick<StoredEvent, 'endpoint' | 'data'>>;

/** Whose devices are, by endpoint: null: the operator's own, and what is not known. */
export type TenantsByEndpoint = Pick<ReadonlyMap<string, string | null>, 'get'>;

export interface TenancyParts {
  readonly devices: Pick<DeviceStore, 'tenants'>;
  /** Of what the inventory does not know: a device that was forgotten, and has a credential still; none where absent. */
  readonly credentials?: Pick<CredentialStore, 'get'>;
}

/**
 * Whose a device, and what happens to it, is: the one place that decides. Who asks once is answered out of the store;
 * what is told all the time, out of a memory that is bounded and hears of changes by their events.
 */
export class Tenancy {
  readonly #parts: TenancyParts;
  readonly #kept: number;
  #known: RecentMap<string, string | null>;
  /** Of each look into the store that is under way: the endpoints that have changed since. */
  readonly #looks = new Set<{ readonly changed: Set<string>; all: boolean }>();

  constructor(parts: TenancyParts, kept = KEPT) {
    this.#parts = parts;
    this.#kept = kept;
    this.#known = new RecentMap(kept);
  }

  /** Whose these devices are, as the store says. */
  async of(endpoints: Iterable<string>): Promise<TenantsByEndpoint> {
    const names = [...new Set(endpoints)];
    const { devices, credentials } = this.#parts;
    const found = new Map<string, string | null>();
    const look = { changed: new Set<string>(), all: false };
    this.#looks.add(look);
    try {
      for (let from = 0; from < names.length; from += AT_ONCE) {
        for (const [endpoint, tenant] of await devices.tenants(names.slice(from, from + AT_ONCE))) {
          found.set(endpoint, tenant);
        }
      }
      const others = names.filter((name) => !found.has(name));
      for (let from = 0; credentials !== undefined && from < others.length; from += AT_ONCE) {
        await Promise.all(
          others.slice(from, from + AT_ONCE).map(async (name) => {
            found.set(name, await tenantGiven(credentials, name));
          }),
        );
      }
    } finally {
      this.#looks.delete(look);
    }
    for (const name of names) {
      const tenant = found.get(name) ?? null;
      found.set(name, tenant);
      if (!look.all && !look.changed.has(name)) this.#known.set(name, tenant);
    }
    return found;
  }

  /** Undefined: the operator's own, or not known. */
  async tenantOf(endpoint: string): Promise<string | undefined> {
    return (await this.of([endpoint])).get(endpoint) ?? undefined;
  }

  /** @throws UnknownDeviceError it is another's: to him there is no such device */
  async check(seer: Seer, endpoint: string): Promise<void> {
    if (seer.tenant === undefined) return;
    if ((await this.tenantOf(endpoint)) !== seer.tenant) throw new UnknownDeviceError(endpoint);
  }

  /** Those that he may see, of things that are each of a device. */
  async visible<T extends { readonly endpoint: string }>(
    seer: Seer,
    things: readonly T[],
  ): Promise<readonly T[]> {
    if (seer.tenant === undefined) return things;
    const tenants = await this.of(things.map(({ endpoint }) => endpoint));
    return things.filter(({ endpoint }) => tenants.get(endpoint) === seer.tenant);
  }

  /** Whose these devices are, without the store where that is remembered. */
  async recall(endpoints: Iterable<string>): Promise<TenantsByEndpoint> {
    const found = new Map<string, string | null>();
    const unknown: string[] = [];
    for (const endpoint of new Set(endpoints)) {
      const tenant = this.#known.get(endpoint);
      if (tenant === undefined) unknown.push(endpoint);
      else found.set(endpoint, tenant);
    }
    if (unknown.length === 0) return found;
    const looked = await this.of(unknown);
    for (const endpoint of unknown) found.set(endpoint, looked.get(endpoint) ?? null);
    return found;
  }

  /** What is remembered now; undefined: the store would have to be asked. */
  readonly known: TenantsByEndpoint = { get: (endpoint) => this.#known.get(endpoint) };

  /** Every event, before it is told on: it may change whose a device is. */
  note({ type, endpoint, data }: Pick<StoredEvent, 'type' | 'endpoint' | 'data'>): void {
    if (!mayChangeTenant(type, data)) return;
    if (endpoint === undefined) {
      this.#known = new RecentMap(this.#kept);
      for (const look of this.#looks) look.all = true;
      return;
    }
    this.#known.delete(endpoint);
    for (const { changed } of this.#looks) changed.add(endpoint);
    const { tenant } = (data['attributes'] ?? {}) as { readonly tenant?: unknown };
    if (typeof tenant === 'string' || tenant === null) this.#known.set(endpoint, tenant);
  }
}

/** Whose the device was enrolled for. One whose key cannot be opened is nobody's but the operator's. */
async function tenantGiven(
  credentials: Pick<CredentialStore, 'get'>,
  endpoint: string,
): Promise<string | null> {
  try {
    const given = await credentials.get(endpoint);
    return given.find(({ tenant }) => tenant !== undefined)?.tenant ?? null;
  } catch (error) {
    if (error instanceof SealError || error instanceof NoSecretKeyError) return null;
    throw error;
  }
}

/**
 * A device was given to somebody, by name or by a credential (an import names none); or it is made anew, or is gone:
 * then nothing that was remembered of it counts. One whose registration is replaced is the device that it was.
 */
function mayChangeTenant(type: string, data: StoredEvent['data']): boolean {
  if (type === 'credential') return data['change'] === 'created' || data['change'] === 'imported';
  if (type === 'registered') return data['replaced'] !== true;
  if (type !== 'device') return false;
  const { attributes, removed } = data;
  return (
    removed === true || (typeof attributes === 'object' && attributes !== null && 'tenant' in attributes)
  );
}

/** Definitions of objects are everybody's. */
const everybodys: ReadonlySet<string> = new Set(['object-model']);
/** Types of events that are of no device, and say in the member of their name whose they are. */
const owned: ReadonlySet<string> = new Set(['job', 'webhook']);

/**
 * Whether those of a tenant may see an item; undefined where `tenants` does not know its device. What is of no device
 * is the operator's, where it does not say otherwise.
 */
export function itemIsSeen(
  tenant: string,
  { type, endpoint, data }: ItemOfTenant,
  tenants: TenantsByEndpoint,
): boolean | undefined {
  if (endpoint !== undefined) {
    const own = tenants.get(endpoint);
    return own === undefined ? undefined : own === tenant;
  }
  if (everybodys.has(type)) return true;
  if (!owned.has(type)) return false;
  const thing = data?.[type] as { readonly tenant?: unknown } | undefined;
  return thing?.tenant === tenant;
}
