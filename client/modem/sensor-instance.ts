import { SensorStatus } from '../../objects/iot-sensor.ts';
import { Code } from '../../protocol/coap/message.ts';
import { instance, type ObjectInstance } from '../lwm2m/object-tree.ts';
import { OperationError } from '../lwm2m/operation-error.ts';
import { type IotSensorDefinition, iotSensorDefinition } from './custom-definitions.ts';
import type { Sensor } from './sensor.ts';

/** 1 kHz. */
const shortestPeriod = 1_000;
/** Raw values are thousandths of the unit. */
const rawScale = 1_000;

export type SensorInstance = ObjectInstance<keyof IotSensorDefinition['resources'] & string>;

/** Object id of the IoT Sensor object, and the instance: `/42770/0/2`. */
export function valuePath(objectId: number, id: number): string {
  return `/${objectId}/${id}/${iotSensorDefinition(objectId).resources.value.id}`;
}

/** The IoT Sensor object's instance of one sensor. `onPeriod` is told when its period is another. */
export function sensorInstance(
  objectId: number,
  id: number,
  sensor: Sensor,
  onPeriod: () => void,
): SensorInstance {
  const { model } = sensor;
  const made: SensorInstance = instance(iotSensorDefinition(objectId), id, {
    deviceId: { read: () => model.deviceId },
    kind: { read: () => model.kind },
    value: { read: () => sensor.latest.value, takenAt: () => sensor.latest.time / 1e6 },
    rawValue: { read: () => rawBytes(sensor.latest.value) },
    takenAt: { read: () => sensor.latest.time },
    sequence: { read: () => sensor.sequence },
    units: { read: () => model.units },
    samplingPeriod: {
      read: () => sensor.period,
      write(value) {
        const period = Number(value);
        if (period !== 0 && period < shortestPeriod) {
          throw new OperationError(
            Code.BAD_REQUEST,
            `the sensor takes no sample sooner than ${shortestPeriod} us`,
          );
        }
        sensor.period = period;
        onPeriod();
        made.changed('status');
      },
    },
    status: { read: () => (sensor.period === 0 ? SensorStatus.IDLE : SensorStatus.NOMINAL) },
    minimum: { read: () => sensor.minimum },
    maximum: { read: () => sensor.maximum },
    reset: {
      execute() {
        sensor.reset();
        made.changed('minimum', 'maximum');
      },
    },
  });
  return made;
}

/** The sensor's own form: a signed 32-bit integer, big-endian. */
function rawBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, Math.round(value * rawScale));
  return bytes;
}
