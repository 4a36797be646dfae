import type { ApiClient } from './api-client.ts';
import type { ApiDeviceFacets } from './api-types.ts';

/** What is wrong with the name of a tenant; of none, which is the operator's own, nothing. */
export function tenantFault(name: string): string | undefined {
  return name === '' || /^[a-z0-9-]{1,64}$/.test(name)
    ? undefined
    : 'A name of a to z, 0 to 9 and -, at most 64 of them';
}

/** The tenants that have devices. */
export async function fetchTenants(api: ApiClient, signal?: AbortSignal): Promise<readonly string[]> {
  const { facets } = await api.get<ApiDeviceFacets>('/api/devices/facets', { by: 'tenant' }, signal);
  return (facets.tenant ?? []).flatMap(({ value }) => (value === null ? [] : [value])).sort();
}

/** Says whose the device is; null: the operator's own. */
export function giveToTenant(api: ApiClient, endpoint: string, tenant: string | null): Promise<void> {
  return api.send('PATCH', `/api/devices/${encodeURIComponent(endpoint)}`, { tenant });
}
