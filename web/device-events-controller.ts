import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ApiClient } from './data/api-client.ts';
import type { ApiEvent, ApiProblem } from './data/api-types.ts';
import {
  deviceEventTypes,
  type EventFilter,
  eventQuery,
  fetchDeviceEvents,
  typesFor,
  withEvents,
} from './data/device-events.ts';
import { type LiveStream, onReopened } from './data/live-stream.ts';
import { asProblem } from './data/problem.ts';

const pageSize = 100;
const settleMs = 300;

export interface EventSources {
  readonly api: ApiClient;
  readonly live: LiveStream;
}

/** What happened to one device, newest first: loaded page by page, and followed live. */
export class DeviceEventsController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #sources: EventSources | undefined;
  #endpoint: string | undefined;
  #filter: EventFilter = { categories: [], trouble: false };
  #request = new AbortController();
  #stops: (() => void)[] = [];
  /** What was heard before the first page came. */
  #early: readonly ApiEvent[] = [];
  /** Asked for while something else was being loaded. */
  #again = false;
  #soon: ReturnType<typeof setTimeout> | undefined;

  /** Newest first; undefined until the first page is there. */
  events: readonly ApiEvent[] | undefined;
  /** Where the next page begins; null where there is none. */
  next: number | null = null;
  loading = false;
  problem: ApiProblem | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#leave();
    this.#endpoint = undefined;
  }

  show(endpoint: string, filter: EventFilter, sources: EventSources): void {
    if (this.#endpoint === endpoint && eventQuery(this.#filter) === eventQuery(filter)) return;
    this.#leave();
    this.#endpoint = endpoint;
    this.#filter = filter;
    this.#sources = sources;
    this.events = undefined;
    this.next = null;
    this.#early = [];
    const again = (): void => void this.load();
    this.#stops = [
      sources.live.watch(
        { endpoint, types: deviceEventTypes },
        { onEvent: (event) => this.#heard(event), onGap: again },
      ),
      onReopened(sources.live, again),
    ];
    void this.load();
  }

  /** The newest page; what is there already stays, where it follows. */
  async load(): Promise<void> {
    if (this.loading) {
      this.#again = true;
      return;
    }
    const loaded = this.events;
    await this.#fetch(async (fetchPage) => {
      await this.#sources?.live.settled();
      const { items, next } = await fetchPage({ limit: pageSize });
      const known = withEvents(this.events ?? [], this.#early);
      this.#early = [];
      const newest = loaded?.[0]?.id;
      const follows = newest !== undefined && items.some(({ id }) => id === newest);
      // Where there is a gap between, only what came since the page was made is kept of what was there.
      const kept = follows ? known : known.filter(({ id }) => id > (items[0]?.id ?? 0));
      this.events = withEvents(kept, items);
      if (!follows) this.next = next;
    });
  }

  /** The page before the oldest that is there. */
  async more(): Promise<void> {
    const before = this.next;
    if (before === null) return;
    await this.#fetch(async (fetchPage) => {
      const { items, next } = await fetchPage({ limit: pageSize, before });
      this.events = withEvents(this.events ?? [], items);
      this.next = next;
    });
  }

  async #fetch(
    work: (
      fetchPage: (page: Parameters<typeof fetchDeviceEvents>[3]) => ReturnType<typeof fetchDeviceEvents>,
    ) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#request;
    const [endpoint, sources, filter] = [this.#endpoint, this.#sources, this.#filter];
    if (endpoint === undefined || sources === undefined || this.loading) return;
    this.loading = true;
    this.#host.requestUpdate();
    try {
      await work(async (page) => {
        const answer = await fetchDeviceEvents(sources.api, endpoint, filter, page, signal);
        signal.throwIfAborted();
        return answer;
      });
      this.problem = undefined;
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    } finally {
      if (!signal.aborted) {
        this.loading = false;
        this.#host.requestUpdate();
        if (this.#again) {
          this.#again = false;
          void this.load();
        }
      }
    }
  }

  #heard(event: ApiEvent): void {
    if (!typesFor(this.#filter).includes(event.type)) return;
    if (this.#filter.trouble) {
      // What is trouble the server says.
      this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        void this.load();
      }, settleMs);
      return;
    }
    if (this.events === undefined) {
      this.#early = withEvents(this.#early, [event]);
      return;
    }
    this.events = withEvents(this.events, [event]);
    this.#host.requestUpdate();
  }

  #leave(): void {
    this.#request.abort();
    this.#request = new AbortController();
    this.loading = false;
    this.#again = false;
    for (const stop of this.#stops.splice(0)) stop();
    clearTimeout(this.#soon);
    this.#soon = undefined;
  }
}
