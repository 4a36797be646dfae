import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ApiClient } from './data/api-client.ts';
import type { ApiEvent, ApiProblem } from './data/api-types.ts';
import { applyEvent, type DeviceList, firstPage, listEventTypes, nextPage } from './data/device-list.ts';
import type { DeviceState } from './data/devices-query.ts';
import { type LiveStream, onReopened } from './data/live-stream.ts';
import { asProblem } from './data/problem.ts';

const pageSize = 100;
/** The most that the API gives at once: a list grown longer keeps its rows and renews its count only. */
const largestPage = 1000;
const flushMs = 200;
const reloadMs = 1000;
/** Being heard from is no event of its own: how long ago it was is asked for this often; less often for a long list. */
const renewMs = 5000;
const renewLongMs = 15_000;
const longList = 200;

export interface ListQuery {
  readonly search: string;
  readonly state: DeviceState | undefined;
}

/** Loads the list page by page, and keeps it true by the live stream. */
export class DeviceListController implements ReactiveController {
  readonly #host: ReactiveControllerHost & EventTarget;
  #api: ApiClient | undefined;
  #live: LiveStream | undefined;
  #stopWatching: (() => void) | undefined;
  #stopReopening: (() => void) | undefined;
  #request = new AbortController();
  #query: ListQuery | undefined;
  #events: ApiEvent[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #reload: ReturnType<typeof setTimeout> | undefined;
  #paging = false;
  #renewedAt = 0;
  #renewal: ReturnType<typeof setInterval> | undefined;

  /** What is shown; of the query before while the next one loads. */
  list: DeviceList | undefined;
  loading = false;
  problem: ApiProblem | undefined;
  /** The next page failed; the rows before it stay. */
  pageProblem: ApiProblem | undefined;

  constructor(host: ReactiveControllerHost & EventTarget) {
    this.#host = host;
    host.addController(this);
  }

  connect(api: ApiClient, live: LiveStream): void {
    this.#api = api;
    this.#live = live;
  }

  hostDisconnected(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#stopReopening?.();
    this.#stopReopening = undefined;
    this.#request.abort();
    this.#query = undefined;
    clearInterval(this.#renewal);
    this.#renewal = undefined;
    clearTimeout(this.#flush);
    clearTimeout(this.#reload);
    this.#flush = undefined;
    this.#reload = undefined;
  }

  /** Shows another query; the same again does nothing. */
  async show(query: ListQuery): Promise<void> {
    if (this.#query?.search === query.search && this.#query.state === query.state) return;
    this.#query = query;
    const { list } = this;
    if (this.problem === undefined && list?.search === query.search && list.state === query.state) {
      // Back on a list that was left: it is there at once, and is renewed where it stands.
      this.#restart();
      this.#watch();
      await this.#live?.settled();
      await this.#reloadQuietly();
    } else {
      await this.load();
    }
  }

  async load(): Promise<void> {
    const api = this.#api;
    const query = this.#query;
    if (api === undefined || query === undefined) return;
    const request = this.#restart();
    this.loading = true;
    this.problem = undefined;
    this.pageProblem = undefined;
    this.#host.requestUpdate();
    this.#watch();
    try {
      await this.#live?.settled();
      if (request.signal.aborted) return;
      const page = await api.devices({ limit: pageSize, ...query }, request.signal);
      this.list = firstPage(query, page);
    } catch (error) {
      if (request.signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.loading = false;
    this.#host.requestUpdate();
  }

  /** Loads the next page, once at a time. */
  async more(): Promise<void> {
    const { list } = this;
    if (this.#api === undefined || this.#paging || this.loading || list === undefined || list.next === null) {
      return;
    }
    this.#paging = true;
    this.pageProblem = undefined;
    const request = this.#request;
    try {
      const page = await this.#api.devices(
        { limit: pageSize, cursor: list.next, search: list.search, state: list.state },
        request.signal,
      );
      if (this.list !== undefined && !request.signal.aborted) this.list = nextPage(this.list, page);
    } catch (error) {
      if (!request.signal.aborted) this.pageProblem = asProblem(error);
    } finally {
      this.#paging = false;
    }
    this.#host.requestUpdate();
  }

  #watch(): void {
    this.#stopWatching ??= this.#live?.watch(
      { types: listEventTypes },
      { onEvent: (event) => this.#take(event), onGap: () => this.#reloadSoon() },
    );
    if (this.#live !== undefined) {
      this.#stopReopening ??= onReopened(this.#live, () => {
        if (this.problem !== undefined) this.load();
        else this.#reloadQuietly();
      });
    }
    this.#renewal ??= setInterval(() => {
      if (document.visibilityState !== 'visible') return;
      const long = (this.list?.devices.length ?? 0) > longList;
      if (!long || performance.now() - this.#renewedAt >= renewLongMs - renewMs / 2) this.#reloadQuietly();
    }, renewMs);
  }

  #restart(): AbortController {
    this.#request.abort();
    this.#request = new AbortController();
    return this.#request;
  }

  /** Events of a large fleet come by the thousand: they are applied together. */
  #take(event: ApiEvent): void {
    this.#events.push(event);
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      let unseen = false;
      for (const event of this.#events.splice(0)) {
        if (event.type !== 'updated' && event.type !== 'device') {
          this.#host.dispatchEvent(new Event('server-changed', { bubbles: true, composed: true }));
        }
        if (this.list === undefined) continue;
        const applied = applyEvent(this.list, event);
        this.list = applied.list;
        unseen ||= applied.unseen;
      }
      if (unseen) this.#reloadSoon();
      this.#host.requestUpdate();
    }, flushMs);
  }

  #reloadSoon(): void {
    this.#reload ??= setTimeout(() => {
      this.#reload = undefined;
      this.#reloadQuietly();
    }, reloadMs);
  }

  async #reloadQuietly(): Promise<void> {
    const { list } = this;
    const query = this.#query;
    if (this.#api === undefined || list === undefined || query === undefined || this.loading) return;
    const long = list.devices.length > largestPage;
    const limit = long ? 1 : Math.max(pageSize, list.devices.length);
    const request = this.#request;
    this.#renewedAt = performance.now();
    try {
      const page = await this.#api.devices({ limit, ...query }, request.signal);
      if (request.signal.aborted || this.list === undefined) return;
      this.list = long ? { ...this.list, total: page.total } : firstPage(query, page);
      // The server answers again: what it could not give is asked for where it is still wanted.
      this.pageProblem = undefined;
      this.#host.requestUpdate();
    } catch (error) {
      if (request.signal.aborted) return;
      this.pageProblem = asProblem(error);
      this.#host.requestUpdate();
    }
  }
}
