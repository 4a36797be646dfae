import type { ApiEvent, ApiLiveReadings } from './api-types.ts';
import type { LiveEnvironment, LiveStatus } from './event-connection.ts';
import type { LiveFilter } from './live-filter.ts';
import type { FromHub, ToHub } from './live-messages.ts';

export type { LiveStatus } from './event-connection.ts';
export type { LiveFilter } from './live-filter.ts';

export interface LiveListener {
  readonly onEvent?: (event: ApiEvent) => void;
  readonly onReadings?: (readings: ApiLiveReadings) => void;
  /** A message of the trace, which comes to watches that name the type `trace`. */
  readonly onTrace?: (message: unknown) => void;
  /** Something was missed for good: load the view anew. */
  readonly onGap: () => void;
}

/** The way to a hub. */
export interface LivePort {
  readonly post: (message: ToHub) => void;
  /** Nothing comes from it any more. */
  readonly close: () => void;
}

/** Opens a way to the hub that serves this browser, a new one where there is none any more. */
export type LiveConnect = (receive: (message: FromHub) => void) => LivePort;

const aliveMs = 15_000;
/** A hub answers each of these; one that has missed three is dead, as a worker is that crashed. */
const deadMs = 50_000;

interface Watch {
  readonly filters: readonly LiveFilter[];
  readonly listener: LiveListener;
  ready: boolean;
}

/** What a page hears live: as many watches as its views want, over the one stream of the browser. */
export class LiveStream {
  readonly #connect: LiveConnect;
  readonly #environment: Pick<LiveEnvironment, 'now' | 'setTimer'>;
  readonly #statusListeners = new Set<(status: LiveStatus) => void>();
  readonly #watches = new Map<number, Watch>();
  #status: LiveStatus = { state: 'idle' };
  #port: LivePort | undefined;
  #next = 1;
  #heardAt = 0;
  #waiting: (() => void)[] = [];

  constructor(connect: LiveConnect, environment: Pick<LiveEnvironment, 'now' | 'setTimer'>) {
    this.#connect = connect;
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

  /** Events from now on that pass one of the filters. The answer ends it. */
  watch(filters: LiveFilter | readonly LiveFilter[], listener: LiveListener): () => void {
    const number = this.#next++;
    const watch = { filters: isMany(filters) ? filters : [filters], listener, ready: false };
    this.#watches.set(number, watch);
    if (this.#port === undefined) this.#open();
    else this.#ask(number, watch, false);
    return () => {
      if (!this.#watches.delete(number)) return;
      this.#port?.post({ kind: 'unwatch', watch: number });
      this.#release();
    };
  }

  /**
   * Resolves when the stream brings what is watched (what is loaded after it misses nothing), is broken (there
   * is nothing to wait for), or `patience` ms have gone.
   */
  settled(patience = 1500): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
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
    this.#port?.post({ kind: 'retry' });
  }

  /** The page is out of sight, and will be told by `onGap` what it missed when it is seen again. */
  sleep(): void {
    for (const watch of this.#watches.values()) watch.ready = false;
    this.#port?.post({ kind: 'sleep' });
  }

  wake(): void {
    this.#port?.post({ kind: 'wake' });
  }

  /** The page is left. */
  leave(): void {
    this.#port?.post({ kind: 'bye' });
  }

  /** The page is come back to, after `leave`. */
  comeBack(): void {
    for (const [number, watch] of this.#watches) this.#ask(number, watch, true);
  }

  get #isSettled(): boolean {
    return this.#status.state === 'broken' || [...this.#watches.values()].every(({ ready }) => ready);
  }

  #open(): void {
    const again = this.#port !== undefined;
    this.#port?.close();
    this.#heardAt = this.#environment.now();
    this.#port = this.#connect((message) => this.#receive(message));
    for (const [number, watch] of this.#watches) this.#ask(number, watch, again);
    if (!again) this.#stayAlive();
  }

  #ask(number: number, watch: Watch, missed: boolean): void {
    watch.ready = false;
    this.#port?.post({ kind: 'watch', watch: number, filters: watch.filters, missed });
  }

  #stayAlive(): void {
    this.#environment.setTimer(() => {
      if (this.#environment.now() - this.#heardAt > deadMs) this.#open();
      this.#port?.post({ kind: 'alive' });
      this.#stayAlive();
    }, aliveMs);
  }

  #receive(message: FromHub): void {
    this.#heardAt = this.#environment.now();
    switch (message.kind) {
      case 'status':
        this.#set(message.status);
        break;
      case 'ready': {
        const watch = this.#watches.get(message.watch);
        if (watch !== undefined) watch.ready = true;
        this.#release();
        break;
      }
      case 'gap':
        this.#watches.get(message.watch)?.listener.onGap();
        break;
      case 'event':
        this.#hand(message.watches, message.type, JSON.parse(message.data));
        break;
      case 'alive':
        if (!message.known) this.comeBack();
        break;
    }
  }

  #hand(watches: readonly number[], type: string, data: unknown): void {
    for (const number of watches) {
      const listener = this.#watches.get(number)?.listener;
      if (type === 'readings') listener?.onReadings?.(data as ApiLiveReadings);
      else if (type === 'trace') listener?.onTrace?.(data);
      else listener?.onEvent?.(data as ApiEvent);
    }
  }

  #release(): void {
    if (this.#isSettled) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #set(status: LiveStatus): void {
    this.#status = status;
    this.#release();
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

function isMany(filters: LiveFilter | readonly LiveFilter[]): filters is readonly LiveFilter[] {
  return Array.isArray(filters);
}
