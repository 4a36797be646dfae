import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ManagedModem, type Wire } from './managed-modem.ts';

// The cases of OMA-ETS-LightweightM2M_INT about single objects, on our modem.

let managed: ManagedModem;
beforeEach(async () => {
  managed = await ManagedModem.open();
});
afterEach(() => managed.close());

const hex = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString('hex');

const ok = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const answer = await managed.call(method, path, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
};

/** Writes attributes, observes, lets time pass; the notifications, after checking that they keep to the periods. */
async function observed(path: string, pmin: number, pmax: number, seconds: number): Promise<Wire[]> {
  await ok('PUT', `/attributes${path}`, { pmin, pmax });
  const { status, wire } = await managed.watch('POST', `/observations${path}`);
  expect(status).toBe(200);
  const request = wire.find(({ from, what }) => from === 'server' && what === 'GET');
  const token = hex(request?.message.token);
  const begin = managed.mark();
  await managed.world.pass(seconds * 1_000);
  const told = managed
    .since(begin)
    .filter(
      ({ from, observe, message }) =>
        from === 'device' && observe !== undefined && hex(message.token) === token,
    );
  expect(told.length).toBeGreaterThanOrEqual(Math.floor(seconds / pmax) - 1);
  expect(told.length).toBeLessThanOrEqual(Math.ceil(seconds / pmin) + 1);
  expect(told.length).toBeGreaterThan(0);
  return told;
}

async function refused(fields: Parameters<ManagedModem['asServer']>[0]): Promise<string[]> {
  return managed.answers(await managed.asServer({ messageId: 77, token: '77', ...fields }));
}

describe('the Server object', () => {
  it('has its writable resources written and read (ETS 551)', async () => {
    await ok('PUT', '/objects/1/0?mode=update&format=TLV', {
      values: { 2: 101, 3: 1010, 5: 2000, 6: false, 7: 'U' },
    });
    expect(await managed.values('/1/0', '?format=TLV')).toMatchObject({
      '/1/0/2': 101,
      '/1/0/3': 1010,
      '/1/0/5': 2000,
      '/1/0/6': false,
      '/1/0/7': 'U',
    });
  });

  it('disables the device, which deregisters and comes back (ETS 555)', async () => {
    await ok('POST', '/server/disable', { seconds: 30 });
    await managed.world.until('gone', async () => (await managed.device()).registration === undefined);
    await managed.world.pass(32_000);
    await managed.registered();
  });

  it('has the device update its registration (ETS 556)', async () => {
    const begin = managed.mark();
    await ok('POST', '/objects/1/0/8');
    await managed.quiet();
    const updates = managed.since(begin).filter(({ from, what }) => from === 'device' && what === 'POST');
    expect(updates).toHaveLength(1);
  });

  it('is not created or deleted by a server: 4.05 (ETS 565, ETS 566)', async () => {
    const tlv = [{ number: 12, value: Uint8Array.of(0x2d, 0x16) }];
    const create = await refused({
      code: Code.POST,
      path: '/1',
      options: tlv,
      payload: Uint8Array.of(0xc1, 0, 99),
    });
    expect(create).toEqual(['4.05']);
    expect(await refused({ code: Code.DELETE, path: '/1/0' })).toEqual(['4.05']);
  });
});

describe('the Device object', () => {
  it('has time, offset and zone written at once, read, and written back (ETS 651)', async () => {
    const before = await managed.values('/3/0');
    const written = { 13: 1_367_491_215, 14: '+02:00', 15: 'Europe/Paris' };
    await ok('PUT', '/objects/3/0?mode=update&format=TLV', { values: written });
    const after = await managed.values('/3/0', '?format=TLV');
    expect(after).toMatchObject({ '/3/0/14': '+02:00', '/3/0/15': 'Europe/Paris' });
    expect(Number(after['/3/0/13'])).toBeGreaterThanOrEqual(1_367_491_215);
    expect(Number(after['/3/0/13'])).toBeLessThan(1_367_491_300);
    const back = { 13: before['/3/0/13'], 14: before['/3/0/14'], 15: before['/3/0/15'] };
    await ok('PUT', '/objects/3/0?format=TLV', { values: back });
    expect(await managed.values('/3/0')).toMatchObject({ '/3/0/15': before['/3/0/15'] });
  });

  it('tells its firmware version (ETS 652)', async () => {
    expect(await managed.values('/3/0/3')).toEqual({ '/3/0/3': '1.2.3' });
  });

  it('reboots (ETS 655)', async () => {
    const begin = managed.mark();
    await ok('POST', '/objects/3/0/4');
    await managed.world.pass(10_000);
    const registers = managed.since(begin).filter(({ from, path }) => from === 'device' && path === '/rd');
    expect(registers).toHaveLength(1);
  });

  it('is reset to what it was made with (ETS 656)', async () => {
    const before = await managed.values('/3/0/15');
    await ok('PUT', '/objects/3/0/15', { value: 'Asia/Tokyo' });
    await ok('POST', '/objects/3/0/5');
    await managed.world.pass(10_000);
    await managed.registered();
    expect(await managed.values('/3/0/15')).toEqual(before);
  });

  it('tells error codes, and forgets them when it is told to (ETS 657)', async () => {
    const { body } = await managed.watch('GET', '/objects/3/0/11');
    expect(JSON.stringify(body)).toContain('"/3/0/11/0"');
    await ok('POST', '/objects/3/0/12');
    expect(await managed.values('/3/0/11')).toEqual({ '/3/0/11/0': 0 });
  });

  it('reports resources by their periods (ETS 660)', async () => {
    await observed('/3/0/7', 5, 15, 50);
    await observed('/3/0/8', 10, 20, 50);
  });

  it('reports by conditions on values (ETS 661)', async () => {
    await ok('PUT', '/attributes/3/0/9', { gt: 200 });
    await observed('/3/0/9', 1, 10, 31);
  });

  it('cannot be created: 4.05 (ETS 680)', async () => {
    const tlv = [{ number: 12, value: Uint8Array.of(0x2d, 0x16) }];
    expect(await refused({ code: Code.POST, path: '/3', options: tlv, payload: '' })).toEqual(['4.05']);
  });

  it('cannot be deleted: 4.05 (ETS 685)', async () => {
    const { status, body } = await managed.call('DELETE', '/objects/3/0');
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body).toMatchObject({ coapCode: '4.05' });
  });
});

describe('Connectivity Monitoring', () => {
  it('is read (ETS 701)', async () => {
    const values = await managed.values('/4/0');
    expect(Object.keys(values)).toEqual(expect.arrayContaining(['/4/0/0', '/4/0/2', '/4/0/4/0']));
    expect(Object.keys(values).some((path) => path.startsWith('/4/0/1/'))).toBe(true);
  });

  it('is observed by its periods (ETS 710)', async () => {
    await observed('/4/0', 2, 10, 31);
  });
});

describe('Location', () => {
  it('is read (ETS 801)', async () => {
    const values = await managed.values('/6/0');
    expect(values).toMatchObject({
      '/6/0/0': expect.any(Number),
      '/6/0/1': expect.any(Number),
      '/6/0/5': expect.any(Number),
    });
  });

  it('is observed by its periods (ETS 810)', async () => {
    await observed('/6/0', 2, 10, 31);
  });
});

describe('Connectivity Statistics', () => {
  it('are collected between Start and Stop (ETS 901)', async () => {
    await ok('POST', '/objects/7/0/6');
    await managed.values('/3/0');
    await managed.world.pass(5_000);
    await ok('POST', '/objects/7/0/7');
    const values = await managed.values('/7/0');
    for (const id of [2, 3]) expect(values[`/7/0/${id}`], JSON.stringify(values)).toEqual(expect.any(Number));
    expect(await managed.values('/7/0')).toEqual(values);
  });

  it('have their collection period written (ETS 905)', async () => {
    await ok('PUT', '/objects/7/0/8', { value: 120 });
    expect(await managed.values('/7/0/8')).toEqual({ '/7/0/8': 120 });
  });

  it('are observed while they are collected (ETS 910)', async () => {
    await ok('PUT', '/objects/7/0/8', { value: 0 });
    await ok('POST', '/objects/7/0/6');
    await observed('/7/0', 2, 10, 31);
    await ok('POST', '/objects/7/0/7');
    await ok('DELETE', '/observations/7/0?active=true');
  });
});

describe('Cellular Connectivity and APN profiles', () => {
  it('are read (ETS 1200)', async () => {
    const { status, body } = await managed.call('GET', '/objects/10/0?format=TLV');
    expect(status, JSON.stringify(body)).toBe(200);
    expect(await managed.values('/10/0')).toHaveProperty('/10/0/11/0');
  });

  it('are discovered in the version that was registered, and read (ETS 1201)', async () => {
    const links = await ok('GET', '/discover/10');
    const object = (links as { items: { path: string; attributes: object }[] }).items.find(
      ({ path }) => path === '/10',
    );
    expect(object?.attributes).toHaveProperty('ver');
    expect(Object.keys(await managed.values('/10/0')).length).toBeGreaterThan(2);
  });

  it('have the power saving mode set (ETS 1202)', async () => {
    const supported = Number((await managed.values('/10/0/12'))['/10/0/12']);
    expect(supported).toBeGreaterThan(0);
    const lowest = supported & -supported;
    await ok('PUT', '/objects/10/0/13?format=TLV', { value: lowest });
    expect(await managed.values('/10/0/13', '?format=TLV')).toEqual({ '/10/0/13': lowest });
  });

  it('have the power saving modes observed (ETS 1203)', async () => {
    await ok('PUT', '/objects/10/0/13', { value: 0 });
    await observed('/10/0/12', 5, 15, 50);
    await observed('/10/0/13', 10, 20, 62);
  });

  it('have their timers observed (ETS 1204)', async () => {
    await observed('/10/0/4', 5, 15, 50);
    await observed('/10/0/5', 10, 20, 62);
  });

  it('take another APN profile, which the registration lists, and which is in use when it is enabled (ETS 1250)', async () => {
    const values = { 0: 'second', 1: 'nxtgenphone', 3: false, 4: 3 };
    const { path } = (await ok('POST', '/objects/11', { values })) as { path: string };
    expect(path).toBe('/11/1');
    await ok('POST', '/server/update-trigger');
    await managed.quiet();
    const paths = (await managed.device()).registration?.objects as { path: string }[];
    expect(paths.map((each) => each.path)).toContain(path);
    await ok('PUT', `/objects${path}/3`, { value: true });
    await ok('PUT', '/objects/11/0/3', { value: false });
    await managed.world.pass(20_000);
    await managed.registered();
    expect(Object.values(await managed.values('/10/0/11'))).toContain('11:1');
  });

  it('take the preferred bearers; the device goes on from another address, and stays registered (ETS 1350)', async () => {
    const before = await managed.values('/13/0');
    expect(Object.keys(before).length).toBeGreaterThan(0);
    await ok('PUT', '/objects/13/0/0', { values: { 0: 5 } });
    await managed.world.pass(20_000);
    expect((await managed.device()).registration).toBeDefined();
    expect(await managed.values('/13/0/0')).toEqual({ '/13/0/0/0': 5 });
  });
});

describe('the Portfolio', () => {
  it('has an instance created in TLV, with all its identities (ETS 1630)', async () => {
    expect(await managed.values('/16/0/0')).toSatisfy((values: object) => Object.keys(values).length === 4);
    const values = { '0/0': 'Host Device ID #2', '0/1': 'Host Device Model #2' };
    const { path } = (await ok('POST', '/objects/16?format=TLV', { values })) as { path: string };
    expect(path).toBe('/16/1');
    const found = (await ok('GET', '/discover/16/1')) as {
      items: { path: string; attributes: { dim?: string } }[];
    };
    expect(found.items.find((item) => item.path === '/16/1/0')?.attributes.dim).toBe('2');
    const all = await managed.values('/16', '?format=TLV');
    expect(Object.keys(all)).toHaveLength(6);
    expect(all).toMatchObject({ '/16/1/0/0': 'Host Device ID #2', '/16/1/0/1': 'Host Device Model #2' });
  });

  it('has all of its instances deleted; the object stays (ETS 1635)', async () => {
    await ok('POST', '/objects/16', { values: { '0/0': 'x' } });
    for (const id of [0, 1]) {
      const { wire } = await managed.watch('DELETE', `/objects/16/${id}`);
      expect(managed.answers(wire)[0]).toBe('2.02');
    }
    const { items } = (await ok('GET', '/discover/16')) as { items: { path: string }[] };
    expect(items.map(({ path }) => path)).toEqual(['/16']);
  });
});

describe('application data', () => {
  const make = (): Promise<unknown> => ok('POST', '/objects/19', { values: { '0/0': 'c0ffee' } });

  it('are observed (ETS 1900)', async () => {
    await make();
    await ok('PUT', '/attributes/19/0/0', { pmin: 300, pmax: 3_600 });
    await ok('POST', '/observations/19/0/0');
    const begin = managed.mark();
    await ok('PUT', '/objects/19/0/0', { values: { 0: 'beef' } });
    await managed.world.pass(290_000);
    const told = (): Wire[] =>
      managed
        .since(begin)
        .filter(({ from, observe, what }) => from === 'device' && observe !== undefined && what === '2.05');
    const early = told().filter(({ message }) => hex(message.payload).includes('beef')).length;
    await managed.world.pass(15_000);
    expect(early).toBe(0);
    expect(told().filter(({ message }) => hex(message.payload).includes('beef'))).toHaveLength(1);
  });

  it('are written, and read back (ETS 1901)', async () => {
    await make();
    await ok('PUT', '/objects/19/0/0', { values: { 0: '00ff', 1: '01' } });
    expect(await managed.values('/19/0/0')).toEqual({ '/19/0/0/0': '00ff', '/19/0/0/1': '01' });
  });
});

describe('the Event Log', () => {
  it('is started by its argument, and stopped (ETS 2000)', async () => {
    const { wire } = await managed.watch('POST', '/objects/20/0/4011', { args: '0' });
    expect(managed.answers(wire)[0]).toBe('2.04');
    expect(await managed.values('/20/0/4013')).toEqual({ '/20/0/4013': expect.any(Number) });
    await ok('POST', '/objects/20/0/4012');
  });

  it('is read (ETS 2001)', async () => {
    const { status, body, wire } = await managed.watch('GET', '/objects/20/0?format=TLV');
    expect(status, JSON.stringify(body)).toBe(200);
    expect(wire.find(({ what }) => what === '2.05')?.contentFormat).toBe(ContentFormat.TLV);
    const values = await managed.values('/20/0');
    expect(Object.keys(values)).toEqual(expect.arrayContaining(['/20/0/4010', '/20/0/4013', '/20/0/4014']));
  });
});
