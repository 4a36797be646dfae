import type { ApiClient } from './api-client.ts';
import type { ApiObservationPolicy, ApiObservationPolicyBody } from './api-types.ts';

const root = '/api/observation-policies';
const at = (id: string) => `${root}/${encodeURIComponent(id)}`;

export async function fetchPolicies(
  api: ApiClient,
  signal?: AbortSignal,
): Promise<readonly ApiObservationPolicy[]> {
  const { items } = await api.get<{ readonly items: readonly ApiObservationPolicy[] }>(root, {}, signal);
  return items;
}

/** Under an id of the server's choice where none is given. */
export function savePolicy(
  api: ApiClient,
  id: string | undefined,
  body: ApiObservationPolicyBody,
): Promise<ApiObservationPolicy> {
  return id === undefined ? api.send('POST', root, body) : api.send('PUT', at(id), body);
}

export function removePolicy(api: ApiClient, id: string): Promise<void> {
  return api.send('DELETE', at(id));
}

/** A built-in one is again what the server brings along. */
export function restorePolicy(api: ApiClient, id: string): Promise<ApiObservationPolicy> {
  return api.send('POST', `${at(id)}/restore`);
}

/** What a policy says, without what the server keeps about it. */
export function policyBody({
  name,
  enabled,
  devices,
  observations,
}: ApiObservationPolicy): ApiObservationPolicyBody {
  return { name, enabled, devices, observations };
}

/** `Devices whose model is EC2*, that list object 3`. */
export function selectorText({
  endpoint,
  manufacturer,
  model,
  object,
}: ApiObservationPolicy['devices']): string {
  const parts = [
    endpoint === undefined ? undefined : `endpoint ${endpoint}`,
    manufacturer === undefined ? undefined : `manufacturer ${manufacturer}`,
    model === undefined ? undefined : `model ${model}`,
    object === undefined ? undefined : `object ${object} listed`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'all devices' : parts.join(', ');
}

/** `/3/0/9 + /4/0/2 (pmin 60, pmax 3600)`; `not /4/0/2`. */
export function wantedText({
  paths,
  attributes = {},
  exclude,
}: ApiObservationPolicy['observations'][number]): string {
  const named = Object.entries(attributes).map(([name, value]) => `${name} ${value}`);
  const more = named.length === 0 ? '' : ` (${named.join(', ')})`;
  return `${exclude === true ? 'not ' : ''}${paths.join(' + ')}${more}`;
}
