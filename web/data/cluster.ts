import type { ApiClient } from './api-client.ts';
import type { ApiCluster, ApiServerSettingsAnswer } from './api-types.ts';

export function fetchCluster(api: ApiClient, signal?: AbortSignal): Promise<ApiCluster> {
  return api.get('/api/cluster', {}, signal);
}

export function fetchServerSettings(api: ApiClient, signal?: AbortSignal): Promise<ApiServerSettingsAnswer> {
  return api.get('/api/server/settings', {}, signal);
}
