import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { IncomingRequest } from '../../protocol/coap/exchange.ts';
import { Code, MessageType } from '../../protocol/coap/message.ts';
import {
  accept,
  contentFormat,
  contentFormatOption,
  uintOption,
  uriPath,
} from '../../protocol/coap/options.ts';
import { decodeChanges } from '../../protocol/lwm2m/changes.ts';
import { decodePaths, encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiCompositeResult, ApiObservation, ApiReading } from '../../server/api/schemas.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const { SENML_CBOR, SENML_JSON, SENML_ETCH_CBOR, LWM2M_CBOR, TLV } = ContentFormat;
const PATHS = ['/3303/0/5700', '/3/0/9'];
const types = { resourceType: () => undefined };
const values: readonly LwM2mRecord[] = [
  { path: '/3303/0/5700', value: 21.5 },
  { path: '/3/0/9', value: 80 },
];

function answer(records: readonly LwM2mRecord[], format: number = SENML_CBOR) {
  return {
    code: Code.CONTENT,
    options: [contentFormatOption(format)],
    payload: encodeContent(format, '/', records, types),
  };
}

async function registered(version = '1.1', ct = '110 112'): Promise<ScriptedDevice> {
  const device = world.device('device:1', 'modem');
  const links = `</>;rt="oma.lwm2m";ct="${ct}",</3303/0>,</3/0>`;
  const query = ['ep=modem', 'lt=300', `lwm2m=${version}`, 'b=U'];
  const { code } = await device.request(Code.POST, '/rd', query, links);
  expect(code).toBe(Code.CREATED);
  return device;
}

/** All requests of a method, as they came. */
function requestsOf(
  device: ScriptedDevice,
  method: 'FETCH' | 'IPATCH',
  respond: (request: IncomingRequest) => void,
): IncomingRequest[] {
  const seen: IncomingRequest[] = [];
  device.answers.set(`${method} /`, (request) => {
    seen.push(request);
    respond(request);
  });
  return seen;
}

const url = (query = ''): string => `/api/devices/modem/composite?paths=${PATHS.join(',')}${query}`;
const observations = (query = ''): string =>
  `/api/devices/modem/composite-observations?paths=${PATHS.join(',')}${query}`;
const status = async (response: Promise<Response>): Promise<[number, string | undefined]> => {
  const answered = await world.wait(response);
  const body = answered.status === 204 ? {} : ((await answered.json()) as { code?: string });
  return [answered.status, body.code];
};
const call = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(world.server.httpAddress + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

async function readings(path: string): Promise<ApiReading[]> {
  const { items } = await world.api.get<{ items: ApiReading[] }>(`/api/devices/modem/readings?path=${path}`);
  return items;
}

describe('Read-Composite', () => {
  it('is a FETCH with the list of paths, in the best format that the device has (ETS 280)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const asked = requestsOf(device, 'FETCH', (request) => request.respond(answer(values)));
    const result = await world.wait(world.api.get<ApiCompositeResult>(url()));
    expect(result).toMatchObject({
      paths: PATHS,
      contentFormat: SENML_CBOR,
      items: [
        { path: '/3303/0/5700', value: 21.5 },
        { path: '/3/0/9', value: 80, name: 'Battery Level' },
      ],
    });
    const [request] = asked as [IncomingRequest];
    expect([contentFormat(request.options), accept(request.options)]).toEqual([SENML_CBOR, SENML_CBOR]);
    expect(decodePaths(SENML_CBOR, request.payload)).toEqual(PATHS);
    expect(uriPath(request.options)).toEqual([]);
  });

  it('leaves out what the device does not have (ETS 281)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    requestsOf(device, 'FETCH', (request) => request.respond(answer(values.slice(0, 1))));
    const { items } = await world.wait(world.api.get<ApiCompositeResult>(url()));
    expect(items.map(({ path }) => path)).toEqual(['/3303/0/5700']);
  });

  it('of the root is everything (ETS 235)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const asked = requestsOf(device, 'FETCH', (request) => request.respond(answer(values)));
    const { items } = await world.wait(
      world.api.get<ApiCompositeResult>('/api/devices/modem/composite?paths=/'),
    );
    expect(items).toHaveLength(2);
    expect(decodePaths(SENML_CBOR, asked[0]?.payload ?? new Uint8Array())).toEqual(['/']);
  });

  it.each([
    ['SENML_JSON', '1.1', SENML_JSON, SENML_JSON],
    ['SENML_CBOR', '1.1', SENML_CBOR, SENML_CBOR],
    ['SENML_ETCH_CBOR', '1.2', SENML_ETCH_CBOR, SENML_CBOR],
    ['LWM2M_CBOR', '1.2', SENML_ETCH_CBOR, LWM2M_CBOR],
    ['320', '1.2', 320, SENML_JSON],
  ])('in %s where that was asked for', async (format, version, list, accepted) => {
    world = await ServerWorld.open();
    const device = await registered(version);
    const asked = requestsOf(device, 'FETCH', (request) => request.respond(answer(values, accepted)));
    const { contentFormat: answered } = await world.wait(
      world.api.get<ApiCompositeResult>(url(`&format=${format}`)),
    );
    expect(answered).toBe(accepted);
    const [{ options, payload }] = asked as [IncomingRequest];
    expect([contentFormat(options), accept(options)]).toEqual([list, accepted]);
    expect(decodePaths(list, payload)).toEqual(PATHS);
  });

  it('goes on with the next format where the device refuses one, 4.15 or 4.06', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.2');
    const asked = requestsOf(device, 'FETCH', (request) => {
      const format = contentFormat(request.options);
      if (format === SENML_CBOR) request.respond({ code: Code.UNSUPPORTED_CONTENT_FORMAT });
      else if (format === SENML_ETCH_CBOR) request.respond({ code: Code.NOT_ACCEPTABLE });
      else request.respond(answer(values, SENML_JSON));
    });
    const result = await world.wait(world.api.get<ApiCompositeResult>(url()));
    expect(result.contentFormat).toBe(SENML_JSON);
    expect(asked.map(({ options }) => contentFormat(options))).toEqual([
      SENML_CBOR,
      SENML_ETCH_CBOR,
      SENML_JSON,
    ]);
  });

  it('does not ask in another format where one was asked for', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const asked = requestsOf(device, 'FETCH', (request) =>
      request.respond({ code: Code.UNSUPPORTED_CONTENT_FORMAT }),
    );
    expect(await status(call('GET', url('&format=SENML_JSON')))).toEqual([415, 'device_unsupported_format']);
    expect(asked).toHaveLength(1);
  });

  it('leaves out what was not asked for', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const foreign: LwM2mRecord[] = [...values, { path: '/42769/0/0', value: 'Acme' }];
    requestsOf(device, 'FETCH', (request) => request.respond(answer(foreign)));
    const { items } = await world.wait(world.api.get<ApiCompositeResult>(url()));
    expect(items.map(({ path }) => path)).toEqual(PATHS);
    expect(await readings('/42769/0/0')).toEqual([]);
  });

  it('is unreadable where the answer has nothing of what was asked', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    requestsOf(device, 'FETCH', (request) =>
      request.respond(answer([{ path: '/42769/0/0', value: 'Acme' }])),
    );
    expect(await status(call('GET', url()))).toEqual([502, 'device_unreadable']);
  });

  it('is refused for a device of LwM2M 1.0, and nothing is sent', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.0');
    expect(await status(call('GET', url()))).toEqual([400, 'invalid_request']);
    expect(await status(call('POST', observations()))).toEqual([400, 'invalid_request']);
    expect(await status(call('PUT', '/api/devices/modem/composite', { values: { '/3/0/14': 'x' } }))).toEqual(
      [400, 'invalid_request'],
    );
    expect(device.asked.filter((what) => what.endsWith(' /'))).toEqual([]);
  });

  it.each([
    ['no path', ''],
    ['a path that is none', '/3/0/x'],
    ['a path of five ids', '/1/2/3/4/5'],
    [
      'more paths than a device may be asked for',
      Array.from({ length: 257 }, (_, i) => `/${i + 1}`).join(','),
    ],
    ['a format that composite operations do not have', `/3&format=${TLV}`],
  ])('with %s is refused, and nothing is sent', async (_what, query) => {
    world = await ServerWorld.open();
    const device = await registered();
    const [code] = await status(call('GET', `/api/devices/modem/composite?paths=${query}`));
    expect(code).toBe(400);
    expect(device.asked.filter((what) => what.endsWith(' /'))).toEqual([]);
  });
});

describe('Write-Composite', () => {
  it('is an iPATCH with all values (ETS 230, 257)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const asked = requestsOf(device, 'IPATCH', (request) => request.respond({ code: Code.CHANGED }));
    const body = { values: { '/3/0/14': '+01:00', '/1/0/1': 300, '3303/0/5601': -1.5 } };
    expect(await status(call('PUT', '/api/devices/modem/composite', body))).toEqual([204, undefined]);
    const [{ options, payload }] = asked as [IncomingRequest];
    expect(contentFormat(options)).toBe(SENML_CBOR);
    expect(decodeChanges(SENML_CBOR, payload, types)).toEqual([
      { path: '/3/0/14', value: '+01:00' },
      { path: '/1/0/1', value: 300 },
      { path: '/3303/0/5601', value: -1.5 },
    ]);
  });

  it('removes instances of resources in SenML-ETCH, from 1.2 on', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.2');
    const asked = requestsOf(device, 'IPATCH', (request) => request.respond({ code: Code.CHANGED }));
    const body = { values: { '/3/0/14': '+01:00', '/16/0/0/2': null } };
    expect(await status(call('PUT', '/api/devices/modem/composite', body))).toEqual([204, undefined]);
    const [{ options, payload }] = asked as [IncomingRequest];
    expect(contentFormat(options)).toBe(SENML_ETCH_CBOR);
    expect(decodeChanges(SENML_ETCH_CBOR, payload, types)).toContainEqual({ path: '/16/0/0/2', value: null });
  });

  it.each([
    ['a device of 1.1 cannot remove', { '/16/0/0/2': null }],
    ['null removes an instance of a resource only', { '/3/0/14': null }],
    ['a value does not fit its type', { '/1/0/1': 'soon' }],
    ['a path is no resource', { '/3/0': 1 }],
  ])('is refused where %s, and nothing is sent', async (_why, changes) => {
    world = await ServerWorld.open();
    const device = await registered();
    const asked = requestsOf(device, 'IPATCH', (request) => request.respond({ code: Code.CHANGED }));
    const answered = await status(call('PUT', '/api/devices/modem/composite', { values: changes }));
    expect(answered).toEqual([400, 'invalid_request']);
    expect(asked).toEqual([]);
  });

  it("tells the device's own no", async () => {
    world = await ServerWorld.open();
    const device = await registered();
    requestsOf(device, 'IPATCH', (request) => request.respond({ code: Code.METHOD_NOT_ALLOWED }));
    const body = { values: { '/3/0/9': 1 } };
    expect(await status(call('PUT', '/api/devices/modem/composite', body))).toEqual([
      405,
      'device_method_not_allowed',
    ]);
  });
});

/** A device that is observed together at PATHS. */
async function observed(
  version = '1.1',
  query = '',
  body?: unknown,
): Promise<[ScriptedDevice, IncomingRequest[]]> {
  const device = await registered(version);
  const asked = requestsOf(device, 'FETCH', (request) => request.respond(answer(values)));
  const response = await world.wait(call('POST', observations(query), body));
  expect(response.status).toBe(200);
  return [device, asked];
}

const notify = (device: ScriptedDevice, records: readonly LwM2mRecord[]): Promise<boolean> =>
  world.wait(
    new Promise<boolean>((resolve) => {
      const observer = device.observers.get('/');
      if (observer === undefined) throw new Error('nothing is observed together');
      observer.notify(answer(records), { keep: true }, resolve);
    }),
  );

describe('Observe-Composite', () => {
  it('is a FETCH with Observe 0; its notifications are readings of each path (ETS 304)', async () => {
    world = await ServerWorld.open();
    const [device, asked] = await observed();
    expect(asked.map(({ observe }) => observe)).toEqual([0]);
    await world.until('the first answer is in the log', async () => (await readings('/3/0/9')).length === 1);
    expect(
      await notify(device, [
        { path: '/3303/0/5700', value: 22 },
        { path: '/3/0/9', value: 79 },
      ]),
    ).toBe(true);
    expect((await readings('/3303/0/5700')).map(({ value }) => value)).toEqual([21.5, 22]);
    expect((await readings('/3/0/9')).map(({ value }) => value)).toEqual([80, 79]);
    const { items } = await world.api.get<{ items: ApiObservation[] }>('/api/devices/modem/observations');
    expect(items).toMatchObject([
      { paths: PATHS, composite: true, contentFormat: SENML_CBOR, origin: 'api' },
    ]);
  });

  it('keeps nothing of a notification that was not asked for', async () => {
    world = await ServerWorld.open();
    const [device] = await observed();
    const forged: LwM2mRecord[] = [
      { path: '/3/0/9', value: 50 },
      { path: '/3/0/90', value: 1 },
      { path: '/42769/0/0', value: 'Acme' },
    ];
    expect(await notify(device, forged)).toBe(true);
    expect(await notify(device, forged.slice(1))).toBe(true);
    expect((await readings('/3/0/9')).map(({ value }) => value)).toEqual([80, 50]);
    const { items } = await world.api.get<{ items: ApiReading[] }>('/api/devices/modem/readings');
    expect(items.map(({ path }) => path).sort()).toEqual([...PATHS].sort());
    const metrics = await (await fetch(`${world.server.httpAddress}/metrics`)).text();
    expect(metrics).toContain('simyard_telemetry_undecodable_total 1');
  });

  it('of the same paths replaces the older one, in whatever order they are named', async () => {
    world = await ServerWorld.open();
    const [device, asked] = await observed();
    const former = asked[0]?.token;
    const again = `/api/devices/modem/composite-observations?paths=${[...PATHS].reverse().join(',')}`;
    expect((await world.wait(call('POST', again))).status).toBe(200);
    const { items } = await world.api.get<{ items: ApiObservation[] }>('/api/devices/modem/observations');
    expect(items.map(({ paths }) => paths)).toEqual([[...PATHS].reverse()]);
    await device.endpoint.close();
    // For half a minute what the device tells for the former one is taken.
    await world.pass(31_000);
    const raw = world.raw('device:1', 'server:5683');
    raw.send({
      code: Code.CONTENT,
      messageId: 77,
      token: Buffer.from(former ?? []).toString('hex'),
      options: [contentFormatOption(SENML_CBOR), uintOption(6, 9)],
      payload: answer(values).payload,
    });
    await world.until('the former is reset', () => raw.received.some(({ type }) => type === MessageType.RST));
  });

  it('has attributes in its request on a device of 1.2 (ETS 310)', async () => {
    world = await ServerWorld.open();
    const [, asked] = await observed('1.2', '', { attributes: { pmin: 5, pmax: 60, con: 1 } });
    const [request] = asked as [IncomingRequest];
    const queries = request.options
      .filter(({ number }) => number === 15)
      .map(({ value }) => Buffer.from(value).toString());
    expect(queries.sort()).toEqual(['con=1', 'pmax=60', 'pmin=5']);
    const { items } = await world.api.get<{ items: ApiObservation[] }>('/api/devices/modem/observations');
    expect(items[0]?.attributes).toEqual({ pmin: 5, pmax: 60, con: 1 });
  });

  it('has its attributes written to each path of a device of 1.1', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.1');
    const written: string[] = [];
    for (const path of PATHS) {
      device.answers.set(`PUT ${path}`, (request) => {
        const query = request.options.filter(({ number }) => number === 15);
        written.push(`${path}?${query.map(({ value }) => Buffer.from(value).toString()).join('&')}`);
        request.respond({ code: Code.CHANGED });
      });
    }
    const asked = requestsOf(device, 'FETCH', (request) => request.respond(answer(values)));
    const response = await world.wait(call('POST', observations(), { attributes: { pmin: 5 } }));
    expect(response.status).toBe(200);
    expect(written).toEqual(PATHS.map((path) => `${path}?pmin=5`));
    expect(asked[0]?.options.some(({ number }) => number === 15)).toBe(false);
  });

  it.each([
    ['belong to one resource', { gt: 5 }],
    ['contradict each other', { pmin: 60, pmax: 5 }],
  ])('is refused with attributes that %s', async (_what, attributes) => {
    world = await ServerWorld.open();
    await registered('1.2');
    expect(await status(call('POST', observations(), { attributes }))).toEqual([400, 'invalid_request']);
  });

  it('that the device does not have is told, and not kept', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    requestsOf(device, 'FETCH', (request) => request.respond({ code: Code.NOT_FOUND }));
    expect(await status(call('POST', observations()))).toEqual([404, 'device_not_found']);
    const { items } = await world.api.get<{ items: ApiObservation[] }>('/api/devices/modem/observations');
    expect(items).toEqual([]);
    expect(await world.stores.observations.count()).toBe(0);
  });
});

describe('Cancel-Composite', () => {
  it('that is active repeats the request with Observe 1: same token, same list (ETS 305)', async () => {
    world = await ServerWorld.open();
    const [device, asked] = await observed();
    expect(await status(call('DELETE', observations('&active=true')))).toEqual([204, undefined]);
    const [made, cancelled] = asked as [IncomingRequest, IncomingRequest];
    expect(cancelled.observe).toBe(1);
    expect(cancelled.token).toEqual(made.token);
    expect(cancelled.payload).toEqual(made.payload);
    expect(contentFormat(cancelled.options)).toBe(contentFormat(made.options));
    expect(device.observers.has('/')).toBe(false);
    expect(await status(call('DELETE', observations()))).toEqual([404, 'not_observed']);
  });

  it('that is passive answers the next notification with RST', async () => {
    world = await ServerWorld.open();
    const [device] = await observed();
    expect(await status(call('DELETE', observations()))).toEqual([204, undefined]);
    expect(await notify(device, values)).toBe(false);
    expect(device.observers.has('/')).toBe(false);
  });

  it('does not touch an observation of one of the paths alone', async () => {
    world = await ServerWorld.open();
    const [device] = await observed();
    device.has('/3/0/9', () => [{ path: '/3/0/9', value: 1 }]);
    await world.wait(call('POST', '/api/devices/modem/observations/3/0/9'));
    await status(call('DELETE', observations()));
    const { items } = await world.api.get<{ items: ApiObservation[] }>('/api/devices/modem/observations');
    expect(items.map(({ paths }) => paths)).toEqual([['/3/0/9']]);
  });
});

describe('after a restart of the server a composite observation', () => {
  let folder: string;
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is understood, and can be cancelled by the same request as it was made with', async () => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-composite-'));
    world = await ServerWorld.open(undefined, folder);
    const [device, asked] = await observed('1.2', '&format=SENML_ETCH_CBOR', { attributes: { pmin: 1 } });
    const [made] = asked as [IncomingRequest];
    await device.endpoint.close();
    await world.close();

    world = await ServerWorld.open(undefined, folder);
    const raw = world.raw('device:1', 'server:5683');
    raw.send({
      code: Code.CONTENT,
      messageId: 500,
      token: Buffer.from(made.token).toString('hex'),
      options: [contentFormatOption(SENML_CBOR), uintOption(6, 900)],
      payload: answer([{ path: '/3/0/9', value: 33 }]).payload,
    });
    await world.until('it is acknowledged', () => raw.received.some(({ type }) => type === MessageType.ACK));
    expect((await readings('/3/0/9')).map(({ value }) => value).sort()).toEqual([33, 80]);

    raw.received.length = 0;
    const cancelling = status(call('DELETE', observations('&active=true')));
    const request = await world.until('it is cancelled', () =>
      raw.received.find(({ code }) => code === Code.FETCH),
    );
    const others = (options: typeof request.options) =>
      options.filter(({ number }) => number !== 6).map(({ number, value }) => [number, [...value]]);
    expect(others(request.options)).toEqual(others(made.options));
    expect(request.options.find(({ number }) => number === 6)?.value).toEqual(new Uint8Array([1]));
    expect(Buffer.from(request.payload)).toEqual(Buffer.from(made.payload));
    expect(Buffer.from(request.token)).toEqual(Buffer.from(made.token));
    raw.send({
      type: MessageType.ACK,
      code: Code.CONTENT,
      messageId: request.messageId,
      token: Buffer.from(request.token).toString('hex'),
    });
    expect(await cancelling).toEqual([204, undefined]);
  });
});
