import { describe, expect, it } from 'vitest';
import { hrefOf, parseRoute, type Route, titleOf } from '../../../web/data/routes.ts';

const routes: readonly [href: string, Route][] = [
  ['/devices', { name: 'devices', search: '', state: undefined }],
  ['/devices?q=a+b%26c&state=registered', { name: 'devices', search: 'a b&c', state: 'registered' }],
  ['/devices/urn%3Aimei%3A3530', { name: 'device', endpoint: 'urn:imei:3530' }],
  ['/devices/a%2Fb%3F', { name: 'device', endpoint: 'a/b?' }],
  ['/devices/%E8%BB%8A', { name: 'device', endpoint: '車' }],
];

const parse = (href: string) => {
  const url = new URL(href, 'http://console');
  return parseRoute(url.pathname, url.search);
};

describe('routes', () => {
  it.each(routes)('%s is a view, and the view has this address', (href, route) => {
    expect(parse(href)).toEqual(route);
    if (route.name !== 'not-found') expect(hrefOf(route)).toBe(href);
  });

  it.each(['/', '/devices/', '/devices?state=nonsense'])('%s is the list', (href) => {
    expect(parse(href)).toEqual({ name: 'devices', search: '', state: undefined });
  });

  it.each(['/nowhere', '/devices/a/b', '/devices/%E0%A4%A', '/devicesx'])('%s is no page', (href) => {
    expect(parse(href)).toEqual({ name: 'not-found', path: href });
  });

  it('gives each view a title', () => {
    expect(routes.map(([, route]) => titleOf(route))).toEqual([
      'Devices · Simyard',
      'a b&c · Simyard',
      'urn:imei:3530 · Simyard',
      'a/b? · Simyard',
      '車 · Simyard',
    ]);
    expect(titleOf({ name: 'not-found', path: '/x' })).toBe('Not found · Simyard');
  });
});
