import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { itemValues, ManagedModem } from './managed-modem.ts';

// The cases of OMA-ETS-LightweightM2M_INT about the operations of device management.

let managed: ManagedModem;
beforeEach(async () => {
  managed = await ManagedModem.open();
});
afterEach(() => managed.close());

const asked = (wire: Awaited<ReturnType<ManagedModem['watch']>>['wire']): string[] =>
  wire
    .filter(({ from, what }) => from === 'server' && !/^(\d|ACK|RST)/.test(what))
    .map(({ what, path }) => `${what} ${path}`);
const composite = (paths: readonly string[], format = 'SENML_CBOR'): string =>
  `/composite?paths=${paths.join(',')}&format=${format}`;
const links = (body: unknown): Map<string, Record<string, string>> =>
  new Map(
    (body as { items: { path: string; attributes: Record<string, string> }[] }).items.map((item) => [
      item.path,
      item.attributes,
    ]),
  );

describe('the Security object', () => {
  it('is none of a server’s business: 4.01 to Read, Write and Write-Attributes (ETS 221)', async () => {
    expect((await managed.call('GET', '/objects/0/0')).body).toMatchObject({ coapCode: '4.01' });
    const write = await managed.call('PUT', '/objects/0/0/0', { value: 'coap://elsewhere' });
    expect(write.body).toMatchObject({ coapCode: '4.01' });
    expect((await managed.call('PUT', '/attributes/0', { pmin: 10 })).body).toMatchObject({
      coapCode: '4.01',
    });
    expect((await managed.call('GET', '/discover/0')).body).toMatchObject({ coapCode: '4.01' });
    expect((await managed.call('DELETE', '/objects/0/0')).body).toMatchObject({ coapCode: '4.01' });
  });
});

describe('composite operations', () => {
  it.each(['SENML_JSON', 'SENML_CBOR'] as const)(
    'Read-Composite of objects, instances and resources in %s (ETS 229)',
    async (format) => {
      const { status, body, wire } = await managed.watch('GET', composite(['/3', '/1/0'], format));
      expect(status, JSON.stringify(body)).toBe(200);
      expect(asked(wire)).toEqual(['FETCH /']);
      expect(managed.answers(wire)).toEqual(['2.05']);
      expect(itemValues(body)).toMatchObject({
        '/3/0/0': 'Simyard',
        '/3/0/11/0': 0,
        '/1/0/1': 300,
        '/1/0/7': 'U',
      });
      const { body: few } = await managed.call('GET', composite(['/1/0/1', '/3/0/11/0'], format));
      expect(itemValues(few)).toEqual({ '/1/0/1': 300, '/3/0/11/0': 0 });
      // Paths that overlap are answered once each (OMA issue 1486).
      const { body: overlapping } = await managed.call('GET', composite(['/1/0', '/1/0/1'], format));
      const paths = (overlapping as { items: { path: string }[] }).items.map(({ path }) => path);
      expect(paths.filter((path) => path === '/1/0/1')).toHaveLength(1);
    },
  );

  it.each(['SENML_JSON', 'SENML_CBOR'] as const)(
    'Write-Composite to two objects in %s (ETS 230)',
    async (format) => {
      const values = { '/1/0/2': 7, '/1/0/6': false, '/16/0/0/0': 'aa', '/16/0/0/3': 'dd' };
      const { status, body, wire } = await managed.watch('PUT', `/composite?format=${format}`, { values });
      expect(status, JSON.stringify(body)).toBe(204);
      expect(asked(wire)).toEqual(['iPATCH /']);
      expect(managed.answers(wire)).toEqual(['2.04']);
      expect(await managed.values('/16/0/0')).toMatchObject({ '/16/0/0/0': 'aa', '/16/0/0/3': 'dd' });
      expect(await managed.values('/1/0')).toMatchObject({ '/1/0/2': 7, '/1/0/6': false });
    },
  );

  it('Read-Composite of the root is all that the server may read (ETS 235)', async () => {
    const { status, body } = await managed.call('GET', composite(['/']));
    expect(status, JSON.stringify(body)).toBe(200);
    const objects = new Set(Object.keys(itemValues(body)).map((path) => path.split('/')[1]));
    expect([...objects]).toEqual(expect.arrayContaining(['1', '3', '4', '5', '42769', '42770']));
    expect(objects).not.toContain('0');
  });

  it('Read-Composite gives what is there and leaves out what is not (ETS 236)', async () => {
    const paths = ['/1/0', '/3/0/11/0', '/3339/0/5522', '/3353/0/6030'];
    const { status, body, wire } = await managed.watch('GET', composite(paths));
    expect(status, JSON.stringify(body)).toBe(200);
    expect(managed.answers(wire)).toEqual(['2.05']);
    const values = itemValues(body);
    expect(values).toMatchObject({ '/1/0/1': 300, '/3/0/11/0': 0 });
    expect(Object.keys(values).filter((path) => path.startsWith('/33'))).toEqual([]);
  });

  it.each(['SENML_JSON', 'SENML_CBOR'] as const)(
    'Write-Composite to Server and Device in %s, nothing where one of them cannot be (ETS 257)',
    async (format) => {
      const values = { '/1/0/2': 102, '/1/0/6': false, '/3/0/15': 'Asia/Kolkata' };
      expect((await managed.call('PUT', `/composite?format=${format}`, { values })).status).toBe(204);
      expect(await managed.values('/1/0')).toMatchObject({ '/1/0/2': 102, '/1/0/6': false });
      expect(await managed.values('/3/0/15')).toEqual({ '/3/0/15': 'Asia/Kolkata' });
      const half = await managed.call('PUT', `/composite?format=${format}`, {
        values: { '/1/0/2': 1, '/3/0/15': 'Mars/Olympus' },
      });
      expect(half.body).toMatchObject({ coapCode: '4.00' });
      expect(await managed.values('/1/0/2')).toEqual({ '/1/0/2': 102 });
    },
  );

  it('Read-Composite of single resources of several objects (ETS 280)', async () => {
    const { status, body } = await managed.call('GET', composite(['/3/0/16', '/3/0/11/0', '/1/0']));
    expect(status).toBe(200);
    const values = itemValues(body);
    expect(Object.keys(values).filter((path) => path.startsWith('/3/'))).toEqual(['/3/0/16', '/3/0/11/0']);
    expect(values).toMatchObject({
      '/3/0/16': 'U',
      '/1/0/0': 101,
      '/1/0/1': 300,
      '/1/0/6': true,
      '/1/0/7': 'U',
    });
  });

  it('Read-Composite with a resource that can only be executed: the rest is answered (ETS 281)', async () => {
    const { status, body } = await managed.call('GET', composite(['/1/0/1', '/1/0/7', '/1/0/8']));
    expect(status, JSON.stringify(body)).toBe(200);
    expect(itemValues(body)).toEqual({ '/1/0/1': 300, '/1/0/7': 'U' });
  });
});

describe('Execute', () => {
  it('reboots the device: 2.04, and it registers again (ETS 241)', async () => {
    const begin = managed.mark();
    expect((await managed.call('POST', '/objects/3/0/4')).status).toBe(204);
    expect(managed.answers(managed.since(begin))[0]).toBe('2.04');
    await managed.world.pass(10_000);
    const registers = managed
      .since(begin)
      .filter(({ from, what, path }) => from === 'device' && what === 'POST' && path === '/rd');
    expect(registers).toHaveLength(1);
    await managed.registered();
  });
});

describe('Write', () => {
  it('gets 4.05 for what can only be read, which stays as it is (ETS 256)', async () => {
    // The API knows as much, and refuses it by itself: so it is asked as a server with another opinion would.
    const options = [{ number: 12, value: new Uint8Array(0) }];
    const wire = await managed.asServer({
      code: Code.PUT,
      messageId: 9,
      token: 'aa',
      path: '/1/0/0',
      options,
      payload: '123',
    });
    expect(managed.answers(wire)).toEqual(['4.05']);
    const { status } = await managed.call('PUT', '/objects/1/0/0', { value: 123 });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await managed.values('/1/0/0')).toEqual({ '/1/0/0': 101 });
  });
});

describe('Discover and Write-Attributes', () => {
  it('tell objects, instances, resources and attributes at each level (ETS 260)', async () => {
    const { body: object, wire } = await managed.watch('GET', '/discover/3');
    expect(asked(wire)).toEqual(['GET /3']);
    expect(wire.find(({ what }) => what === 'GET')?.accept).toBe(ContentFormat.LINK_FORMAT);
    expect(wire.find(({ what }) => what === '2.05')?.contentFormat).toBe(ContentFormat.LINK_FORMAT);
    const paths = [
      '/3/0',
      '/3/0/0',
      '/3/0/1',
      '/3/0/2',
      '/3/0/3',
      '/3/0/4',
      '/3/0/6',
      '/3/0/7',
      '/3/0/9',
      '/3/0/11',
      '/3/0/16',
    ];
    expect([...links(object).keys()]).toEqual(expect.arrayContaining(['/3', ...paths]));
    expect((await managed.call('PUT', '/attributes/3', { pmin: 10, pmax: 200 })).status).toBe(204);
    expect((await managed.call('PUT', '/attributes/3/0/9', { lt: 1, gt: 60, st: 1 })).status).toBe(204);
    const { body: instance } = await managed.call('GET', '/discover/3/0');
    expect(links(instance).get('/3/0/9')).toMatchObject({ lt: '1', gt: '60', st: '1' });
    expect(links(instance).get('/3/0/6')).toHaveProperty('dim');
    const { body: resource } = await managed.call('GET', '/discover/3/0/9');
    expect(links(resource).get('/3/0/9')).toMatchObject({
      pmin: '10',
      pmax: '200',
      lt: '1',
      gt: '60',
      st: '1',
    });
    expect((await managed.call('PUT', '/attributes/3', { pmin: null, pmax: null })).status).toBe(204);
    const { body: bare } = await managed.call('GET', '/discover/3/0/2');
    expect(links(bare).get('/3/0/2')).toEqual({});
  });

  it('attributes of a multiple resource and of one of its instances (ETS 261)', async () => {
    const { body: before } = await managed.call('GET', '/discover/3/0/11');
    expect([...links(before).keys()]).toEqual(['/3/0/11', '/3/0/11/0']);
    expect(links(before).get('/3/0/11')).toMatchObject({ dim: '1' });
    for (const [path, attributes] of [
      ['/3', { pmin: 10, pmax: 200 }],
      ['/3/0', { pmax: 320 }],
      ['/3/0/11/0', { pmax: 100, epmin: 1, epmax: 20 }],
    ] as const) {
      expect((await managed.call('PUT', `/attributes${path}`, attributes)).status, path).toBe(204);
    }
    const { body: after } = await managed.call('GET', '/discover/3/0/11');
    expect(links(after).get('/3/0/11')).toMatchObject({ dim: '1', pmin: '10', pmax: '320' });
    expect(links(after).get('/3/0/11/0')).toMatchObject({ pmax: '100', epmin: '1', epmax: '20' });
  });
});

describe('Create and Delete', () => {
  it('make an instance, which is told by an Update, and can be read (ETS 270)', async () => {
    const begin = managed.mark();
    const { status, body } = await managed.call('POST', '/objects/16', {
      values: { '0/0': 'made', '0/1': 'here' },
    });
    expect(status, JSON.stringify(body)).toBe(201);
    expect(managed.answers(managed.since(begin))).toEqual(['2.01']);
    const { path } = body as { path: string };
    expect(await managed.values(path)).toEqual({ [`${path}/0/0`]: 'made', [`${path}/0/1`]: 'here' });
    await managed.quiet();
    const { body: listed } = await managed.call('GET', '/objects');
    expect([...links(listed).keys()]).toContain(path);
  });

  it('make several instances of a resource at once (ETS 271)', async () => {
    const values = { '0/0': 'a', '0/1': 'b', '0/2': 'c' };
    const { body } = await managed.call('POST', '/objects/16', { values });
    const { path } = body as { path: string };
    expect(Object.values(await managed.values(`${path}/0`))).toEqual(['a', 'b', 'c']);
  });

  it('delete an instance, which is then gone (ETS 290)', async () => {
    const { body } = await managed.call('POST', '/objects/16', { values: { '0/0': 'x' } });
    const { path } = body as { path: string };
    const { status, wire } = await managed.watch('DELETE', `/objects${path}`);
    expect(status).toBe(204);
    expect(managed.answers(wire)[0]).toBe('2.02');
    expect((await managed.call('GET', `/objects${path}`)).body).toMatchObject({ coapCode: '4.04' });
    await managed.quiet();
    const { body: listed } = await managed.call('GET', '/objects');
    expect([...links(listed).keys()]).not.toContain(path);
  });
});
