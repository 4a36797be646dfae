import type { DeviceAttributes } from '../ports/device-store.ts';

/** Which attribute of the inventory a resource is: the first SIM slot and the first bearer count. */
export function inventoryAttribute(
  path: string,
  carrierObjectId: number,
): keyof DeviceAttributes | undefined {
  if (path === '/4/0/2') return 'signal';
  const carrier = `/${carrierObjectId}/0/`;
  if (!path.startsWith(carrier)) return undefined;
  const names: Readonly<Record<string, keyof DeviceAttributes>> = {
    '0': 'carrier',
    '7': 'iccid',
    '8': 'imsi',
  };
  return names[path.slice(carrier.length)];
}
