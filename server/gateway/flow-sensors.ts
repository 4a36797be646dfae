import { iotSensorObject as definition } from '../../objects/iot-sensor.ts';
import type { Clock } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { IotDataPacket } from '../../protocol/flow/packet.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { type GatewayDevice, type GatewaySensor, sensorOf } from './device-file.ts';
import { decodeSensorData } from './sensor-data.ts';

const { resources } = definition;
/** A time below this would be taken for one relative to receipt (RFC 8428 §4.5.3). Seconds since the epoch. */
const RELATIVE_BELOW = 2 ** 28;
/** Sensors of one device that nobody has configured: whoever sends from its address makes them. */
const MAX_SENSORS = 64;

/** The sensors of one device, as instances of the IoT Sensor object: each there from its first reading on. */
export class FlowSensors {
  readonly #device: GatewayDevice;
  readonly #object: number;
  readonly #clock: Clock;
  readonly #report: (records: readonly LwM2mRecord[], datagram: Uint8Array) => void;
  /** By instance; true: what it is has been told by this process. */
  readonly #told = new Map<number, boolean>();
  #status: number | undefined;

  /**
   * @param object id of the IoT Sensor object
   * @param report takes what is to be in the log, and the packet that it came in
   */
  constructor(
    device: GatewayDevice,
    object: number,
    clock: Clock,
    report: (records: readonly LwM2mRecord[], datagram: Uint8Array) => void,
  ) {
    this.#device = device;
    this.#object = object;
    this.#clock = clock;
    this.#report = report;
  }

  get count(): number {
    return this.#told.size;
  }

  links(): readonly Link[] {
    return [...this.#told.keys()].map((instance) => ({
      target: `/${this.#object}/${instance}`,
      attributes: {},
    }));
  }

  /** Those that an earlier process, or another node, has heard. */
  learn(links: readonly Link[]): void {
    for (const { target } of links) {
      const [object, instance] = pathIds(target) ?? [];
      if (object !== this.#object || instance === undefined) continue;
      if (!this.#told.has(instance)) this.#told.set(instance, false);
    }
  }

  /**
   * Takes a reading.
   * @param datagram what it came in
   * @returns false where no sensor can be made of it
   */
  reading({ deviceId, takenAt, data }: IotDataPacket, datagram: Uint8Array): boolean {
    const sensor = sensorOf(this.#device, deviceId);
    if (sensor === undefined) return false;
    const { instance } = sensor;
    const isKnown = this.#told.has(instance);
    if (!isKnown && !this.#device.sensors.has(deviceId) && this.#told.size >= MAX_SENSORS) return false;
    if (this.#told.get(instance) !== true) this.#describe(deviceId, sensor);
    const moment = this.#device.zone.momentOf(takenAt);
    const time = moment === undefined ? undefined : this.#recordTime(moment / 1_000_000);
    const value = this.#valueOf(sensor, data);
    const resource = typeof value === 'number' ? resources.value : resources.rawValue;
    const record = this.#record(instance, resource, value);
    this.#report([time === undefined ? record : { ...record, time }], datagram);
    return true;
  }

  /** Takes an IoT status. It names no sensor: it is that of all of them, and told when it changes. */
  status(status: number, datagram: Uint8Array): void {
    if (status === this.#status) return;
    this.#status = status;
    const records = [...this.#told.keys()].map((instance) =>
      this.#record(instance, resources.status, status),
    );
    if (records.length > 0) this.#report(records, datagram);
  }

  /** As a record tells a moment: one of a clock that was never set by how long ago it is, for it is no relative time. */
  #recordTime(moment: number): number {
    return moment >= RELATIVE_BELOW ? moment : moment - this.#clock.wallTime() / 1_000;
  }

  #valueOf({ data: format, scale }: GatewaySensor, data: Uint8Array): number | Uint8Array {
    if (format === 'raw') return data;
    try {
      return decodeSensorData(format, data) * scale;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // It is not what was expected, and kept as it is.
      return data;
    }
  }

  /** A sensor that was not heard before, or not by this process. */
  #describe(deviceId: number, { instance, kind, units }: GatewaySensor): void {
    this.#told.set(instance, true);
    this.#report(
      [
        this.#record(instance, resources.deviceId, deviceId),
        this.#record(instance, resources.kind, kind),
        ...(units === undefined ? [] : [this.#record(instance, resources.units, units)]),
        ...(this.#status === undefined ? [] : [this.#record(instance, resources.status, this.#status)]),
      ],
      new Uint8Array(),
    );
  }

  #record(instance: number, resource: { readonly id: number }, value: LwM2mRecord['value']): LwM2mRecord {
    return { path: `/${this.#object}/${instance}/${resource.id}`, value };
  }
}
