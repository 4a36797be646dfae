import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { type ScriptedDevice, ServerWorld, senml } from '../../support/server-world.ts';

const ADDRESS = 'device:1';
const flags = ['--leshan-api', 'true', '--leshan-port', '0'];
const untyped = { resourceType: () => undefined };

interface Event {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any;
}

let world: ServerWorld;
let device: ScriptedDevice;
const ends: (() => void)[] = [];

async function open(query?: readonly string[], more: readonly string[] = []): Promise<void> {
  world = await ServerWorld.open(undefined, undefined, [...flags, ...more]);
  device = world.device(ADDRESS, 'ep');
  device.has('/33000/0/1', () => [{ path: '/33000/0/1', value: 42 }]);
  await device.register('</33000>;ver=1.1,</33000/0>', query);
}

const url = (path: string): string => `${world.server.leshanAddress}${path}`;

async function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const answer = await world.wait(
    fetch(url(path), { method, headers, ...(body === undefined ? {} : { body }) }),
  );
  const text = await answer.text();
  const type = answer.headers.get('content-type');
  return {
    status: answer.status,
    type,
    text,
    json: type?.startsWith('application/json') ? JSON.parse(text) : undefined,
  };
}

/** Events as they come, byte for byte in `raw`. */
async function listen(path: string): Promise<{ readonly events: Event[]; raw: () => string }> {
  const controller = new AbortController();
  ends.push(() => controller.abort());
  const answer = await world.wait(fetch(url(path), { signal: controller.signal }));
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const events: Event[] = [];
  let raw = '';
  const read = async (): Promise<void> => {
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      raw += text;
      events.length = 0;
      for (const [, name = '', data = ''] of raw.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)) {
        events.push({ name, data: JSON.parse(data) });
      }
    }
  };
  read().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return { events, raw: () => raw };
}

const come = (events: readonly Event[], name: string): Promise<Event> =>
  world.until(`${name} comes`, () => events.find((event) => event.name === name));

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await world.close();
});

describe('the Leshan-compatible interface', () => {
  beforeEach(() => open());

  test('lists clients, and shows one, without what would let others act as it', async () => {
    const { json, type } = await ask('GET', '/api/clients');
    expect(type).toContain('application/json');
    expect(json).toEqual([(await ask('GET', '/api/clients/ep')).json]);
    expect(json[0]).toEqual({
      endpoint: 'ep',
      registrationId: expect.stringMatching(/^[\w-]{10}$/),
      registrationDate: expect.any(Number),
      lastUpdate: expect.any(Number),
      address: ADDRESS,
      lwM2mVersion: '1.1',
      lifetime: 300,
      bindingMode: 'U',
      rootPath: '/',
      objectLinks: [
        { url: '/', attributes: { rt: '"oma.lwm2m"', ct: '"110 112"' } },
        { url: '/33000', attributes: { ver: '1.1' } },
        { url: '/33000/0', attributes: {} },
      ],
      secure: false,
      additionalRegistrationAttributes: {},
      queuemode: false,
      availableInstances: { 33000: [0] },
    });
    expect(device.location).not.toContain(json[0].registrationId);
  });

  test('lists more clients than fit on a page of the store', async () => {
    const others = Array.from({ length: 600 }, (_, index) => ({
      id: `r${index}`,
      endpoint: `other-${index}`,
      address: `other:${index}`,
      lifetime: 300,
      version: '1.1',
      binding: 'U',
      queueMode: false,
      rootPath: '/',
      links: [],
      contentFormats: [],
      additional: {},
      registeredAt: 0,
      updatedAt: 0,
      expiresAt: Number.MAX_SAFE_INTEGER,
      node: 'n',
    }));
    await Promise.all(others.map((registration) => world.stores.registrations.register(registration)));
    const { json } = await ask('GET', '/api/clients');
    expect(new Set(json.map(({ endpoint }: { endpoint: string }) => endpoint)).size).toBe(601);
  });

  test('reads, and answers what the device says, also its no, with 200', async () => {
    const read = await ask('GET', '/api/clients/ep/33000/0/1?format=senml_cbor&timeout=2');
    expect(read).toMatchObject({ status: 200 });
    expect(read.json).toEqual({
      status: 'CONTENT(205)',
      valid: true,
      success: true,
      failure: false,
      content: { kind: 'singleResource', id: 1, type: 'INTEGER', value: '42' },
    });
    device.answers.set('GET /33000/0/2', (request) =>
      request.respond({ code: Code.FORBIDDEN, payload: new TextEncoder().encode('keep out') }),
    );
    const refused = await ask('GET', '/api/clients/ep/33000/0/2');
    expect(refused.status).toBe(200);
    expect(refused.json).toEqual({
      status: 'FORBIDDEN(403)',
      valid: false,
      success: false,
      failure: true,
      errormessage: 'keep out',
    });
  });

  test('says 504 when the device is silent, after the seconds that were given', async () => {
    device.answers.set('GET /33000/0/3', () => undefined);
    const before = world.clock.now();
    const { status, text, type } = await ask('GET', '/api/clients/ep/33000/0/3?timeout=7');
    expect([status, text]).toEqual([504, 'Request timeout']);
    expect(type).toContain('text/plain');
    expect(world.clock.now() - before).toBeGreaterThanOrEqual(7_000);
    expect(world.clock.now() - before).toBeLessThan(8_000);
  });

  test.each([
    ['GET', '/api/clients/nobody', 400, "No registered client with id 'nobody'"],
    ['GET', '/api/clients/nobody/3/0', 400, "No registered client with id 'nobody'"],
    ['GET', '/api/clients/', 400, 'Invalid path'],
    ['PUT', '/api/clients/ep/3', 400, 'Invalid path'],
    ['POST', '/api/clients/ep/3/0/1/2', 400, 'Invalid path'],
    ['GET', '/api/objectspecs/nobody', 400, "No registered client with id 'nobody'"],
    ['GET', '/api/objectspecs', 400, 'Invalid path'],
    [
      'GET',
      '/api/clients/ep/abc',
      400,
      'Invalid request: org.eclipse.leshan.core.node.InvalidLwM2mPathException: Invalid elements in path abc',
    ],
    [
      'DELETE',
      '/api/clients/ep/3',
      400,
      'Invalid request: Invalid path /3 : Only object instances can be delete',
    ],
    [
      'DELETE',
      '/api/clients/ep/33000/0/1/observe?active',
      404,
      "no observation for path /33000/0/1 for  client 'ep'",
    ],
    ['GET', '/api/security/clients', 501, '/api/security is not implemented by this server'],
    ['PUT', '/api/security/clients', 501, '/api/security is not implemented by this server'],
    ['DELETE', '/api/security/clients/ep', 501, '/api/security is not implemented by this server'],
    ['GET', '/api/security/server', 501, '/api/security is not implemented by this server'],
    ['GET', '/api/server/security', 501, '/api/server/security is not implemented by this server'],
    ['GET', '/api/bootstrap', 501, '/api/bootstrap is not implemented by this server'],
    ['POST', '/api/bootstrap/ep', 501, '/api/bootstrap is not implemented by this server'],
    ['DELETE', '/api/bootstrap/ep', 501, '/api/bootstrap is not implemented by this server'],
    ['GET', '/api/nothing', 404, 'Not Found'],
  ])('answers %s %s with %i', async (method, path, status, text) => {
    const answer = await ask(method, path);
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(answer.type).toContain('text/plain');
  });

  test('ends an observation without a word to the device, with an empty 200', async () => {
    expect((await ask('POST', '/api/clients/ep/33000/0/1/observe')).json).toMatchObject({
      status: 'CONTENT(205)',
      content: { id: 1, value: '42' },
    });
    const asked = device.asked.length;
    expect(await ask('DELETE', '/api/clients/ep/33000/0/1/observe')).toMatchObject({ status: 200, text: '' });
    expect(device.asked.length).toBe(asked);
    await expect(world.wait(device.notify('/33000/0/1', [{ path: '/33000/0/1', value: 1 }]))).resolves.toBe(
      false,
    );
  });

  test('ends one at the device, and gives the value that it answers', async () => {
    await ask('POST', '/api/clients/ep/33000/0/1/observe');
    expect((await ask('DELETE', '/api/clients/ep/33000/0/1/observe?active')).json).toMatchObject({
      status: 'CONTENT(205)',
      content: { id: 1, value: '42' },
    });
    expect(device.observers.size).toBe(0);
  });

  test('executes with the text of the body as arguments, whatever it calls itself', async () => {
    const bodies: string[] = [];
    device.answers.set('POST /33000/0/5', (request) => {
      bodies.push(new TextDecoder().decode(request.payload));
      request.respond({ code: Code.CHANGED });
    });
    await ask('POST', '/api/clients/ep/33000/0/5');
    await ask('POST', '/api/clients/ep/33000/0/5', "0='1'");
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await ask('POST', '/api/clients/ep/33000/0/5', '7', form)).json).toEqual({
      status: 'CHANGED(204)',
      valid: true,
      success: true,
      failure: false,
    });
    expect(bodies).toEqual(['', "0='1'", '7']);
  });

  test('sets attributes by the query, and unsets those that stand bare', async () => {
    let query: readonly string[] = [];
    device.answers.set('PUT /33000/0', (request) => {
      query = request.options
        .filter(({ number }) => number === 15)
        .map(({ value }) => new TextDecoder().decode(value));
      request.respond({ code: Code.CHANGED });
    });
    expect((await ask('PUT', '/api/clients/ep/33000/0/attributes?pmin=10&pmax')).json.status).toBe(
      'CHANGED(204)',
    );
    expect(query).toEqual(['pmin=10', 'pmax']);
    expect(await ask('PUT', '/api/clients/ep/33000/0/attributes?pmin=10&timeout=2')).toMatchObject({
      status: 400,
      text: 'Invalid attributes: timeout attribute is unknown or not a LWM2M attribute',
    });
  });

  test('creates an instance with the lowest free id where none is given', async () => {
    device.answers.set('POST /33000', (request) => request.respond({ code: Code.CREATED }));
    const body = JSON.stringify({ resources: [{ id: 1, type: 'INTEGER', value: '5' }] });
    const created = await ask('POST', '/api/clients/ep/33000', body, { 'content-type': 'application/json' });
    expect(created.json).toMatchObject({ status: 'CREATED(201)', location: '33000/1' });
  });

  test('has the definitions of the objects that the client lists', async () => {
    await device.register('</3/0>;ver=1.0,</33000/0>');
    const { json } = await ask('GET', '/api/objectspecs/ep');
    expect(json).toHaveLength(1);
    expect(json[0]).toMatchObject({
      id: 3,
      name: 'Device',
      instancetype: 'single',
      mandatory: true,
      urn: 'urn:oma:lwm2m:oma:3',
      version: '1.0',
    });
    expect(json[0].resourcedefs[9]).toMatchObject({
      id: 9,
      name: 'Battery Level',
      operations: 'R',
      instancetype: 'single',
      type: 'integer',
    });
  });

  test('keeps other web pages out', async () => {
    const page = { origin: 'http://elsewhere.example' };
    expect((await ask('GET', '/api/clients', undefined, page)).status).toBe(403);
    expect((await ask('POST', '/api/clients/ep/33000/0/5', "0='1'", page)).status).toBe(403);
    expect(device.asked).not.toContain('POST /33000/0/5');
    // fetch does not let its caller say another Host.
    const status = world.wait(
      new Promise((resolve) => {
        httpRequest(url('/api/clients'), { headers: { host: 'rebound.example' } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).end();
      }),
    );
    await expect(status).resolves.toBe(403);
  });
});

describe('its events', () => {
  test('tell of registrations, updates and their end, line by line as the demo does', async () => {
    await open();
    const { events, raw } = await listen('/api/event');
    await device.register('</33000/0>');
    const registration = await come(events, 'REGISTRATION');
    // The former registration has ended first.
    expect(events.map(({ name }) => name)).toEqual(['DEREGISTRATION', 'REGISTRATION']);
    expect(events[0]?.data.registrationId).not.toBe(registration.data.registrationId);
    await device.request(Code.POST, device.location, ['lt=600']);
    const updated = await come(events, 'UPDATED');
    const { registrationId, address } = registration.data;
    expect(updated.data.registration).toMatchObject({ registrationId, lifetime: 600 });
    expect(updated.data.update).toEqual({
      registrationId,
      address,
      lifetime: 600,
      secure: false,
      additionalAttributes: {},
    });
    await device.request(Code.DELETE, device.location);
    await world.until(
      'it is gone',
      () => events.filter(({ name }) => name === 'DEREGISTRATION').length === 2,
    );
    expect(raw().split('\n').slice(0, 3)).toEqual([
      'event: DEREGISTRATION',
      `data: ${JSON.stringify(events[0]?.data)}`,
      '',
    ]);
  });

  test('tell of a registration that ran out', async () => {
    await open(['lt=60', 'lwm2m=1.1', 'b=U']);
    const { events } = await listen('/api/event?ep=ep');
    await world.pass(70_000);
    expect((await come(events, 'DEREGISTRATION')).data.endpoint).toBe('ep');
  });

  test('tell of notifications, not of the answer to the Observe, and of what a device sends', async () => {
    await open();
    const all = await listen('/api/event');
    const own = await listen('/api/event?ep=ep');
    const others = await listen('/api/event?ep=other');
    await ask('POST', '/api/clients/ep/33000/0/1/observe');
    await world.wait(device.notify('/33000/0/1', [{ path: '/33000/0/1', value: 43 }]));
    await come(own.events, 'NOTIFICATION');
    const pack = [
      { path: '/33000/0/1', value: 44 },
      { path: '/33000/0/2', value: 'x' },
    ];
    await device.send(ContentFormat.SENML_CBOR, encodeContent(ContentFormat.SENML_CBOR, '/', pack, untyped));
    await come(own.events, 'SEND');
    const first = { kind: 'singleResource', id: 1, type: 'INTEGER' };
    expect(own.events.filter(({ name }) => name !== 'COAPLOG')).toEqual([
      {
        name: 'NOTIFICATION',
        data: { ep: 'ep', kind: 'single', res: '/33000/0/1', val: { ...first, value: '43' } },
      },
      {
        name: 'SEND',
        data: {
          ep: 'ep',
          val: {
            '/33000/0/1': { ...first, value: '44' },
            '/33000/0/2': { kind: 'singleResource', id: 2, type: 'STRING', value: 'x' },
          },
        },
      },
    ]);
    await come(all.events, 'SEND');
    expect(all.events).toEqual(own.events.filter(({ name }) => name !== 'COAPLOG'));
    expect(others.raw()).toBe('');
  });

  test('tell of the CoAP messages of the device that is asked for, and of no other', async () => {
    await open();
    const all = await listen('/api/event');
    const own = await listen('/api/event?ep=ep');
    await ask('GET', '/api/clients/ep/33000/0/1');
    await world.until('both come', () => own.events.length === 2);
    expect(own.events.map(({ name, data }) => [name, data.ep, data.incoming, data.type, data.code])).toEqual([
      ['COAPLOG', 'ep', false, 'CON', 'GET'],
      ['COAPLOG', 'ep', true, 'ACK', '2.05'],
    ]);
    expect(all.raw()).toBe('');
  });

  test('tell of a composite notification by its paths', async () => {
    await open();
    const { events } = await listen('/api/event?ep=ep');
    const records = [{ path: '/33000/0/1', value: 1 }];
    device.answers.set('FETCH /', (request) => request.respond(senml('/', records)));
    await ask('POST', '/api/clients/ep/composite/observe?paths=/33000/0/1,/33000/0/2');
    await world.wait(device.notify('/', [{ path: '/33000/0/1', value: 2 }]));
    expect((await come(events, 'NOTIFICATION')).data).toEqual({
      ep: 'ep',
      kind: 'composite',
      val: { '/33000/0/1': { kind: 'singleResource', id: 1, type: 'INTEGER', value: '2' } },
      paths: ['/33000/0/1', '/33000/0/2'],
    });
  });
});

describe('a device in queue mode', () => {
  const queueMode = ['lt=86400', 'lwm2m=1.1', 'b=U', 'Q'];

  test('is asked when it wakes; its answer is then an event, with the id that was given', async () => {
    await open(queueMode);
    const { events } = await listen('/api/event?ep=ep');
    world.link.deaf.add(ADDRESS);
    await world.pass(94_000);
    expect((await come(events, 'SLEEPING')).data).toEqual({ ep: 'ep' });
    expect((await ask('GET', '/api/clients/ep')).json).toMatchObject({ queuemode: true, sleeping: true });
    expect((await ask('GET', '/api/clients')).json).toMatchObject([{ queuemode: true, sleeping: true }]);
    const { status, json } = await ask('GET', '/api/clients/ep/33000/0/1');
    expect(status).toBe(200);
    expect(json).toEqual({ ep: 'ep', path: '/33000/0/1', requestId: expect.any(String), delayed: true });
    await world.pass(60_000);
    world.link.deaf.delete(ADDRESS);
    await device.request(Code.POST, device.location);
    const response = await come(events, 'REQUEST_RESPONSE');
    expect(response.data).toEqual({
      ...json,
      response: {
        status: 'CONTENT(205)',
        valid: true,
        success: true,
        failure: false,
        content: { kind: 'singleResource', id: 1, type: 'INTEGER', value: '42' },
      },
    });
    expect(events.map(({ name }) => name).filter((name) => name !== 'COAPLOG')).toEqual([
      ...['SLEEPING', 'AWAKE', 'UPDATED', 'REQUEST_RESPONSE'],
    ]);
    expect((await ask('GET', '/api/clients/ep')).json).toMatchObject({ sleeping: false });
  });

  test('that is silent although it woke leaves a delayed request without an event, and is still asked the next', async () => {
    await open(queueMode);
    const { events } = await listen('/api/event?ep=ep');
    world.link.deaf.add(ADDRESS);
    await world.pass(94_000);
    device.answers.set('GET /33000/0/3', () => undefined);
    await ask('GET', '/api/clients/ep/33000/0/3?timeout=4');
    const { json } = await ask('GET', '/api/clients/ep/33000/0/1');
    world.link.deaf.delete(ADDRESS);
    await device.request(Code.POST, device.location);
    await come(events, 'REQUEST_RESPONSE');
    expect(
      events.filter(({ name }) => name === 'REQUEST_RESPONSE').map(({ data }) => data.requestId),
    ).toEqual([json.requestId]);
  });
});

describe('with a token', () => {
  test('nothing is told to who does not show it', async () => {
    await open(undefined, ['--leshan-token', 'c2VjcmV0']);
    for (const authorization of ['', 'Bearer c2VjcmV1', 'Basic c2VjcmV0', 'Bearer c2VjcmV0x']) {
      for (const path of ['/api/clients', '/api/event', '/api/nothing']) {
        const headers = authorization === '' ? {} : { authorization };
        expect(await ask('GET', path, undefined, headers)).toMatchObject({ status: 401 });
      }
    }
    expect((await ask('GET', '/api/clients', undefined, { authorization: 'Bearer c2VjcmV0' })).status).toBe(
      200,
    );
  });
});

test('it is closed unless it is asked for', async () => {
  world = await ServerWorld.open();
  expect(world.server.leshanAddress).toBeUndefined();
});
