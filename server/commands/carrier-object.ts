import { CarrierResult, CarrierState, carrierObject } from '../../objects/carrier.ts';
import { type LwM2mPath, pathIds } from '../../protocol/lwm2m/path.ts';
import { cutText } from '../telemetry/cut-text.ts';
import type { ReadingValue } from '../telemetry/pack.ts';
import type { CarrierOption } from './carrier-commands.ts';

const { resources } = carrierObject;

/** UTF-16 units of any text that a device says: it goes into commands, events and answers of the API. */
const MAX_TEXT = 500;

const states = {
  [CarrierState.IDLE]: 'idle',
  [CarrierState.SWITCHING]: 'switching',
  [CarrierState.SUCCEEDED]: 'succeeded',
  [CarrierState.FAILED]: 'failed',
  [CarrierState.UNKNOWN]: 'unknown',
} as const satisfies Record<CarrierState, string>;

/** What the Carrier object says of one slot; absent members were not said. */
export interface CarrierValues {
  readonly current?: string;
  readonly available: readonly CarrierOption[];
  readonly state?: (typeof states)[CarrierState];
  readonly lastResult?: 'ACK' | 'NACK';
  readonly lastReason?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  /** ms since the epoch. */
  readonly lastSwitch?: number;
  readonly lastCommand?: number;
}

/**
 * Reads the Carrier object out of values by path; those of other paths are passed over. Texts are cut at
 * 500 characters. Where values have a time of receipt, the card offers what it listed last: a carrier that
 * it lists no more leaves its value behind.
 */
export function carrierValues(
  instance: Pick<LwM2mPath, 'object' | 'instance'>,
  values: Iterable<{ readonly path: string; readonly value: ReadingValue; readonly receivedAt?: number }>,
): CarrierValues {
  let available: CarrierOption[] = [];
  let listedAt = Number.NEGATIVE_INFINITY;
  const found: { -readonly [K in keyof CarrierValues]?: CarrierValues[K] } = {};
  for (const { path, value, receivedAt = 0 } of values) {
    const [object, instanceId, resource, resourceInstance] = pathIds(path) ?? [];
    if (object !== instance.object || instanceId !== instance.instance) continue;
    const text = cutText(String(value), MAX_TEXT);
    switch (resource) {
      case resources.currentCarrier.id:
        found.current = text;
        break;
      case resources.availableCarriers.id:
        if (resourceInstance === undefined || receivedAt < listedAt) break;
        if (receivedAt > listedAt) available = [];
        listedAt = receivedAt;
        available.push({ id: resourceInstance, name: text });
        break;
      case resources.state.id: {
        const state = states[Number(value) as CarrierState];
        if (state !== undefined) found.state = state;
        break;
      }
      case resources.lastResult.id:
        found.lastResult = Number(value) === CarrierResult.ACK ? 'ACK' : 'NACK';
        break;
      case resources.lastReason.id:
        found.lastReason = text;
        break;
      case resources.iccid.id:
        found.iccid = text;
        break;
      case resources.imsi.id:
        found.imsi = text;
        break;
      case resources.lastSwitch.id:
        found.lastSwitch = Number(value) * 1000;
        break;
      case resources.lastCommand.id:
        found.lastCommand = Number(value);
        break;
    }
  }
  // Of a switch whose end nobody knows there is no result: what is there is an earlier one's.
  if (found.state === 'unknown') delete found.lastResult;
  return { ...found, available: available.sort((a, b) => a.id - b.id) };
}

/** How a switch ended, as far as the device's values tell. */
export type SwitchOutcome =
  | { readonly kind: 'pending' }
  | { readonly kind: 'done' | 'failed'; readonly reason: string; readonly values: CarrierValues }
  /** The device does not know the command, has had a newer one, or cannot say how it ended: nobody can tell any more. */
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
  if (state === 'unknown') {
    return { kind: 'lost', reason: values.lastReason || 'nobody can tell how it ended' };
  }
  if (state === 'failed') return { kind: 'failed', reason: values.lastReason || 'the card refused', values };
  return { kind: 'pending' };
}
