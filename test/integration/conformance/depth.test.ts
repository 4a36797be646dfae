import { afterEach, describe, expect, it } from 'vitest';
import { ManagedModem } from './managed-modem.ts';

// Discover of LwM2M 1.2 with a depth.

let managed: ManagedModem;
afterEach(() => managed.close());

const paths = (body: unknown): string[] =>
  (body as { items: { path: string }[] }).items.map(({ path }) => path);
const attributes = (body: unknown, of: string): Record<string, string> | undefined =>
  (body as { items: { path: string; attributes: Record<string, string> }[] }).items.find(
    ({ path }) => path === of,
  )?.attributes;
const depthOf = (path: string): number => path.split('/').length - 1;

describe('Discover with a depth', () => {
  it('tells as many levels below an object as it is asked for (ETS 1.2-264)', async () => {
    managed = await ManagedModem.open({ server: { version: '1.2' } });
    for (const depth of [0, 1, 2, 3]) {
      const { status, body, wire } = await managed.watch('GET', `/discover/3?depth=${depth}`);
      expect(status, JSON.stringify(body)).toBe(200);
      expect(wire.find(({ what }) => what === 'GET')?.query).toEqual([`depth=${depth}`]);
      expect(paths(body)).toContain('/3');
      expect(Math.max(...paths(body).map(depthOf))).toBe(1 + depth);
    }
    expect((await managed.call('PUT', '/attributes/3/0', { pmax: 200 })).status).toBe(204);
    const { body } = await managed.call('GET', '/discover/3?depth=1');
    expect(paths(body)).toEqual(['/3', '/3/0']);
    expect(attributes(body, '/3/0')).toMatchObject({ pmax: '200' });
  });

  it('tells as many levels below an instance and a resource as it is asked for (ETS 1.2-266)', async () => {
    managed = await ManagedModem.open({ server: { version: '1.2' } });
    for (const depth of [0, 1, 2]) {
      const { body } = await managed.call('GET', `/discover/3/0?depth=${depth}`);
      expect(Math.max(...paths(body).map(depthOf))).toBe(2 + depth);
    }
    const { body: alone } = await managed.call('GET', '/discover/3/0/11?depth=0');
    expect(paths(alone)).toEqual(['/3/0/11']);
    const { body: instances } = await managed.call('GET', '/discover/3/0/11?depth=1');
    expect(paths(instances)).toEqual(['/3/0/11', '/3/0/11/0']);
    for (const [path, written] of [
      ['/3', { pmin: 10, pmax: 200 }],
      ['/3/0/7', { lt: 1, gt: 6, st: 1 }],
      ['/3/0/7/1', { gt: 8 }],
    ] as const) {
      expect((await managed.call('PUT', `/attributes${path}`, written)).status, path).toBe(204);
    }
    const { body: all } = await managed.call('GET', '/discover/3?depth=3');
    expect(attributes(all, '/3')).toMatchObject({ pmin: '10', pmax: '200' });
    expect(attributes(all, '/3/0/7')).toMatchObject({ dim: '2', lt: '1', gt: '6', st: '1' });
    expect(attributes(all, '/3/0/7/1')).toEqual({ gt: '8' });
    expect(paths(all)).toEqual(expect.arrayContaining(['/3/0/6/0', '/3/0/7/0', '/3/0/8/0']));
  });
});
