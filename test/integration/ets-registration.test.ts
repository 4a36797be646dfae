import { afterEach, describe, expect, it } from 'vitest';
import type { IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import type { ApiDevice, ApiProfile } from '../../server/api/schemas.ts';
import { text } from '../support/coap/raw-peer.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

// Cases of the OMA enabler test specification that judge the server: its ids stand in the names.

let world: ServerWorld;
afterEach(() => world.close());

const deviceOf = (name = 'modem'): Promise<ApiDevice> => world.api.get<ApiDevice>(`/api/devices/${name}`);
const call = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(world.server.httpAddress + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const status = async (response: Promise<Response>): Promise<number> => (await world.wait(response)).status;
const done = (device: ScriptedDevice, what: string): void => {
  device.answers.set(what, (request) => request.respond({ code: Code.CHANGED }));
};

async function registered(links = '</1/0>,</3/0>', query?: readonly string[]): Promise<ScriptedDevice> {
  const device = world.device('device:1', 'modem');
  expect((await device.register(links, query)).code).toBe(Code.CREATED);
  return device;
}

describe('a registration', () => {
  it('that is updated to a lifetime of 20 s ends when no other Update comes (ETS 102)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    done(device, 'PUT /1/0/1');
    expect(await status(call('PUT', '/api/devices/modem/objects/1/0/1', { value: 20 }))).toBe(204);
    expect((await device.request(Code.POST, device.location, ['lt=20'])).code).toBe(Code.CHANGED);
    expect((await deviceOf()).registration?.lifetime).toBe(20);
    await world.pass(15_000);
    expect((await device.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
    await world.pass(15_000);
    expect((await deviceOf()).state).toBe('awake');
    await world.until('it is over', async () => (await deviceOf()).state === 'lost');
    expect((await world.eventTypes('modem')).at(-1)).toBe('expired');
  });

  it('ends by Disable: the device is told, and deregisters (ETS 103)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const told: string[] = [];
    for (const what of ['PUT /1/0/5', 'POST /1/0/4']) {
      device.answers.set(what, (request) => {
        told.push(what);
        request.respond({ code: Code.CHANGED });
      });
    }
    expect(await status(call('POST', '/api/devices/modem/server/disable', { seconds: 60 }))).toBe(204);
    expect(told).toEqual(['PUT /1/0/5', 'POST /1/0/4']);
    expect((await device.request(Code.DELETE, device.location)).code).toBe(Code.DELETED);
    expect((await deviceOf()).state).toBe('left');
  });

  it('is updated when the device is triggered (ETS 104)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    done(device, 'POST /1/0/8');
    const before = (await deviceOf()).registration?.updatedAt ?? 0;
    await world.clock.run(10_000);
    expect(await status(call('POST', '/api/devices/modem/server/update-trigger'))).toBe(204);
    expect(device.asked).toContain('POST /1/0/8');
    expect((await device.request(Code.POST, device.location)).code).toBe(Code.CHANGED);
    expect((await deviceOf()).registration?.updatedAt).toBeGreaterThan(before);
  });

  it('that the server does not have any more gets 4.04 for its Update, and the device comes anew (ETS 105)', async () => {
    world = await ServerWorld.open();
    const device = await registered(undefined, ['lt=20', 'lwm2m=1.1', 'b=U']);
    const former = device.location;
    await world.pass(20_000);
    await world.until('it is over', async () => (await deviceOf()).state === 'lost');
    expect((await device.request(Code.POST, former)).code).toBe(Code.NOT_FOUND);
    expect((await device.register('</1/0>,</3/0>')).code).toBe(Code.CREATED);
    expect(device.location).not.toBe(former);
    expect((await deviceOf()).state).toBe('awake');
  });

  it('lasts longer by an Update with a longer lifetime (ETS 107)', async () => {
    world = await ServerWorld.open();
    const device = await registered(undefined, ['lt=30', 'lwm2m=1.1', 'b=U']);
    expect((await device.request(Code.POST, device.location, ['lt=120'])).code).toBe(Code.CHANGED);
    await world.pass(60_000);
    const { state, registration } = await deviceOf();
    expect([state, registration?.lifetime]).toEqual(['awake', 120]);
    await world.pass(50_000);
    await world.until('it is over', async () => (await deviceOf()).state === 'lost');
  });

  it('says queue mode by Q, or in the binding of LwM2M 1.0, and an Update changes it (ETS 108)', async () => {
    world = await ServerWorld.open();
    const device = await registered(undefined, ['lt=300', 'lwm2m=1.1', 'b=U', 'Q']);
    const queueMode = async () => (await deviceOf()).registration?.queueMode;
    expect(await queueMode()).toBe(true);
    await device.request(Code.POST, device.location, ['lt=200']);
    expect(await queueMode()).toBe(true);
    await device.request(Code.POST, device.location, ['b=U']);
    expect(await queueMode()).toBe(false);
    await device.request(Code.POST, device.location, ['b=U', 'Q']);
    expect((await deviceOf()).registration).toMatchObject({ binding: 'U', queueMode: true, lifetime: 200 });
    const older = world.device('device:2', 'older');
    await older.register('</1/0>', ['lt=300', 'lwm2m=1.0', 'b=UQ']);
    expect((await deviceOf('older')).registration?.queueMode).toBe(true);
    await older.request(Code.POST, older.location, ['b=U']);
    expect((await deviceOf('older')).registration?.queueMode).toBe(false);
  });

  it.each(['1.0', '1.1', '1.2'])('of LwM2M %s is taken (ETS 101)', async (version) => {
    world = await ServerWorld.open();
    await registered(undefined, ['lt=300', `lwm2m=${version}`, 'b=U']);
    expect((await deviceOf()).registration?.version).toBe(version);
  });

  it('of a version that is not ours gets 4.12 that names ours, and the device comes back with a lower one', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const refused = await device.register('</1/0>', ['lt=300', 'lwm2m=1.3', 'b=U']);
    expect([refused.code, text(refused.payload)]).toEqual([
      Code.PRECONDITION_FAILED,
      'LwM2M 1.3 is not supported; 1.0, 1.1, 1.2 are',
    ]);
    expect((await device.register('</1/0>', ['lt=300', 'lwm2m=1.2', 'b=U'])).code).toBe(Code.CREATED);
  });

  it('may list its objects without saying in what format, with quoted formats and versions', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const links = '</lwm2m>;rt="oma.lwm2m";ct="60 110 112",</lwm2m/1/0>;ver="1.1",</lwm2m/3/0>';
    const response = await world.wait(
      device.endpoint.request('server:5683', {
        code: Code.POST,
        options: [...pathOptions('/rd'), ...queryOptions(['ep=modem', 'lt=300', 'lwm2m="1.1"', 'b=U'])],
        payload: new TextEncoder().encode(links),
      }),
    );
    expect(response.code).toBe(Code.CREATED);
    expect((await deviceOf()).registration).toMatchObject({
      version: '1.1',
      rootPath: '/lwm2m',
      contentFormats: [60, 110, 112],
      objects: [
        { path: '/1/0', attributes: { ver: '1.1' } },
        { path: '/3/0', attributes: {} },
      ],
    });
  });

  it('whose objects an Update changes, 1250 and 1350, stays with the new ones (ETS 1250, 1350)', async () => {
    world = await ServerWorld.open();
    const device = await registered('</1/0>,</11/0>');
    const update = await device.request(Code.POST, device.location, [], '</1/0>,</11/0>,</11/1>,</13/0>');
    expect(update.code).toBe(Code.CHANGED);
    const { registration } = await deviceOf();
    expect(registration?.objects.map(({ path }) => path)).toEqual(['/1/0', '/11/0', '/11/1', '/13/0']);
    expect(registration?.contentFormats).toEqual([110, 112]);
  });
});

describe('a profile id', () => {
  const ID = '6:27354b9a';
  const query = ['ep=modem', 'lt=300', 'lwm2m=1.2', 'b=U', `pid=${ID}`];
  const send = (device: ScriptedDevice, links = ''): Promise<IncomingResponse> =>
    device.request(Code.POST, '/rd', query, links);
  const listed = async (name = 'modem'): Promise<string[]> =>
    (await deviceOf(name)).registration?.objects.map(({ path }) => path) ?? [];

  it('that a person gave stands for the objects (ETS 110)', async () => {
    world = await ServerWorld.open();
    const given = await call('PUT', `/api/profiles/${encodeURIComponent(ID)}`, { objects: '</1/0>,</3/0>' });
    expect(given.status).toBe(200);
    expect((await send(world.device('device:1', 'modem'))).code).toBe(Code.CREATED);
    expect(await listed()).toEqual(['/1/0', '/3/0']);
    expect((await deviceOf()).registration?.profiles).toEqual([ID]);
  });

  it('has beside it the objects that it does not stand for (ETS 111)', async () => {
    world = await ServerWorld.open();
    await call('PUT', `/api/profiles/${encodeURIComponent(ID)}`, { objects: '</1/0>,</3/0>' });
    const device = world.device('device:1', 'modem');
    expect((await send(device, '</>;rt="oma.lwm2m";ct=112,</4/0>,</3/0>;ver=1.2')).code).toBe(Code.CREATED);
    expect((await deviceOf()).registration).toMatchObject({
      contentFormats: [112],
      objects: [
        { path: '/1/0', attributes: {} },
        { path: '/3/0', attributes: { ver: '1.2' } },
        { path: '/4/0', attributes: {} },
      ],
    });
  });

  it('that nobody knows gets 4.09; the objects, listed then, are what it stands for from this device', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const refused = await send(device);
    expect([refused.code, text(refused.payload)]).toEqual([
      Code.CONFLICT,
      `profile ${ID} is not known: list the objects`,
    ]);
    expect((await send(device, '</1/0>,</3/0>')).code).toBe(Code.CREATED);
    expect((await send(device)).code).toBe(Code.CREATED);
    expect(await listed()).toEqual(['/1/0', '/3/0']);
    const other = world.device('device:2', 'other');
    const elsewhere = await other.request(Code.POST, '/rd', ['ep=other', ...query.slice(1)]);
    expect(elsewhere.code).toBe(Code.CONFLICT);
  });

  it('that nobody knows is not taken for the objects beside it, which may be the others', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    expect((await send(device, '</4/0>')).code).toBe(Code.CONFLICT);
    expect((await send(device, '</1/0>,</3/0>,</4/0>')).code).toBe(Code.CREATED);
    expect(await listed()).toEqual(['/1/0', '/3/0', '/4/0']);
  });

  it('may change by an Update', async () => {
    world = await ServerWorld.open();
    const device = await registered('</1/0>,</3/0>', ['lt=300', 'lwm2m=1.2', 'b=U']);
    expect((await device.request(Code.POST, device.location, ['pid=v:two'])).code).toBe(Code.CONFLICT);
    await call('PUT', '/api/profiles/v%3Atwo', { objects: '</1/0>,</3/0>,</4/0>' });
    expect((await device.request(Code.POST, device.location, ['pid=v:two'])).code).toBe(Code.CHANGED);
    expect(await listed()).toEqual(['/1/0', '/3/0', '/4/0']);
    expect((await device.request(Code.POST, '/rd/none', ['pid=v:two'])).code).toBe(Code.NOT_FOUND);
  });

  it('or objects must be there from LwM2M 1.2 on', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    const nothing = (version: string) =>
      device.request(Code.POST, '/rd', ['ep=modem', 'lt=300', `lwm2m=${version}`]);
    expect((await nothing('1.2')).code).toBe(Code.CONFLICT);
    expect((await nothing('1.1')).code).toBe(Code.CREATED);
  });

  it('is listed, and forgotten', async () => {
    world = await ServerWorld.open();
    await call('PUT', '/api/profiles/oma%3Aa', { objects: '</1>;ver=1.2,</1/0>' });
    const { items } = await world.api.get<{ items: ApiProfile[] }>('/api/profiles');
    expect(items).toMatchObject([
      {
        id: 'oma:a',
        objects: [
          { path: '/1', attributes: { ver: '1.2' } },
          { path: '/1/0', attributes: {} },
        ],
      },
    ]);
    expect((await call('DELETE', '/api/profiles/oma%3Aa')).status).toBe(204);
    expect((await call('DELETE', '/api/profiles/oma%3Aa')).status).toBe(404);
    expect((await call('PUT', '/api/profiles/none', { objects: '</1/0>' })).status).toBe(400);
    expect((await call('PUT', '/api/profiles/v%3Aa', { objects: 'broken' })).status).toBe(400);
    expect((await call('PUT', '/api/profiles/v%3Aa', { objects: '</sensors>' })).status).toBe(400);
  });
});
