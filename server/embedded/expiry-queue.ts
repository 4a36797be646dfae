/** Something that ends at a time. */
export interface Expiring {
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** Owned by the queue: the time that it stands at, not after `expiresAt`. */
  due: number;
  /** Owned by the queue: its place, -1 while it is in none. */
  place: number;
}

/**
 * What ends next, in a binary heap. An end that moves away costs nothing until its old time has come: most of them
 * move again and again, and are never reached.
 */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = [];

  /** Puts it in, or in its place again after its end has changed. */
  put(item: T): void {
    if (item.place < 0) {
      item.place = this.#heap.length;
      this.#heap.push(item);
    } else if (item.expiresAt >= item.due) return;
    item.due = item.expiresAt;
    this.#up(item);
  }

  remove(item: T): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#heap.pop() as T;
    if (last === item) return;
    this.#heap[place] = last;
    last.place = place;
    this.#up(last);
    this.#down(last);
  }

  /** The one that ends next. */
  first(): T | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.due === first.expiresAt) return first;
      first.due = first.expiresAt;
      this.#down(first);
    }
    return undefined;
  }

  #up(item: T): void {
    const heap = this.#heap;
    let { place } = item;
    while (place > 0) {
      const parent = heap[(place - 1) >> 1] as T;
      if (parent.due <= item.due) break;
      heap[place] = parent;
      const above = parent.place;
      parent.place = place;
      place = above;
    }
    heap[place] = item;
    item.place = place;
  }

  #down(item: T): void {
    const heap = this.#heap;
    let { place } = item;
    for (;;) {
      const left = place * 2 + 1;
      if (left >= heap.length) break;
      const other = heap[left + 1];
      let child = heap[left] as T;
      if (other !== undefined && other.due < child.due) child = other;
      if (child.due >= item.due) break;
      const below = child.place;
      heap[place] = child;
      child.place = place;
      place = below;
    }
    heap[place] = item;
    item.place = place;
  }
}
