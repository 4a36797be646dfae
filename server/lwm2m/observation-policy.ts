import { RequestError } from '../../protocol/errors.ts';
import { parsePath } from '../../protocol/lwm2m/path.ts';
import type { Registration } from '../ports/registration-store.ts';

/** One thing that is observed on every device that has it. */
export interface ObservationRule {
  readonly object: number;
  /** One resource of each instance; absent: each instance as a whole. */
  readonly resource?: number;
}

/** What the server observes on its own on every device: carriers, sensor values, signal strength. */
export function defaultRules(carrierObject: number, sensorObject: number): readonly ObservationRule[] {
  return [{ object: carrierObject }, { object: sensorObject, resource: 2 }, { object: 4, resource: 2 }];
}

/** Paths that are observed of one device at the most, however much it lists. */
const MAX_PATHS = 256;

/** Paths that the rules want of this device, in the order of its links. */
export function wantedPaths(
  registration: Registration,
  rules: readonly ObservationRule[],
): readonly string[] {
  const wanted: string[] = [];
  for (const { target } of registration.links) {
    let path: ReturnType<typeof parsePath>;
    try {
      path = parsePath(target);
    } catch (error) {
      // A link that is no LwM2M path is the device's own business.
      if (error instanceof RequestError) continue;
      throw error;
    }
    if (path.instance === undefined || path.resource !== undefined) continue;
    for (const rule of rules) {
      if (rule.object !== path.object) continue;
      wanted.push(rule.resource === undefined ? target : `${target}/${rule.resource}`);
      if (wanted.length === MAX_PATHS) return wanted;
    }
  }
  return wanted;
}
