import { afterEach, describe, expect, it } from 'vitest';
import { Code } from '../../protocol/coap/message.ts';
import { maxAge } from '../../protocol/coap/options.ts';
import type { ApiDevice } from '../../server/api/schemas.ts';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { withMethods } from '../../server/telemetry/level-with-log.ts';
import { text } from '../support/coap/raw-peer.ts';
import { ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const deviceOf = (name: string): Promise<ApiDevice> => world.api.get<ApiDevice>(`/api/devices/${name}`);

describe('the registration interface', () => {
  it('registers, updates and deregisters a device, and tells each as an event', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const response = await device.register('</1/0>,</9/0>');
    expect(response.code).toBe(Code.CREATED);
    expect(device.location).toMatch(/^\/rd\/[0-9a-f]{2}[\w-]{16}$/);
    expect(await deviceOf('modem')).toMatchObject({
      state: 'awake',
      registration: {
        address: 'device:1',
        lifetime: 300,
        version: '1.1',
        objects: [
          { path: '/1/0', attributes: {} },
          { path: '/9/0', attributes: {} },
        ],
      },
    });

    expect((await device.request(Code.POST, device.location, ['lt=600'])).code).toBe(Code.CHANGED);
    const updated = await deviceOf('modem');
    expect(updated.registration).toMatchObject({ lifetime: 600, version: '1.1' });
    expect(updated.registration?.objects).toHaveLength(2);

    expect((await device.request(Code.DELETE, device.location)).code).toBe(Code.DELETED);
    expect((await deviceOf('modem')).state).toBe('left');
    expect((await device.request(Code.DELETE, device.location)).code).toBe(Code.NOT_FOUND);
    expect((await device.request(Code.POST, device.location)).code).toBe(Code.NOT_FOUND);
    const events = await world.until('three events', async () => {
      const types = await world.eventTypes('modem');
      return types.length >= 3 ? types : undefined;
    });
    expect(events).toEqual(['registered', 'updated', 'deregistered']);
  });

  it('never shows the location of a registration, which is what lets a device change it', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    await device.register('</1/0>');
    const secret = device.location.slice('/rd/'.length);
    for (const path of ['/api/devices', '/api/devices/modem', '/api/devices/modem/events', '/metrics']) {
      const response = await fetch(`${world.server.httpAddress}${path}`);
      expect(await response.text()).not.toContain(secret);
    }
  });

  it.each([
    [
      'without a name',
      '/rd',
      ['lt=300', 'lwm2m=1.1'],
      Code.BAD_REQUEST,
      'endpoint client name (ep) is missing',
    ],
    ['with a lifetime that is no number', '/rd', ['ep=a', 'lt=soon'], Code.BAD_REQUEST, 'lifetime'],
    [
      'of a version that is not ours',
      '/rd',
      ['ep=a', 'lwm2m=3.0'],
      Code.PRECONDITION_FAILED,
      '1.0, 1.1, 1.2',
    ],
    ['elsewhere', '/nowhere', ['ep=a'], Code.NOT_FOUND, ''],
    ['below a registration', '/rd/a/b', ['ep=a'], Code.NOT_FOUND, ''],
  ])('refuses a Register %s', async (_, path, query, code, diagnostic) => {
    world = await ServerWorld.open();
    const response = await world.device('device:1', 'a').request(Code.POST, path, query, '</1/0>');
    expect(response.code).toBe(code);
    expect(text(response.payload)).toContain(diagnostic);
  });

  it('refuses objects that are no link format', async () => {
    world = await ServerWorld.open();
    const response = await world.device('device:1', 'a').request(Code.POST, '/rd', ['ep=a'], '<<<');
    expect(response.code).toBe(Code.BAD_REQUEST);
  });

  it('says in .well-known/core where devices register', async () => {
    world = await ServerWorld.open();
    const response = await world.device('device:1', 'a').request(Code.GET, '/.well-known/core');
    expect(text(response.payload)).toBe('</rd>;rt="core.rd"');
  });

  it('ends a registration when its lifetime is over, once', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    await device.register('</1/0>', ['lt=20']);
    await world.pass(19_000);
    expect((await deviceOf('modem')).state).toBe('awake');
    await world.pass(8_000);
    await world.until('the end', async () => (await deviceOf('modem')).state === 'lost');
    const types = await world.until('its event', async () => {
      const all = await world.eventTypes('modem');
      return all.includes('expired') ? all : undefined;
    });
    expect(types).toEqual(['registered', 'expired']);
    expect((await device.request(Code.POST, device.location)).code).toBe(Code.NOT_FOUND);
  });

  it('replaces a registration of the same name, and forgets the former location', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    await device.register('</1/0>');
    const former = device.location;
    await device.register('</1/0>,</9/0>');
    expect(device.location).not.toBe(former);
    expect((await device.request(Code.POST, former)).code).toBe(Code.NOT_FOUND);
    expect((await device.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
  });

  it('asks nothing of a device before it has answered its Register', async () => {
    world = await ServerWorld.open();
    world.link.recording = true;
    const device = world.device('device:1', 'modem');
    await device.register('</3/0>,</42769/0>,</42770/0>');
    await world.until('four requests', () => device.asked.length >= 3);
    expect(device.asked.slice(0, 3)).toEqual(['OBSERVE /42769/0', 'OBSERVE /42770/0/2', 'GET /3/0']);
    const fromServer = world.link.log.filter(({ to }) => to === 'device:1');
    expect(fromServer[0]?.data[1]).toBe(Code.CREATED);
  });

  it('keeps what the device says it is', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    device.has('/3/0', () => [
      { path: '/3/0/0', value: 'Acme' },
      { path: '/3/0/1', value: 'M1' },
      { path: '/3/0/2', value: 'S-77' },
      { path: '/3/0/3', value: '4.2' },
    ]);
    await device.register('</3/0>');
    const known = await world.until('the Device object', async () => {
      const now = await deviceOf('modem');
      return now.manufacturer === undefined ? undefined : now;
    });
    expect(known).toMatchObject({
      manufacturer: 'Acme',
      model: 'M1',
      serialNumber: 'S-77',
      firmwareVersion: '4.2',
    });
  });

  it('follows an Update from a new address, with the requests that are under way', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    await device.register('</9/0>');
    const moved = world.device('device:2', 'modem');
    moved.has('/9/0', () => [{ path: '/9/0/0', value: 'here' }]);
    await device.endpoint.close();
    const reading = world.api.get<{ items: { value: unknown }[] }>('/api/devices/modem/objects/9/0');
    await world.pass(500);
    expect((await moved.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
    expect((await world.wait(reading)).items[0]?.value).toBe('here');
  });

  it('answers 5.03 with Max-Age while the store is down, and serves again when it is back', async () => {
    let down = true;
    world = await ServerWorld.open((stores) => ({
      ...stores,
      registrations: withMethods(stores.registrations, {
        register(registration) {
          return down
            ? Promise.reject(new StoreUnavailableError('the disk is full'))
            : stores.registrations.register(registration);
        },
      }),
    }));
    const device = world.device('device:1', 'modem');
    const refused = await device.register('</1/0>');
    expect(refused.code).toBe(Code.SERVICE_UNAVAILABLE);
    expect(maxAge(refused.options)).toBe(30);
    down = false;
    expect((await device.register('</1/0>')).code).toBe(Code.CREATED);
  });
});
