import { Agent, request } from 'coap';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { ServerProcess } from '../support/server-process.ts';
import { OddDevice } from './odd-device.ts';

interface ReadBody {
  readonly value?: unknown;
  readonly items: readonly { readonly path: string; readonly value: unknown }[];
  readonly contentFormat: number;
}

const TEXT = 0;
const TLV = 11_542;
const SENML_JSON = 110;
const SENML_CBOR = 112;
/** `[{bn: "/3/0/9", v: 41}]` */
const senml41 = Buffer.from('81a221662f332f302f39021829', 'hex');

// What devices in the field do, each once (docs/tolerance.md).
describe.skipIf(!isInstalled('python3'))('the server, with an odd device on aiocoap', () => {
  let server: ServerProcess;
  let device: OddDevice;
  let devices = 0;

  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });
  afterEach(() => device?.stop());

  const start = async (): Promise<void> => {
    device = await OddDevice.start(server.coap, `odd-${++devices}`);
  };
  const path = (rest: string): string => `/api/devices/${device.name}${rest}`;
  const read = (of: string, query = ''): ReturnType<ServerProcess['call']> =>
    server.call('GET', `${path(`/objects${of}`)}${query}`);
  const registration = async (): Promise<unknown> =>
    ((await server.call('GET', path(''))).body as { registration?: unknown }).registration;

  const readings = async (of: string): Promise<{ value: unknown; takenAt: number }[]> => {
    const { body } = await server.call('GET', path(`/readings?path=${of}`));
    return (body as { items: { value: unknown; takenAt: number }[] }).items;
  };

  test('takes a zero-length token for each of its requests', async () => {
    await start();
    await device.order({ do: 'tokens', hex: '' });
    expect(await device.register('</1/0>,</3/0>')).toMatchObject({ code: '2.01' });
    expect(await device.order({ do: 'update', query: ['lt=240'] })).toMatchObject({ code: '2.04' });
    expect(await registration()).toMatchObject({ lifetime: 240 });
    expect(await device.order({ do: 'deregister' })).toMatchObject({ code: '2.02' });
  });

  test('takes a Register without Content-Format', async () => {
    await start();
    expect(await device.register('</1/0>,</3/0>', ['lwm2m=1.0', 'lt=60'], null)).toMatchObject({
      code: '2.01',
    });
    expect(await registration()).toMatchObject({ objects: [{ path: '/1/0' }, { path: '/3/0' }] });
  });

  test.each([
    ['quoted, several', '</>;rt="oma.lwm2m";ct="110 112 11542",</1/0>;ver="1.1",</3/0>;ver="1.2"'],
    ['quoted, one', '</>;rt="oma.lwm2m";ct="112",</1/0>;ver="1.1",</3/0>;ver="1.2"'],
    ['bare', '</>;rt="oma.lwm2m";ct=112,</1/0>;ver=1.1,</3/0>;ver=1.2'],
    ['with spaces about them', '</>;rt="oma.lwm2m";ct="112 ",</1/0>;ver="1.1" , </3/0>; ver="1.2"'],
  ])('reads ct and ver that are %s', async (_, links) => {
    await start();
    await device.serve('/3/0/9', { code: '2.05', format: SENML_CBOR, body: senml41 });
    expect(await device.register(links)).toMatchObject({ code: '2.01' });
    expect(await registration()).toMatchObject({
      objects: [
        { path: '/1/0', attributes: { ver: '1.1' } },
        { path: '/3/0', attributes: { ver: '1.2' } },
      ],
    });
    expect((await read('/3/0/9')).body).toMatchObject({ value: 41, contentFormat: SENML_CBOR });
    const asked = await device.until((line) => line.event === 'asked' && line.path === '/3/0/9');
    expect(asked).toMatchObject({ accept: SENML_CBOR });
  });

  test('says 4.12 to a version that nobody speaks, and takes the same device with a lower one', async () => {
    await start();
    expect(await device.register('</1/0>', ['lwm2m=9.9'])).toMatchObject({ code: '4.12' });
    expect(await registration()).toBeUndefined();
    expect(await device.register('</1/0>', ['lwm2m=1.1'])).toMatchObject({ code: '2.01' });
    expect(await registration()).toMatchObject({ version: '1.1' });
  });

  test('takes version 1.2', async () => {
    await start();
    expect(await device.register('</1/0>', ['lwm2m=1.2'])).toMatchObject({ code: '2.01' });
    expect(await registration()).toMatchObject({ version: '1.2' });
  });

  test('manages a device whose only Server object is /1/1', async () => {
    await start();
    await device.serve('/1/1/1', { code: '2.05', format: TEXT, body: '120' });
    await device.serve('/1/1/8', { code: '2.04' });
    await device.register('</1/1>,</3/0>');
    expect((await read('/1/1/1', '?format=TEXT')).body).toMatchObject({ value: 120 });
    expect((await server.call('POST', path('/objects/1/1/8'))).status).toBeLessThan(300);
  });

  test('manages a device whose objects are below a root path of its own', async () => {
    await start();
    await device.serve('/my/root/3/0/9', {
      code: '2.05',
      format: SENML_JSON,
      body: '[{"bn":"/my/root/3/0/9","v":12}]',
    });
    await device.serve('/my/root/3/0/4', { code: '2.04' });
    await device.register('</my/root>;rt="oma.lwm2m";ct="110",</my/root/1/0>,</my/root/3/0>');
    expect(await registration()).toMatchObject({
      rootPath: '/my/root',
      objects: [{ path: '/1/0' }, { path: '/3/0' }],
    });
    expect((await read('/3/0/9')).body).toMatchObject({ path: '/3/0/9', value: 12 });
    expect((await server.call('POST', path('/objects/3/0/4'))).status).toBeLessThan(300);
    expect((await server.call('POST', path('/observations/3/0/9'))).body).toMatchObject({ value: 12 });
    await device.serve('/my/root/3/0/9', {
      code: '2.05',
      format: SENML_JSON,
      body: '[{"bn":"/my/root/3/0/9","v":13}]',
    });
    await device.order({ do: 'notify', path: '/my/root/3/0/9' });
    await expect.poll(() => readings('/3/0/9')).toMatchObject([{ value: 12 }, { value: 13 }]);
  });

  test('answers an Update that comes while its own request waits for an answer', async () => {
    await start();
    await device.serve('/3/0/9', { code: '2.05', format: TEXT, body: '77', how: 'update first' });
    await device.register('</1/0>,</3/0>');
    const answers = await Promise.all([1, 2, 3].map(() => read('/3/0/9', '?format=TEXT')));
    for (const { status, body } of answers) {
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body).toMatchObject({ value: 77 });
    }
    expect(device.said().match(/"event": ?"updated"/g)).toHaveLength(3);
    expect(device.said()).not.toMatch(/"code": ?"4/);
  });

  test('keeps its other requests back while a device sends a body in blocks, and says 5.03 meanwhile', async () => {
    await start();
    await device.order({ do: 'jealous' });
    const long = 'x'.repeat(20_000);
    await device.serve('/3/0/0', { code: '2.05', format: TEXT, body: long });
    await device.serve('/3/0/9', { code: '2.05', format: TEXT, body: '55' });
    await device.register('</1/0>,</3/0>');
    const [large, ...small] = await Promise.all([
      read('/3/0/0', '?format=TEXT'),
      ...[1, 2, 3, 4].map(() => read('/3/0/9', '?format=TEXT')),
    ]);
    expect(large?.body).toMatchObject({ value: long });
    for (const { status, body } of small) {
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body).toMatchObject({ value: 55 });
    }
  });

  test('keeps its other requests back while it sends a body in blocks itself', async () => {
    await start();
    await device.order({ do: 'jealous' });
    await device.serve('/3/0/9', { code: '2.05', format: TEXT, body: '56' });
    await device.register('</1/0>,</3/0>,</5/0>');
    const [written, ...small] = await Promise.all([
      server.call('PUT', path('/objects/5/0/0?format=OPAQUE'), { value: 'ab'.repeat(20_000) }),
      ...[1, 2, 3, 4].map(() => read('/3/0/9', '?format=TEXT')),
    ]);
    expect(written?.status, JSON.stringify(written?.body)).toBeLessThan(300);
    expect(await device.until((line) => line.event === 'written')).toMatchObject({ length: 20_000 });
    for (const { status, body } of small) {
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body).toMatchObject({ value: 56 });
    }
  });

  test('gives a request up that is acknowledged and never answered, and goes on with the next', async () => {
    await start();
    await device.serve('/3/0/13', {});
    await device.serve('/3/0/9', { code: '2.05', format: TEXT, body: '9' });
    await device.register('</1/0>,</3/0>');
    const [lost, found] = await Promise.all([
      read('/3/0/13', '?format=TEXT&timeout=1500'),
      // It waits for the one before it: one request at a time is what a device is asked (NSTART, RFC 7252 §4.7).
      read('/3/0/9', '?format=TEXT&timeout=10000'),
    ]);
    expect(lost?.status, JSON.stringify(lost?.body)).toBe(504);
    expect(found?.body).toMatchObject({ value: 9 });
  });

  test('reads an error for what it is, though it has a Content-Format of 65535', async () => {
    await start();
    await device.serve('/3/0/9', { code: '4.04', format: 65_535 });
    await device.serve('/3/0/4', { code: '4.05', format: 65_535, body: 'no' });
    await device.register('</1/0>,</3/0>');
    const absent = await read('/3/0/9');
    expect(absent.status).toBe(404);
    expect(absent.body).toMatchObject({ coapCode: '4.04' });
    expect((await server.call('POST', path('/objects/3/0/4'))).body).toMatchObject({ coapCode: '4.05' });
  });

  const device3 = [
    { path: '/3/0/0', value: 'odd' },
    { path: '/3/0/9', value: 41 },
  ];

  test.each([
    ['bn with n', '[{"bn":"/3/0/","n":"0","vs":"odd"},{"n":"9","v":41}]'],
    ['bn without n', '[{"bn":"/3/0/0","vs":"odd"},{"bn":"/3/0/9","v":41}]'],
    ['no bn', '[{"n":"/3/0/0","vs":"odd"},{"n":"/3/0/9","v":41}]'],
    ['a new bn in each record', '[{"bn":"/3/","n":"0/0","vs":"odd"},{"bn":"/3/0/","n":"9","v":41}]'],
    ['members in any order', '[{"vs":"odd","n":"0","bn":"/3/0/"},{"v":41,"n":"9"}]'],
    ['a base value', '[{"bn":"/3/0/","bv":40,"n":"0","vs":"odd"},{"n":"9","v":1}]'],
    ['a base time', '[{"bn":"/3/0/","bt":1700000000,"n":"0","vs":"odd"},{"n":"9","v":41,"t":-5}]'],
    ['a member that nobody knows', '[{"bn":"/3/0/","n":"0","vs":"odd","x-odd":[1,{}]},{"n":"9","v":41}]'],
    ['blanks', ' [ {"bn" : "/3/0/" , "n":"0", "vs":"odd"} ,\r\n\t{"n":"9","v":4.1e1} ] '],
  ])('reads SenML JSON with %s', async (_, body) => {
    await start();
    await device.serve('/3/0', { code: '2.05', format: SENML_JSON, body });
    await device.register('</1/0>,</3/0>');
    const answer = await read('/3/0', '?format=SENML_JSON');
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect((answer.body as ReadBody).items.map(({ path: of, value }) => ({ path: of, value }))).toEqual(
      device3,
    );
  });

  test.each([
    ['bn and n', '82a321652f332f302f0061300363 6f6464 a2006139021829'],
    ['keys in another order', '82a30363 6f64640061302165 2f332f302f a2021829006139'],
    ['bn without n', '82a22166 2f332f302f30 0363 6f6464 a22166 2f332f302f39 021829'],
    ['a base time', '82a421652f332f302f221a6553f100 0061300363 6f6464 a2006139021829'],
    ['maps and arrays of indefinite length', '9fbf21652f332f302f0061300363 6f6464ff bf006139021829ff ff'],
    ['texts in pieces', '82a3217f632f332f62302fff0061300363 6f6464 a2006139021829'],
    [
      'numbers longer than needed',
      '82a321652f332f302f0061300363 6f6464 a2 1800 6139 1802 fb4044800000000000',
    ],
    ['labels as texts', '82a3 62626e 652f332f302f 616e 6130 627673 636f6464 a2 616e 6139 6176 1829'],
  ])('reads SenML CBOR with %s', async (_, hex) => {
    await start();
    const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    await device.serve('/3/0', { code: '2.05', format: SENML_CBOR, body });
    await device.register('</1/0>,</3/0>');
    const answer = await read('/3/0', '?format=SENML_CBOR');
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect((answer.body as ReadBody).items.map(({ path: of, value }) => ({ path: of, value }))).toEqual(
      device3,
    );
  });

  test.each([
    ['bn with n', SENML_JSON, '[{"bn":"/3/0/","n":"9","v":41}]'],
    ['bn without n', SENML_JSON, '[{"bn":"/3/0/9","v":41}]'],
    ['a new bn in each record', SENML_JSON, '[{"bn":"/1/","n":"0/1","v":60},{"bn":"/3/0/","n":"9","v":41}]'],
    [
      'keys in any order',
      SENML_CBOR,
      Buffer.from('81a3021829006139 2165 2f332f302f'.replaceAll(' ', ''), 'hex'),
    ],
  ] as const)('takes a Send with %s', async (_, format, body) => {
    await start();
    await device.register('</1/0>,</3/0>');
    const hex = Buffer.from(body as string).toString('hex');
    expect(await device.order({ do: 'post', path: '/dp', format, hex })).toMatchObject({ code: '2.04' });
    await expect.poll(() => readings('/3/0/9')).toMatchObject([{ value: 41 }]);
  });

  test('takes a Send with a base time, and times that are relative to it', async () => {
    await start();
    await device.register('</1/0>,</3/0>');
    const base = Math.floor(Date.now() / 1000) - 100;
    const pack = JSON.stringify([
      { bn: '/3/0/9', bt: base, v: 1 },
      { t: 10, v: 2 },
      { t: 20.5, v: 3 },
    ]);
    const hex = Buffer.from(pack).toString('hex');
    expect(await device.order({ do: 'post', path: '/dp', format: SENML_JSON, hex })).toMatchObject({
      code: '2.04',
    });
    await expect
      .poll(() => readings('/3/0/9'))
      .toMatchObject([
        { value: 1, takenAt: base * 1000 },
        { value: 2, takenAt: (base + 10) * 1000 },
        { value: 3, takenAt: (base + 20.5) * 1000 },
      ]);
  });

  test('takes notifications in another format and another form each time', async () => {
    await start();
    await device.serve('/3/0/9', { code: '2.05', format: SENML_JSON, body: '[{"bn":"/3/0/9","v":1}]' });
    await device.register('</1/0>,</3/0>');
    expect((await server.call('POST', path('/observations/3/0/9'))).body).toMatchObject({ value: 1 });
    const forms: [number, string | Buffer][] = [
      [SENML_JSON, '[{"bn":"/3/0/","n":"9","v":2}]'],
      [SENML_CBOR, Buffer.from('81a202032166 2f332f302f39'.replaceAll(' ', ''), 'hex')],
      [TEXT, '4'],
      [TLV, Buffer.from('c10905', 'hex')],
    ];
    for (const [at, [format, body]] of forms.entries()) {
      await device.serve('/3/0/9', { code: '2.05', format, body });
      expect(await device.order({ do: 'notify', path: '/3/0/9' })).toMatchObject({ observers: 1 });
      const seen = forms.slice(0, at + 1).map((_, index) => ({ value: index + 2 }));
      await expect.poll(() => readings('/3/0/9')).toMatchObject([{ value: 1 }, ...seen]);
    }
  });

  test('reads what a device sends in another format than it was asked for', async () => {
    await start();
    await device.serve('/3/0/9', { code: '2.05', format: TLV, body: Buffer.from('c10929', 'hex') });
    await device.register('</1/0>,</3/0>');
    const answer = await read('/3/0/9', '?format=SENML_CBOR');
    expect(answer.body, JSON.stringify(answer.body)).toMatchObject({ value: 41, contentFormat: TLV });
  });
});

const coapClient = 'coap-client-notls';

describe.skipIf(!isInstalled(coapClient))("the server, with an odd device on libcoap's coap-client", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });

  const register = async (name: string, version: string): Promise<string> => {
    const links = '</>;rt="oma.lwm2m";ct="110 112",</1/1>;ver="1.1",</3/0>';
    // Without -t it sends no Content-Format.
    const args = ['-v', '7', '-B', '10', '-m', 'post', '-e', links];
    const { output } = await runToEnd(coapClient, [
      ...args,
      `coap://${server.coap}/rd?ep=${name}&lwm2m=${version}`,
    ]);
    return /c:([245]\.\d\d)/.exec(output)?.[1] ?? output;
  };

  test('takes a Register without Content-Format, with quoted attributes and a Server object at /1/1', async () => {
    expect(await register('libcoap-odd', '1.1')).toBe('2.01');
    const { body } = await server.call('GET', '/api/devices/libcoap-odd');
    expect(body).toMatchObject({
      registration: { objects: [{ path: '/1/1', attributes: { ver: '1.1' } }, { path: '/3/0' }] },
    });
  });

  test('says 4.12 to one version, and takes another', async () => {
    expect(await register('libcoap-versions', '2.7')).toBe('4.12');
    expect(await register('libcoap-versions', '1.2')).toBe('2.01');
  });
});

/** A peer on npm coap that has its message ids and tokens from a constant. */
class SameIds extends Agent {
  override _nextMessageId(): number {
    return 4711;
  }
  override _nextToken(): Buffer {
    return Buffer.from('c0ffee', 'hex');
  }
}

describe('the server, with many devices on npm coap', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });

  const register = (agent: Agent, name: string): Promise<{ code: string; location: string }> =>
    new Promise((resolve, reject) => {
      // An agent closes its socket itself after its last answer.
      const [hostname, port] = server.coap.split(':') as [string, string];
      const query = `ep=${name}&lt=600&lwm2m=1.1&b=U`;
      const outgoing = request({
        agent,
        hostname,
        port: Number(port),
        pathname: '/rd',
        query,
        method: 'POST',
      });
      outgoing.on('error', reject);
      outgoing.on('response', ({ code, headers }) => {
        resolve({ code, location: String(headers['Location-Path']) });
      });
      outgoing.end(Buffer.from('</1/0>,</3/0>'));
    });

  test('tells peers apart that use the same message id and the same token at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => register(new SameIds({ type: 'udp4' }), `same-${n}`)),
    );
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['2.01']));
    expect(new Set(answers.map(({ location }) => location)).size).toBe(100);
    const { body } = await server.call('GET', '/api/devices?q=same-&limit=1');
    expect(body).toMatchObject({ total: 100 });
  });

  test('registers a thousand devices that come at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => register(new Agent({ type: 'udp4' }), `burst-${n}`)),
    );
    expect(answers.filter(({ code }) => code !== '2.01')).toEqual([]);
    const { body } = await server.call('GET', '/api/devices?q=burst-&state=registered&limit=1');
    expect(body).toMatchObject({ total: 1000 });
  });
});
