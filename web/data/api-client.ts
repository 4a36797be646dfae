import type {
  ApiCarrierAnswer,
  ApiCommand,
  ApiCommandPage,
  ApiDevice,
  ApiDevicePage,
  ApiJob,
  ApiJobBody,
  ApiLink,
  ApiLinksAnswer,
  ApiObjectModel,
  ApiObservationStatus,
  ApiReading,
  ApiReadingSeries,
  ApiReadingsAnswer,
  ApiReadResult,
  ApiServer,
  ApiValue,
} from './api-types.ts';
import type { DeviceOperation } from './device-operations.ts';
import { problemOf, unreachable } from './problem.ts';

/** A page of whole devices: no fields were chosen. */
export type DevicePage = Omit<ApiDevicePage, 'items'> & { readonly items: readonly ApiDevice[] };

/** `path` absent: the newest value of every path. `from` inclusive, `to` exclusive, ms since the epoch. */
export interface ReadingsQuery {
  readonly path?: string;
  readonly from?: number;
  readonly to?: number;
  /** The newest so many of the range. */
  readonly limit?: number;
}

type Parameters = Readonly<Record<string, string | number | undefined>>;

/** The REST API, typed. Every method rejects with ProblemError, or AbortError where its signal fired. */
export class ApiClient {
  readonly #fetch: typeof fetch;
  readonly #onLoggedOut: (() => void) | undefined;

  /** @param onLoggedOut hears that the server does not know, or does not know any more, who asks */
  constructor(fetchFunction: typeof fetch = (...args) => fetch(...args), onLoggedOut?: () => void) {
    this.#fetch = fetchFunction;
    this.#onLoggedOut = onLoggedOut;
  }

  server(signal?: AbortSignal): Promise<ApiServer> {
    return this.#get('/api/server', {}, signal);
  }

  /** `query`: `listQuery` with where the page begins. */
  devices(query: URLSearchParams, signal?: AbortSignal): Promise<DevicePage> {
    return this.#get(`/api/devices?${query}`, {}, signal);
  }

  device(endpoint: string, signal?: AbortSignal): Promise<ApiDevice> {
    return this.#get(deviceUrl(endpoint), {}, signal);
  }

  carrier(endpoint: string, signal?: AbortSignal): Promise<ApiCarrierAnswer> {
    return this.#get(`${deviceUrl(endpoint)}/carrier`, {}, signal);
  }

  /** The same key twice gives the same command: a second click, or a retry after a lost answer, switches once. */
  switchCarrier(
    endpoint: string,
    carrier: string | number,
    options: { readonly slot: number; readonly idempotencyKey: string },
  ): Promise<ApiCommand> {
    return this.#send(`${deviceUrl(endpoint)}/carrier`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': options.idempotencyKey },
      body: JSON.stringify({ carrier, slot: options.slot }),
    });
  }

  commands(
    query: {
      readonly endpoint: string;
      readonly limit: number;
      readonly kind?: ApiCommand['kind'];
      readonly state?: ApiCommand['state'];
    },
    signal?: AbortSignal,
  ) {
    return this.#get<ApiCommandPage>('/api/commands', { ...query }, signal);
  }

  cancelCommand(id: string): Promise<ApiCommand> {
    return this.#send(`/api/commands/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  async readings(
    endpoint: string,
    query: ReadingsQuery,
    signal?: AbortSignal,
  ): Promise<readonly ApiReading[]> {
    const answer = await this.#get<ApiReadingsAnswer>(
      `${deviceUrl(endpoint)}/readings`,
      { ...query },
      signal,
    );
    return answer.items;
  }

  /** Of one path for a chart: in at most so many points. */
  readingSeries(
    endpoint: string,
    query: { readonly path: string; readonly from: number; readonly to: number; readonly points: number },
    signal?: AbortSignal,
  ): Promise<ApiReadingSeries> {
    return this.#get(`${deviceUrl(endpoint)}/readings/series`, { ...query }, signal);
  }

  /** Asks the device itself: it must be awake. `path` as `/42770`. */
  readObject(endpoint: string, path: string, signal?: AbortSignal): Promise<ApiReadResult> {
    return this.#get(`${deviceUrl(endpoint)}/objects${path}`, {}, signal);
  }

  /** Resolves when the device has taken the value. */
  writeObject(endpoint: string, path: string, value: ApiValue): Promise<void> {
    return this.#send(`${deviceUrl(endpoint)}/objects${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value }),
    });
  }

  /** The same key twice makes one job. */
  createJob(body: ApiJobBody, idempotencyKey: string): Promise<ApiJob> {
    return this.#send('/api/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify(body),
    });
  }

  /** What is wanted to be observed of the device, and what there is of it. */
  observationStatus(endpoint: string, signal?: AbortSignal): Promise<ApiObservationStatus> {
    return this.#get(`${deviceUrl(endpoint)}/observation-policy`, {}, signal);
  }

  /** Has all wanted observations made anew; resolves when that is done, or cannot be done now. */
  renewObservations(endpoint: string): Promise<ApiObservationStatus> {
    return this.#send(`${deviceUrl(endpoint)}/observation-policy/renew`, { method: 'POST' });
  }

  /** The definition of an object that the server knows: the newest, or in a version. */
  objectModel(object: number, signal?: AbortSignal, version?: string): Promise<ApiObjectModel> {
    return this.#get(`/api/object-models/${object}`, { version }, signal);
  }

  /** Objects and instances, as the device listed them when it registered. */
  async objectLinks(endpoint: string, signal?: AbortSignal): Promise<readonly ApiLink[]> {
    return (await this.#get<ApiLinksAnswer>(`${deviceUrl(endpoint)}/objects`, {}, signal)).items;
  }

  command(id: string, signal?: AbortSignal): Promise<ApiCommand> {
    return this.#get(`/api/commands/${encodeURIComponent(id)}`, {}, signal);
  }

  /**
   * Any request to a device. Held, it waits for the device to be heard: the answer is then a command, with 202.
   * The key makes it safe to ask again after an answer that was lost.
   */
  async perform(
    { method, url, body }: DeviceOperation,
    options: { readonly held: boolean; readonly idempotencyKey?: string; readonly signal: AbortSignal },
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.held ? { prefer: 'respond-async' } : {}),
      ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
    };
    const response = await this.#answer(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: options.signal,
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A path is to be observed, or not, whatever policies say; also while the device is away. */
  chooseObservation(endpoint: string, path: string, wanted: boolean): Promise<ApiObservationStatus> {
    return this.send('PUT', `${deviceUrl(endpoint)}/observation-policy`, { paths: [path], wanted });
  }

  /** What was said by hand about the observation of a path is taken back: policies alone count again. */
  async unchooseObservation(endpoint: string, path: string): Promise<ApiObservationStatus> {
    const query = new URLSearchParams({ paths: path });
    await this.#send(`${deviceUrl(endpoint)}/observation-policy?${query}`, { method: 'DELETE' });
    return this.observationStatus(endpoint);
  }

  /** What a noun's own functions ask for, as those of web/data/cluster.ts do. */
  get<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<T> {
    return this.#get<T>(path, parameters, signal);
  }

  /** Anything but a GET; `body` goes as JSON. */
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return this.#send<T>(path, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  }

  /** A file, as it is. */
  upload<T>(path: string, type: string, body: Blob): Promise<T> {
    return this.#send<T>(path, { method: 'POST', headers: { 'content-type': type }, body });
  }

  #get<T>(path: string, parameters: Parameters, signal: AbortSignal | undefined): Promise<T> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined && value !== '') query.set(name, String(value));
    }
    const url = query.size > 0 ? `${path}?${query}` : path;
    return this.#send<T>(url, signal === undefined ? {} : { signal });
  }

  async #send<T>(url: string, init: RequestInit): Promise<T> {
    const response = await this.#answer(url, init);
    // 204: there is nothing to read, and nobody who asks for it expects anything.
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(url, {
        ...init,
        headers: {
          accept: 'application/json',
          // What the browser's cookie does, a page of ours has sent: no other can send this along.
          'x-simyard-console': '1',
          ...(init.headers as Record<string, string>),
        },
      });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw unreachable(error);
    }
    if (response.ok) return response;
    const error = await problemOf(response);
    if (error.problem.code === 'not_logged_in') this.#onLoggedOut?.();
    throw error;
  }
}

function deviceUrl(endpoint: string): string {
  return `/api/devices/${encodeURIComponent(endpoint)}`;
}

/** A key for one intent of the reader; works without a secure context, unlike crypto.randomUUID. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
