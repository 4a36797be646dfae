/** So many are named at most; beyond it all are looked at again. */
const named = 100_000;

/** Devices whose entry of the inventory has changed since its index took in what had; undefined: perhaps all. */
export type Changes = readonly string[] | undefined;

/** Notes which devices were written, for the index of the inventory in the other thread. */
export class ChangedDevices {
  #changed = new Set<string>();
  #all = false;
  /** Of devices that are being written now: how often. They may have changed already. */
  readonly #underWay = new Map<string, number>();

  /** @throws whatever `write` throws */
  async during<T>(endpoints: Iterable<string>, write: () => Promise<T>): Promise<T> {
    const own = [...endpoints];
    for (const endpoint of own) this.begin(endpoint);
    try {
      return await write();
    } finally {
      for (const endpoint of own) this.end(endpoint);
    }
  }

  begin(endpoint: string): void {
    this.#underWay.set(endpoint, (this.#underWay.get(endpoint) ?? 0) + 1);
  }

  end(endpoint: string): void {
    const times = (this.#underWay.get(endpoint) ?? 1) - 1;
    if (times === 0) this.#underWay.delete(endpoint);
    else this.#underWay.set(endpoint, times);
    if (this.#all) return;
    this.#changed.add(endpoint);
    if (this.#changed.size <= named) return;
    this.#all = true;
    this.#changed = new Set();
  }

  /** Asks the index, and tells it what has changed. @throws whatever `question` throws; what has changed is told again then. */
  async tell<T>(question: (changes: Changes) => Promise<T>): Promise<T> {
    const changed = this.#changed;
    const all = this.#all;
    this.#changed = new Set();
    this.#all = false;
    try {
      return await question(all ? undefined : [...changed, ...this.#underWay.keys()]);
    } catch (error) {
      for (const endpoint of changed) this.#changed.add(endpoint);
      this.#all ||= all;
      throw error;
    }
  }
}
