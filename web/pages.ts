import { html, type TemplateResult } from 'lit';
import type { Route } from './data/routes.ts';
import type { icons } from './icons.ts';

type PageName = Exclude<Route['name'], 'not-found'>;

/** How a page is reached from everywhere: `g`, then `key`. */
export interface NavigationEntry {
  readonly label: string;
  readonly key: string;
  readonly href: string;
  readonly icon: keyof typeof icons;
}

interface PageOf<Name extends PageName> {
  readonly name: Name;
  /** Absent for a page that is reached from another one. */
  readonly navigation?: NavigationEntry;
  /** Loads its code, when it is first gone to. */
  readonly load: () => Promise<unknown>;
  readonly view: (route: Extract<Route, { name: Name }>) => TemplateResult;
}

type Page = { [Name in PageName]: PageOf<Name> }[PageName];

/** All pages, in the order of the navigation. A page that is not in here is not there. */
export const pages: readonly Page[] = [
  {
    name: 'overview',
    navigation: { label: 'Overview', key: 'o', href: '/', icon: 'overview' },
    load: () => import('./elements/sy-overview-page.ts'),
    view: () => html`<sy-overview-page></sy-overview-page>`,
  },
  {
    name: 'devices',
    navigation: { label: 'Devices', key: 'd', href: '/devices', icon: 'devices' },
    load: () => import('./elements/sy-devices-page.ts'),
    view: ({ query }) => html`<sy-devices-page .query=${query}></sy-devices-page>`,
  },
  {
    name: 'device',
    load: () => import('./elements/sy-device-page.ts'),
    view: ({ endpoint, tab, path, query }) =>
      html`<sy-device-page .endpoint=${endpoint} .tab=${tab} .path=${path} .query=${query}></sy-device-page>`,
  },
  {
    name: 'commands',
    navigation: { label: 'Commands', key: 'c', href: '/commands', icon: 'commands' },
    load: () => import('./elements/sy-commands-page.ts'),
    view: ({ query }) => html`<sy-commands-page .query=${query}></sy-commands-page>`,
  },
  {
    name: 'jobs',
    navigation: { label: 'Jobs', key: 'j', href: '/jobs', icon: 'jobs' },
    load: () => import('./elements/sy-jobs-page.ts'),
    view: ({ query }) => html`<sy-jobs-page .query=${query}></sy-jobs-page>`,
  },
  {
    name: 'job',
    load: () => import('./elements/sy-job-page.ts'),
    view: ({ job }) => html`<sy-job-page .job=${job}></sy-job-page>`,
  },
  {
    name: 'cluster',
    navigation: { label: 'Cluster', key: 'l', href: '/cluster', icon: 'cluster' },
    load: () => import('./elements/sy-cluster-page.ts'),
    view: () => html`<sy-cluster-page></sy-cluster-page>`,
  },
  {
    name: 'settings',
    navigation: { label: 'Settings', key: 's', href: '/settings/objects', icon: 'settings' },
    load: () => import('./elements/sy-settings-page.ts'),
    view: ({ section, query }) =>
      html`<sy-settings-page .section=${section} .query=${query}></sy-settings-page>`,
  },
];

/** A page as it is to be shown. */
export interface PageView {
  readonly name: PageName;
  readonly load: () => Promise<unknown>;
  readonly render: () => TemplateResult;
}

/** The page of a route; undefined where there is none. */
export function pageOf(route: Route): PageView | undefined {
  const page = pages.find(({ name }) => name === route.name);
  if (page === undefined || route.name === 'not-found') return undefined;
  // Its route has its name: that is how it was found.
  const view = page.view as (route: Route) => TemplateResult;
  return { name: page.name, load: page.load, render: () => view(route) };
}

/** The page under which the navigation files a route. */
export function sectionOf(route: Route): PageName | undefined {
  if (route.name === 'not-found') return undefined;
  if (route.name === 'device') return 'devices';
  return route.name === 'job' ? 'jobs' : route.name;
}
