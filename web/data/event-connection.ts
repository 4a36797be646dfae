import { type LiveFilter, watchParameter } from './live-filter.ts';
import { SseParser } from './sse-parser.ts';

/**
 * `behind` says that the server reads for this browser from its logs: what comes is late. `broken` holds from
 * the loss of the stream until it is back. Times in ms since the epoch.
 */
export type LiveStatus =
  | { readonly state: 'idle' | 'connecting' }
  | { readonly state: 'open'; readonly behind: boolean }
  | {
      readonly state: 'broken';
      readonly lastEventAt: number | undefined;
      readonly retryAt: number;
      readonly reason: string;
    };

/** What the stream needs of the world around it; tests hand in their own. */
export interface LiveEnvironment {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly setTimer: (action: () => void, delay: number) => () => void;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export const browserLiveEnvironment: LiveEnvironment = {
  fetch: (...args) => fetch(...args),
  now: () => Date.now(),
  setTimer: (action, delay) => {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

export interface ConnectionListener {
  /** A stream with what was asked for last is open; also when it is open again. */
  readonly onOpen: () => void;
  /** `data` is JSON. */
  readonly onEvent: (type: string, data: string) => void;
  /** Something was missed for good. */
  readonly onGap: () => void;
  readonly onStatus: (status: LiveStatus) => void;
}

const firstRetryMs = 500;
const longestRetryMs = 15_000;
/** The server sends a heartbeat every 15 s; three missed ones are a dead connection that nobody has closed. */
const silenceMs = 45_000;

/**
 * One event stream, `GET /api/events`, kept open. Lost, or opened anew for other filters, it goes on behind
 * the last id that it gave.
 */
export class EventConnection {
  readonly #environment: LiveEnvironment;
  readonly #listener: ConnectionListener;
  #status: LiveStatus = { state: 'idle' };
  #filters: readonly LiveFilter[] = [];
  #connection: AbortController | undefined;
  #cancelTimers: (() => void)[] = [];
  #lastId = '';
  #lastEventAt: number | undefined;
  #failures = 0;

  constructor(environment: LiveEnvironment, listener: ConnectionListener) {
    this.#environment = environment;
    this.#listener = listener;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** Asks for other filters, at once, and misses nothing of those that stay. */
  open(filters: readonly LiveFilter[]): void {
    this.#filters = filters;
    this.#connect();
  }

  /** Ends it; opened again, it begins from then. */
  close(): void {
    this.#drop();
    this.#filters = [];
    this.#lastId = '';
    this.#failures = 0;
    this.#set({ state: 'idle' });
  }

  /** Does not wait for the back-off: the reader asked, or the network is back. */
  retryNow(): void {
    if (this.#status.state === 'broken') this.#connect();
  }

  #drop(): void {
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
    this.#connection?.abort();
    this.#connection = undefined;
  }

  #connect(): void {
    this.#drop();
    // Open it stays open, for it goes on where it was; broken it stays broken until it is really back.
    if (this.#status.state === 'idle') this.#set({ state: 'connecting' });
    const connection = new AbortController();
    this.#connection = connection;
    this.#read(connection).catch((error: unknown) => {
      if (this.#connection !== connection) return;
      this.#failed(error instanceof Error ? error.message : String(error));
    });
  }

  async #read(connection: AbortController): Promise<void> {
    const query = new URLSearchParams();
    for (const filter of this.#filters) query.append('watch', watchParameter(filter));
    if (this.#lastId !== '') query.set('after', this.#lastId);
    const keepAlive = this.#silenceGuard(connection);
    const response = await this.#environment.fetch(`/api/events?${query}`, {
      headers: { accept: 'text/event-stream' },
      cache: 'no-store',
      signal: connection.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (this.#connection !== connection) return;
      if (done) throw new Error('the server ended the stream');
      keepAlive();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        this.#take(event.type, event.data, event.lastEventId);
        if (this.#connection !== connection) return;
      }
      // A heartbeat moves the place to go on from, and is no event.
      if (parser.lastEventId !== '') this.#lastId = parser.lastEventId;
    }
  }

  #take(type: string, data: string, id: string): void {
    this.#failures = 0;
    if (type === 'hello') {
      const missed = this.#missed(id);
      this.#lastId = id;
      this.#set({ state: 'open', behind: false });
      this.#listener.onOpen();
      if (missed) this.#listener.onGap();
      return;
    }
    if (id !== '') this.#lastId = id;
    if (type === 'behind' || type === 'level') {
      this.#set({ state: 'open', behind: type === 'behind' });
      return;
    }
    this.#lastEventAt = this.#environment.now();
    if (type === 'gap') this.#listener.onGap();
    else this.#listener.onEvent(type, data);
  }

  /** A position behind ours means that the server's logs are others than those we stood in. */
  #missed(helloId: string): boolean {
    const ours = positionOf(this.#lastId);
    const theirs = positionOf(helloId);
    if (ours === undefined || theirs === undefined) return false;
    return theirs.event < ours.event || theirs.log < ours.log;
  }

  #silenceGuard(connection: AbortController): () => void {
    let cancel = () => {};
    const renew = () => {
      cancel();
      cancel = this.#environment.setTimer(() => {
        if (this.#connection === connection) this.#failed(`nothing heard for ${silenceMs / 1000} s`);
      }, silenceMs);
    };
    this.#cancelTimers.push(() => cancel());
    renew();
    return renew;
  }

  #failed(reason: string): void {
    this.#drop();
    this.#failures++;
    const ceiling = Math.min(longestRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    const delay = ceiling * (0.5 + this.#environment.random() / 2);
    this.#cancelTimers.push(this.#environment.setTimer(() => this.#connect(), delay));
    this.#set({
      state: 'broken',
      lastEventAt: this.#lastEventAt,
      retryAt: this.#environment.now() + delay,
      reason,
    });
  }

  #set(status: LiveStatus): void {
    const before = this.#status;
    if (before.state === status.state && before.state === 'open' && status.state === 'open') {
      if (before.behind === status.behind) return;
    }
    this.#status = status;
    this.#listener.onStatus(status);
  }
}

function positionOf(id: string): { readonly event: number; readonly log: number } | undefined {
  const match = /^(\d+)-(\d+)$/.exec(id);
  return match === null ? undefined : { event: Number(match[1]), log: Number(match[2]) };
}
