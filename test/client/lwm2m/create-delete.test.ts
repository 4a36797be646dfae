import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../../objects/device.ts';
import { portfolioObject } from '../../../objects/portfolio.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { locationPath } from '../../../protocol/coap/options.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { byPath, firstValues, otherValues, recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld, registry } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

let world: ClientWorld;
let client: Lwm2mClient;
let types: TypesObject;
let portfolios: Map<number, LwM2mRecord[]>;

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry, version: '1.2' });
  types = new TypesObject(client.tree);
  client.tree.add(instance(deviceObject, 0, { manufacturer: { read: () => 'Simyard' } }));
  portfolios = new Map();
  client.tree.addObject(portfolioObject, {
    create(id, records) {
      portfolios.set(id, [...records]);
      const identity = new Map(records.map(({ path, value }) => [Number(path.split('/')[4]), String(value)]));
      return instance(portfolioObject, id, {
        identity: { read: () => (identity.size === 0 ? undefined : identity) },
      });
    },
    delete: ({ id }) => void portfolios.delete(id),
  });
  client.start();
  await world.registered();
});

afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);
const created = async (path: string, records: readonly LwM2mRecord[], format: number) => {
  const payload = encodeContent(format, path, records, typesRegistry);
  const response = await ask(world.server.send(Code.POST, path, { format, payload }));
  return [told(response), `/${locationPath(response.options).join('/')}`];
};
const remove = async (path: string): Promise<string> => told(await ask(world.server.send(Code.DELETE, path)));

describe('Create', () => {
  it.each([
    ['TLV', ContentFormat.TLV],
    ['SenML JSON', ContentFormat.SENML_JSON],
    ['SenML CBOR', ContentFormat.SENML_CBOR],
    ['LwM2M CBOR', ContentFormat.LWM2M_CBOR],
    ['the JSON of 1.0', ContentFormat.JSON],
  ])('makes an instance with the id and every value that a payload in %s names', async (_, format) => {
    const values = recordsOf(5, otherValues);
    expect(await created('/42771', values, format)).toEqual(['2.01', '/42771/5']);
    const wanted = Object.fromEntries(values.map(({ path, value }) => [path, value]));
    expect(types.values(5)).toEqual(wanted);
    await world.until('Update', () =>
      world.server.of('update').some((u) => u.payload.includes('</42771/5>')),
    );
  });

  it('gives a free id where the payload names none', async () => {
    const payload = encodeContent(ContentFormat.TLV, '/42771/0', recordsOf(0, { 0: 'x' }), typesRegistry);
    const post = () => ask(world.server.send(Code.POST, '/42771', { format: ContentFormat.TLV, payload }));
    const ids = [await post(), await post()].map(({ options }) => locationPath(options)[1]);
    expect(ids).toEqual(['1', '2']);
    expect(types.values(1)).toEqual({ '/42771/1/0': 'x' });
  });

  it('makes an instance without a payload, with what the client gives it', async () => {
    const response = await ask(world.server.send(Code.POST, '/42771'));
    expect([formatCode(response.code), locationPath(response.options)]).toEqual(['2.01', ['42771', '1']]);
  });

  it('passes over what is read-only or unknown', async () => {
    const records = [...recordsOf(7, { 0: 'kept', 21: 'mine' }), { path: '/42771/7/999', value: 'unknown' }];
    expect(await created('/42771', records, ContentFormat.SENML_CBOR)).toEqual(['2.01', '/42771/7']);
    expect(types.values(7)).toEqual({ '/42771/7/0': 'kept' });
  });

  it('of what is there already is declined with 4.00', async () => {
    expect(await created('/42771', recordsOf(0, { 0: 'x' }), ContentFormat.TLV)).toEqual([
      '4.00 /42771/0 is there already',
      '/',
    ]);
    expect(types.get('/42771/0/0')).toBe(firstValues[0]);
  });

  it('without a mandatory resource is declined with 4.00, and nothing is left behind', async () => {
    const response = await ask(world.server.send(Code.POST, '/16'));
    expect(told(response)).toBe('4.00 Identity is missing');
    expect(portfolios.size).toBe(0);
    expect(told(await ask(world.server.read('/16/0')))).toBe('4.04 /16/0 is not here');
  });

  it('of several instances at once is declined with 4.00', async () => {
    const records = [...recordsOf(1, { 0: 'x' }), ...recordsOf(2, { 0: 'y' })];
    expect((await created('/42771', records, ContentFormat.SENML_CBOR))[0]).toBe(
      '4.00 one instance at a time',
    );
  });

  it('in a format that names no resources is declined with 4.15', async () => {
    const response = await ask(
      world.server.send(Code.POST, '/42771', { format: ContentFormat.TEXT, payload: 'x' }),
    );
    expect(told(response)).toBe('4.15 content format 0 names no resources');
  });

  it('of an object whose instances are fixed is declined with 4.05 (ETS 680)', async () => {
    const payload = encodeContent(ContentFormat.TLV, '/3', [{ path: '/3/1/15', value: 'UTC' }], registry);
    const response = await ask(world.server.send(Code.POST, '/3', { format: ContentFormat.TLV, payload }));
    expect(told(response)).toBe('4.05 no instance of /3 can be created');
  });

  it('of a Portfolio and its Delete (ETS 1630, 1635)', async () => {
    const records = ['a', 'b'].map((value, id) => ({ path: `/16/0/0/${id}`, value }));
    expect(await created('/16', records, ContentFormat.TLV)).toEqual(['2.01', '/16/0']);
    expect(await ask(world.server.values('/16/0'))).toEqual({ '/16/0/0/0': 'a', '/16/0/0/1': 'b' });
    expect(await remove('/16/0')).toBe('2.02');
    expect(portfolios.size).toBe(0);
  });

  it('that takes its time makes one instance of two requests for the same', async () => {
    let done: () => void = () => {};
    types.ready = new Promise((resolve) => {
      done = resolve;
    });
    const records = recordsOf(9, { 0: 'x' });
    const payload = encodeContent(ContentFormat.TLV, '/42771', records, typesRegistry);
    const both = [1, 2].map(() =>
      world.server.send(Code.POST, '/42771', { format: ContentFormat.TLV, payload }),
    );
    await world.clock.run(10_000);
    done();
    const codes = await ask(Promise.all(both));
    expect(codes.map(({ code }) => formatCode(code)).sort()).toEqual(['2.01', '4.00']);
    expect(types.values(9)).toEqual({ '/42771/9/0': 'x' });
  });
});

describe('Delete', () => {
  it('removes an instance, and the registration follows', async () => {
    expect(await remove('/42771/0')).toBe('2.02');
    expect(types.values()).toEqual({});
    await world.until('Update', () => world.server.of('update').some((u) => u.payload.includes('</42771>')));
    expect(told(await ask(world.server.read('/42771/0')))).toBe('4.04 /42771/0 is not here');
  });

  it('removes an instance of a multiple resource, and nothing else', async () => {
    expect(await remove('/42771/0/10/7')).toBe('2.02');
    const { ['/42771/0/10/7']: gone, ...others } = byPath(0, firstValues);
    expect(gone).toBe('two');
    expect(Object.keys(types.values()).sort()).toEqual(Object.keys(others).sort());
    expect(await remove('/42771/0/10/7')).toBe('4.04 /42771/0/10/7 is not here');
  });

  it.each([
    ['/3/0', '4.05 /3/0 cannot be deleted'],
    ['/42771', '4.05 /42771 cannot be deleted'],
    ['/42771/0/10', '4.05 /42771/0/10 cannot be deleted'],
    ['/42771/0/0', '4.05 /42771/0/0 cannot be deleted'],
    ['/42771/4', '4.04 /42771/4 is not here'],
    ['/0/0', '4.01 only a bootstrap server may access this object'],
  ])('of %s is declined with %s (ETS 685)', async (path, expected) => {
    expect(await remove(path)).toBe(expected);
  });

  it('forgets the attributes of what is gone', async () => {
    await ask(world.server.send(Code.PUT, '/42771/0/1', { query: ['pmin=5', 'gt=9'] }));
    await remove('/42771/0');
    await created('/42771', recordsOf(0, { 1: 4 }), ContentFormat.TLV);
    const links = await ask(world.server.read('/42771/0/1', ContentFormat.LINK_FORMAT));
    expect(new TextDecoder().decode(links.payload)).toBe('</42771/0/1>');
  });
});
