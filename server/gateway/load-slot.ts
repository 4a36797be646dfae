import { CarrierState, carrierObject as definition } from '../../objects/carrier.ts';
import type { Clock } from '../../protocol/clock.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { LastValue, LastValues } from '../ports/last-values.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { noSwitchYet, type SlotValues } from './carrier-slot.ts';

const { resources } = definition;

export interface LoadSlotParts {
  /** Level with the log. */
  readonly lastValues: Pick<LastValues, 'get'>;
  readonly log: Pick<TelemetryLog, 'extent'>;
  /** Whether last values that were read just now have what is in the log up to that position. */
  readonly isLevel: (position: LogPosition) => boolean | Promise<boolean>;
  readonly carrierObject: number;
  readonly clock: Clock;
}

export interface LoadedSlot {
  readonly values: SlotValues;
  /** ms since its state came about. */
  readonly age: number;
  /** The carriers that the store lists now. */
  readonly listed: ReadonlyMap<number, string>;
}

/**
 * What the log says of a device's carrier. A switch that was asked for right before must be seen: by values that lag
 * behind the log it would be asked for again.
 * @throws StoreUnavailableError also while the values lag
 */
export async function loadSlot(
  { lastValues, log, isLevel, carrierObject, clock }: LoadSlotParts,
  endpoint: string,
): Promise<LoadedSlot> {
  const { newest } = await log.extent();
  const prefix = `/${carrierObject}/0`;
  const stored = await lastValues.get(endpoint, prefix);
  if (!(await isLevel(newest))) {
    throw new StoreUnavailableError('the last values lag behind the log: nobody brings them level now');
  }
  const found = new Map(stored.map((value) => [value.path.slice(prefix.length), value]));
  const state = found.get(`/${resources.state.id}`);
  const receivedAt = state?.receivedAt ?? 0;
  return {
    values: slotValues(found),
    age: clock.wallTime() - receivedAt / 1000,
    listed: listedCarriers(found),
  };
}

function slotValues(found: ReadonlyMap<string, LastValue>): SlotValues {
  const number = (resource: { readonly id: number }): number | undefined => {
    const value = Number(found.get(`/${resource.id}`)?.value);
    return Number.isNaN(value) ? undefined : value;
  };
  const text = (resource: { readonly id: number }): string | undefined => {
    const value = found.get(`/${resource.id}`)?.value;
    return value === undefined ? undefined : String(value);
  };
  const current = text(resources.currentCarrier);
  const requested = number(resources.requestedCarrier);
  const lastResult = number(resources.lastResult);
  const lastSwitch = number(resources.lastSwitch);
  const state = number(resources.state);
  return {
    ...(current === undefined ? {} : { current }),
    ...(requested === undefined ? {} : { requested }),
    state: Object.values(CarrierState).find((known) => known === state) ?? noSwitchYet.state,
    ...(lastResult === 0 || lastResult === 1 ? { lastResult } : {}),
    lastReason: text(resources.lastReason) ?? '',
    ...(lastSwitch === undefined ? {} : { lastSwitch }),
    lastCommand: number(resources.lastCommand) ?? noSwitchYet.lastCommand,
  };
}

/** Those that were listed last: what is not listed any more leaves its value behind. */
function listedCarriers(found: ReadonlyMap<string, LastValue>): ReadonlyMap<number, string> {
  const prefix = `/${resources.availableCarriers.id}/`;
  const values = [...found].filter(([path]) => path.startsWith(prefix));
  const newest = Math.max(0, ...values.map(([, { receivedAt }]) => receivedAt));
  return new Map(
    values.flatMap(([path, { value, receivedAt }]) =>
      receivedAt === newest ? [[Number(path.slice(prefix.length)), String(value)] as const] : [],
    ),
  );
}
