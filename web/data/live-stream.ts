import type { ApiEvent, ApiLiveReadings } from './api-types.ts';
import { SseParser } from './sse-parser.ts';

/** What the view that is open now wants to hear. */
export interface LiveFilter {
  readonly endpoint?: string;
  /** Stored event types, and `readings`; all where absent. */
  readonly types?: readonly string[];
}

export interface LiveListener {
  readonly onEvent?: (event: ApiEvent) => void;
  readonly onReadings?: (readings: ApiLiveReadings) => void;
  /** Something was missed for good: load the view anew. */
  readonly onGap: () => void;
}

/** `broken` from the loss of the stream until it is back; times in ms since the epoch. */
export type LiveStatus =
  | { readonly state: 'idle' | 'connecting' | 'open' }
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

const firstRetryMs = 500;
const longestRetryMs = 15_000;
/** The server sends a comment every 15 s; three missed ones are a dead connection that nobody has closed. */
const silenceMs = 45_000;

/**
 * The page's one event stream, `GET /api/events`. The open view says what it wants with `watch`; a
 * new wish opens the stream anew from now. A lost stream is resumed behind the last id that it gave.
 */
export class LiveStream {
  readonly #environment: LiveEnvironment;
  readonly #statusListeners = new Set<(status: LiveStatus) => void>();
  #status: LiveStatus = { state: 'idle' };
  #watch: { readonly filter: LiveFilter; readonly listener: LiveListener } | undefined;
  #connection: AbortController | undefined;
  #cancelTimers: (() => void)[] = [];
  #lastId = '';
  #lastEventAt: number | undefined;
  #failures = 0;
  #waiting: (() => void)[] = [];

  constructor(environment: LiveEnvironment = browserLiveEnvironment) {
    this.#environment = environment;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** The listener is called at each change; the answer ends that. */
  onStatus(listener: (status: LiveStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** Replaces what was watched before. The answer ends it (and does nothing once replaced). */
  watch(filter: LiveFilter, listener: LiveListener): () => void {
    const watch = { filter, listener };
    this.#watch = watch;
    this.#lastId = '';
    this.#failures = 0;
    this.#connect();
    return () => {
      if (this.#watch !== watch) return;
      this.#watch = undefined;
      this.#drop();
      this.#set({ state: 'idle' });
    };
  }

  /**
   * Resolves when the stream is open (what is loaded after it misses nothing), is broken (there is
   * nothing to wait for), or `patience` ms have gone.
   */
  settled(patience = 1500): Promise<void> {
    if (this.#status.state !== 'connecting') return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#environment.setTimer(resolve, patience);
      this.#waiting.push(() => {
        cancel();
        resolve();
      });
    });
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
    const watch = this.#watch;
    if (watch === undefined) return;
    // While broken it stays broken until the stream is really back: the bar does not flicker.
    if (this.#status.state !== 'broken' || this.#failures === 0) this.#set({ state: 'connecting' });
    const connection = new AbortController();
    this.#connection = connection;
    this.#read(connection, watch.filter).catch((error: unknown) => {
      if (this.#connection !== connection) return;
      this.#failed(error instanceof Error ? error.message : String(error));
    });
  }

  async #read(connection: AbortController, filter: LiveFilter): Promise<void> {
    const query = new URLSearchParams();
    if (filter.endpoint !== undefined) query.set('endpoint', filter.endpoint);
    if (filter.types !== undefined) query.set('types', filter.types.join(','));
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
    }
  }

  #take(type: string, data: string, id: string): void {
    this.#failures = 0;
    if (this.#status.state !== 'open') this.#set({ state: 'open' });
    const listener = this.#watch?.listener;
    if (type === 'hello') {
      if (this.#missed(id)) listener?.onGap();
      // On resuming, ours is the position to go on from until something newer has really come.
      if (this.#lastId === '' || this.#missed(id)) this.#lastId = id;
      return;
    }
    this.#lastEventAt = this.#environment.now();
    if (id !== '') this.#lastId = id;
    if (type === 'gap') listener?.onGap();
    else if (type === 'readings') listener?.onReadings?.(JSON.parse(data) as ApiLiveReadings);
    else listener?.onEvent?.(JSON.parse(data) as ApiEvent);
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
    this.#status = status;
    if (status.state !== 'connecting') for (const resolve of this.#waiting.splice(0)) resolve();
    for (const listener of this.#statusListeners) listener(status);
  }
}

/** Calls back each time that a stream which was lost is there again. The answer ends that. */
export function onReopened(live: Pick<LiveStream, 'status' | 'onStatus'>, action: () => void): () => void {
  let lost = live.status.state === 'broken';
  return live.onStatus(({ state }) => {
    const back = lost && state === 'open';
    lost = state === 'broken' || (lost && state === 'connecting');
    if (back) action();
  });
}

function positionOf(id: string): { readonly event: number; readonly log: number } | undefined {
  const match = /^(\d+)-(\d+)$/.exec(id);
  return match === null ? undefined : { event: Number(match[1]), log: Number(match[2]) };
}
