import { defaultCustomObjectIds } from './custom-ids.ts';
import { defineObject } from './define-object.ts';

/** Values of the IoT Sensor object's Status. */
export const SensorStatus = { NOMINAL: 0, IDLE: 1, OFF_NOMINAL: 2 } as const;
export type SensorStatus = (typeof SensorStatus)[keyof typeof SensorStatus];

/** The IoT Sensor object under the id that an installation has for it. */
export function defineIotSensorObject(id: number = defaultCustomObjectIds.iotSensor) {
  return defineObject({
    id,
    version: '1.0',
    name: 'IoT Sensor',
    description: 'A sensor behind the modem. One instance per sensor.',
    multiple: true,
    resources: {
      deviceId: {
        id: 0,
        title: 'Device Id',
        operations: 'R',
        type: 'unsigned',
        mandatory: true,
        description: 'Of the sensor on its own bus.',
      },
      kind: {
        id: 1,
        title: 'Kind',
        operations: 'R',
        type: 'string',
        mandatory: true,
        description: 'What it measures: imu, gyro, temperature and so on.',
      },
      value: {
        id: 2,
        title: 'Value',
        operations: 'R',
        type: 'float',
        mandatory: true,
        description: 'The newest sample. Notifications carry every sample with the time when it was taken.',
      },
      rawValue: {
        id: 3,
        title: 'Raw Value',
        operations: 'R',
        type: 'opaque',
        description: 'The newest sample as the sensor gave it.',
      },
      takenAt: {
        id: 4,
        title: 'Taken At',
        operations: 'R',
        type: 'integer',
        units: 'us',
        description: 'When the newest sample was taken, since the Unix epoch.',
      },
      sequence: {
        id: 5,
        title: 'Sequence',
        operations: 'R',
        type: 'unsigned',
        description: 'Counts the samples, so that a gap shows.',
      },
      units: {
        id: 6,
        title: 'Units',
        operations: 'R',
        type: 'string',
        description: 'SenML unit of Value, Minimum and Maximum.',
      },
      samplingPeriod: {
        id: 7,
        title: 'Sampling Period',
        operations: 'RW',
        type: 'integer',
        range: [0, Number.MAX_SAFE_INTEGER],
        units: 'us',
        description: 'Time between two samples; 0 where none are taken.',
      },
      status: {
        id: 8,
        title: 'Status',
        operations: 'R',
        type: 'integer',
        values: { 0: 'Nominal', 1: 'Idle', 2: 'Off-nominal' },
      },
      minimum: {
        id: 9,
        title: 'Minimum',
        operations: 'R',
        type: 'float',
        description: 'The lowest Value since the last Reset.',
      },
      maximum: {
        id: 10,
        title: 'Maximum',
        operations: 'R',
        type: 'float',
        description: 'The highest Value since the last Reset.',
      },
      reset: {
        id: 11,
        title: 'Reset',
        operations: 'E',
        type: 'none',
        description: 'Sets Minimum and Maximum to the newest Value.',
      },
    },
  });
}

/** The IoT Sensor object under its default id. */
export const iotSensorObject = defineIotSensorObject();
