import { readFileSync } from 'node:fs';
import { RequestError } from '../../protocol/errors.ts';
import { FlowCarrier, flowCarrierNames, iotDeviceKinds } from '../../protocol/flow/names.ts';
import { MAX_PATH_ID } from '../../protocol/lwm2m/path.ts';
import { ConfigError } from '../config.ts';
import { requireEndpoint } from '../lwm2m/registration-request.ts';
import { tenantPattern } from '../people/tenant-pattern.ts';
import { JsonEntry } from './json-entry.ts';
import { type DataFormat, dataFormats } from './sensor-data.ts';
import { SourceMap } from './source-map.ts';
import { type TimeZone, timeZone } from './time-zone.ts';

/** A sensor behind a device, as an instance of the IoT Sensor object. */
export interface GatewaySensor {
  /** Of the IoT Sensor object. */
  readonly instance: number;
  readonly kind: string;
  /** SenML unit; absent: nobody knows. */
  readonly units?: string;
  readonly data: DataFormat;
  /** What a number is multiplied by. */
  readonly scale: number;
}

/** How a carrier switch is asked for. */
export interface SwitchRules {
  /** When a request goes out again while no answer was heard, ms after the first time; empty: never. */
  readonly repeatAfter: readonly number[];
  /** When it is given up, ms after the first time. */
  readonly patience: number;
}

/** A device that speaks system A's protocol, as the configuration has it. */
export interface GatewayDevice {
  readonly endpoint: string;
  readonly tenant?: string;
  readonly zone: TimeZone;
  /** Seconds of silence after which it counts as gone. */
  readonly lifetime: number;
  /** By the protocol's number, without Disconnect. */
  readonly carriers: ReadonlyMap<number, string>;
  /** Those that are configured, by device id. */
  readonly sensors: ReadonlyMap<number, GatewaySensor>;
  /** Packets a second, and how many at once. */
  readonly rate: number;
  readonly burst: number;
  readonly rules: SwitchRules;
}

/** All devices, and by what they are told apart. */
export interface GatewayDevices {
  readonly devices: readonly GatewayDevice[];
  readonly sources: SourceMap;
}

/** Devices in one file, and sensors of one device. */
const MAX_DEVICES = 100_000;
const MAX_SENSORS = 256;
const REPEAT_AFTER = [3, 9, 21];
const PATIENCE = 60;
const LIFETIME = 300;
const RATE = 100;

/**
 * The sensor that a device id is, where the configuration says nothing of it: ids that fit are the instance's; of
 * others nobody knows which one to take.
 */
export function sensorOf(device: GatewayDevice, deviceId: number): GatewaySensor | undefined {
  const configured = device.sensors.get(deviceId);
  if (configured !== undefined || deviceId > MAX_PATH_ID) return configured;
  // The instance that its id would be is another sensor's: their readings would be one series.
  if (isTaken(device, deviceId)) return undefined;
  return { instance: deviceId, kind: iotDeviceKinds.get(deviceId) ?? 'unknown', data: 'int32', scale: 1 };
}

function isTaken({ sensors }: GatewayDevice, instance: number): boolean {
  for (const sensor of sensors.values()) if (sensor.instance === instance) return true;
  return false;
}

/**
 * Reads the file of SIMYARD_GATEWAY_DEVICES; its form is in docs/guides/gateway.md.
 * @throws ConfigError one line that says which entry is wrong
 */
export function readGatewayDevices(file: string): GatewayDevices {
  const wrong = (why: string): ConfigError => new ConfigError(`SIMYARD_GATEWAY_DEVICES: ${file}: ${why}`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(`it cannot be read: ${(error as Error).message}`);
  }
  try {
    return parseGatewayDevices(text);
  } catch (error) {
    if (error instanceof RequestError) throw wrong(error.message);
    throw error;
  }
}

/** @throws RequestError one line that says which entry is wrong */
export function parseGatewayDevices(text: string): GatewayDevices {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new RequestError(`it is no JSON: ${(error as Error).message}`);
  }
  const entries = new JsonEntry('the file', parsed, ['devices']).list('devices') ?? [];
  if (entries.length > MAX_DEVICES) throw new RequestError(`more than ${MAX_DEVICES} devices`);
  const sources = new SourceMap();
  const endpoints = new Set<string>();
  const devices = entries.map((value, index) => {
    const entry = new JsonEntry(`devices[${index}]`, value, DEVICE_MEMBERS);
    const device = parseDevice(entry);
    if (endpoints.has(device.endpoint)) throw entry.wrong(`'${device.endpoint}' is there twice`);
    endpoints.add(device.endpoint);
    const given = entry.list('sources') ?? [];
    if (given.length === 0) throw entry.wrong('sources are missing');
    for (const source of given) entry.try(() => sources.add(String(source), index));
    return device;
  });
  return { devices, sources };
}

const DEVICE_MEMBERS = [
  'endpoint',
  'tenant',
  'sources',
  'timeZone',
  'lifetime',
  'carriers',
  'sensors',
  'rate',
  'repeatAfter',
  'patience',
];

function parseDevice(entry: JsonEntry): GatewayDevice {
  const named = entry.text('endpoint');
  const endpoint = entry.try(() => requireEndpoint(named === undefined ? {} : { endpoint: named }));
  const tenant = entry.text('tenant');
  if (tenant !== undefined && !new RegExp(tenantPattern).test(tenant))
    throw entry.wrong(`'${tenant}' is no tenant`);
  const rate = entry.number('rate', 1, 100_000) ?? RATE;
  const lifetime = entry.number('lifetime', 5, 31_536_000) ?? LIFETIME;
  if (!Number.isInteger(lifetime)) throw entry.wrong('lifetime is a whole number of seconds');
  const repeatAfter = (entry.list('repeatAfter') ?? REPEAT_AFTER).map((seconds) => Number(seconds) * 1000);
  const patience = (entry.number('patience', 1, 3600) ?? PATIENCE) * 1000;
  const rises = repeatAfter.every((at, index) => at > (repeatAfter[index - 1] ?? 0) && at < patience);
  if (!rises || repeatAfter.length > 10) {
    throw entry.wrong('repeatAfter is at most ten seconds-after-the-first that rise, all below patience');
  }
  return {
    endpoint,
    ...(tenant === undefined ? {} : { tenant }),
    zone: entry.try(() => timeZone(entry.text('timeZone') ?? 'UTC')),
    lifetime,
    carriers: parseCarriers(entry),
    sensors: parseSensors(entry),
    rate,
    burst: rate * 2,
    rules: { repeatAfter, patience },
  };
}

function parseCarriers(entry: JsonEntry): ReadonlyMap<number, string> {
  const given = entry.members('carriers');
  if (given === undefined) return flowCarrierNames;
  return new Map(
    given.map(([id, name]) => {
      const number = Number(id);
      const isName = typeof name === 'string' && name !== '' && name.length <= 100;
      if (!/^\d{1,2}$/.test(id) || number >= FlowCarrier.DISCONNECT || !isName) {
        throw entry.wrong('carriers are names by number, 0 to 14');
      }
      return [number, name] as const;
    }),
  );
}

function parseSensors(entry: JsonEntry): ReadonlyMap<number, GatewaySensor> {
  const given = entry.members('sensors') ?? [];
  if (given.length > MAX_SENSORS) throw entry.wrong(`more than ${MAX_SENSORS} sensors`);
  const taken = new Set<number>();
  return new Map(
    given.map(([id, value]) => {
      const deviceId = Number(id);
      if (!/^\d{1,10}$/.test(id) || deviceId > 0xffff_ffff) {
        throw entry.wrong(`a sensor is told by its device id, 0 to ${0xffff_ffff}, not '${id}'`);
      }
      const sensor = new JsonEntry(`${entry.name}.sensors[${id}]`, value, [
        'instance',
        'kind',
        'units',
        'data',
        'scale',
      ]);
      const instance = sensor.number('instance', 0, MAX_PATH_ID) ?? deviceId;
      if (instance > MAX_PATH_ID || !Number.isInteger(instance)) {
        throw sensor.wrong(`it needs an instance: its id is above ${MAX_PATH_ID}`);
      }
      if (taken.has(instance)) throw sensor.wrong(`instance ${instance} is another sensor's`);
      taken.add(instance);
      const data = sensor.text('data') ?? 'int32';
      if (!isDataFormat(data)) throw sensor.wrong(`data is one of ${dataFormats.join(', ')}`);
      const units = sensor.text('units');
      return [
        deviceId,
        {
          instance,
          kind: sensor.text('kind') ?? iotDeviceKinds.get(deviceId) ?? 'unknown',
          ...(units === undefined ? {} : { units }),
          data,
          scale: sensor.number('scale', -1e12, 1e12) ?? 1,
        },
      ];
    }),
  );
}

function isDataFormat(text: string): text is DataFormat {
  return (dataFormats as readonly string[]).includes(text);
}
