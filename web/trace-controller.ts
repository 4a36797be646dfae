import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ApiClient } from './data/api-client.ts';
import type { ApiLiveTrace, ApiProblem, ApiTraceMessage } from './data/api-types.ts';
import type { LiveStream } from './data/live-stream.ts';
import { asProblem } from './data/problem.ts';
import { fetchTrace, withMessages } from './data/trace.ts';

/** Messages that are loaded at first, and at once afterwards. */
const firstPage = 300;
const largestPage = 1000;
/** The table is drawn anew so often at the most: faster nobody reads. */
const renderMs = 200;

export interface TraceSources {
  readonly api: ApiClient;
  readonly live: LiveStream;
}

/** The CoAP messages of one device: loaded, and followed by the live stream. */
export class TraceController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #sources: TraceSources | undefined;
  #endpoint: string | undefined;
  #request = new AbortController();
  #stop: (() => void) | undefined;
  #render: ReturnType<typeof setTimeout> | undefined;
  #firstPage = firstPage;
  #loading = false;
  /** Messages behind this one were left out of the live stream, and are to be loaded. */
  #missedAfter: number | undefined;
  /** Up to this one they were put away by the reader. */
  #clearedTo = 0;
  /** What came while it was paused, or before the first page. */
  #held: readonly ApiTraceMessage[] = [];

  /** Oldest first; undefined until they are loaded. */
  messages: readonly ApiTraceMessage[] | undefined;
  /** Messages from before are no longer kept, ms since the epoch. */
  since: number | undefined;
  problem: ApiProblem | undefined;
  paused = false;
  /** The server tells of so many devices live that this one is not among them. */
  refused = false;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  /** How many have come since it was paused. */
  get waiting(): number {
    return this.paused ? this.#held.length : 0;
  }

  hostDisconnected(): void {
    this.#leave();
    this.#endpoint = undefined;
  }

  /** @param sought whether one of the messages is looked for, which may be an older one */
  show(endpoint: string, sources: TraceSources, sought: boolean): void {
    if (this.#endpoint === endpoint) return;
    this.#leave();
    this.#endpoint = endpoint;
    this.#firstPage = sought ? largestPage : firstPage;
    this.#sources = sources;
    this.messages = undefined;
    this.#held = [];
    this.#missedAfter = undefined;
    this.#clearedTo = 0;
    this.paused = false;
    this.refused = false;
    this.problem = undefined;
    this.#stop = sources.live.watch(
      { endpoint, types: ['trace'] },
      {
        onTrace: (data) => this.#heard(data as ApiLiveTrace),
        onGap: () => void this.load(),
      },
    );
    void this.load();
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.#takeHeld();
    this.#host.requestUpdate();
  }

  /** What is shown so far is put away; what comes from now on is shown. */
  clear(): void {
    this.#clearedTo = this.#last;
    this.messages = [];
    this.#held = [];
    this.#host.requestUpdate();
  }

  /** Loads what there is; what is shown already stays. */
  async load(): Promise<void> {
    const { signal } = this.#request;
    const [endpoint, sources] = [this.#endpoint, this.#sources];
    if (endpoint === undefined || sources === undefined || this.#loading) return;
    this.#loading = true;
    try {
      await sources.live.settled();
      let more = true;
      while (more) {
        const after = this.messages === undefined ? undefined : (this.#missedAfter ?? this.#last);
        const limit = after === undefined ? this.#firstPage : largestPage;
        const query = { limit, ...(after === undefined ? {} : { after }) };
        const { items, since } = await fetchTrace(sources.api, endpoint, query, signal);
        if (signal.aborted) return;
        more = after !== undefined && items.length === limit;
        this.#missedAfter = more ? items.at(-1)?.id : undefined;
        this.since = since;
        this.problem = undefined;
        this.messages ??= [];
        this.#take(items);
        if (!this.paused) this.#takeHeld();
        if (after === undefined && items.length === firstPage && limit === firstPage) {
          // What is in sight is there; what a filter may look for comes behind it.
          this.#host.requestUpdate();
          const older = await fetchTrace(sources.api, endpoint, { limit: largestPage }, signal);
          if (signal.aborted) return;
          this.#take(older.items);
        }
      }
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    } finally {
      this.#loading = false;
      this.#host.requestUpdate();
    }
  }

  #heard({ messages, missed, refused }: ApiLiveTrace): void {
    if (refused === true) this.refused = true;
    // Before these some were left out: the server has them.
    if (missed !== undefined) {
      this.#missedAfter ??= this.#last;
      void this.load();
    }
    this.#take(messages);
    this.#render ??= setTimeout(() => {
      this.#render = undefined;
      this.#host.requestUpdate();
    }, renderMs);
  }

  /** Id of the newest that was heard. */
  get #last(): number {
    return Math.max(this.#clearedTo, this.messages?.at(-1)?.id ?? 0, this.#held.at(-1)?.id ?? 0);
  }

  #take(all: readonly ApiTraceMessage[]): void {
    const messages = all.filter(({ id }) => id > this.#clearedTo);
    if (this.paused || this.messages === undefined) this.#held = withMessages(this.#held, messages);
    else this.messages = withMessages(this.messages, messages);
  }

  #takeHeld(): void {
    if (this.messages === undefined) return;
    this.messages = withMessages(this.messages, this.#held);
    this.#held = [];
  }

  #leave(): void {
    this.#request.abort();
    this.#request = new AbortController();
    this.#loading = false;
    this.#stop?.();
    this.#stop = undefined;
    clearTimeout(this.#render);
    this.#render = undefined;
  }
}
