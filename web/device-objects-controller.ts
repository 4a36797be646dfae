import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ApiClient } from './data/api-client.ts';
import type { ApiLink, ApiObjectModel, ApiProblem } from './data/api-types.ts';
import { type LastValues, learnModel } from './data/last-values.ts';
import { idsOf, liesIn, trailOf } from './data/object-tree.ts';
import { asProblem, ProblemError } from './data/problem.ts';
import { answerParts, type LoggedRequest } from './data/request-log.ts';

/** What the objects tab shows of a device beside its values: what it listed, with the definitions of that. */
export class DeviceObjectsController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #api: ApiClient | undefined;
  #endpoint: string | undefined;
  #listed: unknown;
  readonly #asked = new Set<string>();
  #request = new AbortController();

  /** Objects and instances as the device listed them; undefined where it is away, and until they are loaded. */
  links: readonly ApiLink[] | undefined;
  /** They were asked for, and the answer is there. */
  loaded = false;
  models: ReadonlyMap<number, ApiObjectModel> = new Map();
  /** Paths that Discover, Read or Create have shown. */
  discovered: ReadonlySet<string> = new Set();
  /** Instances of which Discover has listed every resource. */
  mapped: ReadonlySet<string> = new Set();
  /** Attributes that Discover has shown, by path. */
  attributes: ReadonlyMap<string, ApiLink['attributes']> = new Map();
  /** What was deleted, until the device lists it again. */
  gone: ReadonlySet<string> = new Set();
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

  /** `listed`: what changes when the device lists its objects anew; undefined where it is not registered. */
  show(endpoint: string, api: ApiClient, listed: unknown): void {
    const same = this.#endpoint === endpoint;
    if (same && this.#listed === listed) return;
    this.#listed = listed;
    if (same) {
      this.load();
      return;
    }
    this.#endpoint = endpoint;
    this.#api = api;
    this.links = undefined;
    this.loaded = false;
    this.models = new Map();
    this.discovered = new Set();
    this.mapped = new Set();
    this.attributes = new Map();
    this.gone = new Set();
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
      // Where it is away, what was heard of it is shown all the same.
      this.links = this.#listed === undefined ? undefined : await api.objectLinks(endpoint, signal);
    } catch (error) {
      if (signal.aborted) return;
      const problem = asProblem(error);
      if (problem.code === 'not_registered') this.links = undefined;
      else this.problem = problem;
    }
    this.loaded = true;
    this.#changed();
    await this.learn(
      (this.links ?? []).map(({ path }) => path),
      signal,
    );
  }

  /** Definitions have come or gone: they are all asked for anew. */
  relearn(): void {
    this.#asked.clear();
    this.models = new Map();
    this.load();
  }

  /** As learn, and once each: what nobody has defined is not asked for again and again. */
  learnOnce(paths: readonly string[]): void {
    const anew = paths.filter((path) => !this.#asked.has(path));
    for (const path of anew) this.#asked.add(path);
    if (anew.length > 0) this.learn(anew);
  }

  /** Loads the definitions of objects that are not known yet, in the version of the device. */
  async learn(paths: Iterable<string>, signal: AbortSignal = this.#request.signal): Promise<void> {
    const api = this.#api;
    if (api === undefined) return;
    const objects = new Set([...paths].map((path) => idsOf(path)[0] as number));
    const listed = new Map<number, string | undefined>();
    for (const { path, version } of this.links ?? []) {
      const [object = Number.NaN] = idsOf(path);
      listed.set(object, version ?? listed.get(object));
    }
    // What the device lists without a version is none that the server knows.
    const missing = [...objects].filter(
      (object) =>
        Number.isInteger(object) &&
        !this.models.has(object) &&
        (!listed.has(object) || listed.get(object) !== undefined),
    );
    const loaded = await Promise.all(
      missing.map(async (object) => {
        try {
          return await api.objectModel(object, signal, listed.get(object));
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
  take({ operation, answer }: Pick<LoggedRequest, 'operation' | 'answer'>, now: number): void {
    const { values, links, created } = answerParts(answer);
    const shown = [...values, ...links].map(({ path }) => path);
    this.#found(created === undefined ? shown : [created]);
    if (values.length > 0) {
      const read = new Map(this.read);
      for (const { path, value, takenAt } of values) read.set(path, { path, value, takenAt: takenAt ?? now });
      this.read = read;
    }
    if (operation.kind === 'discover') this.#discovered(links);
    this.#changed();
  }

  /** It is there, whatever was deleted before. */
  #found(paths: readonly string[]): void {
    this.discovered = new Set([...this.discovered, ...paths.filter((path) => path !== '/')]);
    if (this.gone.size === 0) return;
    const places = new Set(paths.flatMap(trailOf));
    this.gone = new Set([...this.gone].filter((path) => !places.has(path)));
  }

  #discovered(links: readonly ApiLink[]): void {
    const [mapped, attributes] = [new Set(this.mapped), new Map(this.attributes)];
    for (const { path, attributes: shown } of links) {
      attributes.set(path, shown);
      const trail = trailOf(path);
      if (trail.length >= 3) mapped.add(trail[1] as string);
    }
    this.mapped = mapped;
    this.attributes = attributes;
  }

  /** A place is no longer there. */
  forget(path: string): void {
    this.discovered = new Set([...this.discovered].filter((candidate) => !liesIn(candidate, path)));
    this.read = new Map([...this.read].filter(([candidate]) => !liesIn(candidate, path)));
    this.gone = new Set([...this.gone, path]);
    this.#changed();
  }

  #changed(): void {
    this.version++;
    this.#host.requestUpdate();
  }
}
