import { afterEach, describe, expect, it } from 'vitest';
import type { IncomingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { uriQuery } from '../../protocol/coap/options.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiObservation, ApiReading } from '../../server/api/schemas.ts';
import { type ScriptedDevice, ServerWorld, senml } from '../support/server-world.ts';

// Cases of the OMA enabler test specification that judge the server: its ids stand in the names.

let world: ServerWorld;
afterEach(() => world.close());

const BATTERY = '/3/0/9';
const observations = (query = '', path = BATTERY): string => `/api/devices/modem/observations${path}${query}`;
const call = (method: string, path: string, body?: unknown): Promise<Response> =>
  world.wait(
    fetch(world.server.httpAddress + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  );
const refusal = async (response: Promise<Response>): Promise<unknown> => {
  const answered = await response;
  const { code } = (await answered.json()) as { code: string };
  return [answered.status, code];
};

async function registered(version = '1.2', links = '</1/0>,</3/0>'): Promise<ScriptedDevice> {
  const device = world.device('device:1', 'modem');
  await device.register(links, ['lt=300', `lwm2m=${version}`, 'b=U']);
  device.has(BATTERY, () => [{ path: BATTERY, value: 80 }]);
  return device;
}

/** The queries of all requests of a kind. */
function queriesOf(device: ScriptedDevice, what: string, code: number = Code.CHANGED): string[][] {
  const seen: string[][] = [];
  device.answers.set(what, (request) => {
    seen.push([...uriQuery(request.options)].sort());
    request.respond({ code });
  });
  return seen;
}

async function listed(): Promise<readonly ApiObservation[]> {
  const { items } = await world.api.get<{ items: ApiObservation[] }>('/api/devices/modem/observations');
  return items;
}

async function readings(path = BATTERY): Promise<unknown[]> {
  const { items } = await world.api.get<{ items: ApiReading[] }>(`/api/devices/modem/readings?path=${path}`);
  return items.map(({ value }) => value);
}

describe('an observation', () => {
  it('is cancelled by a RST to its next notification (ETS 302)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    expect((await call('POST', observations())).status).toBe(200);
    expect(await world.wait(device.notify(BATTERY, [{ path: BATTERY, value: 70 }]))).toBe(true);
    expect((await call('DELETE', observations())).status).toBe(204);
    expect(device.asked.filter((what) => what.endsWith(BATTERY))).toEqual([`OBSERVE ${BATTERY}`]);
    expect(await world.wait(device.notify(BATTERY, [{ path: BATTERY, value: 60 }]))).toBe(false);
    expect(device.observers.has(BATTERY)).toBe(false);
    expect(await readings()).toEqual([80, 70]);
  });

  it('is cancelled by a Read with Observe 1 and its token (ETS 303)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const requests: IncomingRequest[] = [];
    device.answers.set(`GET ${BATTERY}`, (request) => {
      requests.push(request);
      request.respond(senml(BATTERY, [{ path: BATTERY, value: 80 }]));
    });
    await call('POST', observations());
    expect((await call('DELETE', observations('?active=true'))).status).toBe(204);
    const [made, cancelled] = requests as [IncomingRequest, IncomingRequest];
    expect([made.observe, cancelled.observe]).toEqual([0, 1]);
    expect(cancelled.token).toEqual(made.token);
    expect(device.observers.has(BATTERY)).toBe(false);
    expect(await listed()).toEqual([]);
  });

  it('has its attributes in the request of a device of LwM2M 1.2 (ETS 312)', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.2');
    let queries: readonly string[] = [];
    device.answers.set(`GET ${BATTERY}`, (request) => {
      queries = uriQuery(request.options);
      request.respond(senml(BATTERY, [{ path: BATTERY, value: 80 }]));
    });
    const attributes = { pmin: 5, pmax: 15, gt: 90, lt: 10.5, st: 1, hqmax: 20 };
    expect((await call('POST', observations(), { attributes })).status).toBe(200);
    expect([...queries].sort()).toEqual(['gt=90', 'hqmax=20', 'lt=10.5', 'pmax=15', 'pmin=5', 'st=1']);
    expect(device.asked).not.toContain(`PUT ${BATTERY}`);
    expect(await listed()).toMatchObject([{ paths: [BATTERY], attributes }]);
  });

  it('with other attributes takes the place of the older one, and is cancelled with them (ETS 313)', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.2');
    const seen: (readonly [number | undefined, string[]])[] = [];
    device.answers.set(`GET ${BATTERY}`, (request) => {
      seen.push([request.observe, uriQuery(request.options)]);
      request.respond(senml(BATTERY, [{ path: BATTERY, value: 80 }]));
    });
    await call('POST', observations(), { attributes: { pmin: 5, pmax: 15 } });
    await call('POST', observations(), { attributes: { pmax: 30 } });
    expect(await listed()).toMatchObject([{ attributes: { pmax: 30 } }]);
    await call('DELETE', observations('?active=true'));
    expect(seen).toEqual([
      [0, ['pmin=5', 'pmax=15']],
      [0, ['pmax=30']],
      [1, ['pmax=30']],
    ]);
  });

  it.each(['1.0', '1.1'])(
    'with attributes on a device of LwM2M %s has them written first',
    async (version) => {
      world = await ServerWorld.open();
      const device = await registered(version);
      const written = queriesOf(device, `PUT ${BATTERY}`);
      expect((await call('POST', observations(), { attributes: { pmin: 5, gt: 90 } })).status).toBe(200);
      expect(written).toEqual([['gt=90', 'pmin=5']]);
      expect(device.asked.slice(-2)).toEqual([`PUT ${BATTERY}`, `OBSERVE ${BATTERY}`]);
    },
  );

  it('is not made where the older device does not take the attributes', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.1');
    queriesOf(device, `PUT ${BATTERY}`, Code.BAD_REQUEST);
    const response = call('POST', observations(), { attributes: { pmin: 5 } });
    expect(await refusal(response)).toEqual([400, 'device_bad_request']);
    expect(device.asked).not.toContain(`OBSERVE ${BATTERY}`);
  });

  it('asks without a format where the device lists one that it does not have there', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const formats: boolean[] = [];
    device.answers.set(`GET ${BATTERY}`, (request) => {
      const accept = request.options.some(({ number }) => number === 17);
      formats.push(accept);
      if (accept) request.respond({ code: Code.NOT_ACCEPTABLE });
      else request.respond(senml(BATTERY, [{ path: BATTERY, value: 80 }]));
    });
    expect((await call('POST', observations())).status).toBe(200);
    expect(formats).toEqual([true, false]);
    expect(await world.stores.observations.count()).toBe(1);
  });

  it('keeps nothing of a notification of another path', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    await call('POST', observations());
    const forged: LwM2mRecord[] = [{ path: '/3/0/0', value: 'Acme' }];
    const observer = device.observers.get(BATTERY);
    const payload = encodeContent(ContentFormat.SENML_CBOR, '/', forged, { resourceType: () => undefined });
    const response = { ...senml(BATTERY, []), payload };
    expect(
      await world.wait(new Promise((resolve) => observer?.notify(response, { keep: true }, resolve))),
    ).toBe(true);
    expect(await readings('/3/0/0')).toEqual([]);
    expect(await readings()).toEqual([80]);
  });
});

describe('Write-Attributes', () => {
  const attributes = '/api/devices/modem/attributes';

  it('sets what is named and removes what is null, in one request (ETS 261)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const written = queriesOf(device, `PUT ${BATTERY}`);
    const changes = { pmin: 10, pmax: 60, gt: -0.000_000_1, st: null, con: 1 };
    expect((await call('PUT', `${attributes}${BATTERY}`, changes)).status).toBe(204);
    expect(written).toEqual([['con=1', 'gt=-0.0000001', 'pmax=60', 'pmin=10', 'st']]);
  });

  it('reaches an object, an instance, and an instance of a resource', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    for (const path of ['/3', '/3/0', '/3/0/7/1']) {
      const written = queriesOf(device, `PUT ${path}`);
      expect((await call('PUT', attributes + path, { pmin: 1 })).status).toBe(204);
      expect(written).toEqual([['pmin=1']]);
    }
  });

  it.each([
    ['gt on an instance', '/3/0', { gt: 5 }],
    ['st on an object', '/3', { st: 1 }],
    ['lt on a text', '/3/0/0', { lt: 5 }],
    ['edge on a number', BATTERY, { edge: 1 }],
    ['lt + 2 st that is not less than gt', BATTERY, { lt: 10, st: 5, gt: 20 }],
    ['lt that is not less than gt', BATTERY, { lt: 10, gt: 10 }],
    ['pmax less than pmin', BATTERY, { pmin: 60, pmax: 10 }],
    ['epmax that is not more than epmin', BATTERY, { epmin: 10, epmax: 10 }],
  ])('refuses %s before the device is asked', async (_what, path, changes) => {
    world = await ServerWorld.open();
    const device = await registered();
    expect(await refusal(call('PUT', attributes + path, changes))).toEqual([400, 'invalid_request']);
    expect(device.asked).not.toContain(`PUT ${path}`);
  });

  it.each([
    ['a name that is none', { pmid: 5 }],
    ['a negative time', { pmin: -1 }],
    ['a part of a second', { pmax: 0.5 }],
    ['a negative step', { st: -1 }],
    ['a flag that is none', { con: 2 }],
    ['nothing', {}],
  ])('refuses %s', async (_what, changes) => {
    world = await ServerWorld.open();
    const device = await registered();
    expect(await refusal(call('PUT', attributes + BATTERY, changes))).toEqual([400, 'validation_failed']);
    expect(device.asked).not.toContain(`PUT ${BATTERY}`);
  });

  it.each([
    ['1.0', { epmin: 5 }],
    ['1.1', { hqmax: 5 }],
    ['1.1', { con: 1 }],
  ])('refuses what LwM2M %s does not have: %o', async (version, changes) => {
    world = await ServerWorld.open();
    await registered(version);
    expect(await refusal(call('PUT', attributes + BATTERY, changes))).toEqual([400, 'invalid_request']);
  });

  it('allows pmax of 0, which is none, beside any pmin', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    const written = queriesOf(device, `PUT ${BATTERY}`);
    expect((await call('PUT', attributes + BATTERY, { pmin: 60, pmax: 0 })).status).toBe(204);
    expect(written).toEqual([['pmax=0', 'pmin=60']]);
  });
});

describe('Discover', () => {
  it('asks for a depth where one is given, from LwM2M 1.2 on (ETS 264, 266)', async () => {
    world = await ServerWorld.open();
    const device = await registered();
    let queries: readonly string[] = [];
    device.answers.set('GET /3', (request) => {
      queries = uriQuery(request.options);
      const payload = new TextEncoder().encode('</3>;ver=1.2;pmin=10,</3/0>,</3/0/9>');
      request.respond({
        code: Code.CONTENT,
        options: [{ number: 12, value: new Uint8Array([40]) }],
        payload,
      });
    });
    const response = await call('GET', '/api/devices/modem/discover/3?depth=2');
    expect(response.status).toBe(200);
    expect(queries).toEqual(['depth=2']);
    expect(await response.json()).toMatchObject({
      items: [{ path: '/3', attributes: { ver: '1.2', pmin: '10' } }, { path: '/3/0' }, { path: '/3/0/9' }],
    });
    expect((await call('GET', '/api/devices/modem/discover/3?depth=4')).status).toBe(400);
  });

  it('has no depth on an older device', async () => {
    world = await ServerWorld.open();
    await registered('1.1');
    expect(await refusal(call('GET', '/api/devices/modem/discover/3?depth=1'))).toEqual([
      400,
      'invalid_request',
    ]);
  });
});

describe('Mute Send', () => {
  it('is written to the instance of the Server object that is ours (ETS 307)', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.1', '</1/1>,</3/0>');
    const written: string[] = [];
    device.answers.set('PUT /1/1/23', (request) => {
      written.push(Buffer.from(request.payload).toString('hex'));
      request.respond({ code: Code.CHANGED });
    });
    const mute = '/api/devices/modem/server/mute-send';
    expect((await call('PUT', mute, { muted: true })).status).toBe(204);
    expect((await call('PUT', mute, { muted: false })).status).toBe(204);
    const cbor = (value: boolean) =>
      Buffer.from(
        encodeContent(ContentFormat.SENML_CBOR, '/1/1/23', [{ path: '/1/1/23', value }], {
          resourceType: () => undefined,
        }),
      ).toString('hex');
    expect(written).toEqual([cbor(true), cbor(false)]);
  });
});

describe('which instance of the Server object is ours', () => {
  const trigger = '/api/devices/modem/server/update-trigger';
  const servers = (records: readonly LwM2mRecord[]) => (device: ScriptedDevice) => {
    device.has('/1', () => records);
    for (const id of [0, 1, 2]) queriesOf(device, `POST /1/${id}/8`);
  };
  const both = servers([
    { path: '/1/1/0', value: 100 },
    { path: '/1/1/1', value: 300 },
    { path: '/1/2/0', value: 200 },
  ]);

  it('is the one with our short server id', async () => {
    world = await ServerWorld.open(undefined, undefined, ['--short-server-id', '200']);
    const device = await registered('1.1', '</1/1>,</1/2>');
    both(device);
    expect((await call('POST', trigger)).status).toBe(204);
    expect(device.asked.at(-1)).toBe('POST /1/2/8');
  });

  it('is the only one that the device shows us', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.1', '</1>,</3/0>');
    servers([{ path: '/1/2/0', value: 7 }])(device);
    expect((await call('POST', trigger)).status).toBe(204);
    expect(device.asked.at(-1)).toBe('POST /1/2/8');
  });

  it('must be said where nothing tells', async () => {
    world = await ServerWorld.open();
    const device = await registered('1.1', '</1/1>,</1/2>');
    both(device);
    const response = await call('POST', trigger);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain('/1/2 is of server 200');
    expect((await call('POST', `${trigger}?instance=1`)).status).toBe(204);
    expect(device.asked.at(-1)).toBe('POST /1/1/8');
  });

  it('is not asked of a device that is not registered', async () => {
    world = await ServerWorld.open();
    expect(await refusal(call('POST', trigger))).toEqual([404, 'unknown_device']);
    const device = await registered();
    await device.request(Code.DELETE, device.location);
    expect(await refusal(call('POST', trigger))).toEqual([409, 'not_registered']);
  });
});
