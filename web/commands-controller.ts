import { ContextConsumer } from '@lit/context';
import type { LitElement, ReactiveController } from 'lit';
import { apiContext, liveContext } from './contexts.ts';
import type { ApiCommand, ApiCommandPage, ApiEvent, ApiProblem } from './data/api-types.ts';
import { onReopened } from './data/live-stream.ts';
import { asProblem } from './data/problem.ts';

export interface CommandsQuery {
  /** Absent: of all devices. */
  readonly endpoint?: string | undefined;
  readonly job?: string | undefined;
  readonly kind?: ApiCommand['kind'] | undefined;
  /** Empty: all. */
  readonly states: readonly ApiCommand['state'][];
}

const page = 50;
/** More new ones than this do not push a list around that somebody reads: a button has them. */
const mostNew = 100;

/** Commands, newest first, kept true; pages behind the first on demand. */
export class CommandsController implements ReactiveController {
  readonly #host: LitElement;
  readonly #api: ContextConsumer<typeof apiContext, LitElement>;
  readonly #live: ContextConsumer<typeof liveContext, LitElement>;
  #query: CommandsQuery | undefined;
  #request = new AbortController();
  #stops: (() => void)[] = [];
  #next: string | null = null;
  #arrived = 0;

  /** Undefined until they are loaded. */
  items: readonly ApiCommand[] | undefined;
  problem: ApiProblem | undefined;
  loadingMore = false;
  /** Given since the list has taken in as many new ones as it does. */
  newer = 0;

  constructor(host: LitElement) {
    this.#host = host;
    this.#api = new ContextConsumer(host, { context: apiContext });
    this.#live = new ContextConsumer(host, { context: liveContext });
    host.addController(this);
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  hostConnected(): void {
    if (this.#query !== undefined) this.show(this.#query);
  }

  hostDisconnected(): void {
    this.#leave();
  }

  show(query: CommandsQuery): void {
    this.#leave();
    this.#query = query;
    this.items = undefined;
    this.problem = undefined;
    const live = this.#live.value;
    if (live !== undefined) {
      const { endpoint } = query;
      const filter = { types: ['command'], ...(endpoint === undefined ? {} : { endpoint }) };
      this.#stops = [
        live.watch(filter, { onEvent: (event) => this.#heard(event), onGap: () => this.load() }),
        onReopened(live, () => this.load()),
      ];
    }
    this.load();
  }

  async load(): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    try {
      await this.#live.value?.settled();
      if (signal.aborted) return;
      const answer = await this.#ask(undefined, signal);
      if (signal.aborted || answer === undefined) return;
      this.items = answer.items;
      this.#next = answer.next;
      this.#arrived = 0;
      this.newer = 0;
      this.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.#host.requestUpdate();
  }

  async more(): Promise<void> {
    if (this.#next === null || this.loadingMore) return;
    this.loadingMore = true;
    this.#host.requestUpdate();
    const { signal } = this.#request;
    try {
      const answer = await this.#ask(this.#next, signal);
      if (signal.aborted || answer === undefined) return;
      const known = new Set(this.items?.map(({ id }) => id));
      this.items = [...(this.items ?? []), ...answer.items.filter(({ id }) => !known.has(id))];
      this.#next = answer.next;
      this.problem = undefined;
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    } finally {
      this.loadingMore = false;
      this.#host.requestUpdate();
    }
  }

  /** One that is known to be so: an answer to what the reader did. */
  take(command: ApiCommand): void {
    if (this.items === undefined || this.#query === undefined) return;
    const { states, endpoint, job, kind } = this.#query;
    const known = this.items.findIndex(({ id }) => id === command.id);
    const fits =
      (states.length === 0 || states.includes(command.state)) &&
      (endpoint === undefined || command.endpoint === endpoint) &&
      (job === undefined || command.job === job) &&
      (kind === undefined || command.kind === kind);
    if (known >= 0) {
      // What was heard may be newer than an answer that comes late.
      if ((this.items[known]?.updatedAt ?? 0) > command.updatedAt) return;
      this.items = fits ? this.items.with(known, command) : this.items.toSpliced(known, 1);
    } else if (fits && command.history.length <= 1) {
      if (this.#arrived >= mostNew) this.newer++;
      else {
        this.#arrived++;
        this.items = [command, ...this.items];
      }
    } else if (fits && states.length > 0) {
      // It has come into this state: in its place by age, where that is among those that are shown.
      const place = this.items.findIndex(({ createdAt }) => createdAt <= command.createdAt);
      if (place >= 0) this.items = this.items.toSpliced(place, 0, command);
      else if (!this.hasMore) this.items = [...this.items, command];
    }
    this.#host.requestUpdate();
  }

  #heard({ data }: ApiEvent): void {
    const { command } = data as { readonly command?: ApiCommand };
    if (command !== undefined) this.take(command);
  }

  #ask(cursor: string | undefined, signal: AbortSignal): Promise<ApiCommandPage | undefined> {
    const [api, query] = [this.#api.value, this.#query];
    if (api === undefined || query === undefined) return Promise.resolve(undefined);
    const { endpoint, job, kind, states } = query;
    return api.get<ApiCommandPage>(
      '/api/commands',
      { endpoint, job, kind, state: states.join(','), limit: page, cursor },
      signal,
    );
  }

  #leave(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#request.abort();
  }
}
