import { afterEach, describe, expect, it } from 'vitest';
import { ManagedModem } from './managed-modem.ts';

// Discover of LwM2M 1.2 with a depth.

let managed: ManagedModem;
afterEach(() => managed.close());

const paths = (body: unknown): string[] =>
  (body as { items: { path: string }[] }).items.map(({ path }) => path);
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
  });
});
