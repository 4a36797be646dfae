import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../protocol/coap/codec.ts';
import { type CoapMessage, Code, MessageType } from '../../protocol/coap/message.ts';
import { locationPath, pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import type { ApiJob } from '../../server/api/schemas/jobs.ts';
import type { ApiCluster, ApiEvent } from '../../server/api/schemas.ts';
import { EventSource } from '../support/api/event-source.ts';
import { ClusterWorld, type TestNode } from '../support/cluster-world.ts';
import { until } from '../support/until.ts';
import { Receiver } from '../support/webhooks/receiver.ts';

const LINKS = '</1/0>,</3/0>,</3303/0>';
const battery = (value: number) => [{ path: '/3/0/9', value }];

let world: ClusterWorld;
let one: TestNode;
let two: TestNode;

beforeEach(async () => {
  world = await ClusterWorld.open();
  [one, two] = await Promise.all([world.node('one'), world.node('two')]);
  await world.together(one, two);
}, 60_000);
afterEach(() => world.close(), 60_000);

describe('nodes on one Redis', () => {
  it('show each other, with the devices that each has, and tell of their coming and going', async () => {
    const device = await world.device('d', one.coap);
    await device.register(LINKS);
    const { nodes, store } = await two.api.get<ApiCluster>('/api/cluster');
    expect(nodes.map(({ name, devices, self, state }) => ({ name, devices, self, state }))).toEqual([
      { name: 'one', devices: 1, self: false, state: 'up' },
      { name: 'two', devices: 0, self: true, state: 'up' },
    ]);
    expect(nodes[0]?.http).toBe(one.server.httpAddress);
    expect(store.ready).toBe(true);
    await one.close();
    const told = await until('the end of a node is told', async () => {
      const { items } = await two.api.get<{ items: ApiEvent[] }>('/api/event-log?types=node');
      return items.length === 3 && items;
    });
    expect(told.map(({ data }) => data['node']).reverse()).toEqual([
      expect.objectContaining({ state: 'started' }),
      expect.objectContaining({ state: 'started' }),
      { name: 'one', state: 'stopped' },
    ]);
    expect((await two.api.get<ApiCluster>('/api/cluster')).nodes.map(({ name }) => name)).toEqual(['two']);
  });

  it('answer a request to a device at any of them', async () => {
    const device = await world.device('d', one.coap);
    device.has('/3/0/9', () => battery(42));
    await device.register(LINKS);
    for (const { api } of [one, two]) {
      expect(await api.get('/api/devices/d/objects/3/0/9')).toMatchObject({ value: 42 });
    }
    await expect(two.api.get('/api/devices/d/objects/3/0/0')).rejects.toThrow(/404.*device_not_found/);
    await expect(two.api.get('/api/devices/nobody/objects/3/0/9')).rejects.toThrow(/404.*unknown_device/);
    device.answers.set('POST /3/0/4', (request) => request.respond({ code: Code.CHANGED }));
    await two.api.post('/api/devices/d/objects/3/0/4', {});
    expect(device.asked.filter((asked) => asked === 'POST /3/0/4')).toHaveLength(1);
  });

  it('follow a device that goes from one to the other, with its observations', async () => {
    const device = await world.device('d', one.coap);
    device.has('/3303/0', () => [{ path: '/3303/0/5700', value: 20 }]);
    device.has('/3/0/9', () => battery(42));
    await device.register(LINKS);
    await two.api.post('/api/devices/d/observations/3303/0', {});
    device.server = two.coap;
    const { code } = await device.request(Code.POST, device.location, ['lt=300']);
    expect(code).toBe(Code.CHANGED);
    const before = device.asked.length;
    expect(await one.api.get('/api/devices/d/objects/3/0/9')).toMatchObject({ value: 42 });
    const { nodes } = await one.api.get<ApiCluster>('/api/cluster');
    expect(nodes.map(({ devices }) => devices)).toEqual([0, 1]);
    // Nothing is observed anew: the store knows what the other node has made.
    expect(device.asked.slice(before)).toEqual(['GET /3/0/9']);
  });

  it('give the same location for one Register that two of them get', async () => {
    const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
    const answers: CoapMessage[] = [];
    port.onDatagram((data) => {
      const message = decodeMessage(data);
      if (message.code === Code.CREATED) answers.push(message);
    });
    try {
      const data = encodeMessage({
        type: MessageType.CON,
        code: Code.POST,
        messageId: 4711,
        token: Uint8Array.of(1, 2, 3),
        options: [...pathOptions('/rd'), ...queryOptions(['ep=d', 'lt=300', 'lwm2m=1.1', 'b=U'])],
        payload: new TextEncoder().encode(LINKS),
      });
      for (const [at, { coap }] of [one, two].entries()) {
        port.send(data, coap);
        await until('it is answered', async () => answers.length === at + 1);
      }
      const [first, second] = answers.map(({ options }) => locationPath(options).join('/'));
      expect(second).toBe(first);
      expect((await one.stores.registrations.byEndpoint('d'))?.id).toBe(first?.slice('rd/'.length));
    } finally {
      await port.close();
    }
  });

  it('hold a request for a device, whichever of them is asked, until it speaks to one of them', async () => {
    const device = await world.device('d', one.coap);
    await device.register(LINKS);
    await device.request(Code.DELETE, device.location);
    device.answers.set('POST /3/0/4', (request) => request.respond({ code: Code.CHANGED }));
    const { id } = await one.api.post<{ id: string }>('/api/devices/d/requests', {
      operation: 'execute',
      path: '/3/0/4',
    });
    device.server = two.coap;
    await device.register(LINKS);
    await until('it is done', async () => {
      const { state } = await one.api.get<{ state: string }>(`/api/commands/${id}`);
      return state === 'done';
    });
    expect(device.asked.filter((asked) => asked === 'POST /3/0/4')).toHaveLength(1);
  });

  it('take what a device reports at one of them, and show it at the other', async () => {
    const device = await world.device('d', one.coap);
    device.has('/3303/0', () => [{ path: '/3303/0/5700', value: 20 }]);
    await device.register(LINKS);
    await two.api.post('/api/devices/d/observations/3303/0', {});
    expect(await device.notify('/3303/0', [{ path: '/3303/0/5700', value: 21 }])).toBe(true);
    for (const { api } of [one, two]) {
      const { items } = await api.get<{ items: { value: number }[] }>('/api/devices/d/readings?path=/3303/0');
      expect(items.map(({ value }) => value)).toEqual([21]);
    }
  });

  it('show the messages of a device, and tell them as they come, at a node that does not have it', async () => {
    const device = await world.device('d', one.coap);
    device.has('/3/0/9', () => battery(42));
    await device.register(LINKS);
    let asking: NodeJS.Timeout | undefined;
    const looking = await EventSource.open(`${two.server.httpAddress}/api/events?watch=trace@d`);
    try {
      await two.api.get('/api/devices/d/objects/3/0/9');
      const { items } = await two.api.get<{ items: { name: string; path?: string }[] }>(
        '/api/devices/d/trace',
      );
      expect(items.map(({ name, path }) => `${name} ${path ?? ''}`)).toEqual(
        expect.arrayContaining(['POST /rd', 'GET /3/0/9']),
      );
      for (const form of ['pcapng', 'text']) {
        const answer = await fetch(`${two.server.httpAddress}/api/devices/d/trace/${form}`);
        expect(answer.status).toBe(200);
        expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(200);
      }
      // The other node may hear that somebody looks only now.
      asking = setInterval(() => void two.api.get('/api/devices/d/objects/3/0/9'), 250);
      for (let told = await looking.next(); told?.event !== 'trace'; told = await looking.next()) {
        expect(told, 'the stream goes on').toBeDefined();
      }
    } finally {
      clearInterval(asking);
      looking.close();
    }
  });

  it('count what all of them take in', async () => {
    const device = await world.device('d', one.coap);
    device.has('/3303/0', () => [{ path: '/3303/0/5700', value: 20 }]);
    await device.register(LINKS);
    await two.api.post('/api/devices/d/observations/3303/0', {});
    await until('both tell of readings', async () => {
      await device.notify('/3303/0', [{ path: '/3303/0/5700', value: 21 }]);
      const told = await Promise.all(
        [one, two].map(({ api }) => api.get<{ readingsPerSecond: number }>('/api/overview?since=0')),
      );
      return told.every(({ readingsPerSecond }) => readingsPerSecond > 0);
    });
  });

  it('let a job be made, watched and cancelled at any of them', async () => {
    const device = await world.device('d', two.coap);
    device.answers.set('POST /3/0/4', (request) => request.respond({ code: Code.CHANGED }));
    await device.register(LINKS);
    const away = await world.device('away', one.coap);
    await away.register(LINKS);
    await away.request(Code.DELETE, away.location);
    for (const node of [one, two]) {
      const job = await node.api.post<ApiJob>('/api/jobs', {
        devices: { endpoints: ['d', 'away'] },
        operation: { kind: 'request', request: { operation: 'execute', path: '/3/0/4' } },
      });
      const now = (): Promise<ApiJob> => one.api.get<ApiJob>(`/api/jobs/${job.id}`);
      await until('one of two is done, and the other waits', async () => {
        const { counts } = await now();
        return counts.done === 1 && counts.queued === 1;
      });
      await node.api.post(`/api/jobs/${job.id}/cancel`, undefined);
      await until('it has ended', async () => (await now()).state === 'cancelled');
    }
    expect(device.asked.filter((asked) => asked === 'POST /3/0/4')).toHaveLength(2);
  });

  it('bring their devices in line with a policy that is made at any of them', async () => {
    const devices = [await world.device('d1', one.coap), await world.device('d2', two.coap)];
    for (const device of devices) {
      device.has('/3/0/9', () => battery(42));
      device.has('/3303/0', () => [{ path: '/3303/0/5700', value: 20 }]);
      await device.register(LINKS);
    }
    for (const [index, node] of [one, two].entries()) {
      const path = ['/3/0/9', '/3303/0'][index] ?? '';
      await node.api.put(`/api/observation-policies/p${index}`, {
        name: path,
        enabled: true,
        devices: {},
        observations: [{ paths: [path] }],
      });
      await until('both are observed', () =>
        devices.every(({ asked }) => asked.filter((line) => line === `OBSERVE ${path}`).length === 1),
      );
    }
    // What each knows of its own device is told by the other.
    const { wanted } = await one.api.get<{ wanted: { state: string }[] }>(
      '/api/devices/d2/observation-policy',
    );
    expect(wanted.map(({ state }) => state)).toEqual(['observed', 'observed']);
  });

  it('send what happens at each of them to a webhook that was made at any', async () => {
    const receiver = await Receiver.open();
    try {
      for (const { api } of [one, two]) {
        await api.post('/api/webhooks', { name: 'w', url: receiver.url, types: ['registered'] });
      }
      expect((await two.api.get<{ items: unknown[] }>('/api/webhooks')).items).toHaveLength(2);
      await (await world.device('d', two.coap)).register(LINKS);
      await until('both have it', () => receiver.messages.length === 2);
    } finally {
      await receiver.close();
    }
  });
});
