import { EventConnection, type LiveEnvironment } from './event-connection.ts';
import { covers, type LiveFilter, matches, union, watchParameter } from './live-filter.ts';
import type { FromHub, ToHub } from './live-messages.ts';

/** Wishes that come together, as of a page that is being opened, open one stream. */
const settleMs = 10;
/** A stream that brings more than is wanted goes on for so long: the next wish may be the same again. */
const narrowMs = 5000;
/** A page says each 15 s that it is there; browsers slow the timers of a page out of sight to one a minute. */
const lostMs = 100_000;

interface Watch {
  readonly filters: readonly LiveFilter[];
  /** The stream has had what it wants. */
  ready: boolean;
  /** It has to be told that something may be missing. */
  missed: boolean;
}

interface Page {
  readonly post: (message: FromHub) => void;
  readonly watches: Map<number, Watch>;
  heardAt: number;
  asleep: boolean;
}

/** What a page has of the hub. */
export interface HubPort {
  readonly receive: (message: ToHub) => void;
}

/** One event stream for all pages of a browser: their wishes united, each given what it wished for. */
export class LiveHub {
  readonly #environment: LiveEnvironment;
  readonly #connection: EventConnection;
  readonly #pages = new Set<Page>();
  /** What the stream is asked for. */
  #open: readonly LiveFilter[] = [];
  #behind = false;
  #cancelSettle: (() => void) | undefined;
  #cancelNarrow: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;

  constructor(environment: LiveEnvironment) {
    this.#environment = environment;
    this.#connection = new EventConnection(environment, {
      onOpen: () => this.#opened(),
      onEvent: (type, data) => this.#hand(type, data),
      onGap: () => this.#gap(),
      onStatus: (status) => {
        const wasBehind = this.#behind;
        this.#behind = status.state === 'open' && status.behind;
        for (const { post } of this.#pages) post({ kind: 'status', status });
        // Of the trace nothing comes to who is behind.
        if (wasBehind && status.state === 'open') this.#traceGap();
      },
    });
  }

  /** Takes in a page; `post` brings it messages. */
  connect(post: (message: FromHub) => void): HubPort {
    const page: Page = { post, watches: new Map(), heardAt: this.#environment.now(), asleep: false };
    this.#pages.add(page);
    this.#sweepLater();
    post({ kind: 'status', status: this.#connection.status });
    return { receive: (message) => this.#receive(page, message) };
  }

  #receive(page: Page, message: ToHub): void {
    page.heardAt = this.#environment.now();
    switch (message.kind) {
      case 'watch': {
        const { filters, missed } = message;
        page.watches.set(message.watch, { filters, missed, ready: false });
        this.#pages.add(page);
        this.#sweepLater();
        this.#settleSoon();
        break;
      }
      case 'unwatch':
        page.watches.delete(message.watch);
        this.#settleSoon();
        break;
      case 'alive':
        page.post({ kind: 'alive', known: this.#pages.has(page) });
        break;
      case 'sleep':
        page.asleep = true;
        for (const watch of page.watches.values()) {
          watch.ready = false;
          watch.missed = true;
        }
        this.#settleSoon();
        break;
      case 'wake':
        page.asleep = false;
        this.#settleSoon();
        break;
      case 'bye':
        this.#forget(page);
        break;
      case 'retry':
        this.#connection.retryNow();
        break;
    }
  }

  #forget(page: Page): void {
    this.#pages.delete(page);
    page.watches.clear();
    this.#settleSoon();
  }

  #settleSoon(): void {
    this.#cancelSettle ??= this.#environment.setTimer(() => {
      this.#cancelSettle = undefined;
      this.#settle();
    }, settleMs);
  }

  /** Brings the stream in line with what is wished for. */
  #settle(): void {
    this.#cancelNarrow?.();
    this.#cancelNarrow = undefined;
    const wishes = [...this.#awake()].flatMap(([, , { filters }]) => filters);
    if (wishes.every((wish) => covers(this.#open, wish))) {
      if (this.#connection.status.state === 'open') this.#tellReady();
      if (!isSame(union(wishes), this.#open)) {
        this.#cancelNarrow = this.#environment.setTimer(() => this.#ask(wishes), narrowMs);
      }
      return;
    }
    this.#ask(wishes);
  }

  #ask(wishes: readonly LiveFilter[]): void {
    this.#cancelNarrow = undefined;
    this.#open = union(wishes);
    if (this.#open.length === 0) this.#connection.close();
    else this.#connection.open(this.#open);
  }

  #opened(): void {
    // What came while the stream was opened anew is lost to who watches the trace.
    this.#traceGap();
    this.#tellReady();
  }

  /** No log has the trace: who watches it has missed something. */
  #traceGap(): void {
    for (const [page, number, watch] of this.#awake()) {
      if (watch.ready && watch.filters.some(({ types }) => types?.includes('trace'))) {
        page.post({ kind: 'gap', watch: number });
      }
    }
  }

  #tellReady(): void {
    for (const [page, number, watch] of this.#awake()) {
      if (watch.ready || !watch.filters.every((filter) => covers(this.#open, filter))) continue;
      watch.ready = true;
      page.post({ kind: 'ready', watch: number });
      if (watch.missed) page.post({ kind: 'gap', watch: number });
      watch.missed = false;
    }
  }

  #hand(type: string, data: string): void {
    const { endpoint } = JSON.parse(data) as { readonly endpoint?: string };
    for (const page of this.#pages) {
      if (page.asleep) continue;
      const watches = [...page.watches]
        .filter(([, { filters }]) => filters.some((filter) => matches(filter, type, endpoint)))
        .map(([number]) => number);
      if (watches.length > 0) page.post({ kind: 'event', watches, type, data });
    }
  }

  #gap(): void {
    for (const [page, number] of this.#awake()) page.post({ kind: 'gap', watch: number });
  }

  *#awake(): Iterable<readonly [page: Page, number: number, watch: Watch]> {
    for (const page of this.#pages) {
      if (page.asleep) continue;
      for (const [number, watch] of page.watches) yield [page, number, watch];
    }
  }

  /** Looks for pages that have gone without a word, as one does that crashed. */
  #sweepLater(): void {
    this.#cancelSweep ??= this.#environment.setTimer(() => {
      this.#cancelSweep = undefined;
      const oldest = this.#environment.now() - lostMs;
      for (const page of [...this.#pages]) if (page.heardAt < oldest) this.#forget(page);
      if (this.#pages.size > 0) this.#sweepLater();
    }, lostMs / 2);
  }
}

function isSame(some: readonly LiveFilter[], others: readonly LiveFilter[]): boolean {
  return some.map(watchParameter).join(' ') === others.map(watchParameter).join(' ');
}
