import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../server/config.ts';
import { parseGatewayDevices, readGatewayDevices, sensorOf } from '../../../server/gateway/device-file.ts';

const parse = (...devices: readonly object[]) => parseGatewayDevices(JSON.stringify({ devices }));

describe('the file of the gateway’s devices', () => {
  test('a device needs an endpoint and sources; the rest is what the protocol says', () => {
    const { devices, sources } = parse({ endpoint: 'field-1', sources: ['192.0.2.1', '10.8.0.0/16'] });
    const [device] = devices;
    expect(device).toMatchObject({
      endpoint: 'field-1',
      lifetime: 300,
      rate: 100,
      burst: 200,
      rules: { repeatAfter: [3_000, 9_000, 21_000], patience: 60_000 },
    });
    expect([...(device?.carriers ?? [])]).toEqual([
      [0, 'AT&T'],
      [1, 'T-Mobile'],
      [2, 'Verizon'],
    ]);
    expect(sources.find('10.8.3.4:5')).toBe(0);
    if (device === undefined) throw new Error('no device');
    expect(sensorOf(device, 1)).toEqual({ instance: 1, kind: 'imu', data: 'int32', scale: 1 });
    expect(sensorOf(device, 3)).toMatchObject({ kind: 'temp' });
    expect(sensorOf(device, 65_534)).toMatchObject({ instance: 65_534, kind: 'unknown' });
    expect(sensorOf(device, 65_535)).toBeUndefined();
  });

  test('an id that nobody configured is no sensor where its instance is another one’s', () => {
    const [device] = parse({
      endpoint: 'field-1',
      sources: ['192.0.2.1'],
      sensors: { 70000: { instance: 5 } },
    }).devices;
    if (device === undefined) throw new Error('no device');
    expect(sensorOf(device, 70_000)).toMatchObject({ instance: 5 });
    expect(sensorOf(device, 5)).toBeUndefined();
    expect(sensorOf(device, 6)).toMatchObject({ instance: 6 });
  });

  test('everything can be told', () => {
    const [device] = parse({
      endpoint: 'field-1',
      tenant: 'acme',
      sources: ['[2001:db8::1]:6002'],
      timeZone: 'Europe/Berlin',
      lifetime: 60,
      carriers: { '0': 'One', '7': 'Seven' },
      sensors: { '70000': { instance: 4, kind: 'pressure', units: 'hPa', data: 'uint16', scale: 0.1 } },
      rate: 10,
      repeatAfter: [],
      patience: 5,
    }).devices;
    expect(device).toMatchObject({
      tenant: 'acme',
      lifetime: 60,
      rate: 10,
      rules: { repeatAfter: [], patience: 5_000 },
    });
    expect([...(device?.carriers ?? [])]).toEqual([
      [0, 'One'],
      [7, 'Seven'],
    ]);
    if (device === undefined) throw new Error('no device');
    expect(sensorOf(device, 70_000)).toEqual({
      instance: 4,
      kind: 'pressure',
      units: 'hPa',
      data: 'uint16',
      scale: 0.1,
    });
  });

  const base = { endpoint: 'a', sources: ['192.0.2.1'] };
  test.each([
    ['no endpoint', { sources: ['192.0.2.1'] }, /devices\[0\]: endpoint/],
    ['an endpoint that is none', { ...base, endpoint: '..' }, /devices\[0\]: endpoint/],
    ['no source', { endpoint: 'a', sources: [] }, /sources are missing/],
    ['a source that is none', { endpoint: 'a', sources: ['x'] }, /'x' is no source/],
    ['a member that nobody knows', { ...base, carrier: 1 }, /'carrier' is none of/],
    ['a zone that is none', { ...base, timeZone: 'Mars' }, /'Mars' is no time zone/],
    ['a tenant that is none', { ...base, tenant: 'A B' }, /no tenant/],
    ['a lifetime of nothing', { ...base, lifetime: 0 }, /lifetime is a number/],
    ['carrier 15', { ...base, carriers: { '15': 'No' } }, /0 to 14/],
    ['repetitions that do not rise', { ...base, repeatAfter: [3, 3] }, /repeatAfter/],
    ['repetitions beyond the patience', { ...base, repeatAfter: [3, 60] }, /repeatAfter/],
    ['a sensor without an instance', { ...base, sensors: { '70000': {} } }, /needs an instance/],
    [
      'two sensors of one instance',
      { ...base, sensors: { '1': {}, '2': { instance: 1 } } },
      /another sensor's/,
    ],
    ['data of no format', { ...base, sensors: { '1': { data: 'text' } } }, /data is one of/],
    ['a list for a device', [], /no object/],
  ])('%s is refused', (_what, device, message) => {
    expect(() => parse(device)).toThrow(message);
  });

  test('two devices cannot have one source, or one endpoint', () => {
    expect(() => parse(base, { ...base, endpoint: 'b' })).toThrow(/devices\[1\].*two devices/);
    expect(() => parse(base, { endpoint: 'a', sources: ['192.0.2.2'] })).toThrow(/'a' is there twice/);
  });

  test('a file that cannot be read, or is no JSON, stops the start with one line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-gateway-'));
    try {
      expect(() => readGatewayDevices(join(folder, 'none'))).toThrow(ConfigError);
      const file = join(folder, 'devices.json');
      writeFileSync(file, '{');
      expect(() => readGatewayDevices(file)).toThrow(/^SIMYARD_GATEWAY_DEVICES: .*no JSON/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
