import { locationObject } from '../../../objects/location.ts';
import { instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import type { Whereabouts } from './whereabouts.ts';

export type LocationInstance = ObjectInstance<keyof typeof locationObject.resources & string>;

/** The Location object's instance. */
export function locationInstance(whereabouts: Whereabouts): LocationInstance {
  const fix = () => whereabouts.fix();
  const takenAt = () => fix().takenAt;
  return instance(locationObject, 0, {
    latitude: { read: () => fix().latitude, takenAt },
    longitude: { read: () => fix().longitude, takenAt },
    altitude: { read: () => fix().altitude, takenAt },
    radius: { read: () => fix().radius, takenAt },
    velocity: { read: () => horizontalVelocity(fix().speed, fix().heading) },
    timestamp: { read: takenAt },
    speed: { read: () => fix().speed, takenAt },
  });
}

/** All of it that moves. */
export const locationResources = [
  'latitude',
  'longitude',
  'altitude',
  'radius',
  'velocity',
  'timestamp',
  'speed',
] as const;

/** Horizontal Velocity, 3GPP TS 23.032 §8.12: type 0, bearing of 9 bits in degrees, speed of 16 bits in km/h. */
export function horizontalVelocity(speed: number, heading: number): Uint8Array {
  const bearing = Math.round(heading) % 360;
  const kilometres = Math.min(65_535, Math.round(speed * 3.6));
  return Uint8Array.of(bearing >> 8, bearing & 0xff, kilometres >> 8, kilometres & 0xff);
}
