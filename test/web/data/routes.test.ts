import { describe, expect, it } from 'vitest';
import { type Destination, hrefOf, parseRoute, type Route, titleOf } from '../../../web/data/routes.ts';

const device = (endpoint: string) =>
  ({ name: 'device', endpoint, tab: 'live', path: '', query: '' }) as const;

const routes: readonly [href: string, route: Route, title: string][] = [
  ['/', { name: 'overview' }, 'Overview'],
  ['/devices', { name: 'devices', query: '' }, 'Devices'],
  ['/devices?q=a+b%26c&state=lost', { name: 'devices', query: 'q=a+b%26c&state=lost' }, 'a b&c'],
  ['/devices/urn%3Aimei%3A3530', device('urn:imei:3530'), 'urn:imei:3530'],
  ['/devices/a%2Fb%3F', device('a/b?'), 'a/b?'],
  ['/devices/%E8%BB%8A', device('車'), '車'],
  ['/devices/m/carrier', { ...device('m'), tab: 'carrier' }, 'Carrier · m'],
  ['/devices/m/objects', { ...device('m'), tab: 'objects' }, 'Objects · m'],
  ['/devices/m/objects/3/0/9', { ...device('m'), tab: 'objects', path: '/3/0/9' }, 'Objects · m'],
  ['/devices/m/events?types=device', { ...device('m'), tab: 'events', query: 'types=device' }, 'Events · m'],
  ['/devices/m/trace', { ...device('m'), tab: 'trace' }, 'Trace · m'],
  ['/commands?state=failed', { name: 'commands', query: 'state=failed' }, 'Commands'],
  ['/jobs', { name: 'jobs', query: '' }, 'Jobs'],
  ['/jobs/j-1', { name: 'job', job: 'j-1' }, 'Job j-1'],
  ['/cluster', { name: 'cluster' }, 'Cluster'],
  ['/settings/objects', { name: 'settings', section: 'objects', query: '' }, 'Settings · Object definitions'],
  [
    '/settings/objects?object=3&version=1.2',
    { name: 'settings', section: 'objects', query: 'object=3&version=1.2' },
    'Settings · Object definitions',
  ],
  ['/settings/server', { name: 'settings', section: 'server', query: '' }, 'Settings · Server'],
];

const parse = (href: string) => {
  const url = new URL(href, 'http://console');
  return parseRoute(url.pathname, url.search);
};

describe('routes', () => {
  it.each(routes)('%s is a view, and the view has this address', (href, route, title) => {
    expect(parse(href)).toEqual(route);
    if (route.name !== 'not-found') expect(hrefOf(route)).toBe(href);
    expect(titleOf(route)).toBe(`${title} · Simyard`);
  });

  it.each<[string, string]>([
    ['/devices/', '/devices'],
    ['/devices/m/carrier/', '/devices/m/carrier'],
    ['/settings', '/settings/objects'],
  ])('%s is the view of %s', (href, same) => {
    expect(parse(href)).toEqual(parse(same));
  });

  it.each([
    ...['/nowhere', '/devicesx', '/devices/%E0%A4%A', '/devices//carrier', '/devices/a/b', '/devices/a/live'],
    ...[
      '/devices/m/objects/x',
      '/devices/m/carrier/3',
      '/jobs/a/b',
      '/settings/weather',
      '/settings/server/x',
    ],
    ...['/cluster/a', '/commands/a'],
  ])('%s is no page', (href) => {
    expect(parse(href)).toEqual({ name: 'not-found', path: href });
    expect(titleOf(parse(href))).toBe('Not found · Simyard');
  });

  it.each<[Destination, string]>([
    [{ name: 'device', endpoint: 'a/b' }, '/devices/a%2Fb'],
    [{ name: 'device', endpoint: 'm', tab: 'objects', path: '/3' }, '/devices/m/objects/3'],
    [{ name: 'commands' }, '/commands'],
    [{ name: 'settings' }, '/settings/objects'],
  ])('goes to %o with what is left out as it usually is', (destination, href) => {
    expect(hrefOf(destination)).toBe(href);
  });
});
