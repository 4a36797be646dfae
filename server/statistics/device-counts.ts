import type { DeviceCounts, DeviceStore } from '../ports/device-store.ts';

/** How many devices there are, and in which states: of all, or of one tenant. */
export async function deviceCounts(
  devices: Pick<DeviceStore, 'counts' | 'facets'>,
  now: number,
  tenant: string | undefined,
): Promise<DeviceCounts> {
  if (tenant === undefined) return devices.counts(now);
  const { total, facets } = await devices.facets(['state'], { tenant: [tenant] }, now);
  const counted = new Map((facets.state ?? []).map(({ value, count }) => [value, count]));
  const of = (state: string): number => counted.get(state) ?? 0;
  const [awake, asleep] = [of('awake'), of('asleep')];
  return { known: total, registered: awake + asleep, awake, asleep, lost: of('lost'), left: of('left') };
}
