import { isAllowed, type Principal } from '../people/principal.ts';
import { itemIsSeen, type Tenancy } from '../people/tenancy.ts';
import type { DeviceFilter } from '../ports/device-store.ts';
import type { StoredEvent } from '../ports/event-log.ts';

/** Who may only look sees identifiers masked (masks.ts), and must not find them out by searching for their starts. */
export function seesMasked(principal: Pick<Principal, 'role' | 'scopes'>): boolean {
  return !isAllowed(principal, 'operate');
}

/** The devices that fit, of those that he may see, and by what he may know of them. */
export function filterFor(principal: Principal, filter: DeviceFilter): DeviceFilter {
  const { search, ...rest } = filter;
  const searched = search === undefined ? {} : seesMasked(principal) ? { endpointPart: search } : { search };
  const { tenant } = principal;
  if (tenant === undefined) return { ...rest, ...searched };
  // Who asks for another one's gets none.
  const own = rest.tenant === undefined || rest.tenant.includes(tenant) ? [tenant] : [];
  return { ...rest, ...searched, tenant: own };
}

/** Those of the events that he may see. */
export async function visibleEvents(
  { tenant }: Pick<Principal, 'tenant'>,
  events: readonly StoredEvent[],
  tenancy: Pick<Tenancy, 'of'>,
): Promise<readonly StoredEvent[]> {
  if (tenant === undefined) return events;
  const tenants = await tenancy.of(
    events.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint])),
  );
  return events.filter((event) => itemIsSeen(tenant, event, tenants) === true);
}
