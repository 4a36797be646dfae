import { afterEach, describe, expect, it } from 'vitest';
import { createObjectRegistry, standardObjects } from '../../objects/registry.ts';
import type { IncomingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import {
  accept,
  contentFormat,
  contentFormatOption,
  locationPathOptions,
} from '../../protocol/coap/options.ts';
import { decodeContent, encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiReading, ApiReadResult } from '../../server/api/schemas.ts';
import { type ScriptedDevice, ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const types = createObjectRegistry(standardObjects());
const { TEXT, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, JSON: OLD_JSON, LWM2M_CBOR } = ContentFormat;
const trees = [
  ['SENML_JSON', SENML_JSON],
  ['SENML_CBOR', SENML_CBOR],
  ['TLV', TLV],
  ['JSON', OLD_JSON],
  ['LWM2M_CBOR', LWM2M_CBOR],
] as const;
const all = [['TEXT', TEXT], ['CBOR', CBOR], ...trees] as const;

/** Values of the Device object, of many types. */
const device3: readonly LwM2mRecord[] = [
  { path: '/3/0/0', value: 'Simyard' },
  { path: '/3/0/7/0', value: 3800 },
  { path: '/3/0/7/1', value: 5000 },
  { path: '/3/0/9', value: 100 },
  { path: '/3/0/13', value: 1_367_491_215 },
];

const call = (method: string, path: string, body?: unknown): Promise<Response> =>
  world.wait(
    fetch(`${world.server.httpAddress}/api/devices/modem/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  );
const read = async (path: string): Promise<ApiReadResult> =>
  (await (await call('GET', `objects/${path}`)).json()) as ApiReadResult;

async function registered(ct: string, version = '1.2', links = '</1/0>,</3/0>'): Promise<ScriptedDevice> {
  const device = world.device('device:1', 'modem');
  const root = ct === '' ? '</>;rt="oma.lwm2m"' : `</>;rt="oma.lwm2m";ct="${ct}"`;
  const query = ['ep=modem', 'lt=300', `lwm2m=${version}`, 'b=U'];
  expect((await device.request(Code.POST, '/rd', query, `${root},${links}`)).code).toBe(Code.CREATED);
  return device;
}

/** Answers Reads of `base` in whatever format is asked for; `only` are those that it speaks. */
function readable(
  device: ScriptedDevice,
  base: string,
  records: readonly LwM2mRecord[],
  only: readonly number[],
): (number | undefined)[] {
  const asked: (number | undefined)[] = [];
  device.answers.set(`GET ${base}`, (request) => {
    const format = accept(request.options);
    asked.push(format);
    const spoken = format ?? only[0] ?? TEXT;
    if (!only.includes(spoken)) {
      request.respond({ code: Code.NOT_ACCEPTABLE });
      return;
    }
    const payload = encodeContent(spoken, base, records, types);
    request.respond({ code: Code.CONTENT, options: [contentFormatOption(spoken)], payload });
  });
  return asked;
}

/** What is written, decoded; formats but those of `only` get 4.15. */
function writable(device: ScriptedDevice, what: string, base: string, only: readonly number[]) {
  const seen: { readonly format: number | undefined; readonly records: readonly LwM2mRecord[] }[] = [];
  device.answers.set(what, (request: IncomingRequest) => {
    const format = contentFormat(request.options);
    if (format === undefined || !only.includes(format)) {
      seen.push({ format, records: [] });
      request.respond({ code: Code.UNSUPPORTED_CONTENT_FORMAT });
      return;
    }
    seen.push({ format, records: decodeContent(format, base, request.payload, types) });
    request.respond({ code: Code.CHANGED });
  });
  return seen;
}

describe('a Read', () => {
  it.each(all)('of a resource in %s (ETS 201, 203, 204, 211, 231, 232)', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('');
    const asked = readable(device, '/3/0/9', [{ path: '/3/0/9', value: 100 }], [format]);
    expect(await read(`3/0/9?format=${name}`)).toMatchObject({ contentFormat: format, value: 100 });
    expect(asked).toEqual([format]);
  });

  it('of bytes in OPAQUE (ETS 210)', async () => {
    world = await ServerWorld.open();
    const device = await registered('');
    const record = { path: '/42770/0/3', value: new Uint8Array([0, 255]) };
    readable(device, '/42770/0/3', [record], [OPAQUE]);
    expect(await read('42770/0/3?format=OPAQUE')).toMatchObject({ contentFormat: OPAQUE, value: '00ff' });
  });

  it.each(trees)('of an instance with instances of resources in %s (ETS 223, 225)', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('');
    readable(device, '/3/0', device3, [format]);
    const { items } = await read(`3/0?format=${name}`);
    expect(new Map(items.map(({ path, value }) => [path, value]))).toEqual(
      new Map(device3.map(({ path, value }) => [path, value])),
    );
  });

  it.each(trees)('of a whole object in %s (ETS 222)', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('');
    readable(device, '/3', device3, [format]);
    expect((await read(`3?format=${name}`)).items).toHaveLength(device3.length);
  });

  it.each([
    ['60 110 112 11542', SENML_CBOR],
    ['110 11544', LWM2M_CBOR],
    ['11542 110', SENML_JSON],
    ['11543 11542', TLV],
    ['11543', OLD_JSON],
    ['60', CBOR],
    ['0', TEXT],
  ])('without a format is in the best of %s', async (ct, format) => {
    world = await ServerWorld.open();
    const device = await registered(ct);
    const asked = readable(device, '/3/0/9', [{ path: '/3/0/9', value: 1 }], ct.split(' ').map(Number));
    expect((await read('3/0/9')).contentFormat).toBe(format);
    expect(asked).toEqual([format]);
  });

  it('leaves the format to a device that did not say what it speaks (ETS 237)', async () => {
    world = await ServerWorld.open();
    const device = await registered('');
    const asked = readable(device, '/3/0/9', [{ path: '/3/0/9', value: 1 }], [TEXT]);
    expect((await read('3/0/9')).value).toBe(1);
    expect(asked).toEqual([undefined]);
  });

  it('is in TLV where a device of LwM2M 1.0 did not say', async () => {
    world = await ServerWorld.open();
    const device = await registered('', '1.0');
    const asked = readable(device, '/3/0', device3, [TLV]);
    expect((await read('3/0')).items).toHaveLength(device3.length);
    expect(asked).toEqual([TLV]);
  });

  it('is repeated without a format where the device has not what it listed (4.06)', async () => {
    world = await ServerWorld.open();
    const device = await registered('112');
    const asked = readable(device, '/3/0/9', [{ path: '/3/0/9', value: 1 }], [TEXT]);
    expect((await read('3/0/9')).value).toBe(1);
    expect(asked).toEqual([SENML_CBOR, undefined]);
  });

  it('in a format that was asked for, and is refused, is refused', async () => {
    world = await ServerWorld.open();
    const device = await registered('112');
    readable(device, '/3/0/9', [{ path: '/3/0/9', value: 1 }], [TEXT]);
    expect((await call('GET', 'objects/3/0/9?format=TLV')).status).toBe(406);
  });

  it.each(['40', '50', '65535', 'LINK_FORMAT'])(
    'in format %s, which holds no values, is not sent',
    async (format) => {
      world = await ServerWorld.open();
      const device = await registered('112');
      expect((await call('GET', `objects/3/0/9?format=${format}`)).status).toBe(400);
      expect(device.asked).not.toContain('GET /3/0/9');
    },
  );

  it('of an object without instances is empty', async () => {
    world = await ServerWorld.open();
    const device = await registered('112');
    device.answers.set('GET /16', (request) =>
      request.respond({ code: Code.CONTENT, options: [contentFormatOption(SENML_CBOR)] }),
    );
    expect((await read('16')).items).toEqual([]);
  });

  it('that is answered with another path is unreadable, and nothing of it is kept', async () => {
    world = await ServerWorld.open();
    const device = await registered('112');
    const payload = encodeContent(SENML_CBOR, '/', [{ path: '/3/0/0', value: 'Acme' }], types);
    device.answers.set('GET /3/0/9', (request) =>
      request.respond({ code: Code.CONTENT, options: [contentFormatOption(SENML_CBOR)], payload }),
    );
    const response = await call('GET', 'objects/3/0/9');
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      502,
      'device_unreadable',
    ]);
    const { items } = await world.api.get<{ items: ApiReading[] }>('/api/devices/modem/readings');
    expect(items.filter(({ path }) => path.startsWith('/3/'))).toEqual([]);
  });
});

describe('a Write', () => {
  it.each(all)('of a resource in %s (ETS 205, 212, 215, 220, 233, 234)', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('');
    const seen = writable(device, 'PUT /3/0/14', '/3/0/14', [format]);
    expect((await call('PUT', `objects/3/0/14?format=${name}`, { value: '+02:00' })).status).toBe(204);
    expect(seen).toEqual([{ format, records: [{ path: '/3/0/14', value: '+02:00' }] }]);
  });

  it.each(trees)('of an instance in %s replaces, or updates (ETS 226, 227)', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('');
    const body = { values: { '1': 86_400, '6': true } };
    const records = [
      { path: '/1/0/1', value: 86_400 },
      { path: '/1/0/6', value: true },
    ];
    const replaced = writable(device, 'PUT /1/0', '/1/0', [format]);
    expect((await call('PUT', `objects/1/0?format=${name}`, body)).status).toBe(204);
    expect(replaced).toEqual([{ format, records }]);
    const updated = writable(device, 'POST /1/0', '/1/0', [format]);
    expect((await call('PUT', `objects/1/0?mode=update&format=${name}`, body)).status).toBe(204);
    expect(updated).toEqual([{ format, records }]);
  });

  it.each(trees)(
    'of instances of a resource in %s replaces all, or updates some (ETS 228)',
    async (name, format) => {
      world = await ServerWorld.open();
      const device = await registered('', '1.2', '</1/0>,</16/0>');
      const body = { values: { '1': 'b', '5': 'c' } };
      const records = [
        { path: '/16/0/0/1', value: 'b' },
        { path: '/16/0/0/5', value: 'c' },
      ];
      const replaced = writable(device, 'PUT /16/0/0', '/16/0/0', [format]);
      expect((await call('PUT', `objects/16/0/0?format=${name}`, body)).status).toBe(204);
      expect(replaced).toEqual([{ format, records }]);
      const updated = writable(device, 'POST /16/0/0', '/16/0/0', [format]);
      expect((await call('PUT', `objects/16/0/0?mode=update&format=${name}`, body)).status).toBe(204);
      expect(updated).toEqual([{ format, records }]);
    },
  );

  it('of one instance of a resource is a PUT to it; so is its Read and its Delete', async () => {
    world = await ServerWorld.open();
    const device = await registered('110 112', '1.2', '</1/0>,</16/0>');
    const seen = writable(device, 'PUT /16/0/0/3', '/16/0/0/3', [SENML_CBOR]);
    expect((await call('PUT', 'objects/16/0/0/3', { value: 'x' })).status).toBe(204);
    expect(seen).toEqual([{ format: SENML_CBOR, records: [{ path: '/16/0/0/3', value: 'x' }] }]);
    readable(device, '/16/0/0/3', [{ path: '/16/0/0/3', value: 'x' }], [SENML_CBOR]);
    expect((await read('16/0/0/3')).value).toBe('x');
    device.answers.set('DELETE /16/0/0/3', (request) => request.respond({ code: Code.DELETED }));
    expect((await call('DELETE', 'objects/16/0/0/3')).status).toBe(204);
    expect(device.asked.at(-1)).toBe('DELETE /16/0/0/3');
    expect((await call('DELETE', 'objects/16/0/0')).status).toBe(400);
  });

  it('of one value is never a POST, which would execute it', async () => {
    world = await ServerWorld.open();
    const device = await registered('112');
    const seen = writable(device, 'PUT /3/0/14', '/3/0/14', [SENML_CBOR]);
    expect((await call('PUT', 'objects/3/0/14?mode=update', { value: 'x' })).status).toBe(204);
    expect(seen).toHaveLength(1);
    expect(device.asked).not.toContain('POST /3/0/14');
  });

  it.each([
    ['', 'TEXT', TEXT, [SENML_CBOR, SENML_JSON, TLV, TEXT]],
    ['110 112', 'SENML_JSON', SENML_JSON, [SENML_CBOR, SENML_JSON]],
    ['11542', 'TEXT', TEXT, [TLV, TEXT]],
    ['60', 'CBOR', CBOR, [CBOR]],
  ])('to a device that listed "%s" goes on until %s is taken (4.15)', async (ct, _name, taken, tried) => {
    world = await ServerWorld.open();
    const device = await registered(ct);
    const seen = writable(device, 'PUT /3/0/14', '/3/0/14', [taken]);
    expect((await call('PUT', 'objects/3/0/14', { value: 'x' })).status).toBe(204);
    expect(seen.map(({ format }) => format)).toEqual(tried);
  });
});

describe('a Create', () => {
  it.each(trees)('in %s carries the values of the new instance', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('', '1.2', '</1/0>,</16/0>');
    let created: readonly [number | undefined, readonly LwM2mRecord[]] | undefined;
    device.answers.set('POST /16', (request) => {
      const used = contentFormat(request.options);
      created = [used, decodeContent(used ?? TEXT, '/16', request.payload, types)];
      request.respond({ code: Code.CREATED, options: locationPathOptions('/16/1') });
    });
    const response = await call('POST', `objects/16?format=${name}`, { values: { '0/0': 'a' } });
    expect([response.status, await response.json()]).toEqual([201, { path: '/16/1' }]);
    expect(created).toEqual([format, [{ path: '/16/1/0/0', value: 'a' }]]);
  });
});

describe('an Observe', () => {
  it.each(trees)('of an instance in %s, and its notifications', async (name, format) => {
    world = await ServerWorld.open();
    const device = await registered('');
    readable(device, '/3/0', device3, [format]);
    expect((await call('POST', `observations/3/0?format=${name}`)).status).toBe(200);
    const observer = device.observers.get('/3/0');
    const payload = encodeContent(format, '/3/0', [{ path: '/3/0/9', value: 42 }], types);
    const notification = { code: Code.CONTENT, options: [contentFormatOption(format)], payload };
    await world.wait(
      new Promise<boolean>((resolve) => observer?.notify(notification, { keep: true }, resolve)),
    );
    const { items } = await world.api.get<{ items: ApiReading[] }>('/api/devices/modem/readings?path=/3/0/9');
    expect(items.map(({ value }) => value)).toEqual([100, 42]);
  });
});

describe('the version of an object that a device registered', () => {
  // Activated Profile Names of the Cellular Connectivity object are texts in 1.0, and object links from 1.1 on.
  const NAMES = '/10/0/11';
  const texts = { resourceType: () => ({ type: 'string', multiple: true }) as const };
  const encoded = (value: string) => encodeContent(TLV, NAMES, [{ path: `${NAMES}/0`, value }], texts);

  async function answering(version: string): Promise<ScriptedDevice> {
    const device = await registered('11542', '1.1', `</1/0>,</10>;ver=${version},</10/0>`);
    device.answers.set(`GET ${NAMES}`, (request) =>
      request.respond({
        code: Code.CONTENT,
        options: [contentFormatOption(TLV)],
        payload: encoded('iot.example'),
      }),
    );
    return device;
  }

  it('says how its resources are read and named, and what may be written', async () => {
    world = await ServerWorld.open();
    const device = await answering('1.0');
    expect((await read('10/0/11')).items).toMatchObject([{ value: 'iot.example', type: 'string' }]);
    let written: Uint8Array | undefined;
    device.answers.set(`PUT ${NAMES}`, (request) => {
      written = request.payload;
      request.respond({ code: Code.CHANGED });
    });
    expect((await call('PUT', 'objects/10/0/11', { values: { '0': 'other.example' } })).status).toBe(204);
    expect(Buffer.from(written ?? [])).toEqual(Buffer.from(encoded('other.example')));
  });

  it('is another for a device that registered another', async () => {
    world = await ServerWorld.open();
    await answering('1.1');
    expect((await call('GET', 'objects/10/0/11')).status).toBe(502);
    expect((await call('PUT', 'objects/10/0/11', { values: { '0': 'other.example' } })).status).toBe(400);
  });

  it('says how notifications are read', async () => {
    world = await ServerWorld.open();
    const device = await answering('1.0');
    expect((await call('POST', 'observations/10/0/11')).status).toBe(200);
    const notification = {
      code: Code.CONTENT,
      options: [contentFormatOption(TLV)],
      payload: encoded('new.example'),
    };
    const observer = device.observers.get(NAMES);
    await world.wait(new Promise<boolean>((done) => observer?.notify(notification, { keep: true }, done)));
    const { items } = await world.api.get<{ items: ApiReading[] }>(
      `/api/devices/modem/readings?path=${NAMES}/0`,
    );
    expect(items.map(({ value }) => value)).toEqual(['iot.example', 'new.example']);
  });
});
