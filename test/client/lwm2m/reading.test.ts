import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import type { LwM2mVersion } from '../../../client/lwm2m/formats.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import type { ResourceDefinition } from '../../../objects/define-object.ts';
import { deviceObject } from '../../../objects/device.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { contentFormat } from '../../../protocol/coap/options.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { allTypesObject, firstValues, recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

let world: ClientWorld;
let client: Lwm2mClient;

async function start(version: LwM2mVersion): Promise<void> {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry, version });
  new TypesObject(client.tree);
  client.tree.add(
    instance(deviceObject, 0, {
      manufacturer: { read: () => 'Simyard' },
      availablePowerSources: {
        read: () =>
          new Map([
            [0, 1],
            [1, 5],
          ]),
      },
      errorCode: { read: () => new Map([[0, 0]]) },
      reboot: { execute: () => {} },
    }),
  );
  client.start();
  await world.registered();
}

beforeEach(() => start('1.2'));
afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);
const byPath = (records: readonly LwM2mRecord[]): Record<string, unknown> =>
  Object.fromEntries(records.map(({ path, value }) => [path, value]));
const everything = byPath(recordsOf(0, firstValues));

async function read(path: string, format: number): Promise<Record<string, unknown>> {
  const response = await ask(world.server.read(path, format));
  if (response.code !== Code.CONTENT) throw new Error(told(response));
  expect(contentFormat(response.options)).toBe(format);
  return byPath(decodeContent(format, path, response.payload, typesRegistry));
}

const trees = [
  ['TLV (ETS 203)', ContentFormat.TLV],
  ['JSON (ETS 204)', ContentFormat.JSON],
  ['SenML JSON (ETS 231)', ContentFormat.SENML_JSON],
  ['SenML CBOR (ETS 232)', ContentFormat.SENML_CBOR],
  ['LwM2M CBOR', ContentFormat.LWM2M_CBOR],
] as const;
const singles = [
  ['text (ETS 201)', ContentFormat.TEXT],
  ['CBOR (ETS 211)', ContentFormat.CBOR],
] as const;

describe('Read of every type, exact to the last bit', () => {
  it.each(trees)('of an object and of an instance in %s (ETS 222, 223)', async (_, format) => {
    expect(await read('/42771', format)).toEqual(everything);
    expect(await read('/42771/0', format)).toEqual(everything);
  });

  it.each([...singles, ...trees])('of a resource in %s (ETS 224)', async (_, format) => {
    for (const { id, multiple, operations } of Object.values<ResourceDefinition>(allTypesObject.resources)) {
      if (multiple === true || !operations.includes('R')) continue;
      const path = `/42771/0/${id}`;
      expect(await read(path, format)).toEqual({ [path]: everything[path] });
    }
  });

  it.each(trees)('of a multiple resource in %s', async (_, format) => {
    for (const { id, multiple } of Object.values<ResourceDefinition>(allTypesObject.resources)) {
      if (multiple !== true) continue;
      const own = Object.entries(everything).filter(([path]) => path.startsWith(`/42771/0/${id}/`));
      expect(await read(`/42771/0/${id}`, format)).toEqual(Object.fromEntries(own));
    }
  });

  it.each([...singles, ...trees])('of a resource instance in %s (ETS 225)', async (_, format) => {
    for (const path of Object.keys(everything).filter((each) => each.split('/').length === 5)) {
      expect(await read(path, format)).toEqual({ [path]: everything[path] });
    }
  });

  it('of opaque values as they are (ETS 202, 210)', async () => {
    expect(await read('/42771/0/5', ContentFormat.OPAQUE)).toEqual({
      '/42771/0/5': Uint8Array.of(0, 255, 16),
    });
    expect(await read('/42771/0/15/1', ContentFormat.OPAQUE)).toEqual({
      '/42771/0/15/1': Uint8Array.of(0xde, 0xad, 0xbe, 0xef),
    });
  });
});

describe('Read without Accept (ETS 237)', () => {
  it.each([
    ['1.0', ContentFormat.TLV],
    ['1.1', ContentFormat.SENML_CBOR],
    ['1.2', ContentFormat.SENML_CBOR],
  ] as const)('is answered in the format of version %s', async (version, format) => {
    await ask(client.close());
    await start(version);
    const response = await ask(world.server.read('/42771/0'));
    expect(contentFormat(response.options)).toBe(format);
    expect(byPath(world.server.records('/42771/0', response.payload, format))['/42771/0/0']).toBeDefined();
  });
});

it.each([
  ['/42771/0', ContentFormat.TEXT, '4.06 content format 0 cannot carry /42771/0'],
  ['/42771/0', ContentFormat.CBOR, '4.06 content format 60 cannot carry /42771/0'],
  ['/42771/0/10', ContentFormat.CBOR, '4.06 content format 60 cannot carry /42771/0/10'],
  ['/42771/0/10', ContentFormat.OPAQUE, '4.06 content format 42 cannot carry /42771/0/10'],
  ['/42771/0/0', ContentFormat.OPAQUE, '4.06 /42771/0/0 is not opaque'],
  ['/42771/0/0', 50, '4.06 content format 50 cannot carry /42771/0/0'],
  ['/42771/0/20', ContentFormat.TEXT, '4.05 Run cannot be read'],
  ['/0', ContentFormat.TLV, '4.01 only a bootstrap server may access this object'],
  ['/0/0/1', ContentFormat.TLV, '4.01 only a bootstrap server may access this object'],
  ['/21/0', ContentFormat.TLV, '4.01 only a bootstrap server may access this object'],
])('Read of %s in format %s is declined: %s (ETS 221)', async (path, format, expected) => {
  expect(told(await ask(world.server.read(path, format)))).toBe(expected);
});

describe('Discover', () => {
  const discover = async (path: string, depth?: string): Promise<string> => {
    const query = depth === undefined ? [] : [`depth=${depth}`];
    const response = await ask(world.server.discover(path, query));
    return response.code === Code.CONTENT ? new TextDecoder().decode(response.payload) : told(response);
  };

  it('lists an object with its instances and resources, and no resource instances (ETS 260)', async () => {
    expect(await discover('/3')).toBe('</3>;ver=1.2,</3/0>,</3/0/0>,</3/0/4>,</3/0/6>;dim=2,</3/0/11>;dim=1');
    expect(await discover('/3/0')).toBe('</3/0>,</3/0/0>,</3/0/4>,</3/0/6>;dim=2,</3/0/11>;dim=1');
    expect(await discover('/3/0/6')).toBe('</3/0/6>;dim=2,</3/0/6/0>,</3/0/6/1>');
  });

  it.each([
    ['/3', '0', '</3>;ver=1.2'],
    ['/3', '1', '</3>;ver=1.2,</3/0>'],
    ['/3', '2', '</3>;ver=1.2,</3/0>,</3/0/0>,</3/0/4>,</3/0/6>;dim=2,</3/0/11>;dim=1'],
    [
      '/3',
      '3',
      '</3>;ver=1.2,</3/0>,</3/0/0>,</3/0/4>,</3/0/6>;dim=2,</3/0/6/0>,</3/0/6/1>,</3/0/11>;dim=1,</3/0/11/0>',
    ],
    ['/3/0', '0', '</3/0>'],
    [
      '/3/0',
      '2',
      '</3/0>,</3/0/0>,</3/0/4>,</3/0/6>;dim=2,</3/0/6/0>,</3/0/6/1>,</3/0/11>;dim=1,</3/0/11/0>',
    ],
    ['/3/0/6', '0', '</3/0/6>;dim=2'],
    ['/3/0/6', '3', '</3/0/6>;dim=2,</3/0/6/0>,</3/0/6/1>'],
    ['/3', '4', '4.00 depth=4: depth is 0 to 3'],
    ['/3', '', '4.00 depth=: depth is 0 to 3'],
  ])('goes as deep below %s as %s says (ETS 264, 266)', async (path, depth, expected) => {
    expect(await discover(path, depth)).toBe(expected);
  });

  it.each([
    ['/0', '4.01 only a bootstrap server may access this object'],
    ['/3/1', '4.04 /3/1 is not here'],
  ])('of %s is declined', async (path, expected) => {
    expect(await discover(path)).toBe(expected);
  });
});
