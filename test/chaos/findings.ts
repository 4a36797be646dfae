const exampleLimit = 5;

/** What must not happen: how often it did, with some examples. */
export class Findings {
  readonly #kinds = new Map<string, { count: number; readonly examples: string[] }>();

  /** Of what was looked for: 0 until it is found. */
  expectNone(...kinds: readonly string[]): void {
    for (const kind of kinds) this.#kind(kind);
  }

  add(kind: string, example: string): void {
    const found = this.#kind(kind);
    found.count++;
    if (found.examples.length < exampleLimit) found.examples.push(example.slice(0, 500));
  }

  /** By kind, those that never happened included. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#kinds].map(([kind, { count }]) => [kind, count]));
  }

  get total(): number {
    return [...this.#kinds.values()].reduce((sum, { count }) => sum + count, 0);
  }

  get lines(): readonly string[] {
    return [...this.#kinds].flatMap(([kind, { count, examples }]) => [
      `${String(count).padStart(8)}  ${kind}`,
      ...examples.map((example) => `            ${example}`),
    ]);
  }

  #kind(kind: string): { count: number; readonly examples: string[] } {
    const known = this.#kinds.get(kind) ?? { count: 0, examples: [] };
    this.#kinds.set(kind, known);
    return known;
  }
}
