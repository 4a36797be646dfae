import { type LwM2mPath, pathIds } from '../../protocol/lwm2m/path.ts';
import type { ReadingValue } from '../telemetry/pack.ts';
import type { CarrierOption } from './carrier-commands.ts';

/** Resources of the Carrier object, docs/objects.md. */
const Resource = {
  CURRENT: 0,
  AVAILABLE: 1,
  STATE: 4,
  RESULT: 5,
  REASON: 6,
  ICCID: 7,
  IMSI: 8,
  LAST_SWITCH: 9,
  LAST_COMMAND: 10,
} as const;

export const SWITCH_RESOURCE = 3;
/** Carrier id that disconnects. */
export const DISCONNECT = 15;

const states = ['idle', 'switching', 'succeeded', 'failed'] as const;

/** What the Carrier object says of one slot; absent members were not said. */
export interface CarrierValues {
  readonly current?: string;
  readonly available: readonly CarrierOption[];
  readonly state?: (typeof states)[number];
  readonly lastResult?: 'ACK' | 'NACK';
  readonly lastReason?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  /** ms since the epoch. */
  readonly lastSwitch?: number;
  readonly lastCommand?: number;
}

/** Reads the Carrier object out of values by path; those of other paths are passed over. */
export function carrierValues(
  instance: Pick<LwM2mPath, 'object' | 'instance'>,
  values: Iterable<{ readonly path: string; readonly value: ReadingValue }>,
): CarrierValues {
  const available: CarrierOption[] = [];
  const found: { -readonly [K in keyof CarrierValues]?: CarrierValues[K] } = {};
  for (const { path, value } of values) {
    const [object, instanceId, resource, resourceInstance] = pathIds(path) ?? [];
    if (object !== instance.object || instanceId !== instance.instance) continue;
    const text = String(value);
    switch (resource) {
      case Resource.CURRENT:
        found.current = text;
        break;
      case Resource.AVAILABLE:
        if (resourceInstance !== undefined) available.push({ id: resourceInstance, name: text });
        break;
      case Resource.STATE: {
        const state = states[Number(value)];
        if (state !== undefined) found.state = state;
        break;
      }
      case Resource.RESULT:
        found.lastResult = Number(value) === 0 ? 'ACK' : 'NACK';
        break;
      case Resource.REASON:
        found.lastReason = text;
        break;
      case Resource.ICCID:
        found.iccid = text;
        break;
      case Resource.IMSI:
        found.imsi = text;
        break;
      case Resource.LAST_SWITCH:
        found.lastSwitch = Number(value) * 1000;
        break;
      case Resource.LAST_COMMAND:
        found.lastCommand = Number(value);
        break;
    }
  }
  return { ...found, available: available.sort((a, b) => a.id - b.id) };
}

/** How a switch ended, as far as the device's values tell. */
export type SwitchOutcome =
  | { readonly kind: 'pending' }
  | { readonly kind: 'done' | 'failed'; readonly reason: string; readonly values: CarrierValues }
  /** The device does not know the command, or has had a newer one: nobody can tell any more. */
  | { readonly kind: 'lost'; readonly reason: string };

/** Judges the command with this number by what the Carrier object says. */
export function judge(values: CarrierValues, number: number): SwitchOutcome {
  const { lastCommand, state } = values;
  if (lastCommand === undefined) return { kind: 'pending' };
  if (lastCommand < number) return { kind: 'lost', reason: 'the device does not know this command' };
  if (lastCommand > number) return { kind: 'lost', reason: 'the device has taken a newer command since' };
  if (state === 'succeeded') {
    return { kind: 'done', reason: values.lastReason || 'the card acknowledged', values };
  }
  if (state === 'failed') return { kind: 'failed', reason: values.lastReason || 'the card refused', values };
  return { kind: 'pending' };
}
