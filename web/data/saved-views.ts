/** A list of devices that a reader has given a name. */
export interface SavedView {
  readonly name: string;
  /** The part of its address behind the question mark. */
  readonly query: string;
}

const key = 'simyard-device-views';
const mostViews = 50;

/** Views are the reader's own, in this browser; a storage that is closed or broken has none. */
export class SavedViews {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'> | undefined) {
    this.#storage = storage;
  }

  list(): readonly SavedView[] {
    let stored: unknown;
    try {
      stored = JSON.parse(this.#storage?.getItem(key) ?? '[]');
    } catch {
      // Not ours, or the browser keeps nothing for us: there are none.
      return [];
    }
    return Array.isArray(stored) ? stored.filter(isView).slice(0, mostViews) : [];
  }

  /** Keeps a view under its name, in the place of the one that had it. False where the browser does not keep it. */
  save(view: SavedView): boolean {
    const others = this.list().filter(({ name }) => name !== view.name);
    return this.#store([...others, view].sort((a, b) => a.name.localeCompare(b.name)).slice(0, mostViews));
  }

  remove(name: string): boolean {
    return this.#store(this.list().filter((view) => view.name !== name));
  }

  #store(views: readonly SavedView[]): boolean {
    try {
      this.#storage?.setItem(key, JSON.stringify(views));
      return this.#storage !== undefined;
    } catch {
      // Full, or closed to us.
      return false;
    }
  }
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== 'object' || value === null) return false;
  const { name, query } = value as Partial<SavedView>;
  return typeof name === 'string' && name !== '' && typeof query === 'string';
}
