import type { Clock, Timer } from '../../protocol/clock.ts';
import { Sensor } from './sensor.ts';
import { type SensorInstance, sensorInstance, valuePath } from './sensor-instance.ts';
import { seededRandom, sensorModels } from './signals.ts';

export interface SensorBankOptions {
  /** Of the IoT Sensor object. */
  readonly objectId: number;
  readonly seed: number;
  readonly clock: Clock;
  /** Samples per second by kind of sensor; the model's own where not told; 0: idle. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Readings that each sensor keeps. */
  readonly queueLimit?: number;
  /** There are new readings in the queues. */
  readonly onReadings: () => void;
}

/** Sensors are sampled in batches, at most this often, ms. */
const tick = 20;
const longestTick = 1_000;

/** Paths of the sensors' values, in their order. */
export function sensorPaths(objectId: number): readonly string[] {
  return sensorModels.map((_model, id) => valuePath(objectId, id));
}

/** The sensors behind a modem, sampled by one timer. */
export class SensorBank {
  readonly sensors: readonly Sensor[];
  readonly instances: readonly SensorInstance[];
  readonly #options: SensorBankOptions;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SensorBankOptions) {
    this.#options = options;
    const { objectId, seed, clock, rates, queueLimit } = options;
    this.sensors = sensorModels.map(
      (model, id) =>
        new Sensor({
          model,
          path: valuePath(objectId, id),
          rate: rates?.[model.kind] ?? model.rate,
          random: seededRandom(seed ^ (0x9e3779b9 * (id + 1))),
          now: () => Math.round(clock.wallTime() * 1_000),
          ...(queueLimit === undefined ? {} : { queueLimit }),
        }),
    );
    this.instances = this.sensors.map((sensor, id) =>
      sensorInstance(objectId, id, sensor, () => this.start()),
    );
  }

  /** Samples, each sensor at its period. Called again where a period has changed. */
  start(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const { clock } = this.#options;
    const next = Math.min(...this.sensors.map((sensor) => sensor.nextAt)) / 1_000 - clock.wallTime();
    this.#timer = clock.setTimer(Math.min(longestTick, Math.max(tick, next)), () => this.#sample());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #sample(): void {
    const { clock, onReadings } = this.#options;
    const now = Math.round(clock.wallTime() * 1_000);
    this.sensors.forEach((sensor, i) => {
      const { minimum, maximum } = sensor;
      if (sensor.produce(now) === 0) return;
      const instance = this.instances[i] as SensorInstance;
      instance.changed('value', 'rawValue', 'takenAt', 'sequence');
      if (sensor.minimum !== minimum) instance.changed('minimum');
      if (sensor.maximum !== maximum) instance.changed('maximum');
    });
    onReadings();
    this.start();
  }
}
