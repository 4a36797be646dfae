import { describe, expect, expectTypeOf, test } from 'vitest';
import { carrierObject, DISCONNECT_CARRIER_ID, defineCarrierObject } from '../../objects/carrier.ts';
import { defineObject, type ObjectDefinition, type ResourceName } from '../../objects/define-object.ts';
import { deviceObject } from '../../objects/device.ts';
import { iotSensorObject } from '../../objects/iot-sensor.ts';
import type { locationObject } from '../../objects/location.ts';
import { createObjectRegistry, omaObjects, standardObjects } from '../../objects/registry.ts';
import type { ResourceValueOf } from '../../protocol/lwm2m/typed-value.ts';

const resource = { id: 0, title: 'A', operations: 'R', type: 'string' } as const;
const definition = { id: 3, version: '1.0', name: 'Test', resources: { a: resource } } as const;

describe('a definition', () => {
  test('keeps the types of its resources, by name', () => {
    expectTypeOf<ResourceName<typeof locationObject>>().toEqualTypeOf<
      'latitude' | 'longitude' | 'altitude' | 'radius' | 'velocity' | 'timestamp' | 'speed'
    >();
    expectTypeOf(deviceObject.resources.batteryLevel.type).toEqualTypeOf<'integer'>();
    type Rssi = ResourceValueOf[(typeof deviceObject.resources.currentTime)['type']];
    expectTypeOf<Rssi>().toEqualTypeOf<number>();
    expect(deviceObject.resources.batteryLevel.range).toEqual([0, 100]);
  });

  test.each<[string, ObjectDefinition]>([
    ['an id out of range', { ...definition, id: 65535 }],
    ['a version that is none', { ...definition, version: '1' }],
    [
      'the same resource id twice',
      { ...definition, resources: { a: resource, b: { ...resource, title: 'B' } } },
    ],
    ['a resource id out of range', { ...definition, resources: { a: { ...resource, id: -1 } } }],
    ['a value of no type', { ...definition, resources: { a: { ...resource, type: 'none' } } }],
    ['an executable with a type', { ...definition, resources: { a: { ...resource, operations: 'E' } } }],
    [
      'a multiple executable',
      { ...definition, resources: { a: { ...resource, operations: 'E', type: 'none', multiple: true } } },
    ],
    ['an empty range', { ...definition, resources: { a: { ...resource, range: [2, 1] } } }],
  ])('is refused with %s', (_name, given) => {
    expect(() => defineObject(given)).toThrow(TypeError);
  });
});

describe('the objects that are shipped', () => {
  test('have the ids, names and versions of OMNA', () => {
    expect(omaObjects.map(({ id, name, version }) => `${id} ${name} ${version}`)).toEqual([
      '0 LWM2M Security 1.2',
      '1 LwM2M Server 1.2',
      '2 LwM2M Access Control 1.1',
      '3 Device 1.2',
      '4 Connectivity Monitoring 1.3',
      '5 Firmware Update 1.2',
      '6 Location 1.0',
      '7 Connectivity Statistics 1.0',
      '10 LWM2M Cellular Connectivity 1.1',
      '3303 Temperature 1.1',
    ]);
  });

  test('agree with the mandatory resources of OMA', () => {
    const mandatory = omaObjects.map(({ id, resources }) => [
      id,
      ...Object.values(resources)
        .filter((own) => own.mandatory === true)
        .map((own) => own.id),
    ]);
    expect(mandatory).toEqual([
      [0, 0, 1, 2, 3, 4, 5],
      [1, 0, 1, 6, 7, 8],
      [2, 0, 1, 3],
      [3, 4, 11, 16],
      [4, 0, 1, 2, 4],
      [5, 0, 1, 2, 3, 5, 9],
      [6, 0, 1, 5],
      [7, 6, 7],
      [10, 11],
      [3303, 5700],
    ]);
  });

  test('have the Carrier of the house plan', () => {
    expect(rows(carrierObject)).toEqual([
      '0 Current Carrier R string',
      '1 Available Carriers R string*',
      '2 Requested Carrier RW integer',
      '3 Switch E none',
      '4 State R integer',
      '5 Last Result R integer',
      '6 Last Reason R string',
      '7 ICCID R string',
      '8 IMSI R string',
      '9 Last Switch R time',
      '10 Last Command R unsigned',
      '11 Reconnect After RW integer',
    ]);
    expect(carrierObject.multiple).toBe(true);
    expect(DISCONNECT_CARRIER_ID).toBe(15);
  });

  test('have the IoT Sensor of the house plan', () => {
    expect(rows(iotSensorObject)).toEqual([
      '0 Device Id R unsigned',
      '1 Kind R string',
      '2 Value R float',
      '3 Raw Value R opaque',
      '4 Taken At R integer',
      '5 Sequence R unsigned',
      '6 Units R string',
      '7 Sampling Period RW integer',
      '8 Status R integer',
      '9 Minimum R float',
      '10 Maximum R float',
      '11 Reset E none',
    ]);
  });

  test('have our own under the ids of the installation', () => {
    const ids = standardObjects({ carrier: 33000, iotSensor: 33001 }).map(({ id }) => id);
    expect(ids.slice(-2)).toEqual([33000, 33001]);
    expect(defineCarrierObject(33000).resources).toEqual(carrierObject.resources);
  });
});

function rows(object: ObjectDefinition): string[] {
  return Object.values(object.resources).map(
    ({ id, title, operations, type, multiple }) =>
      `${id} ${title} ${operations} ${type}${multiple === true ? '*' : ''}`,
  );
}

describe('the registry', () => {
  const registry = createObjectRegistry(standardObjects());

  test('finds objects and resources, and tells decoders their types', () => {
    expect(registry.object(3)?.name).toBe('Device');
    expect(registry.resource(3, 9)?.title).toBe('Battery Level');
    expect(registry.resourceType(3, 9)).toEqual({ type: 'integer', multiple: false });
    expect(registry.resourceType(3, 6)).toEqual({ type: 'integer', multiple: true });
    expect(registry.objects().map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 10, 3303, 42769, 42770]);
  });

  test('knows nothing of what was never defined', () => {
    expect(registry.object(9)).toBeUndefined();
    expect(registry.resource(3, 999)).toBeUndefined();
    expect(registry.resource(9, 0)).toBeUndefined();
    expect(registry.resourceType(3, 999)).toBeUndefined();
    expect(registry.resourceType(9, 0)).toBeUndefined();
  });

  const versions = ['1.0', '1.10', '1.9'].map((version) =>
    defineObject({ ...definition, version, resources: { a: { ...resource, title: version } } }),
  );

  test('gives the version that is asked for, and else the newest', () => {
    const several = createObjectRegistry(versions);
    expect(several.object(3)?.version).toBe('1.10');
    expect(several.object(3, '1.0')?.version).toBe('1.0');
    expect(several.resource(3, 0, '1.9')?.title).toBe('1.9');
    expect(several.object(3, '2.0')?.version).toBe('1.10');
    expect(several.objects()).toHaveLength(3);
  });

  test('refuses the same version twice', () => {
    expect(() => createObjectRegistry([...versions, ...versions.slice(0, 1)])).toThrow(TypeError);
  });
});
