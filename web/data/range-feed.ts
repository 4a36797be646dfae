import type { ApiReadingSeries } from './api-types.ts';
import type { TimeWindow } from './time-window.ts';

/** Asks for a range of one path in at most so many points. */
export type LoadSeries = (query: {
  readonly from: number;
  readonly to: number;
  readonly points: number;
}) => Promise<ApiReadingSeries>;

/** A range as the server drew it together; times in ms. */
export interface LoadedRange extends TimeWindow {
  /** What each item stands for; 0: each is one reading. */
  readonly step: number;
  readonly items: ApiReadingSeries['items'];
  readonly loadedAt: number;
}

export interface RangeWish {
  readonly window: TimeWindow;
  /** Whether the window goes with the time. */
  readonly following: boolean;
  /** Of the window. */
  readonly points: number;
  readonly now: number;
}

/** Loaded beyond each edge of what is held, as a part of it, so that a small move needs nothing. */
const margin = 0.25;
/** What follows is loaded again as often as its newest step changes, within these bounds. */
const shortestRefresh = 2_000;
const longestRefresh = 60_000;
/** A finer range is loaded where so much less time is shown than was loaded. */
const finer = 0.6;

/** One sensor's past, for ranges of which there are too many readings to have them all. */
export class RangeFeed {
  readonly #load: LoadSeries;
  #range: LoadedRange | undefined;
  /** When the oldest reading was taken that came after its time had been loaded. */
  #late = Number.POSITIVE_INFINITY;
  #loading: Promise<void> | undefined;
  #wish: RangeWish | undefined;

  constructor(load: LoadSeries) {
    this.#load = load;
  }

  /** What was loaded last; it may be of another stretch, or coarser, than what is shown now. */
  get range(): LoadedRange | undefined {
    return this.#range;
  }

  get loading(): boolean {
    return this.#loading !== undefined;
  }

  /** A reading that came just now: one that was taken before the newest step changes what was loaded. */
  took(takenAt: number): void {
    const range = this.#range;
    if (range !== undefined && takenAt < range.loadedAt - Math.max(shortestRefresh, range.step)) {
      this.#late = Math.min(this.#late, takenAt);
    }
  }

  /** Whether what is here does for the window. */
  has(window: TimeWindow, following: boolean, now: number): boolean {
    const range = this.#range;
    if (range === undefined || range.from > window.from) return false;
    const age = now - range.loadedAt;
    if (this.#late < range.to && age >= shortestRefresh) return false;
    const isFine =
      range.step === 0 || window.to - window.from >= finer * (range.to - range.from) * shownOf(following);
    if (!isFine) return false;
    if (!following) return range.to >= Math.min(window.to, now - longestRefresh) || age < shortestRefresh;
    return age < Math.min(longestRefresh, Math.max(shortestRefresh, range.step));
  }

  /** Loads what the window needs, one range at a time; a wish made meanwhile is the next. */
  load(wish: RangeWish): Promise<void> {
    this.#wish = wish;
    this.#loading ??= this.#run().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #run(): Promise<void> {
    for (let done: RangeWish | undefined; this.#wish !== undefined && this.#wish !== done; ) {
      const wish = this.#wish;
      if (done === undefined || !this.has(wish.window, wish.following, wish.now)) await this.#renew(wish);
      done = wish;
    }
  }

  async #renew({ window, following, points, now }: RangeWish): Promise<void> {
    const span = window.to - window.from;
    const from = Math.floor(window.from - span * margin);
    const to = Math.ceil(following ? window.to : window.to + span * margin);
    const late = this.#late;
    this.#late = Number.POSITIVE_INFINITY;
    try {
      const wanted = Math.min(10_000, Math.ceil((points * (to - from)) / span));
      const { step, items } = await this.#load({ from, to, points: wanted });
      this.#range = { from, to, step, items, loadedAt: now };
    } catch (error) {
      this.#late = Math.min(this.#late, late);
      throw error;
    }
  }
}

/** The part of a loaded range that was shown when it was loaded. */
function shownOf(following: boolean): number {
  return following ? 1 / (1 + margin) : 1 / (1 + 2 * margin);
}
