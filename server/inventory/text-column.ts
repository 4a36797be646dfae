/** One text per slot, of which many are the same: a number for each, by which comparing and counting are quick. */
export class TextColumn {
  /** By number; 0 is no text. */
  readonly #texts: (string | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];
  #slots = new Uint32Array(1024);

  /** Numbers that were given: each is less than this. */
  get size(): number {
    return this.#texts.length;
  }

  /** The number of a slot's text; 0 where it has none. */
  number(slot: number): number {
    return this.#slots[slot] as number;
  }

  /** The text of a number; undefined for 0. */
  text(number: number): string | undefined {
    return this.#texts[number];
  }

  /** The number of a text; undefined where no slot has it. The empty text is none. */
  find(text: string): number | undefined {
    return text === '' ? 0 : this.#numbers.get(text);
  }

  set(slot: number, text: string | null): void {
    if (slot >= this.#slots.length) {
      const grown = new Uint32Array(Math.max(slot + 1, this.#slots.length * 2));
      grown.set(this.#slots);
      this.#slots = grown;
    }
    const before = this.#slots[slot] as number;
    const after = text === null || text === '' ? 0 : this.#numberOf(text);
    this.#slots[slot] = after;
    if (after !== 0) this.#uses[after] = (this.#uses[after] as number) + 1;
    if (before !== 0) this.#release(before);
  }

  /** Where each number stands among the texts in their order; of 0 it is NaN. */
  ranks(): Float64Array {
    const sorted = [...this.#numbers].sort(([a], [b]) => (a < b ? -1 : 1));
    const ranks = new Float64Array(this.#texts.length).fill(Number.NaN);
    for (const [rank, [, number]] of sorted.entries()) ranks[number] = rank;
    return ranks;
  }

  /** Where a text stands, or would stand: then half a step before the next one. */
  rankOf(text: string): number {
    let before = 0;
    for (const other of this.#numbers.keys()) if (other < text) before += 1;
    return this.#numbers.has(text) ? before : before - 0.5;
  }

  #numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#texts.length;
    this.#texts[number] = text;
    this.#uses[number] = 0;
    this.#numbers.set(text, number);
    return number;
  }

  #release(number: number): void {
    const uses = (this.#uses[number] as number) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    this.#numbers.delete(this.#texts[number] as string);
    this.#texts[number] = undefined;
    this.#free.push(number);
  }
}
