import type { Clock } from '../../protocol/clock.ts';
import type { JobDevices } from '../jobs/jobs.ts';
import type { DeviceStore } from '../ports/device-store.ts';
import { filterOfBody } from './device-filters.ts';
import type { ApiDeviceFilter } from './schemas.ts';

/** Devices of jobs, by filters as the API takes them. */
export function jobDevices(devices: Pick<DeviceStore, 'endpoints' | 'list'>, clock: Clock): JobDevices {
  return {
    select: (filter, after, limit) =>
      devices.endpoints(filterOfBody(filter as ApiDeviceFilter), {
        now: clock.wallTime(),
        limit,
        ...(after === undefined ? {} : { after }),
      }),
    preview: async (given, limit) => {
      const filter = filterOfBody(given as ApiDeviceFilter);
      const { items, total } = await devices.list({ filter, limit, now: clock.wallTime() });
      return { total, endpoints: items.map(({ endpoint }) => endpoint) };
    },
  };
}
