/** UTF-16 units that are kept in all, and what an entry costs beside its texts. */
const MAX_KEPT = 16 * 1024 * 1024;
const ENTRY = 100;

export interface KnownAttribute {
  readonly value: string | number;
  /** µs since the epoch. */
  readonly takenAt: number;
}

/** Attributes by device, as the inventory has them. A cache: it forgets all when it would hold too much. */
export class KnownAttributes {
  readonly #maxKept: number;
  readonly #devices = new Map<string, Map<string, KnownAttribute>>();
  #kept = 0;

  constructor(maxKept: number = MAX_KEPT) {
    this.#maxKept = maxKept;
  }

  /** About how much it holds, UTF-16 units. */
  get kept(): number {
    return this.#kept;
  }

  get(endpoint: string, name: string): KnownAttribute | undefined {
    return this.#devices.get(endpoint)?.get(name);
  }

  set(endpoint: string, name: string, attribute: KnownAttribute): void {
    const cost = costOf(endpoint, attribute);
    if (this.#kept + cost > this.#maxKept) this.clear();
    let device = this.#devices.get(endpoint);
    if (device === undefined) {
      device = new Map();
      this.#devices.set(endpoint, device);
    }
    const former = device.get(name);
    this.#kept += cost - (former === undefined ? 0 : costOf(endpoint, former));
    device.set(name, attribute);
  }

  forget(endpoint: string): void {
    const device = this.#devices.get(endpoint);
    if (device === undefined) return;
    for (const attribute of device.values()) this.#kept -= costOf(endpoint, attribute);
    this.#devices.delete(endpoint);
  }

  clear(): void {
    this.#devices.clear();
    this.#kept = 0;
  }
}

function costOf(endpoint: string, { value }: KnownAttribute): number {
  return ENTRY + endpoint.length + (typeof value === 'string' ? value.length : 0);
}
