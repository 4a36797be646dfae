import type { ApiClient } from './api-client.ts';
import type {
  ApiObjectModel,
  ApiObjectModelEntry,
  ApiObjectModelList,
  ApiObjectModelsLoaded,
} from './api-types.ts';

/** One definition, as the address of its page names it. */
export interface ModelReference {
  readonly object: number;
  /** The newest where absent. */
  readonly version?: string | undefined;
}

/** The server takes no larger one; it is told before it is sent. */
export const largestFile = 1024 * 1024;

export function fetchObjectModels(api: ApiClient, signal?: AbortSignal): Promise<ApiObjectModelList> {
  return api.get('/api/object-models', {}, signal);
}

export function fetchObjectModel(
  api: ApiClient,
  { object, version }: ModelReference,
  signal?: AbortSignal,
): Promise<ApiObjectModel> {
  return api.get(`/api/object-models/${object}`, { version }, signal);
}

/** All objects of a file, or none. */
export function uploadObjectModels(api: ApiClient, xml: Blob): Promise<ApiObjectModelsLoaded> {
  return api.upload('/api/object-models', 'application/xml', xml);
}

export function removeObjectModel(api: ApiClient, object: number, version: string): Promise<void> {
  return api.send('DELETE', `/api/object-models/${object}?version=${encodeURIComponent(version)}`);
}

export function xmlAddress(object: number, version: string): string {
  return `/api/object-models/${object}/xml?version=${encodeURIComponent(version)}`;
}

/** `object=3&version=1.2`; undefined where the address names none. */
export function parseModelQuery(query: string): ModelReference | undefined {
  const parameters = new URLSearchParams(query);
  const object = parameters.get('object') ?? '';
  if (!/^\d{1,5}$/.test(object)) return undefined;
  return { object: Number(object), version: parameters.get('version') ?? undefined };
}

export function modelQuery({ object, version }: ModelReference): string {
  return String(
    new URLSearchParams({ object: String(object), ...(version === undefined ? {} : { version }) }),
  );
}

/** Those with all words of the search in their id, name, URN or source. */
export function searchModels(
  items: readonly ApiObjectModelEntry[],
  search: string,
): readonly ApiObjectModelEntry[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ objectId, name, urn, source, file }) => {
    const text = `${objectId} ${name} ${urn} ${source} ${file ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
