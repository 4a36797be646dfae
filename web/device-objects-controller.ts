import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ApiClient } from './data/api-client.ts';
import type { ApiLink, ApiObjectModel, ApiProblem, ApiReadResult } from './data/api-types.ts';
import { type LastValues, learnModel } from './data/last-values.ts';
import { idsOf } from './data/object-tree.ts';
import { asProblem, ProblemError } from './data/problem.ts';

/** What the objects tab shows of a device beside its values: what it listed, with the definitions of that. */
export class DeviceObjectsController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #api: ApiClient | undefined;
  #endpoint: string | undefined;
  #request = new AbortController();

  /** Undefined until they are loaded. */
  links: readonly ApiLink[] | undefined;
  models: ReadonlyMap<number, ApiObjectModel> = new Map();
  /** Paths that Discover, Read or Create have shown. */
  discovered: ReadonlySet<string> = new Set();
  /** What Reads have brought, where the stream of readings has not yet. */
  read: LastValues = new Map();
  problem: ApiProblem | undefined;
  /** Rises with each change: what is made of it can be kept meanwhile. */
  version = 0;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#request.abort();
    this.#endpoint = undefined;
  }

  show(endpoint: string, api: ApiClient): void {
    if (this.#endpoint === endpoint) return;
    this.#endpoint = endpoint;
    this.#api = api;
    this.links = undefined;
    this.models = new Map();
    this.discovered = new Set();
    this.read = new Map();
    this.load();
  }

  /** Again where the device has registered anew, or lists other objects. */
  async load(): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return;
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.problem = undefined;
    try {
      this.links = await api.objectLinks(endpoint, signal);
    } catch (error) {
      if (signal.aborted) return;
      const problem = asProblem(error);
      // It is away: what was heard of it is shown all the same.
      if (problem.code === 'not_registered') this.links = [];
      else this.problem = problem;
    }
    this.#changed();
    await this.learn(
      (this.links ?? []).map(({ path }) => path),
      signal,
    );
  }

  /** Loads the definitions of objects that are not known yet, in the version of the device. */
  async learn(paths: Iterable<string>, signal: AbortSignal = this.#request.signal): Promise<void> {
    const api = this.#api;
    if (api === undefined) return;
    const objects = new Set([...paths].map((path) => idsOf(path)[0] as number));
    const missing = [...objects].filter((object) => Number.isInteger(object) && !this.models.has(object));
    const loaded = await Promise.all(
      missing.map(async (object) => {
        const listed = this.links?.find(
          ({ path, version }) => idsOf(path)[0] === object && version !== undefined,
        );
        try {
          return await api.objectModel(object, signal, listed?.version);
        } catch (error) {
          // Without a definition a place is shown by its numbers; the reader is told where one can be given.
          if (signal.aborted || error instanceof ProblemError) return undefined;
          throw error;
        }
      }),
    );
    if (signal.aborted) return;
    const models = new Map(this.models);
    for (const model of loaded) {
      if (model === undefined) continue;
      models.set(model.objectId, model);
      learnModel(model);
    }
    this.models = models;
    this.#changed();
  }

  /** What an answer of the device shows: values, links, or the place of a new instance. */
  take(answer: unknown, now: number): void {
    if (typeof answer !== 'object' || answer === null) return;
    const { items, path } = answer as { readonly items?: unknown; readonly path?: unknown };
    const discovered = new Set(this.discovered);
    if (Array.isArray(items)) {
      const read = new Map(this.read);
      for (const item of items as (ApiReadResult['items'][number] | ApiLink)[]) {
        discovered.add(item.path);
        if ('value' in item) read.set(item.path, { path: item.path, value: item.value, takenAt: now });
      }
      this.read = read;
    } else if (typeof path === 'string') {
      discovered.add(path);
    }
    this.discovered = discovered;
    this.#changed();
  }

  /** A place is no longer there. */
  forget(path: string): void {
    const gone = (candidate: string): boolean => candidate === path || candidate.startsWith(`${path}/`);
    this.discovered = new Set([...this.discovered].filter((candidate) => !gone(candidate)));
    this.read = new Map([...this.read].filter(([candidate]) => !gone(candidate)));
    this.#changed();
  }

  #changed(): void {
    this.version++;
    this.#host.requestUpdate();
  }
}
