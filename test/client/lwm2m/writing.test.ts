import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { OperationError } from '../../../client/lwm2m/operation-error.ts';
import { deviceObject } from '../../../objects/device.ts';
import { iotSensorObject } from '../../../objects/iot-sensor.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { firstValues, recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

let world: ClientWorld;
let client: Lwm2mClient;
let types: TypesObject;
let period: number;
let written: unknown[];

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry });
  types = new TypesObject(client.tree);
  period = 1_000;
  written = [];
  client.tree.add(instance(deviceObject, 0, { timezone: { read: () => 'UTC', write: () => {} } }));
  client.tree.add(
    instance(iotSensorObject, 0, {
      value: { read: () => 1 },
      samplingPeriod: {
        read: () => period,
        check(value) {
          if (Number(value) === 7) throw new OperationError(Code.BAD_REQUEST, 'not 7');
        },
        write(value) {
          written.push(value);
          period = Number(value);
        },
      },
    }),
  );
  client.start();
  await world.registered();
});

afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);
const put = async (
  method: number,
  path: string,
  records: readonly LwM2mRecord[],
  format: number = ContentFormat.SENML_CBOR,
): Promise<string> => {
  // A server that knows no types writes what cannot be written as well.
  const payload = encodeContent(format, path, records, { resourceType: () => undefined });
  return told(await ask(world.server.send(method, path, { format, payload })));
};

describe('Write to an instance', () => {
  it('by Partial Update changes what is named, and nothing else (ETS 226)', async () => {
    const all = types.values();
    const records = recordsOf(0, { 1: 5, 10: { 1: 'new' } });
    expect(await put(Code.POST, '/42771/0', records)).toBe('2.04');
    expect(types.values()).toEqual({ ...all, '/42771/0/1': 5, '/42771/0/10/1': 'new' });
  });

  it('by Replace leaves of the writable resources what is named (ETS 227)', async () => {
    const records = recordsOf(0, { 1: 5, 10: { 1: 'new' } });
    expect(await put(Code.PUT, '/42771/0', records)).toBe('2.04');
    expect(types.values()).toEqual({
      '/42771/0/1': 5,
      '/42771/0/10/1': 'new',
      '/42771/0/21': firstValues[21],
    });
  });

  it('passes over resources that are not here', async () => {
    const records = [...recordsOf(0, { 1: 6 }), { path: '/42771/0/900', value: 'x' }];
    expect(await put(Code.POST, '/42771/0', records)).toBe('2.04');
    expect(types.get('/42771/0/1')).toBe(6);
  });

  it.each([
    ['a read-only resource', recordsOf(0, { 0: 'x', 21: 'y' }), '4.05 Fixed cannot be written'],
    ['an executable', [{ path: '/42771/0/20', value: 'x' }], '4.05 Run cannot be written'],
    ['a link to nowhere', recordsOf(0, { 0: 'x', 7: '99:0' }), '4.00 Object Link: 99:0 is not here'],
    [
      'a value where there are several',
      [{ path: '/42771/0/10', value: 'x' }],
      '4.00 /42771/0/10 is a multiple resource',
    ],
    [
      'several where there is one',
      [{ path: '/42771/0/0/1', value: 'x' }],
      '4.00 /42771/0/0 is no multiple resource',
    ],
    [
      'a resource twice',
      [...recordsOf(0, { 0: 'x' }), ...recordsOf(0, { 0: 'y' })],
      '4.00 /42771/0/0 is named twice',
    ],
  ])('with %s writes nothing at all (ETS 256)', async (_, records, expected) => {
    const all = types.values();
    expect(await put(Code.POST, '/42771/0', records)).toBe(expected);
    expect(await put(Code.PUT, '/42771/0', records)).toBe(expected);
    expect(types.values()).toEqual(all);
  });

  it('that fails half-way gives back what was written', async () => {
    const all = types.values();
    types.failing.add('/42771/0/4');
    const records = recordsOf(0, { 0: 'x', 3: 9, 4: false, 10: { 0: 'z' } });
    expect(await put(Code.POST, '/42771/0', records)).toBe('5.00 out of order');
    expect(types.values()).toEqual(all);
    types.failing.add('/42771/0/4');
    expect(await put(Code.PUT, '/42771/0', records)).toBe('5.00 out of order');
    expect(types.values()).toEqual(all);
  });

  it('asks each handler before any of them writes', async () => {
    expect(await put(Code.PUT, '/42770/0/7', [{ path: '/42770/0/7', value: 7 }])).toBe('4.00 not 7');
    expect([period, written]).toEqual([1_000, []]);
  });

  it.each([[Code.PUT], [Code.POST]])('with no values is declined with 4.00', async (method) => {
    expect(await put(method, '/42771/0', [])).toBe('4.00 nothing to write');
  });

  it('of an object is declined with 4.05', async () => {
    const payload = encodeContent(ContentFormat.TLV, '/42771', recordsOf(0, { 0: 'x' }), typesRegistry);
    const response = world.server.send(Code.PUT, '/42771', { format: ContentFormat.TLV, payload });
    expect(told(await ask(response))).toBe('4.05 an object is not written as a whole');
  });
});

describe('Write to a resource', () => {
  it('replaces the instances of a multiple resource, or adds to them', async () => {
    expect(await put(Code.POST, '/42771/0/11', recordsOf(0, { 11: { 1: 11, 9: 99 } }))).toBe('2.04');
    expect(types.get('/42771/0/11')).toEqual(
      new Map([
        [0, 0],
        [1, 11],
        [2, 65_536],
        [3, 4_294_967_296],
        [9, 99],
      ]),
    );
    expect(await put(Code.PUT, '/42771/0/11', recordsOf(0, { 11: { 4: 44 } }))).toBe('2.04');
    expect(types.get('/42771/0/11')).toEqual(new Map([[4, 44]]));
  });

  it('replaces the instances of a multiple resource by none', async () => {
    const nothing = { format: ContentFormat.TLV, payload: Uint8Array.of(0x80, 11) };
    expect(told(await ask(world.server.send(Code.PUT, '/42771/0/11', nothing)))).toBe('2.04');
    expect(types.get('/42771/0/11')).toEqual(new Map());
  });

  it('of a resource instance changes that one alone (ETS 228)', async () => {
    for (const [format, value] of [
      [ContentFormat.TEXT, 'text'],
      [ContentFormat.CBOR, 'cbor'],
      [ContentFormat.TLV, 'tlv'],
      [ContentFormat.SENML_JSON, 'json'],
    ] as const) {
      expect(await put(Code.PUT, '/42771/0/10/7', [{ path: '/42771/0/10/7', value }], format)).toBe('2.04');
      expect(types.get('/42771/0/10')).toEqual(
        new Map([
          [0, 'one'],
          [7, value],
          [65_534, 'three'],
        ]),
      );
    }
  });

  it.each([
    ['/42771/0/10/8', '4.04 /42771/0/10/8 is not here'],
    ['/42771/0/0/0', '4.04 /42771/0/0/0 is not here'],
    ['/42771/0/21', '4.05 Fixed cannot be written'],
    ['/42771/0/20', '4.05 Run cannot be written'],
    ['/1/0/0', '4.05 Short Server ID cannot be written'],
  ])('%s is declined with %s (ETS 256)', async (path, expected) => {
    expect(told(await ask(world.server.writeText(path, '123')))).toBe(expected);
  });

  it.each([
    [ContentFormat.TEXT, 'no number'],
    [ContentFormat.TEXT, '9223372036854775808'],
    [ContentFormat.CBOR, Uint8Array.of(0x61, 0x78)],
    [ContentFormat.SENML_JSON, '[{"bn":"/42771/0/1","vs":"x"}]'],
    [ContentFormat.SENML_JSON, '[{"bn":"/42771/0/2","v":1}]'],
    [ContentFormat.JSON, '{"e":[{"n":"","bv":true}]}'],
    [ContentFormat.TLV, Uint8Array.of(0xc3, 1, 1, 2, 3)],
    [ContentFormat.LWM2M_CBOR, Uint8Array.of(0xa1, 0x01)],
  ])('in format %s of what is no integer is declined with 4.00', async (format, payload) => {
    const response = await ask(world.server.send(Code.PUT, '/42771/0/1', { format, payload }));
    expect(formatCode(response.code)).toBe('4.00');
    expect(types.get('/42771/0/1')).toBe(-(2n ** 63n));
  });

  it('that can only be written takes a value, and does not show it', async () => {
    expect(told(await ask(world.server.writeText('/42771/0/22', 'hush')))).toBe('2.04');
    expect(types.get('/42771/0/22')).toBe('hush');
    expect(told(await ask(world.server.read('/42771/0/22')))).toBe('4.05 Secret cannot be read');
    expect(Object.keys(await ask(world.server.values('/42771/0')))).not.toContain('/42771/0/22');
  });
});

describe('Write-Attributes', () => {
  const attributes = async (path: string, ...query: string[]): Promise<string> =>
    told(await ask(world.server.send(Code.PUT, path, { query })));
  const discovered = async (path: string): Promise<string> => {
    const response = await ask(world.server.read(path, ContentFormat.LINK_FORMAT));
    return new TextDecoder().decode(response.payload);
  };

  it('on every level, with the nearest prevailing, shows in Discover (ETS 261)', async () => {
    await attributes('/42771', 'pmin=10', 'pmax=200');
    await attributes('/42771/0', 'pmax=320');
    await attributes(
      '/42771/0/11/1',
      'pmax=100',
      'epmin=1',
      'epmax=20',
      'con=1',
      'hqmax=5',
      'gt=6.5',
      'st=0.5',
    );
    expect(await discovered('/42771/0/11')).toBe(
      '</42771/0/11>;dim=4;pmin=10;pmax=320,</42771/0/11/0>,' +
        '</42771/0/11/1>;pmax=100;gt=6.5;st=0.5;epmin=1;epmax=20;con=1;hqmax=5,</42771/0/11/2>,</42771/0/11/3>',
    );
    expect((await discovered('/42771/0')).split(',')[0]).toBe('</42771/0>;pmin=10;pmax=320');
  });

  it.each([
    ['/42771/0/0', 'gt=1', '4.00 gt is for numeric resources, which /42771/0/0 is not'],
    ['/42771/0', 'st=1', '4.00 st is for numeric resources, which /42771/0 is not'],
    ['/42771', 'lt=1', '4.00 lt is for numeric resources, which /42771 is not'],
    ['/42771/0/1', 'edge=0', '4.00 edge is for boolean resources, which /42771/0/1 is not'],
    ['/42771/0/4', 'edge=2', '4.00 edge is 0 or 1, not 2'],
    ['/42771/0/1', 'pmin=-1', '4.00 pmin is a whole number from 0, not -1'],
    ['/42771/0/1', 'st=-1', '4.00 st is a distance: it cannot be -1'],
    ['/42771/0/20', 'pmin=1', '4.05 Run cannot be read'],
    ['/42771/0/22', 'pmin=1', '4.05 Secret cannot be read'],
    ['/42771/0/11/8', 'pmin=1', '4.04 /42771/0/11/8 is not here'],
    ['/42771/0/1/0', 'pmin=1', '4.04 /42771/0/1/0 is not here'],
    ['/0', 'pmin=10', '4.01 only a bootstrap server may access this object'],
    ['/99', 'pmin=10', '4.04 /99 is not here'],
  ])('to %s of %s is declined: %s', async (path, query, expected) => {
    expect(await attributes(path, query)).toBe(expected);
  });

  it('of thresholds on a boolean, a time and multiple integers goes by their type', async () => {
    expect(await attributes('/42771/0/4', 'edge=1')).toBe('2.04');
    expect(await attributes('/42771/0/14', 'edge=0')).toBe('2.04');
    expect(await attributes('/42771/0/6', 'gt=5')).toBe('2.04');
    expect(await attributes('/42771/0/11', 'gt=5', 'lt=1', 'st=1')).toBe('2.04');
  });

  it('keeps as many nodes as it can, and declines more with 4.00', async () => {
    client.tree.add(instance(iotSensorObject, 1, { value: { read: () => 1 } }));
    types.set('/42771/0/11', new Map(Array.from({ length: 1_100 }, (_, id) => [id, 0])));
    const answers = new Set<string>();
    for (let id = 0; id < 1_001; id++) answers.add(await attributes(`/42771/0/11/${id}`, 'pmin=1'));
    expect([...answers]).toEqual(['2.04', '4.00 attributes on too many nodes']);
  });
});

describe('Execute', () => {
  it.each([
    ['/42771/0/0', '4.05 String cannot be executed'],
    ['/42771/0/21', '4.05 Fixed cannot be executed'],
    ['/42771/0/9', '4.04 /42771/0/9 is not here'],
    ['/42771/3/20', '4.04 /42771/3/20 is not here'],
    ['/42771/0/20/0', '4.04 /42771/0/20/0 is not here'],
    ['/0/0/3', '4.01 only a bootstrap server may access this object'],
  ])('of %s is declined with %s', async (path, expected) => {
    expect(told(await ask(world.server.execute(path)))).toBe(expected);
    expect(types.executed).toEqual([]);
  });

  it('in another format than text is declined with 4.15', async () => {
    const response = await ask(
      world.server.send(Code.POST, '/42771/0/20', { format: ContentFormat.SENML_JSON, payload: '[]' }),
    );
    expect(told(response)).toBe('4.15 arguments are plain text');
  });

  it('passes its arguments on', async () => {
    expect(told(await ask(world.server.execute('/42771/0/20', "0='a',2")))).toBe('2.04');
    expect(types.executed).toEqual(['/42771/0/20 [[0,"a"],[2,null]]']);
  });
});
