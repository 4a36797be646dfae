import { type DeviceText, deviceTexts } from '../ports/device-store.ts';
import { TextColumn } from './text-column.ts';

/** What the index knows of one device, in the order of `indexColumns`. */
export type IndexRow = readonly [
  endpoint: string,
  registered: number,
  ending: number,
  firstSeen: number,
  lastSeen: number,
  awakeUntil: number | null,
  signal: number | null,
  serial: string | null,
  iccid: string | null,
  imsi: string | null,
  imei: string | null,
  carrier: string | null,
  manufacturer: string | null,
  model: string | null,
  firmware: string | null,
  node: string | null,
  tenant: string | null,
];

export const indexColumns =
  'endpoint, registered, ending, first_seen, last_seen, awake_until, signal, serial, iccid, imsi, imei, carrier, manufacturer, model, firmware, node, tenant';

/** Values of `device.ending`: how the last registration ended, where that is known. */
export const endings = { unknown: 0, lost: 1, left: 2 } as const;

/** What a row has as its times of a device that was enrolled and not heard yet. */
export const neverSeen = 0;

/** What a slot holds: nothing, an unregistered device by its ending, or a registered one. */
export const slotStates = { free: 0, known: 1, lost: 2, left: 3, registered: 4 } as const;

/** Before each number of a device in its text of numbers, so that their starts can be found. */
export const numberMark = '\n';

const numericColumns = ['firstSeen', 'lastSeen', 'awakeUntil', 'signal'] as const;
type NumericColumn = (typeof numericColumns)[number];

/**
 * All devices in columns, one slot each: what is looked through for every query. Slots of removed devices are
 * used again.
 */
export class DeviceColumns {
  /** By slot. */
  readonly endpoint: string[] = [];
  /** The endpoint in lower case. */
  readonly name: string[] = [];
  /** Serial number, ICCID, IMSI and IMEI in lower case, each behind a mark. */
  readonly numbers: string[] = [];
  readonly texts: Readonly<Record<DeviceText, TextColumn>> = {
    carrier: new TextColumn(),
    manufacturer: new TextColumn(),
    model: new TextColumn(),
    firmware: new TextColumn(),
    node: new TextColumn(),
    tenant: new TextColumn(),
  };
  state = new Uint8Array(1024);
  /** ms since the epoch; awakeUntil: infinite where a registered device listens always. signal, and when it was seen: NaN where not known. */
  readonly numeric: Record<NumericColumn, Float64Array>;
  /** Slots in the order of their endpoints; see `settle`. */
  order = new Uint32Array(0);
  /** By slot: where it stands in `order`. */
  rank = new Uint32Array(0);
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  /** Slots of removed devices that the order still names. */
  #leaving: number[] = [];
  #added: number[] = [];
  #settled = true;

  constructor() {
    const column = () => new Float64Array(1024);
    this.numeric = { firstSeen: column(), lastSeen: column(), awakeUntil: column(), signal: column() };
  }

  get size(): number {
    return this.#slots.size;
  }

  put(row: IndexRow): void {
    const [endpoint, registered, ending, firstSeen, lastSeen, awakeUntil, signal] = row;
    const slot = this.#slots.get(endpoint) ?? this.#add(endpoint);
    this.state[slot] = registered === 1 ? slotStates.registered : slotStates.known + ending;
    this.numeric.firstSeen[slot] = firstSeen === neverSeen ? Number.NaN : firstSeen;
    this.numeric.lastSeen[slot] = lastSeen === neverSeen ? Number.NaN : lastSeen;
    this.numeric.awakeUntil[slot] = awakeUntil ?? Number.POSITIVE_INFINITY;
    this.numeric.signal[slot] = signal ?? Number.NaN;
    let numbers = '';
    for (let column = 7; column < 11; column++) {
      const number = row[column] as string | null;
      if (number !== null) numbers += numberMark + number;
    }
    this.numbers[slot] = numbers.toLowerCase();
    for (const [index, text] of deviceTexts.entries()) {
      this.texts[text].set(slot, row[11 + index] as string | null);
    }
  }

  remove(endpoint: string): void {
    const slot = this.#slots.get(endpoint);
    if (slot === undefined) return;
    this.#slots.delete(endpoint);
    this.#settled = false;
    this.state[slot] = slotStates.free;
    for (const text of deviceTexts) this.texts[text].set(slot, null);
    for (const column of [this.endpoint, this.name, this.numbers]) column[slot] = '';
    this.#leaving.push(slot);
  }

  /** Brings `order` and `rank` up to what was put and removed. */
  settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    const byEndpoint = (a: number, b: number): number =>
      (this.endpoint[a] as string) < (this.endpoint[b] as string) ? -1 : 1;
    const added = this.#added.filter((slot) => this.state[slot] !== slotStates.free);
    this.#added = [];
    this.#free.push(...this.#leaving.splice(0));
    added.sort(byEndpoint);
    const before = this.order.filter((slot) => this.state[slot] !== slotStates.free);
    const order = new Uint32Array(before.length + added.length);
    let from = 0;
    let filled = 0;
    for (const slot of added) {
      const to = lowerBound(before, this.endpoint, this.endpoint[slot] as string, from);
      order.set(before.subarray(from, to), filled);
      filled += to - from;
      order[filled++] = slot;
      from = to;
    }
    order.set(before.subarray(from), filled);
    this.order = order;
    this.rank = new Uint32Array(this.state.length);
    for (let rank = 0; rank < order.length; rank++) this.rank[order[rank] as number] = rank;
  }

  /** Where an endpoint stands in `order`, or would stand: then half a step before the next one. */
  rankOf(endpoint: string): number {
    const slot = this.#slots.get(endpoint);
    if (slot !== undefined) return this.rank[slot] as number;
    return lowerBound(this.order, this.endpoint, endpoint, 0) - 0.5;
  }

  #add(endpoint: string): number {
    const slot = this.#free.pop() ?? this.endpoint.length;
    if (slot >= this.state.length) this.#grow();
    this.#slots.set(endpoint, slot);
    this.endpoint[slot] = endpoint;
    const name = endpoint.toLowerCase();
    this.name[slot] = name === endpoint ? endpoint : name;
    // Until `put` has filled it, so that it is not taken for a free one.
    this.state[slot] = slotStates.known;
    this.#added.push(slot);
    this.#settled = false;
    return slot;
  }

  #grow(): void {
    const length = this.state.length * 2;
    const state = new Uint8Array(length);
    state.set(this.state);
    this.state = state;
    for (const name of numericColumns) {
      const column = new Float64Array(length);
      column.set(this.numeric[name]);
      this.numeric[name] = column;
    }
  }
}

/** The first place from `from` on whose endpoint is not before `endpoint`. */
function lowerBound(
  order: Uint32Array,
  endpoints: readonly string[],
  endpoint: string,
  from: number,
): number {
  let low = from;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((endpoints[order[middle] as number] as string) < endpoint) low = middle + 1;
    else high = middle;
  }
  return low;
}
