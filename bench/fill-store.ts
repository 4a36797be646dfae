import type { DeviceCounts } from '../server/ports/device-store.ts';
import type { Stores } from '../server/ports/stores.ts';
import { deviceOf, minuteOf, troublesOf } from './fleet.ts';

/** Devices that go to the store together. */
const AT_ONCE = 2_000;
/** Of statistics. */
const MINUTES = 8 * 1_440;

/** Puts so many devices into a store, with last values, a week of statistics and some trouble; resolves to their states. */
export async function fillStore(stores: Stores, count: number, now: number): Promise<DeviceCounts> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const devices = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) =>
      deviceOf(from + index, now),
    );
    await Promise.all(
      devices.flatMap(({ registration, attributes, values }) => [
        stores.registrations.register(registration),
        stores.devices.setAttributes(registration.endpoint, attributes),
        stores.lastValues.set(registration.endpoint, values),
      ]),
    );
    await Promise.all(
      devices.flatMap(({ registration, leaves }) =>
        leaves ? [stores.registrations.deregister(registration.id)] : [],
      ),
    );
    await stores.devices.listening(
      new Map(
        devices.flatMap(({ registration, listensUntil }) =>
          listensUntil === undefined ? [] : [[registration.endpoint, listensUntil] as const],
        ),
      ),
    );
  }
  while ((await stores.registrations.expire(now, 5_000)).length > 0);
  const counts = await stores.devices.counts(now);
  const { known, registered, awake, asleep, lost, left } = counts;
  for (let from = MINUTES; from > 0; from -= AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, from) }, (_, index) =>
        stores.statistics.add(
          minuteOf({ known, registered, awake, asleep, lost, left }, now - (from - index) * 60_000),
        ),
      ),
    );
  }
  await stores.events.append(troublesOf(count, now));
  return counts;
}
