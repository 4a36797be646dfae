import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isInstalled } from '../../scripts/requirements.ts';
import { EventSource, type ReceivedEvent } from '../support/api/event-source.ts';
import { ClusterWorld, type TestNode } from '../support/cluster-world.ts';
import { until } from '../support/until.ts';

const LIMIT = 60_000;
let world: ClusterWorld;
const streams: EventSource[] = [];
beforeEach(async () => {
  world = await ClusterWorld.open();
}, LIMIT);
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await world.close();
}, LIMIT);

async function call(node: TestNode, method: string, path: string, body?: object, token?: string) {
  const answer = await fetch(`${node.server.httpAddress}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

describe.skipIf(!isInstalled('redis-server'))('tenants on a cluster of two nodes', () => {
  it(
    'a device that is given away at one node is gone from the streams of the other, and comes into the new tenant’s',
    async () => {
      const [one, two] = [await world.node('n1'), await world.node('n2')];
      await world.together(one, two);
      const tokenOf = async (tenant: string): Promise<string> => {
        const given = {
          name: tenant,
          tenant,
          role: 'administrator',
          scopes: ['read', 'operate', 'administer'],
        };
        return (await call(one, 'POST', '/api/tokens', given)).body.token;
      };
      const [acme, other] = [await tokenOf('acme'), await tokenOf('other')];
      for (const [name, tenant] of [
        ['moving', 'acme'],
        ['staying', 'other'],
      ] as const) {
        const device = await world.device(name, one.coap);
        await device.register('</3/0>');
        await until(
          'it is known',
          async () => (await call(one, 'GET', `/api/devices/${name}`)).status === 200,
        );
        expect((await call(one, 'PATCH', `/api/devices/${name}`, { tenant })).status).toBe(204);
      }
      const listen = async (token: string) => {
        const source = await EventSource.open(`${two.server.httpAddress}/api/events?types=device,command`, {
          authorization: `Bearer ${token}`,
        });
        expect(source.status).toBe(200);
        streams.push(source);
        const heard: ReceivedEvent[] = [];
        void (async () => {
          for (let event = await source.next(); event !== undefined; event = await source.next())
            heard.push(event);
        })();
        return () => JSON.stringify(heard);
      };
      const [left, right] = [await listen(acme), await listen(other)];
      // By an event of each device: which stream tells of it.
      const stir = async (name: string) => {
        const held = { operation: 'read', path: '/3/0' };
        expect((await call(one, 'POST', `/api/devices/${name}/requests`, held)).status).toBe(202);
      };
      await stir('moving');
      await stir('staying');
      await until('each is told of its own', () => left().includes('moving') && right().includes('staying'));
      expect(left()).not.toContain('staying');
      expect(right()).not.toContain('moving');

      expect((await call(one, 'PATCH', '/api/devices/moving', { tenant: 'other' })).status).toBe(204);
      expect((await call(two, 'GET', '/api/devices/moving', undefined, acme)).status).toBe(404);
      expect((await call(two, 'GET', '/api/devices/moving', undefined, other)).status).toBe(200);
      await until('the new tenant is told of it', () => right().includes('moving'));
      const before = left();
      const heard = right().length;
      await stir('moving');
      await until('it goes on there', () => right().length > heard);
      await stir('staying');
      expect(left()).toBe(before);
      expect((await call(two, 'GET', '/api/devices', undefined, acme)).body).toMatchObject({ total: 0 });
      expect((await call(two, 'GET', '/api/devices', undefined, other)).body).toMatchObject({ total: 2 });
    },
    LIMIT,
  );
});
