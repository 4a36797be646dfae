import { ContextConsumer } from '@lit/context';
import type { LitElement, ReactiveController } from 'lit';
import { apiContext, liveContext } from './contexts.ts';
import type { ApiClient } from './data/api-client.ts';
import type { ApiEvent, ApiProblem } from './data/api-types.ts';
import { type LiveFilter, onReopened } from './data/live-stream.ts';
import { asProblem } from './data/problem.ts';

export interface LoadedOptions {
  /** Asked for again at this interval while the page is looked at, ms. */
  readonly every?: number;
  /** Events after which it is asked for again. */
  readonly watch?: LiveFilter;
}

/** Events come in bursts: they are waited out, ms. */
const settleMs = 300;

/** Something that an element shows of the API: loaded, kept true, and tried again after a failure. */
export class Loaded<T> implements ReactiveController {
  readonly #host: LitElement;
  readonly #ask: (api: ApiClient, signal: AbortSignal) => Promise<T>;
  readonly #options: LoadedOptions;
  readonly #api: ContextConsumer<typeof apiContext, LitElement>;
  readonly #live: ContextConsumer<typeof liveContext, LitElement>;
  #request = new AbortController();
  #stops: (() => void)[] = [];
  #interval: ReturnType<typeof setInterval> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  /** As it was last heard, also while it cannot be renewed. */
  value: T | undefined;
  /** When that was, ms since the epoch by the browser's clock. */
  loadedAt: number | undefined;
  /** Why it could not be loaded, or renewed, until it can. */
  problem: ApiProblem | undefined;

  constructor(
    host: LitElement,
    ask: (api: ApiClient, signal: AbortSignal) => Promise<T>,
    options: LoadedOptions = {},
  ) {
    this.#host = host;
    this.#ask = ask;
    this.#options = options;
    this.#api = new ContextConsumer(host, { context: apiContext });
    this.#live = new ContextConsumer(host, { context: liveContext });
    host.addController(this);
  }

  hostConnected(): void {
    const live = this.#live.value;
    const { every, watch } = this.#options;
    if (live !== undefined) {
      if (watch !== undefined) {
        const again = () => this.#loadSoon();
        this.#stops.push(live.watch(watch, { onEvent: (_event: ApiEvent) => again(), onGap: again }));
      }
      this.#stops.push(onReopened(live, () => this.load()));
    }
    if (every !== undefined) {
      this.#interval = setInterval(() => {
        if (document.visibilityState === 'visible') this.load();
      }, every);
    }
    this.load();
  }

  hostDisconnected(): void {
    for (const stop of this.#stops.splice(0)) stop();
    clearInterval(this.#interval);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#request.abort();
  }

  /** Never rejects: what goes wrong is in `problem`. */
  async load(): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    try {
      if (this.#options.watch !== undefined) await this.#live.value?.settled();
      if (signal.aborted) return;
      const value = await this.#ask(api, signal);
      if (signal.aborted) return;
      this.value = value;
      this.loadedAt = Date.now();
      this.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.#host.requestUpdate();
  }

  #loadSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.load();
    }, settleMs);
  }
}
