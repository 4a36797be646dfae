import type { DevicePage } from './api-client.ts';
import type { ApiDevice, ApiEvent } from './api-types.ts';
import { changed } from './device-list.ts';

/** Rows that are asked for together. */
export const rowsPerPage = 100;
/** Pages that are kept; those farthest from where the reader is go. */
const mostPages = 60;

/** Pages of rows, by number, that are to be asked for together. */
export interface PageRange {
  readonly first: number;
  readonly count: number;
}

/**
 * The rows of a list of which only parts are there: those that were looked at. Rows are found by where they
 * stand, and by their endpoint for what happens to them.
 */
export class DeviceRows {
  total: number;
  readonly #pages = new Map<number, { readonly items: ApiDevice[]; readonly loadedAt: number }>();
  readonly #places = new Map<string, number>();

  /** @param loadedAt any clock of the caller's that rises, ms */
  constructor(first: DevicePage, loadedAt: number) {
    this.total = first.total;
    this.put(0, first, loadedAt);
  }

  /** The device of a row; undefined while it is not loaded. */
  get(index: number): ApiDevice | undefined {
    return this.#pages.get(Math.floor(index / rowsPerPage))?.items[index % rowsPerPage];
  }

  /** Where a device stands among what is loaded. */
  placeOf(endpoint: string): number | undefined {
    return this.#places.get(endpoint);
  }

  /** Takes in an answer that begins with the row of this page's first. */
  put(page: number, answer: DevicePage, loadedAt: number): void {
    this.total = answer.total;
    for (let from = 0; from < Math.max(answer.items.length, 1); from += rowsPerPage) {
      const number = page + from / rowsPerPage;
      const items = answer.items.slice(from, from + rowsPerPage);
      this.#drop(number);
      // That there is none is known, too.
      if (items.length === 0 && number > 0) continue;
      this.#pages.set(number, { items, loadedAt });
      for (const [index, { endpoint }] of items.entries()) {
        this.#places.set(endpoint, number * rowsPerPage + index);
      }
    }
    const last = Math.ceil(this.total / rowsPerPage);
    for (const number of [...this.#pages.keys()]) if (number > 0 && number >= last) this.#drop(number);
    this.#forget(page);
  }

  /** What has to be asked for so that these rows are there, and no older than `since`; undefined: nothing. */
  missing(first: number, last: number, since: number): PageRange | undefined {
    const end = Math.max(0, Math.min(last, this.total - 1));
    const wanted: number[] = [];
    for (let page = Math.max(0, Math.floor(first / rowsPerPage)); page * rowsPerPage <= end; page++) {
      const kept = this.#pages.get(page);
      if (kept === undefined || kept.loadedAt < since) wanted.push(page);
    }
    const [begin] = wanted;
    if (begin === undefined) return undefined;
    return { first: begin, count: (wanted.at(-1) as number) - begin + 1 };
  }

  /** True where it is about a row that is loaded: that row is then as the event leaves it, and stays where it is. */
  apply(event: ApiEvent): boolean {
    const place = event.endpoint === undefined ? undefined : this.#places.get(event.endpoint);
    if (place === undefined) return false;
    const items = this.#pages.get(Math.floor(place / rowsPerPage))?.items;
    const before = items?.[place % rowsPerPage];
    if (items === undefined || before === undefined) return false;
    items[place % rowsPerPage] = changed(before, event);
    return true;
  }

  #drop(page: number): void {
    const kept = this.#pages.get(page);
    if (kept === undefined) return;
    for (const [index, { endpoint }] of kept.items.entries()) {
      // It may stand elsewhere by now.
      if (this.#places.get(endpoint) === page * rowsPerPage + index) this.#places.delete(endpoint);
    }
    this.#pages.delete(page);
  }

  #forget(near: number): void {
    if (this.#pages.size <= mostPages) return;
    const farthest = [...this.#pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    for (const page of farthest.slice(0, this.#pages.size - mostPages)) this.#drop(page);
  }
}
