/** The views of one device; `live` has the device's own address. */
export const deviceTabs = ['live', 'carrier', 'objects', 'commands', 'events', 'bootstrap', 'trace'] as const;
export type DeviceTab = (typeof deviceTabs)[number];

export const settingsSections = [
  'objects',
  'policies',
  'credentials',
  'bootstrap',
  'webhooks',
  'account',
  'people',
  'tokens',
  'sessions',
  'audit',
  'server',
] as const;
export type SettingsSection = (typeof settingsSections)[number];

/**
 * Where the reader is; every view has one, and it fits into the address bar. A `query` is the part behind
 * the question mark as it stands there, and means what the view makes of it.
 */
export type Route =
  | { readonly name: 'overview' }
  | { readonly name: 'devices'; readonly query: string }
  | {
      readonly name: 'device';
      readonly endpoint: string;
      readonly tab: DeviceTab;
      /** Of the objects tab, `/3/0/9`; else empty. */
      readonly path: string;
      readonly query: string;
    }
  | { readonly name: 'commands'; readonly query: string }
  | { readonly name: 'jobs'; readonly query: string }
  | { readonly name: 'job'; readonly job: string }
  | { readonly name: 'cluster' }
  | { readonly name: 'settings'; readonly section: SettingsSection; readonly query: string }
  | { readonly name: 'not-found'; readonly path: string };

/** A route to go to: what is left out is as it is when the view is opened plainly. */
export type Destination =
  | { readonly name: 'overview' | 'cluster' }
  | { readonly name: 'devices' | 'commands' | 'jobs'; readonly query?: string }
  | {
      readonly name: 'device';
      readonly endpoint: string;
      readonly tab?: DeviceTab;
      readonly path?: string;
      readonly query?: string;
    }
  | { readonly name: 'job'; readonly job: string }
  | { readonly name: 'settings'; readonly section?: SettingsSection; readonly query?: string };

/** `search` as of the address bar, with or without its question mark. */
export function parseRoute(pathname: string, search: string): Route {
  const query = search.replace(/^\?/, '');
  const path = pathname.replace(/\/+$/, '');
  const parts = path.split('/').slice(1).map(decode);
  const [first, second, third] = parts;
  if (path === '') return { name: 'overview' };
  if (!parts.includes(undefined)) {
    if (first === 'devices' && second !== undefined && second !== '') {
      const device = deviceRoute(second, third, path.split('/').slice(4), query);
      if (device !== undefined) return device;
    }
    if (first === 'settings' && parts.length <= 2) {
      const section = second ?? settingsSections[0];
      if (isOneOf(settingsSections, section)) return { name: 'settings', section, query };
    }
    if (first === 'jobs' && parts.length === 2 && second !== undefined) return { name: 'job', job: second };
    if (parts.length === 1) {
      if (first === 'devices' || first === 'commands' || first === 'jobs') return { name: first, query };
      if (first === 'cluster') return { name: first };
    }
  }
  return { name: 'not-found', path: pathname };
}

function deviceRoute(
  endpoint: string,
  tab: string | undefined,
  rest: readonly string[],
  query: string,
): Route | undefined {
  if (tab === undefined) return { name: 'device', endpoint, tab: 'live', path: '', query };
  if (tab === 'live' || !isOneOf(deviceTabs, tab)) return undefined;
  if (rest.length > 0 && (tab !== 'objects' || !rest.every((part) => /^\d+$/.test(part)))) return undefined;
  return { name: 'device', endpoint, tab, path: rest.map((part) => `/${part}`).join(''), query };
}

/** The address of a view; `parseRoute` of it gives the same view back. */
export function hrefOf(route: Destination): string {
  switch (route.name) {
    case 'overview':
      return '/';
    case 'cluster':
      return '/cluster';
    case 'devices':
    case 'commands':
    case 'jobs':
      return withQuery(`/${route.name}`, route.query);
    case 'job':
      return `/jobs/${encodeURIComponent(route.job)}`;
    case 'settings':
      return withQuery(`/settings/${route.section ?? settingsSections[0]}`, route.query);
    case 'device': {
      const { endpoint, tab = 'live', path = '' } = route;
      const view = tab === 'live' ? '' : `/${tab}${path}`;
      return withQuery(`/devices/${encodeURIComponent(endpoint)}${view}`, route.query);
    }
  }
}

export function titleOf(route: Route): string {
  return `${viewTitle(route)} · Simyard`;
}

function viewTitle(route: Route): string {
  switch (route.name) {
    case 'devices':
      return new URLSearchParams(route.query).get('q') || 'Devices';
    case 'device':
      return route.tab === 'live' ? route.endpoint : `${capital(route.tab)} · ${route.endpoint}`;
    case 'job':
      return `Job ${route.job}`;
    case 'settings':
      return `Settings · ${sectionTitles[route.section]}`;
    case 'not-found':
      return 'Not found';
    default:
      return capital(route.name);
  }
}

export const sectionTitles: Readonly<Record<SettingsSection, string>> = {
  objects: 'Object definitions',
  policies: 'Observation policies',
  credentials: 'Credentials',
  bootstrap: 'Bootstrap',
  webhooks: 'Webhooks',
  account: 'Your account',
  people: 'People',
  tokens: 'API tokens',
  sessions: 'Sessions',
  audit: 'Audit log',
  server: 'Server',
};

function withQuery(path: string, query: string | undefined): string {
  return query === undefined || query === '' ? path : `${path}?${query}`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function isOneOf<T extends string>(all: readonly T[], word: string): word is T {
  return (all as readonly string[]).includes(word);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray % in the address: no view of ours.
    return undefined;
  }
}
