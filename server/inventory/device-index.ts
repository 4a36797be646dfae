import {
  type DeviceCounts,
  type DeviceFacet,
  type DeviceFilter,
  type DeviceSort,
  type DeviceStateFilter,
  type DeviceText,
  deviceStates,
  deviceTexts,
} from '../ports/device-store.ts';
import { DeviceColumns, type IndexRow, numberMark, slotStates } from './device-columns.ts';
import { selectRange } from './select-range.ts';

/** Where a page ended: what its last device was sorted by (null: not known), and its endpoint. */
export interface DevicePlace {
  readonly key: number | string | null;
  readonly endpoint: string;
}

export interface IndexQuery {
  readonly filter: DeviceFilter;
  readonly now: number;
  readonly sort: DeviceSort;
  readonly descending: boolean;
  readonly limit: number;
  readonly after?: DevicePlace | undefined;
  readonly offset?: number | undefined;
}

/** Values that a facet tells at most. */
const facetValues = 100;

/** Bits of a set of states; the states of a slot beside `awake` and `asleep` by their number. */
const awakeBit = 1 << 5;
const asleepBit = 1 << 6;
const stateBits: Readonly<Record<DeviceStateFilter, number>> = {
  known: 1 << slotStates.known,
  lost: 1 << slotStates.lost,
  left: 1 << slotStates.left,
  awake: awakeBit,
  asleep: asleepBit,
  registered: awakeBit | asleepBit,
  unregistered: (1 << slotStates.known) | (1 << slotStates.lost) | (1 << slotStates.left),
};

/** Finds, sorts and counts devices: some milliseconds for any question about 100 000 of them. */
export class DeviceIndex {
  readonly #columns = new DeviceColumns();

  get size(): number {
    return this.#columns.size;
  }

  put(row: IndexRow): void {
    this.#columns.put(row);
  }

  remove(endpoint: string): void {
    this.#columns.remove(endpoint);
  }

  page(query: IndexQuery): {
    readonly endpoints: readonly string[];
    readonly total: number;
    readonly last: DevicePlace | undefined;
  } {
    const columns = this.#columns;
    columns.settle();
    const matching = this.#match(query.filter, query.now);
    const total = matching.length;
    const keys = this.#keys(query.sort, query.descending);
    const { rank } = columns;
    const turn = query.descending ? -1 : 1;
    let candidates = matching;
    if (query.after !== undefined) {
      const key = this.#keyOf(query.after.key, query.sort) * turn;
      const place = Number.isNaN(key) ? Number.POSITIVE_INFINITY : key;
      const edge = columns.rankOf(query.after.endpoint) * turn;
      candidates = matching.filter((slot) => {
        const own = keys === undefined ? 0 : (keys[slot] as number);
        const than = keys === undefined ? 0 : place;
        return own > than || (own === than && (rank[slot] as number) * turn > edge);
      });
    }
    const from = Math.min(query.offset ?? 0, candidates.length);
    const to = Math.min(from + query.limit, candidates.length);
    if (keys === undefined) {
      // They come in the order of their endpoints.
      if (query.descending) candidates.reverse();
    } else {
      selectRange(candidates, from, to, (a, b) => {
        const one = keys[a] as number;
        const other = keys[b] as number;
        return one === other ? ((rank[a] as number) - (rank[b] as number)) * turn < 0 : one < other;
      });
    }
    const slots = candidates.subarray(from, to);
    const lastSlot = to < candidates.length ? slots.at(-1) : undefined;
    return {
      endpoints: Array.from(slots, (slot) => columns.endpoint[slot] as string),
      total,
      last: lastSlot === undefined ? undefined : this.#placeOf(lastSlot, query.sort),
    };
  }

  endpoints(filter: DeviceFilter, now: number, after: string | undefined, limit: number): readonly string[] {
    const columns = this.#columns;
    columns.settle();
    const from = after === undefined ? 0 : Math.floor(columns.rankOf(after)) + 1;
    const slots = this.#match(filter, now, from, limit);
    return Array.from(slots, (slot) => columns.endpoint[slot] as string);
  }

  facets(
    by: readonly (DeviceText | 'state')[],
    filter: DeviceFilter,
    now: number,
  ): {
    readonly total: number;
    readonly facets: Partial<Record<DeviceText | 'state', readonly DeviceFacet[]>>;
  } {
    this.#columns.settle();
    const matching = this.#match(filter, now);
    const facets: Partial<Record<DeviceText | 'state', readonly DeviceFacet[]>> = {};
    for (const facet of by) {
      facets[facet] = facet === 'state' ? this.#states(matching, now) : this.#values(matching, facet);
    }
    return { total: matching.length, facets };
  }

  counts(now: number): DeviceCounts {
    const counts = { known: 0, registered: 0, awake: 0, asleep: 0, lost: 0, left: 0 };
    const { state, numeric } = this.#columns;
    counts.known = this.size;
    for (let slot = 0; slot < state.length; slot++) {
      const own = state[slot];
      if (own === slotStates.registered) {
        counts.registered += 1;
        if ((numeric.awakeUntil[slot] as number) > now) counts.awake += 1;
        else counts.asleep += 1;
      } else if (own === slotStates.lost) counts.lost += 1;
      else if (own === slotStates.left) counts.left += 1;
    }
    return counts;
  }

  /** Slots that match, by their endpoints, from a rank on. */
  #match(filter: DeviceFilter, now: number, from = 0, limit = Number.POSITIVE_INFINITY): Uint32Array {
    const { order, state, name, numbers, numeric, texts } = this.#columns;
    const { signal, lastSeen, awakeUntil } = numeric;
    const states = filter.states?.reduce((bits, one) => bits | stateBits[one], 0) ?? -1;
    const wanted = deviceTexts.flatMap((text) => {
      const values = filter[text];
      return values === undefined ? [] : [{ column: texts[text], set: wantedNumbers(texts[text], values) }];
    });
    const search = filter.search?.toLowerCase() ?? '';
    const part = filter.endpointPart?.toLowerCase() ?? '';
    const start = numberMark + search;
    const { signalMin = Number.NEGATIVE_INFINITY, signalMax = Number.POSITIVE_INFINITY } = filter;
    const bySignal = filter.signalMin !== undefined || filter.signalMax !== undefined;
    const { seenSince = Number.NEGATIVE_INFINITY, seenBefore = Number.POSITIVE_INFINITY } = filter;
    const found = new Uint32Array(order.length - Math.min(from, order.length));
    let count = 0;
    devices: for (let rank = from; rank < order.length && count < limit; rank++) {
      const slot = order[rank] as number;
      const own = state[slot] as number;
      const awake = (awakeUntil[slot] as number) > now ? awakeBit : asleepBit;
      if ((states & (own === slotStates.registered ? awake : 1 << own)) === 0) continue;
      for (const { column, set } of wanted) if (set[column.number(slot)] !== 1) continue devices;
      if (bySignal) {
        const dBm = signal[slot] as number;
        // Not known is neither more nor less.
        if (!(dBm >= signalMin && dBm <= signalMax)) continue;
      }
      const seen = lastSeen[slot] as number;
      // Never is before every time.
      if (Number.isNaN(seen) ? filter.seenSince !== undefined : seen < seenSince || seen >= seenBefore)
        continue;
      if (part !== '' && !(name[slot] as string).includes(part)) continue;
      if (search !== '' && !(name[slot] as string).includes(search)) {
        if (!(numbers[slot] as string).includes(start)) continue;
      }
      found[count++] = slot;
    }
    return found.subarray(0, count);
  }

  /** By slot what is sorted by, so that what comes first is less; undefined where the endpoint alone is. */
  #keys(sort: DeviceSort, descending: boolean): Float64Array | undefined {
    const columns = this.#columns;
    if (sort === 'endpoint') return undefined;
    const turn = descending ? -1 : 1;
    const keys = new Float64Array(columns.state.length);
    if (sort === 'model' || sort === 'carrier' || sort === 'firmware') {
      const column = columns.texts[sort];
      const ranks = column.ranks();
      for (let slot = 0; slot < keys.length; slot++) {
        keys[slot] = unknownLast((ranks[column.number(slot)] as number) * turn);
      }
      return keys;
    }
    const values = columns.numeric[sort];
    for (let slot = 0; slot < keys.length; slot++) keys[slot] = unknownLast((values[slot] as number) * turn);
    return keys;
  }

  /** What a place is sorted by, ascending; NaN where it is not known. */
  #keyOf(key: DevicePlace['key'], sort: DeviceSort): number {
    if (key === null || sort === 'endpoint') return Number.NaN;
    if (sort === 'model' || sort === 'carrier' || sort === 'firmware') {
      return this.#columns.texts[sort].rankOf(String(key));
    }
    return Number(key);
  }

  #placeOf(slot: number, sort: DeviceSort): DevicePlace {
    const { endpoint: endpoints, texts, numeric } = this.#columns;
    const endpoint = endpoints[slot] as string;
    if (sort === 'endpoint') return { key: null, endpoint };
    if (sort === 'model' || sort === 'carrier' || sort === 'firmware') {
      return { key: texts[sort].text(texts[sort].number(slot)) ?? null, endpoint };
    }
    const value = numeric[sort][slot] as number;
    return { key: Number.isNaN(value) ? null : value, endpoint };
  }

  #values(slots: Uint32Array, facet: DeviceText): readonly DeviceFacet[] {
    const column = this.#columns.texts[facet];
    const counts = new Uint32Array(column.size);
    for (const slot of slots) {
      const number = column.number(slot);
      counts[number] = (counts[number] as number) + 1;
    }
    return mostFrequent(
      Array.from(counts, (count, number) => ({ value: column.text(number) ?? null, count })),
    );
  }

  #states(slots: Uint32Array, now: number): readonly DeviceFacet[] {
    const { state, numeric } = this.#columns;
    const counts = new Map<string, number>(deviceStates.map((name) => [name, 0]));
    for (const slot of slots) {
      const own = state[slot] as number;
      const registered = (numeric.awakeUntil[slot] as number) > now ? 'awake' : 'asleep';
      const name = own === slotStates.registered ? registered : unregisteredNames[own];
      counts.set(name as string, (counts.get(name as string) as number) + 1);
    }
    return mostFrequent(Array.from(counts, ([value, count]) => ({ value, count })));
  }
}

const unregisteredNames = ['', 'known', 'lost', 'left'];

function unknownLast(key: number): number {
  return Number.isNaN(key) ? Number.POSITIVE_INFINITY : key;
}

/** By number 1 where it is one of the wanted. */
function wantedNumbers(
  column: { find(text: string): number | undefined; size: number },
  values: readonly string[],
) {
  const set = new Uint8Array(column.size);
  for (const value of values) {
    const number = column.find(value);
    if (number !== undefined) set[number] = 1;
  }
  return set;
}

function mostFrequent(facets: readonly DeviceFacet[]): readonly DeviceFacet[] {
  return facets
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || ((a.value ?? '') < (b.value ?? '') ? -1 : 1))
    .slice(0, facetValues);
}
