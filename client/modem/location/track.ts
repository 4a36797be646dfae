import { mixed } from '../hash-noise.ts';

/** A point on the plane about a town's centre, m to the east and to the north. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where a vehicle is, and how it moves. */
export interface Motion extends Point {
  /** m/s. */
  readonly speed: number;
  /** Degrees from north, clockwise. */
  readonly heading: number;
}

interface Leg {
  readonly from: Point;
  readonly direction: Point;
  readonly length: number;
  /** m/s that it is driven at, where it is long enough. */
  readonly cruise: number;
  /** s. */
  readonly begins: number;
  readonly driving: number;
}

const acceleration = 1.3;
/** Blocks of the town's streets, m. */
const block = 120;

/**
 * A round through the streets of a town, for ever: corners, red lights, a pause at the depot. Where it is
 * follows from the time alone.
 */
export class Track {
  readonly #legs: readonly Leg[];
  readonly #period: number;
  readonly #shift: number;

  constructor(seed: number) {
    const legs: Leg[] = [];
    let time = 0;
    const corners = cornersOf(seed);
    corners.forEach((from, i) => {
      const to = corners[(i + 1) % corners.length] as Point;
      const length = Math.hypot(to.x - from.x, to.y - from.y);
      if (length === 0) return;
      // 30 to 58 km/h.
      const cruise = Math.min(8.5 + 7.5 * mixed(seed, i, 11), Math.sqrt(acceleration * length));
      const driving = length / cruise + cruise / acceleration;
      const direction = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
      legs.push({ from, direction, length, cruise, begins: time, driving });
      const light = mixed(seed, i, 13) < 0.35 ? 10 + 35 * mixed(seed, i, 17) : 1;
      time += driving + (i === corners.length - 1 ? 300 : light);
    });
    this.#legs = legs;
    this.#period = time;
    this.#shift = mixed(seed, 0, 19) * time;
  }

  /** s for one round. */
  get period(): number {
    return this.#period;
  }

  /** At a time in s since the epoch. */
  at(time: number): Motion {
    const into = (((time + this.#shift) % this.#period) + this.#period) % this.#period;
    let low = 0;
    for (let high = this.#legs.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if ((this.#legs[middle] as Leg).begins <= into) low = middle;
      else high = middle - 1;
    }
    const leg = this.#legs[low] as Leg;
    const t = into - leg.begins;
    const { distance, speed } = driven(leg, t);
    return {
      x: leg.from.x + leg.direction.x * distance,
      y: leg.from.y + leg.direction.y * distance,
      speed,
      heading: ((Math.atan2(leg.direction.x, leg.direction.y) * 180) / Math.PI + 360) % 360,
    };
  }
}

/** Speeds up, drives, brakes. */
function driven(leg: Leg, t: number): { readonly distance: number; readonly speed: number } {
  const { cruise, length, driving } = leg;
  if (t >= driving) return { distance: length, speed: 0 };
  const ramp = cruise / acceleration;
  if (t < ramp) return { distance: (acceleration * t * t) / 2, speed: acceleration * t };
  const left = driving - t;
  if (left < ramp) {
    return { distance: length - (acceleration * left * left) / 2, speed: acceleration * left };
  }
  return { distance: (cruise * ramp) / 2 + cruise * (t - ramp), speed: cruise };
}

/** Stops all around the centre, joined along the streets. */
function cornersOf(seed: number): readonly Point[] {
  const stops: Point[] = [];
  const count = 7 + Math.floor(mixed(seed, 1, 23) * 5);
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * (i + 0.7 * mixed(seed, i, 29))) / count;
    const radius = 500 + 2_300 * mixed(seed, i, 31);
    stops.push({ x: onStreet(radius * Math.cos(angle)), y: onStreet(radius * Math.sin(angle)) });
  }
  return stops.flatMap((stop, i) => {
    const next = stops[(i + 1) % count] as Point;
    const corner = mixed(seed, i, 37) < 0.5 ? { x: next.x, y: stop.y } : { x: stop.x, y: next.y };
    return [stop, corner];
  });
}

function onStreet(value: number): number {
  return Math.round(value / block) * block;
}

/** Rounds that a fleet shares: where on them each modem is, is its own. */
const rounds = 64;
const shared = new Map<number, Track>();

/** Where a modem of that seed drives. */
export function trackOf(seed: number): Track {
  const number = Math.abs(seed) % rounds;
  const track = shared.get(number) ?? new Track(number);
  shared.set(number, track);
  return track;
}
