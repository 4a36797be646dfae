import type { Clock } from '../../../protocol/clock.ts';
import { mix, mixed, noiseAlong } from '../hash-noise.ts';
import { type Motion, trackOf } from './track.ts';

/** Towns that modems drive in: all in the country of the card's carriers. */
const towns = [
  { name: 'Dallas', latitude: 32.7767, longitude: -96.797, altitude: 131 },
  { name: 'Denver', latitude: 39.7392, longitude: -104.9903, altitude: 1_609 },
  { name: 'Chicago', latitude: 41.8839, longitude: -87.6548, altitude: 181 },
  { name: 'Phoenix', latitude: 33.4484, longitude: -112.074, altitude: 331 },
  { name: 'Atlanta', latitude: 33.749, longitude: -84.388, altitude: 320 },
  { name: 'Minneapolis', latitude: 44.9778, longitude: -93.265, altitude: 253 },
] as const;

/** What a satellite receiver tells. */
export interface Fix {
  /** WGS 84, degrees. */
  readonly latitude: number;
  readonly longitude: number;
  /** m. */
  readonly altitude: number;
  /** m about the place within which the modem is. */
  readonly radius: number;
  /** m/s. */
  readonly speed: number;
  /** Degrees from north, clockwise. */
  readonly heading: number;
  /** Seconds since the epoch. */
  readonly takenAt: number;
}

/** How often the receiver measures, s. */
const interval = 1;
/** m in a degree of latitude. */
const degree = 111_320;

/** Where a modem is: on a round through a town, as its seed and the clock say. */
export class Whereabouts {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #shift: number;
  /** Which of the towns. */
  readonly town: number;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
    this.#shift = mix(seed, 41) % 100_000;
    this.town = mix(seed, 43) % towns.length;
  }

  get townName(): string {
    return (towns[this.town] as (typeof towns)[number]).name;
  }

  /** As it is. */
  motion(): Motion {
    return trackOf(this.#seed).at(this.#clock.wallTime() / 1_000 + this.#shift);
  }

  /** As the receiver measures it: a few metres beside. */
  fix(): Fix {
    const takenAt = Math.floor(this.#clock.wallTime() / 1_000 / interval) * interval;
    const { x, y, speed, heading } = trackOf(this.#seed).at(takenAt + this.#shift);
    const town = towns[this.town] as (typeof towns)[number];
    // Walls come and go: the error wanders within a minute, and its size within some.
    const error = 2.5 + 2 * mixed(this.#seed, Math.floor(takenAt / 120), 47);
    const east = x + error * noiseAlong(this.#seed ^ 1, takenAt / 20);
    const north = y + error * noiseAlong(this.#seed ^ 2, takenAt / 20);
    const hills = 9 * noiseAlong(this.town, x / 900) + 9 * noiseAlong(this.town ^ 64, y / 900);
    return {
      latitude: round(town.latitude + north / degree, 6),
      longitude: round(town.longitude + east / (degree * Math.cos((town.latitude * Math.PI) / 180)), 6),
      altitude: round(town.altitude + hills + 1.5 * error * noiseAlong(this.#seed ^ 4, takenAt / 30), 1),
      radius: round(error * 2, 1),
      speed: round(speed, 2),
      heading: round(heading, 1),
      takenAt,
    };
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
