import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ApiClient } from './data/api-client.ts';
import type { ApiEvent, ApiProblem } from './data/api-types.ts';
import { DeviceRows, type PageRange, rowsPerPage } from './data/device-rows.ts';
import { type DevicesView, devicesQuery, listQuery } from './data/devices-query.ts';
import { type LiveStream, onReopened } from './data/live-stream.ts';
import { asProblem } from './data/problem.ts';
import type { ServerClock } from './data/server-clock.ts';

/** Rows before and after those in view that are loaded with them; and ahead of a reader who scrolls on. */
const rowsAround = 60;
const rowsAhead = 300;
/** Pages in one answer at most. */
const pagesAtOnce = 5;
/** A scroll bar that is dragged passes thousands of rows: it is looked this often where it is, ms. */
const restMs = 60;
const flushMs = 200;
/** Rows in view are asked for again at this interval: being heard is no event, and others may have moved among them. */
const renewMs = 5000;
/** After a device came or went, ms. */
const soonMs = 1000;
/** Answers about a list that is asked for the first time say so to who waits for it, ms. */
const tellMs = 1000;

/** What brings a device into the list or takes it out of it, and what its row shows. */
const membership = new Set(['registered', 'deregistered', 'expired']);
const watched = { types: [...membership, 'device'] };
/** In a fleet of this size every Update is listened to; in a larger one they would be hundreds a second. */
const smallFleet = 1000;

/** Loads those parts of the list that are looked at, and keeps them true. */
export class DeviceListController implements ReactiveController {
  readonly #host: ReactiveControllerHost & EventTarget;
  #api: ApiClient | undefined;
  #live: LiveStream | undefined;
  #clock: ServerClock | undefined;
  #view: DevicesView | undefined;
  #query = '';
  #request = new AbortController();
  /** What is asked for now. */
  #asked: { readonly first: number; readonly count: number } | undefined;
  #visible = { first: 0, last: 0 };
  #ahead = { before: rowsAround, after: rowsAround };
  #stops: (() => void)[] = [];
  #watchesUpdates = false;
  #stopUpdates: (() => void) | undefined;
  #events: ApiEvent[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setInterval> | undefined;

  /** What is shown; of the query before while the next one loads. */
  rows: DeviceRows | undefined;
  /** Rises when the rows have changed. */
  version = 0;
  loading = false;
  problem: ApiProblem | undefined;
  /** Rows in view could not be loaded, or renewed; those that are there stay. */
  pageProblem: ApiProblem | undefined;

  constructor(host: ReactiveControllerHost & EventTarget) {
    this.#host = host;
    host.addController(this);
  }

  connect(api: ApiClient, live: LiveStream, clock: ServerClock | undefined): void {
    this.#api = api;
    this.#live = live;
    this.#clock = clock;
  }

  hostDisconnected(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#stopUpdates?.();
    this.#stopUpdates = undefined;
    this.#watchesUpdates = false;
    this.#request.abort();
    this.#asked = undefined;
    this.#query = '';
    this.#view = undefined;
    clearInterval(this.#renewal);
    for (const timer of [this.#flush, this.#rest, this.#soon]) clearTimeout(timer);
    this.#renewal = this.#flush = this.#rest = this.#soon = undefined;
    this.#events = [];
  }

  #shown = '';

  /** Shows a view; the same again does nothing. */
  async show(view: DevicesView): Promise<void> {
    const query = devicesQuery(view);
    if (this.#view !== undefined && this.#query === query) return;
    this.#view = view;
    this.#query = query;
    if (this.problem === undefined && this.rows !== undefined && this.#shown === query) {
      // Back on a list that was left: it is there at once, and is renewed where it stands.
      this.#watch();
      await this.#live?.settled();
      this.renew();
      return;
    }
    await this.load();
  }

  /** Loads the beginning anew. */
  async load(): Promise<void> {
    const view = this.#view;
    if (this.#api === undefined || view === undefined) return;
    const { signal } = this.#restart();
    this.loading = true;
    this.problem = undefined;
    this.pageProblem = undefined;
    this.#host.requestUpdate();
    this.#watch();
    try {
      // What happens after this answer is heard; a stream that takes long is not waited for.
      await this.#live?.settled(tellMs);
      if (signal.aborted) return;
      const query = this.#pageQuery(view, 0, rowsPerPage);
      const page = await this.#api.devices(query, signal);
      if (signal.aborted) return;
      this.rows = new DeviceRows(page, performance.now());
      this.#shown = this.#query;
      this.version += 1;
      this.#listenToUpdates();
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.loading = false;
    this.#host.requestUpdate();
  }

  /** The reader looks at these rows: they, some around them, and those that come next are to be there. */
  look(first: number, last: number): void {
    const before = this.#visible.first;
    this.#visible = { first, last };
    if (this.rows === undefined || this.loading) return;
    // A jump has no direction.
    const scrolls = Math.abs(first - before) <= rowsAhead;
    this.#ahead = {
      before: scrolls && first < before ? rowsAhead : rowsAround,
      after: scrolls && first > before ? rowsAhead : rowsAround,
    };
    if (this.#missing(Number.NEGATIVE_INFINITY) === undefined) return;
    // Not put off by what comes next: who scrolls on without a rest is to see rows, too.
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined;
      this.#fill();
    }, restMs);
  }

  /** What is not there of the rows in view and of those around them that are likely to be looked at next. */
  #missing(since: number): PageRange | undefined {
    const { first, last } = this.#visible;
    const around = since === Number.NEGATIVE_INFINITY ? this.#ahead : { before: 0, after: 0 };
    return this.rows?.missing(first - around.before, last + around.after, since);
  }

  /** Asks for the rows in view anew. */
  renew(): void {
    this.#fill(performance.now());
  }

  /** Endpoints of a range of rows, those that are not loaded too. Rejects as the API does. */
  async endpointsOf(from: number, to: number): Promise<readonly string[]> {
    const view = this.#view;
    const api = this.#api;
    if (view === undefined || api === undefined || this.rows === undefined) return [];
    const endpoints: string[] = [];
    for (let offset = from; offset <= to; offset += 1000) {
      const loaded: string[] = [];
      for (let index = offset; index <= Math.min(to, offset + 999); index++) {
        const device = this.rows.get(index);
        if (device === undefined) break;
        loaded.push(device.endpoint);
      }
      if (loaded.length === Math.min(to, offset + 999) - offset + 1) {
        endpoints.push(...loaded);
        continue;
      }
      const query = this.#pageQuery(view, offset, Math.min(1000, to - offset + 1));
      query.set('fields', 'endpoint');
      const page = await api.devices(query);
      endpoints.push(...page.items.map(({ endpoint }) => endpoint));
    }
    return endpoints;
  }

  /** Loads what is missing around the rows in view, or what of it is older than `since`. */
  async #fill(since = Number.NEGATIVE_INFINITY): Promise<void> {
    const { rows } = this;
    const view = this.#view;
    if (this.#api === undefined || rows === undefined || view === undefined || this.loading) return;
    const wanted = this.#missing(since);
    if (wanted === undefined) return;
    // What is on its way and still wanted is waited for; the rest is asked for when it is there.
    if (since === Number.NEGATIVE_INFINITY && this.#comes(this.#visible)) return;
    const count = Math.min(wanted.count, pagesAtOnce);
    const { signal } = this.#restart();
    const asked = { first: wanted.first, count };
    this.#asked = asked;
    try {
      const query = this.#pageQuery(view, wanted.first * rowsPerPage, count * rowsPerPage);
      const page = await this.#api.devices(query, signal);
      if (signal.aborted || this.rows !== rows) return;
      rows.put(wanted.first, page, performance.now());
      // The server answers again: what it could not give is asked for where it is still wanted.
      this.pageProblem = undefined;
      this.#listenToUpdates();
    } catch (error) {
      if (signal.aborted) return;
      this.pageProblem = asProblem(error);
    } finally {
      if (this.#asked === asked) this.#asked = undefined;
    }
    this.version += 1;
    this.#host.requestUpdate();
    // The reader may have gone on meanwhile. What failed is not asked for again and again.
    if (this.pageProblem === undefined) this.look(this.#visible.first, this.#visible.last);
  }

  /** Whether rows of this range, or right beside it, are asked for now. */
  #comes({ first, last }: { readonly first: number; readonly last: number }): boolean {
    const asked = this.#asked;
    if (asked === undefined) return false;
    const [begin, end] = [asked.first * rowsPerPage, (asked.first + asked.count) * rowsPerPage];
    return begin <= last + rowsAround && end >= first - rowsAround;
  }

  #pageQuery(view: DevicesView, offset: number, limit: number): URLSearchParams {
    const query = listQuery(view, this.#clock?.now() ?? Date.now());
    query.set('limit', String(limit));
    if (offset > 0) query.set('offset', String(offset));
    return query;
  }

  #watch(): void {
    const live = this.#live;
    if (live === undefined || this.#stops.length > 0) return;
    this.#stops.push(
      live.watch(watched, { onEvent: (event) => this.#take(event), onGap: () => this.#renewSoon() }),
      onReopened(live, () => {
        if (this.problem !== undefined) this.load();
        else this.renew();
      }),
    );
    this.#renewal ??= setInterval(() => {
      if (document.visibilityState === 'visible') this.renew();
    }, renewMs);
  }

  #listenToUpdates(): void {
    const wanted = (this.rows?.total ?? 0) <= smallFleet;
    if (wanted === this.#watchesUpdates || this.#stops.length === 0) return;
    this.#watchesUpdates = wanted;
    this.#stopUpdates?.();
    this.#stopUpdates = wanted
      ? this.#live?.watch(
          { types: ['updated'] },
          { onEvent: (event) => this.#take(event), onGap: () => this.#renewSoon() },
        )
      : undefined;
  }

  #restart(): AbortController {
    this.#request.abort();
    this.#request = new AbortController();
    return this.#request;
  }

  /** Events of a large fleet come by the thousand: they are applied together, to the rows that are loaded. */
  #take(event: ApiEvent): void {
    this.#events.push(event);
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      let members = false;
      let shown = false;
      for (const event of this.#events.splice(0)) {
        members ||= membership.has(event.type);
        shown = (this.rows?.apply(event) ?? false) || shown;
      }
      if (members) {
        this.#host.dispatchEvent(new Event('server-changed', { bubbles: true, composed: true }));
        this.#renewSoon();
      }
      if (!shown) return;
      this.version += 1;
      this.#host.requestUpdate();
    }, flushMs);
  }

  #renewSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.renew();
    }, soonMs);
  }
}
