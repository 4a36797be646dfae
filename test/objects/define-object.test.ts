import { describe, expect, expectTypeOf, test } from 'vitest';
import { carrierObject, DISCONNECT_CARRIER_ID, defineCarrierObject } from '../../objects/carrier.ts';
import type { connectivityMonitoringObject } from '../../objects/connectivity-monitoring.ts';
import { defineObject, type ObjectDefinition, type ResourceName } from '../../objects/define-object.ts';
import { deviceObject } from '../../objects/device.ts';
import {
  type connectivityMonitoringObjectV1_2,
  earlierVersions,
  serverObjectV1_1,
} from '../../objects/earlier-versions.ts';
import { iotSensorObject } from '../../objects/iot-sensor.ts';
import type { locationObject } from '../../objects/location.ts';
import { newestOmaObjects } from '../../objects/oma-objects.ts';
import { standardObjects } from '../../objects/registry.ts';
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
    expect(newestOmaObjects.map(({ id, name, version }) => `${id} ${name} ${version}`)).toEqual([
      '0 LWM2M Security 1.2',
      '1 LwM2M Server 1.2',
      '2 LwM2M Access Control 1.1',
      '3 Device 1.2',
      '4 Connectivity Monitoring 1.3',
      '5 Firmware Update 1.2',
      '6 Location 1.0',
      '7 Connectivity Statistics 1.0',
      '8 Lock and Wipe 1.0',
      '9 LWM2M Software Management 1.0',
      '10 LWM2M Cellular Connectivity 1.1',
      '11 LWM2M APN Connection Profile 1.1',
      '13 LWM2M Bearer Selection 1.1',
      '16 Portfolio 1.0',
      '19 BinaryAppDataContainer 1.0',
      '20 Event Log 2.1',
      '21 LWM2M OSCORE 2.0',
      '25 LwM2M Gateway 2.0',
      '26 LwM2M Gateway Routing 1.0',
      '27 5GNR Connectivity 1.0',
      '500 CoAP Config 1.0',
      '501 LTE-MTC Band Config 1.0',
      '504 Remote SIM Provisioning 1.0',
      '505 LwM2M SIM Provisioning 1.0',
      '3300 Generic Sensor 1.1',
      '3301 Illuminance 1.1',
      '3303 Temperature 1.1',
      '3304 Humidity 1.1',
      '3306 Actuation 1.1',
      '3311 Light Control 1.0',
      '3312 Power Control 1.1',
      '3313 Accelerometer 1.1',
      '3314 Magnetometer 1.1',
      '3315 Barometer 1.1',
      '3316 Voltage 1.1',
      '3323 Pressure 1.1',
      '3334 Gyrometer 1.1',
      '3336 Location 2.0',
      '3347 Push button 1.1',
      '3411 Battery 1.1',
      '10308 AT&T Connectivity Extension 2.0',
      '10479 Cellular Network and Bearer Control 1.0',
    ]);
  });

  test('have the versions that clients of LwM2M 1.0 and 1.1 know', () => {
    expect(earlierVersions.map(({ id, version, resources }) => [id, version, idsOf(resources)])).toEqual([
      [0, '1.0', '0-12'],
      [0, '1.1', '0-17'],
      [1, '1.0', '0-8'],
      [1, '1.1', '0-23'],
      [2, '1.0', '0-3'],
      [3, '1.0', '0-22'],
      [3, '1.1', '0-22'],
      [4, '1.0', '0-10'],
      [4, '1.1', '0-11'],
      [4, '1.2', '0-12'],
      [5, '1.0', '0-3,5-9'],
      [5, '1.1', '0-3,5-13'],
      [10, '1.0', '0-11'],
      [21, '1.1', '0-6'],
      [25, '1.0', '0-2'],
      [3336, '1.0', '5513-5518,5705,5750'],
    ]);
    expectTypeOf<ResourceName<typeof connectivityMonitoringObjectV1_2>>().toEqualTypeOf<
      Exclude<ResourceName<typeof connectivityMonitoringObject>, 'coverageEnhancementLevel'>
    >();
    expectTypeOf(serverObjectV1_1.resources.muteSend.type).toEqualTypeOf<'boolean'>();
  });

  test('agree with the mandatory resources of OMA', () => {
    const mandatory = newestOmaObjects
      .filter(({ id }) => id < 3300)
      .map(({ id, resources }) => [
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
      [8, 0, 1, 3, 4, 5],
      [9, 0, 1, 4, 6, 7, 9, 10, 11, 12],
      [10, 11],
      [11, 0, 4],
      [13],
      [16, 0],
      [19, 0],
      [20, 4014],
      [21, 0, 1, 2],
      [25, 0, 1, 3],
      [26, 0, 1],
      [27, 0],
      [500, 0, 1, 2, 3, 4],
      [501, 1, 2, 4, 5, 6],
      [504, 0, 1, 11, 13],
      [505, 0, 1, 2, 6, 7, 11],
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
      '12 Provisioning Reason R string',
      '13 ICCID of Available Carriers R string*',
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

/** `0-3,5`: runs of the ids. */
function idsOf(resources: ObjectDefinition['resources']): string {
  const runs: number[][] = [];
  for (const id of Object.values(resources)
    .map((own) => own.id)
    .sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.at(-1) === id - 1) last.push(id);
    else runs.push([id]);
  }
  return runs.map((run) => (run.length === 1 ? `${run[0]}` : `${run[0]}-${run.at(-1)}`)).join(',');
}
