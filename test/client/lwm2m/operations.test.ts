import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { OperationError } from '../../../client/lwm2m/operation-error.ts';
import { deviceObject } from '../../../objects/device.ts';
import { iotSensorObject } from '../../../objects/iot-sensor.ts';
import { serverObject } from '../../../objects/server.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { contentFormat, maxAge } from '../../../protocol/coap/options.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { ClientWorld, clientAddress, registry, serverAddress } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';

let world: ClientWorld;
let client: Lwm2mClient;
let timezone: string;
let apnLinks: ReadonlyMap<number, unknown>;
let executed: string[];

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client();
  timezone = 'Europe/Berlin';
  apnLinks = new Map([[0, { objectId: 3, instanceId: 0 }]]);
  executed = [];
  client.tree.add(
    instance(deviceObject, 0, {
      manufacturer: { read: () => 'Simyard' },
      reboot: {
        execute(args, context) {
          if (args.has(9)) throw new OperationError(Code.SERVICE_UNAVAILABLE, 'busy', 7);
          context.afterAnswer(() => executed.push(`reboot ${JSON.stringify([...args])}`));
        },
      },
      powerSourceVoltage: {
        read: () =>
          new Map([
            [0, 3800],
            [3, 5000],
          ]),
      },
      batteryLevel: { read: () => 77 },
      currentTime: { read: () => 1_790_000_000, write: () => {} },
      timezone: {
        read: () => timezone,
        write(value) {
          timezone = String(value);
        },
      },
      memoryFree: { read: () => undefined },
    }),
  );
  client.tree.add(
    instance(serverObject, 1, {
      alternateApnLinks: {
        read: () => apnLinks as ReadonlyMap<number, { objectId: number; instanceId: number }>,
        write(value) {
          apnLinks = value as ReadonlyMap<number, unknown>;
        },
      },
    }),
  );
  client.tree.add(
    instance(iotSensorObject, 0, {
      value: { read: () => 21.5, takenAt: () => 1_789_999_999.25 },
      rawValue: { read: () => Uint8Array.of(1, 2, 3) },
      samplingPeriod: { read: () => 1_000, write: () => {} },
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

describe('Read', () => {
  it('gives the values below an instance, without those that are not there or only executable', async () => {
    expect(await ask(world.server.values('/3/0'))).toEqual({
      '/3/0/0': 'Simyard',
      '/3/0/7/0': 3800,
      '/3/0/7/3': 5000,
      '/3/0/9': 77,
      '/3/0/13': 1_790_000_000,
      '/3/0/15': 'Europe/Berlin',
    });
  });

  it('gives an object with all its instances, a resource, and a resource instance', async () => {
    expect(Object.keys(await ask(world.server.values('/1')))).toContain('/1/1/24/0');
    expect(await ask(world.server.values('/3/0/9'))).toEqual({ '/3/0/9': 77 });
    expect(await ask(world.server.values('/3/0/7/3'))).toEqual({ '/3/0/7/3': 5000 });
  });

  it('carries the time at which a value was taken', async () => {
    const response = await ask(world.server.read('/42770/0/2', ContentFormat.SENML_CBOR));
    expect(world.server.records('/42770/0/2', response.payload)).toEqual([
      { path: '/42770/0/2', value: 21.5, time: 1_789_999_999.25 },
    ]);
  });

  it('carries no times below an instance, where they would be of several moments', async () => {
    for (const path of ['/42770', '/42770/0']) {
      const response = await ask(world.server.read(path, ContentFormat.SENML_CBOR));
      const records = world.server.records(path, response.payload);
      expect(records.map((record) => record.path)).toContain('/42770/0/2');
      expect(records.filter(({ time }) => time !== undefined)).toEqual([]);
    }
  });

  it.each([
    [ContentFormat.TEXT, '/3/0/9', 77],
    [ContentFormat.OPAQUE, '/42770/0/3', Uint8Array.of(1, 2, 3)],
    [ContentFormat.CBOR, '/3/0/9', 77],
    [ContentFormat.SENML_JSON, '/3/0/9', 77],
    [ContentFormat.SENML_CBOR, '/3/0/9', 77],
    [ContentFormat.TLV, '/3/0/9', 77],
  ])('answers in the format asked for: %s', async (format, path, value) => {
    const response = await ask(world.server.read(path, format));
    expect(contentFormat(response.options)).toBe(format);
    expect(world.server.decode(path, response.payload, format)).toEqual({ [path]: value });
  });

  it('answers in SenML CBOR where no format is asked for', async () => {
    const response = await ask(world.server.read('/3/0/9'));
    expect(contentFormat(response.options)).toBe(ContentFormat.SENML_CBOR);
  });

  it.each([
    ['/3/0/4', undefined, '4.05 Reboot cannot be read'],
    ['/3/0/10', undefined, '4.04 /3/0/10 is not here'],
    ['/3/0/99', undefined, '4.04 /3/0/99 is not here'],
    ['/3/1', undefined, '4.04 /3/1 is not here'],
    ['/99', undefined, '4.04 /99 is not here'],
    ['/3/0/9/0', undefined, '4.04 /3/0/9/0 is not here'],
    ['/3/0/7/1', undefined, '4.04 /3/0/7/1 is not here'],
    ['/nonsense', undefined, '4.04 /nonsense is not here'],
    ['/3/0/9/0/0', undefined, '4.04 /3/0/9/0/0 is not here'],
    ['/', undefined, '4.04 / is not here'],
    ['/0/0', undefined, '4.01 only a bootstrap server may access this object'],
    ['/0/0/0', undefined, '4.01 only a bootstrap server may access this object'],
    ['/3/0', ContentFormat.TEXT, '4.06 content format 0 cannot carry /3/0'],
    ['/3/0/7', ContentFormat.TEXT, '4.06 content format 0 cannot carry /3/0/7'],
    ['/3/0/9', ContentFormat.OPAQUE, '4.06 /3/0/9 is not opaque'],
    ['/3/0/9', 9999, '4.06 content format 9999 cannot carry /3/0/9'],
  ])('of %s in format %s is declined: %s', async (path, format, expected) => {
    expect(told(await ask(world.server.read(path, format)))).toBe(expected);
  });

  it('is refused to everybody but the server', async () => {
    const stranger = world.endpoint('203.0.113.66:5683');
    const response = await ask(stranger.request(clientAddress, { code: Code.GET, options: [] }));
    expect(told(response)).toBe('4.01 not my server');
    expect(client.registration.peer).toBe(serverAddress);
  });
});

describe('Write', () => {
  const senml = (path: string, records: LwM2mRecord[]): Uint8Array =>
    encodeContent(ContentFormat.SENML_CBOR, path, records, registry);

  it('sets a resource, in text and in any format that carries it', async () => {
    expect(told(await ask(world.server.writeText('/3/0/15', 'UTC')))).toBe('2.04');
    expect(timezone).toBe('UTC');
    for (const format of [ContentFormat.TLV, ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR]) {
      const value = `Zone/${format}`;
      const payload = encodeContent(format, '/3/0/15', [{ path: '/3/0/15', value }], registry);
      expect(told(await ask(world.server.send(Code.PUT, '/3/0/15', { format, payload })))).toBe('2.04');
      expect(timezone).toBe(value);
    }
  });

  it('sets several resources of an instance, or none of them', async () => {
    const good = [
      { path: '/3/0/15', value: 'Asia/Tokyo' },
      { path: '/3/0/13', value: 1 },
    ];
    const format = ContentFormat.SENML_CBOR;
    const both = { format, payload: senml('/3/0', good) };
    expect(told(await ask(world.server.send(Code.POST, '/3/0', both)))).toBe('2.04');
    expect(timezone).toBe('Asia/Tokyo');
    const bad = [
      { path: '/3/0/15', value: 'Asia/Seoul' },
      { path: '/3/0/9', value: 1 },
    ];
    const spoiled = { format, payload: senml('/3/0', bad) };
    expect(told(await ask(world.server.send(Code.PUT, '/3/0', spoiled)))).toBe(
      '4.05 Battery Level cannot be written',
    );
    expect(timezone).toBe('Asia/Tokyo');
  });

  it.each([
    ['/3/0/9', '1', '4.05 Battery Level cannot be written'],
    ['/3/0/4', '1', '4.05 Reboot cannot be written'],
    ['/3/0/99', '1', '4.04 /3/0/99 is not here'],
    ['/0/0/0', 'coap://evil', '4.01 only a bootstrap server may access this object'],
  ])('of %s is declined', async (path, text, expected) => {
    expect(told(await ask(world.server.writeText(path, text)))).toBe(expected);
  });

  it('of a value that does not fit is declined with 4.00', async () => {
    for (const [path, text] of [
      ['/42770/0/7', '-1'],
      ['/42770/0/7', 'often'],
      ['/3/0/13', '1.5'],
    ] as const) {
      expect(formatCode((await ask(world.server.writeText(path, text))).code)).toBe('4.00');
    }
    const payload = Uint8Array.of(0xff, 0xff);
    const broken = await ask(
      world.server.send(Code.PUT, '/3/0', { format: ContentFormat.SENML_CBOR, payload }),
    );
    expect(formatCode(broken.code)).toBe('4.00');
    const elsewhere = {
      format: ContentFormat.SENML_CBOR,
      payload: senml('/1', [{ path: '/1/0/1', value: 5 }]),
    };
    expect(formatCode((await ask(world.server.send(Code.PUT, '/3/0', elsewhere))).code)).toBe('4.00');
  });

  it('in an unknown format is declined with 4.15', async () => {
    const response = await ask(world.server.send(Code.PUT, '/3/0/15', { format: 50, payload: '{}' }));
    expect(told(response)).toBe('4.15 content format 50 is not supported');
  });
});

describe('Execute', () => {
  it('runs what it is for after the answer has gone', async () => {
    expect(told(await ask(world.server.execute('/3/0/4', "0='now'")))).toBe('2.04');
    expect(executed).toEqual(['reboot [[0,"now"]]']);
  });

  it('is declined as the handler says, with the time to try again', async () => {
    const response = await ask(world.server.execute('/3/0/4', '9'));
    expect(told(response)).toBe('5.03 busy');
    expect(maxAge(response.options)).toBe(7);
  });

  it.each([
    ['/3/0/9', '', '4.05 Battery Level cannot be executed'],
    ['/3/0/98', '', '4.04 /3/0/98 is not here'],
  ])('of %s is declined', async (path, args, expected) => {
    expect(told(await ask(world.server.execute(path, args)))).toBe(expected);
  });

  it('with arguments that break the grammar is declined with 4.00, and nothing runs', async () => {
    const response = await ask(world.server.execute('/3/0/4', '0=now'));
    expect(formatCode(response.code)).toBe('4.00');
    expect(executed).toEqual([]);
  });
});

describe('Discover', () => {
  const discover = async (path: string): Promise<string> => {
    const response = await ask(world.server.read(path, ContentFormat.LINK_FORMAT));
    expect(contentFormat(response.options)).toBe(ContentFormat.LINK_FORMAT);
    return new TextDecoder().decode(response.payload);
  };

  it('lists what is there with its attributes, at each level', async () => {
    await ask(world.server.send(Code.PUT, '/3/0', { query: ['pmin=5', 'pmax=60'] }));
    await ask(world.server.send(Code.PUT, '/3/0/9', { query: ['pmin=1', 'gt=90', 'lt=10'] }));
    expect(await discover('/3/0/9')).toBe('</3/0/9>;pmin=1;pmax=60;gt=90;lt=10');
    expect(await discover('/3/0/7')).toBe('</3/0/7>;dim=2;pmin=5;pmax=60,</3/0/7/0>,</3/0/7/3>');
    expect(await discover('/3/0/7/3')).toBe('</3/0/7/3>;pmin=5;pmax=60');
    expect(await discover('/3/0')).toBe(
      '</3/0>;pmin=5;pmax=60,</3/0/0>,</3/0/4>,</3/0/7>;dim=2,</3/0/9>;pmin=1;gt=90;lt=10,</3/0/10>,</3/0/13>,</3/0/15>',
    );
    expect(await discover('/3')).toMatch(/^<\/3>;ver=1\.2,<\/3\/0>;pmin=5;pmax=60,<\/3\/0\/0>,/);
  });

  it('lists the objects at /.well-known/core', async () => {
    expect(await discover('/.well-known/core')).toContain('</3>;ver=1.2,</3/0>');
  });
});

describe('Write-Attributes', () => {
  it.each([
    [['colour=red'], "4.00 'colour' is no notification attribute"],
    [['__proto__=1'], "4.00 '__proto__' is no notification attribute"],
    [['pmin=soon'], "4.00 pmin cannot be 'soon'"],
    [['epmin=9', 'epmax=9'], '4.00 epmin must be less than epmax'],
    [['edge=1'], '4.00 edge is for boolean resources, which /3/0/9 is not'],
    [['gt=1', 'lt=2'], '4.00 lt must lie below gt, by two steps'],
  ])('%s is declined', async (query, expected) => {
    expect(told(await ask(world.server.send(Code.PUT, '/3/0/9', { query })))).toBe(expected);
    const links = await ask(world.server.read('/3/0/9', ContentFormat.LINK_FORMAT));
    expect(new TextDecoder().decode(links.payload)).toBe('</3/0/9>');
  });

  it('removes what is named without a value', async () => {
    await ask(world.server.send(Code.PUT, '/3/0/9', { query: ['pmin=1', 'pmax=2'] }));
    await ask(world.server.send(Code.PUT, '/3/0/9', { query: ['pmin'] }));
    const links = await ask(world.server.read('/3/0/9', ContentFormat.LINK_FORMAT));
    expect(new TextDecoder().decode(links.payload)).toBe('</3/0/9>;pmax=2');
  });

  it('and Write with neither value nor attributes is declined', async () => {
    expect(told(await ask(world.server.send(Code.PUT, '/3/0/9')))).toBe(
      '4.00 neither a value nor attributes',
    );
  });
});
