export type DeviceState = 'registered' | 'unregistered';

/** Where the reader is; every view has one, and it fits into the address bar. */
export type Route =
  | { readonly name: 'devices'; readonly search: string; readonly state: DeviceState | undefined }
  | { readonly name: 'device'; readonly endpoint: string }
  | { readonly name: 'not-found'; readonly path: string };

/** `search` as of the address bar, with or without its question mark. */
export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, '') : pathname;
  if (path === '/' || path === '/devices') {
    const state = query.get('state');
    return {
      name: 'devices',
      search: query.get('q') ?? '',
      state: state === 'registered' || state === 'unregistered' ? state : undefined,
    };
  }
  const device = /^\/devices\/([^/]+)$/.exec(path);
  const endpoint = device?.[1] === undefined ? undefined : decode(device[1]);
  if (endpoint !== undefined) return { name: 'device', endpoint };
  return { name: 'not-found', path: pathname };
}

/** The address of a view; `parseRoute` of it gives the same view back. */
export function hrefOf(route: Exclude<Route, { name: 'not-found' }>): string {
  if (route.name === 'device') return `/devices/${encodeURIComponent(route.endpoint)}`;
  const query = new URLSearchParams();
  if (route.search !== '') query.set('q', route.search);
  if (route.state !== undefined) query.set('state', route.state);
  return query.size > 0 ? `/devices?${query}` : '/devices';
}

export function titleOf(route: Route): string {
  if (route.name === 'device') return `${route.endpoint} · Simyard`;
  if (route.name === 'devices')
    return route.search === '' ? 'Devices · Simyard' : `${route.search} · Simyard`;
  return 'Not found · Simyard';
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray % in the address: no view of ours.
    return undefined;
  }
}
