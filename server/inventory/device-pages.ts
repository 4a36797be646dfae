import { RequestError } from '../../protocol/errors.ts';
import { decodeCursor, encodeCursor, foreignCursor } from '../ports/cursor.ts';
import { type DeviceQuery, type DeviceSort, deviceSorts } from '../ports/device-store.ts';
import type { DeviceIndex, DevicePlace } from './device-index.ts';

/**
 * The endpoints of a page, how many match, and the cursor of the next page.
 * @throws RequestError a cursor of another list or order, or an offset beside it
 */
export function pageOf(
  index: DeviceIndex,
  query: DeviceQuery,
): { readonly endpoints: readonly string[]; readonly total: number; readonly next: string | undefined } {
  const { sort, descending, after } = orderOf(query);
  const { filter = {}, now, limit, offset } = query;
  const page = index.page({ filter, now, limit, sort, descending, after, offset });
  const next = page.last && encodeCursor('devices', [sort, descending, page.last.key, page.last.endpoint]);
  return { endpoints: page.endpoints, total: page.total, next };
}

function orderOf({ sort, descending, cursor, offset }: DeviceQuery): {
  readonly sort: DeviceSort;
  readonly descending: boolean;
  readonly after?: DevicePlace;
} {
  if (cursor === undefined) return { sort: sort ?? 'endpoint', descending: descending ?? false };
  if (offset !== undefined) throw new RequestError('either a cursor or an offset');
  const [ofSort, ofDescending, key, endpoint, ...more] = decodeCursor('devices', cursor, 'parts');
  const fits =
    deviceSorts.includes(ofSort as DeviceSort) &&
    typeof ofDescending === 'boolean' &&
    typeof key !== 'boolean' &&
    typeof endpoint === 'string' &&
    more.length === 0;
  if (!fits || key === undefined) throw foreignCursor();
  const same = (sort ?? ofSort) === ofSort && (descending ?? ofDescending) === ofDescending;
  if (!same) throw new RequestError('the cursor is of a list in another order');
  return { sort: ofSort as DeviceSort, descending: ofDescending, after: { key, endpoint } };
}
