/** What a simulated sensor measures. */
export interface SensorModel {
  readonly kind: string;
  /** Of the sensor on the modem's bus. */
  readonly deviceId: number;
  /** SenML unit (RFC 8428 §12.1). */
  readonly units: string;
  /** Samples per second unless told otherwise. */
  readonly rate: number;
  /** The value at a time in seconds since the epoch, but for noise. */
  readonly signal: (time: number, phase: number) => number;
  /** Standard deviation of the noise on each sample. */
  readonly noise: number;
}

const turn = 2 * Math.PI;
const day = 86_400;

/** The sensors behind a modem, in the order of their instances: a machine that turns, on a table, in a room. */
export const sensorModels: readonly SensorModel[] = [
  {
    kind: 'imu',
    deviceId: 1,
    units: 'm/s2',
    rate: 50,
    // Gravity, the machine's 12.5 Hz vibration that swells and fades, and its slow sway.
    signal: (time, phase) =>
      9.80665 +
      0.35 * (1 + Math.sin(turn * (time / 20) + phase)) * Math.sin(turn * 12.5 * (time % 1000) + phase) +
      0.15 * Math.sin(turn * 0.2 * time + 2 * phase),
    noise: 0.02,
  },
  {
    kind: 'gyro',
    deviceId: 2,
    units: 'rad/s',
    rate: 50,
    // It turns to and fro, with a wobble.
    signal: (time, phase) =>
      1.2 * Math.sin(turn * 0.1 * time + phase) + 0.1 * Math.sin(turn * 1.7 * (time % 1000) + 3 * phase),
    noise: 0.005,
  },
  {
    kind: 'temperature',
    deviceId: 3,
    units: 'Cel',
    rate: 1,
    // The day, and a heating that comes on every twelve minutes.
    signal: (time, phase) =>
      21.5 + 2.5 * Math.sin(turn * (time / day) + phase) + 0.6 * Math.sin(turn * (time / 720) + 2 * phase),
    noise: 0.03,
  },
];

/** Pseudo-random numbers that a seed repeats (mulberry32): 0 to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Roughly normal noise of standard deviation 1, from three uniform numbers. */
export function roughNormal(random: () => number): number {
  return (random() + random() + random() - 1.5) * 2;
}
