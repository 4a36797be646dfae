import type { ApiClient } from './api-client.ts';
import type {
  ApiBootstrapProfile,
  ApiBootstrapProfileBody,
  ApiBootstrapProfilesAnswer,
  ApiBootstrapSession,
  ApiBootstrapSessionsAnswer,
  ApiDeviceBootstrap,
} from './api-types.ts';
import { durationText } from './time.ts';

const root = '/api/bootstrap';
const profileAt = (id: string) => `${root}/profiles/${encodeURIComponent(id)}`;
const deviceAt = (endpoint: string) => `/api/devices/${encodeURIComponent(endpoint)}/bootstrap`;
/** Bootstraps that are shown of all devices. */
const newest = 20;

export async function fetchProfiles(
  api: ApiClient,
  signal?: AbortSignal,
): Promise<readonly ApiBootstrapProfile[]> {
  return (await api.get<ApiBootstrapProfilesAnswer>(`${root}/profiles`, {}, signal)).items;
}

export function saveProfile(
  api: ApiClient,
  id: string,
  body: ApiBootstrapProfileBody,
): Promise<ApiBootstrapProfile> {
  return api.send('PUT', profileAt(id), body);
}

/** Of the server's own profile: it is again as the server brings it along. */
export function removeProfile(api: ApiClient, id: string): Promise<void> {
  return api.send('DELETE', profileAt(id));
}

export async function fetchBootstraps(
  api: ApiClient,
  signal?: AbortSignal,
): Promise<readonly ApiBootstrapSession[]> {
  return (await api.get<ApiBootstrapSessionsAnswer>(`${root}/sessions`, { limit: newest }, signal)).items;
}

export function fetchDeviceBootstrap(
  api: ApiClient,
  endpoint: string,
  signal?: AbortSignal,
): Promise<ApiDeviceBootstrap> {
  return api.get(deviceAt(endpoint), {}, signal);
}

/** Undefined: the rules say what it gets. */
export function assignProfile(api: ApiClient, endpoint: string, profile: string | undefined): Promise<void> {
  const path = `${deviceAt(endpoint)}/profile`;
  return profile === undefined ? api.send('DELETE', path) : api.send('PUT', path, { profile });
}

/** Has the device ask its bootstrap server now. */
export function triggerBootstrap(api: ApiClient, endpoint: string): Promise<void> {
  return api.send('POST', deviceAt(endpoint));
}

/** What a profile says, without what the server keeps about it. */
export function profileBody(profile: ApiBootstrapProfile): ApiBootstrapProfileBody {
  const { name, enabled, devices, priority, readFirst, remove, servers, objects, access, retries } = profile;
  return { name, enabled, devices, priority, readFirst, remove, servers, objects, access, retries };
}

/** `Devices whose name is meter-* and whose model is M?`, `All devices`. */
export function devicesText({ endpoint, manufacturer, model }: ApiBootstrapProfile['devices']): string {
  const parts = [
    ...(endpoint === undefined ? [] : [`whose name is ${endpoint}`]),
    ...(manufacturer === undefined ? [] : [`whose manufacturer is ${manufacturer}`]),
    ...(model === undefined ? [] : [`whose model is ${model}`]),
  ];
  return parts.length === 0 ? 'All devices' : `Devices ${parts.join(' and ')}`;
}

/** `Server 101, this one, with a key of each device's own`. */
export function serverText({ shortServerId, uri, security }: ApiBootstrapProfile['servers'][number]): string {
  const where = uri ?? 'this one';
  return `Server ${shortServerId}, ${where}, ${security === 'psk' ? "with a key of each device's own" : 'without security'}`;
}

export const bootstrapStates: Readonly<
  Record<ApiBootstrapSession['state'], { readonly word: string; readonly look: string }>
> = {
  running: { word: 'under way', look: 'waiting' },
  finished: { word: 'finished', look: 'good' },
  failed: { word: 'failed', look: 'bad' },
  replaced: { word: 'begun anew', look: 'quiet' },
};

/** `in 24 ms`, of one that is under way `for 3 s`. */
export function tookText({ state, startedAt, updatedAt }: ApiBootstrapSession, now: number): string {
  return state === 'running'
    ? `for ${durationText(Math.max(0, now - startedAt))}`
    : `in ${durationText(Math.max(0, updatedAt - startedAt))}`;
}
