import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { itemValues, ManagedModem, type Wire } from './managed-modem.ts';
import { recordsOf } from './wire-records.ts';

// The cases of OMA-ETS-LightweightM2M_INT about the information reporting interface.

let managed: ManagedModem;
beforeEach(async () => {
  managed = await ManagedModem.open({ account: { defaultMinimumPeriod: 0, defaultMaximumPeriod: 0 } });
});
afterEach(() => managed.close());

/** Notifications with this token, in order, each with its time on the wire's record. */
const notifications = (wire: readonly Wire[], token: string): Wire[] =>
  wire.filter(
    ({ from, what, observe, message }) =>
      from === 'device' && what === '2.05' && observe !== undefined && hex(message.token) === token,
  );
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** Observes, and gives the token by which its notifications can be told. */
async function observe(path: string, body?: object): Promise<string> {
  const { status, body: answer, wire } = await managed.watch('POST', `/observations${path}`, body);
  expect(status, JSON.stringify(answer)).toBe(200);
  const request = wire.find(
    ({ from, what, observe: option }) => from === 'server' && what === 'GET' && option === 0,
  );
  expect(request?.path).toBe(path);
  return hex(request?.message.token ?? new Uint8Array(0));
}

async function observeComposite(
  paths: readonly string[],
  body?: object,
): Promise<{ token: string; body: unknown }> {
  const query = `paths=${paths.join(',')}&format=SENML_CBOR`;
  const {
    status,
    body: answer,
    wire,
  } = await managed.watch('POST', `/composite-observations?${query}`, body);
  expect(status, JSON.stringify(answer)).toBe(200);
  const request = wire.find(
    ({ from, what, observe: option }) => from === 'server' && what === 'FETCH' && option === 0,
  );
  return { token: hex(request?.message.token ?? new Uint8Array(0)), body: answer };
}

const write = async (path: string, value: unknown): Promise<void> => {
  expect((await managed.call('PUT', `/objects${path}`, { value })).status).toBe(204);
};
const values = (wire: Wire | undefined): Record<string, unknown> =>
  Object.fromEntries(
    (wire === undefined ? [] : recordsOf(wire)).map(({ path, value }: LwM2mRecord) => [path, value]),
  );

describe('Observe and Notify', () => {
  it('reports a change, not before pmin, and again at pmax (ETS 301)', async () => {
    expect((await managed.call('PUT', '/attributes/1/0/2', { pmin: 5, pmax: 15 })).status).toBe(204);
    const token = await observe('/1/0/2');
    const begin = managed.mark();
    await write('/1/0/2', 3);
    await managed.world.pass(3_500);
    expect(notifications(managed.since(begin), token)).toEqual([]);
    await managed.world.pass(2_500);
    const [change] = notifications(managed.since(begin), token);
    expect(values(change)).toEqual({ '/1/0/2': 3 });
    const quiet = managed.mark();
    await managed.world.pass(12_000);
    expect(notifications(managed.since(quiet), token)).toEqual([]);
    await managed.world.pass(4_000);
    expect(notifications(managed.since(quiet), token)).toHaveLength(1);
    const { body } = await managed.call('GET', '/readings?path=/1/0/2');
    expect((body as { items: { value: unknown }[] }).items.map(({ value }) => value)).toContain(3);
  });

  it('ends by a RST of its next notification, the other observation goes on (ETS 302)', async () => {
    const [first, second] = [await observe('/1/0/5'), await observe('/3/0/14')];
    await write('/1/0/5', 1001);
    await write('/3/0/14', '+01:00');
    await managed.quiet();
    const begin = managed.mark();
    expect((await managed.call('DELETE', '/observations/1/0/5')).status).toBe(204);
    expect(managed.since(begin)).toEqual([]);
    await write('/1/0/5', 1002);
    await managed.quiet();
    expect(notifications(managed.since(begin), first)).toHaveLength(1);
    expect(managed.since(begin).filter(({ from, what }) => from === 'server' && what === 'RST')).toHaveLength(
      1,
    );
    const after = managed.mark();
    await write('/1/0/5', 1003);
    await write('/3/0/14', '+02:00');
    await managed.quiet();
    expect(notifications(managed.since(after), first)).toEqual([]);
    expect(notifications(managed.since(after), second)).toHaveLength(1);
  });

  it('ends by a GET with Observe 1, the other observation goes on (ETS 303)', async () => {
    const [first, second] = [await observe('/1/0/5'), await observe('/3/0/14')];
    const { status, wire } = await managed.watch('DELETE', '/observations/1/0/5?active=true');
    expect(status).toBe(204);
    const cancel = wire.find(({ from, what }) => from === 'server' && what === 'GET');
    expect(cancel).toMatchObject({ path: '/1/0/5', observe: 1 });
    expect(hex(cancel?.message.token ?? new Uint8Array(0))).toBe(first);
    expect(managed.answers(wire)).toEqual(['2.05']);
    const begin = managed.mark();
    await write('/1/0/5', 1004);
    await write('/3/0/14', '+03:00');
    await managed.quiet();
    expect(notifications(managed.since(begin), first)).toEqual([]);
    expect(notifications(managed.since(begin), second)).toHaveLength(1);
  });
});

describe('Observe-Composite', () => {
  const paths = ['/1/0/1', '/3/0/11/0', '/3/0/16'];

  it('reports all of its paths together, within pmin and pmax of one of them (ETS 304)', async () => {
    expect((await managed.call('PUT', '/attributes/1/0/1', { pmin: 30, pmax: 45 })).status).toBe(204);
    const { token, body } = await observeComposite(paths);
    expect(itemValues(body)).toEqual({ '/1/0/1': 300, '/3/0/11/0': 0, '/3/0/16': 'U' });
    const begin = managed.mark();
    await managed.world.pass(29_000);
    expect(notifications(managed.since(begin), token)).toEqual([]);
    await managed.world.pass(17_000);
    const [told] = notifications(managed.since(begin), token);
    expect(values(told)).toEqual({ '/1/0/1': 300, '/3/0/11/0': 0, '/3/0/16': 'U' });
  });

  it('ends by a FETCH with Observe 1 (ETS 305)', async () => {
    const { token } = await observeComposite(paths);
    const query = `paths=${paths.join(',')}&active=true`;
    const { status, wire } = await managed.watch('DELETE', `/composite-observations?${query}`);
    expect(status).toBe(204);
    const cancel = wire.find(({ from, what }) => from === 'server' && what === 'FETCH');
    expect(cancel?.observe).toBe(1);
    expect(managed.answers(wire)).toEqual(['2.05']);
    const begin = managed.mark();
    await write('/1/0/1', 400);
    await managed.quiet();
    expect(notifications(managed.since(begin), token)).toEqual([]);
  });

  const make = async (): Promise<string> => {
    const { body } = await managed.call('POST', '/objects/16', { values: { '0/0': '11', '0/1': '22' } });
    return (body as { path: string }).path;
  };

  it('tells of an instance that is created (ETS 308)', async () => {
    expect((await managed.call('PUT', '/attributes/16/0', { pmin: 0, pmax: 45 })).status).toBe(204);
    const { token, body } = await observeComposite(['/16/0', '/16/1']);
    expect(Object.keys(itemValues(body)).some((path) => path.startsWith('/16/1/'))).toBe(false);
    const begin = managed.mark();
    const path = await make();
    expect(path).toBe('/16/1');
    await managed.world.pass(46_000);
    const told = notifications(managed.since(begin), token);
    expect(values(told[0])).toMatchObject({ '/16/1/0/0': '11', '/16/1/0/1': '22' });
    expect(Object.keys(values(told[0])).some((each) => each.startsWith('/16/0/'))).toBe(true);
  });

  it('tells of an instance that is deleted (ETS 309)', async () => {
    await make();
    const { token, body } = await observeComposite(['/16/0', '/16/1']);
    expect(itemValues(body)).toMatchObject({ '/16/1/0/0': '11' });
    const begin = managed.mark();
    const { status, wire } = await managed.watch('DELETE', '/objects/16/1');
    expect(status).toBe(204);
    expect(managed.answers(wire)[0]).toBe('2.02');
    await managed.quiet();
    const [told] = notifications(managed.since(begin), token);
    const left = Object.keys(values(told));
    expect(left.some((each) => each.startsWith('/16/0/'))).toBe(true);
    expect(left.some((each) => each.startsWith('/16/1/'))).toBe(false);
  });

  it('follows attributes that are written while it goes on (ETS 310)', async () => {
    const { token } = await observeComposite(['/1/0/1', '/3/0/16']);
    const before = managed.mark();
    await managed.world.pass(20_000);
    expect(notifications(managed.since(before), token)).toEqual([]);
    expect((await managed.call('PUT', '/attributes/3', { pmax: 5 })).status).toBe(204);
    const begin = managed.mark();
    await managed.world.pass(16_000);
    const told = notifications(managed.since(begin), token);
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(values(told[0])).toEqual({ '/1/0/1': 300, '/3/0/16': 'U' });
  });
});

describe('Send', () => {
  it.each([
    ['SENML_JSON', 110],
    ['SENML_CBOR', 112],
  ] as const)('brings readings that nobody asked for, as %s (ETS 306)', async (name, format) => {
    const begin = managed.mark();
    const [outcome] = await managed.world.wait(managed.modem.client.send(['/3/0/9', '/1/0/1'], format));
    expect(outcome).toMatchObject({ result: 'accepted' });
    const [send] = managed.since(begin).filter(({ what, path }) => what === 'POST' && path === '/dp');
    expect(send).toMatchObject({ from: 'device', contentFormat: ContentFormat[name] });
    expect(
      managed.since(begin).filter(({ from, what }) => from === 'server' && what === '2.04'),
    ).toHaveLength(1);
    const reading = await managed.world.until('the reading', async () => {
      const { body } = await managed.call('GET', '/readings?path=/1/0/1');
      return (body as { items: { value: unknown }[] }).items.at(-1);
    });
    expect(reading).toMatchObject({ value: 300 });
  });

  it('is silent while Mute Send is set (ETS 307)', async () => {
    expect((await managed.call('PUT', '/server/mute-send', { muted: true })).status).toBe(204);
    expect(await managed.values('/1/0/23')).toEqual({ '/1/0/23': true });
    const begin = managed.mark();
    const [muted] = await managed.world.wait(managed.modem.client.send(['/3/0/9']));
    expect(muted).toMatchObject({ result: 'muted' });
    expect(managed.since(begin)).toEqual([]);
    expect((await managed.call('PUT', '/server/mute-send', { muted: false })).status).toBe(204);
    const [sent] = await managed.world.wait(managed.modem.client.send(['/3/0/9']));
    expect(sent).toMatchObject({ result: 'accepted' });
  });

  it('brings what the device was told to send (ETS 311)', async () => {
    const [outcome] = await managed.world.wait(managed.modem.client.send(['/1/0/1', '/3/0/11']));
    expect(outcome).toMatchObject({ result: 'accepted' });
    for (const [path, value] of [
      ['/1/0/1', 300],
      ['/3/0/11/0', 0],
    ] as const) {
      const reading = await managed.world.until('the reading', async () => {
        const { body } = await managed.call('GET', `/readings?path=${path}`);
        return (body as { items: { value: unknown }[] }).items.at(-1);
      });
      expect(reading).toMatchObject({ value });
    }
  });
});

describe('Observe with attributes in the request', () => {
  const begin12 = async (): Promise<void> => {
    await managed.close();
    managed = await ManagedModem.open({ server: { version: '1.2' } });
  };

  it('reports by them (ETS 1.2-312)', async () => {
    await begin12();
    const asked = managed.mark();
    const token = await observe('/3/0/7', { attributes: { pmin: 5, pmax: 15 } });
    const request = managed.since(asked).find(({ from, what }) => from === 'server' && what === 'GET');
    expect(request?.query.toSorted()).toEqual(['pmax=15', 'pmin=5']);
    const begin = managed.mark();
    await managed.world.pass(47_000);
    expect(notifications(managed.since(begin), token).length).toBeGreaterThanOrEqual(3);
  });

  it('which prevail over those that were written (ETS 1.2-313)', async () => {
    await begin12();
    expect((await managed.call('PUT', '/attributes/3/0/16', { pmin: 5, pmax: 60 })).status).toBe(204);
    const token = await observe('/3/0/16', { attributes: { pmin: 5, pmax: 10 } });
    const begin = managed.mark();
    await managed.world.pass(32_000);
    const told = notifications(managed.since(begin), token);
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(told.length).toBeLessThanOrEqual(4);
  });
});
