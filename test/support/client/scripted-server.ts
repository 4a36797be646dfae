import type {
  CoapEndpoint,
  IncomingNotification,
  IncomingRequest,
  IncomingResponse,
  OutgoingRequest,
  OutgoingResponse,
} from '../../../protocol/coap/exchange.ts';
import { type CoapOption, type Code, Code as Codes, formatCode } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  contentFormat,
  contentFormatOption,
  locationPathOptions,
  pathOptions,
  queryOptions,
  uriPath,
  uriQuery,
} from '../../../protocol/coap/options.ts';
import { decodeContent, encodePaths } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../../protocol/lwm2m/value.ts';

/** One request of the client: Registration interface, or Send. */
export interface RegistrationRequest {
  readonly kind: 'register' | 'update' | 'deregister' | 'send';
  readonly path: string;
  readonly query: readonly string[];
  readonly payload: string;
  readonly body: Uint8Array;
  readonly format: number | undefined;
  /** On the server's monotonic clock, ms. */
  readonly at: number;
  readonly peer: string;
}

export interface Notification {
  readonly format: number | undefined;
  readonly payload: Uint8Array;
  readonly code: Code;
  readonly confirmable: boolean;
  readonly at: number;
}

export interface ObserveOptions {
  readonly accept?: number;
  /** Attributes of this observation: `pmin=10`. */
  readonly query?: readonly string[];
  readonly decide?: (notification: IncomingNotification) => void;
}

/** What a server has of one observation. */
export interface ObservedByServer {
  readonly first: IncomingResponse;
  readonly told: Notification[];
  /** With Observe 1; resolves with the answer. */
  cancel(): Promise<IncomingResponse>;
}

/** A server that does what a test tells it, on our own CoAP endpoint. */
export class ScriptedServer {
  readonly requests: RegistrationRequest[] = [];
  /** What the next Registration requests get; undefined: silence. Empty: the usual. */
  readonly script: (OutgoingResponse | 'silence')[] = [];
  /** What all requests of a kind are declined with. */
  readonly decline = new Map<RegistrationRequest['kind'], Code>();
  endpoint!: CoapEndpoint;
  #registrations = 0;
  readonly #now: () => number;
  readonly #lookup: ResourceTypeLookup;

  constructor(lookup: ResourceTypeLookup, now: () => number) {
    this.#lookup = lookup;
    this.#now = now;
  }

  readonly handle = (request: IncomingRequest): void => {
    const path = `/${uriPath(request.options).join('/')}`;
    const kind =
      request.code === Codes.DELETE
        ? 'deregister'
        : path === '/rd'
          ? ('register' as const)
          : path === '/dp'
            ? 'send'
            : 'update';
    this.requests.push({
      kind,
      path,
      query: uriQuery(request.options),
      payload: new TextDecoder().decode(request.payload),
      body: request.payload,
      format: contentFormat(request.options),
      at: this.#now(),
      peer: request.peer,
    });
    const scripted = this.script.shift();
    if (scripted === 'silence') return;
    const declined = this.decline.get(kind);
    if (scripted !== undefined) request.respond(scripted);
    else if (declined !== undefined) request.respond({ code: declined });
    else if (kind === 'register') {
      this.#registrations++;
      const options = locationPathOptions(`/rd/${this.#registrations}`);
      request.respond({ code: Codes.CREATED, options });
    } else request.respond({ code: kind === 'deregister' ? Codes.DELETED : Codes.CHANGED });
  };

  of(kind: RegistrationRequest['kind']): readonly RegistrationRequest[] {
    return this.requests.filter((request) => request.kind === kind);
  }

  get client(): string {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('no client has registered');
    return last.peer;
  }

  read(path: string, accept?: number): Promise<IncomingResponse> {
    return this.endpoint.request(this.client, {
      code: Codes.GET,
      options: [...pathOptions(path), ...(accept === undefined ? [] : [acceptOption(accept)])],
    });
  }

  discover(path: string, query: readonly string[] = []): Promise<IncomingResponse> {
    return this.endpoint.request(this.client, {
      code: Codes.GET,
      options: this.#options(path, { accept: ContentFormat.LINK_FORMAT, query }),
    });
  }

  /** Reads in SenML CBOR; values by path. @throws Error with code and diagnostic where it is not 2.05 */
  async values(path: string): Promise<Record<string, LwM2mRecord['value']>> {
    const response = await this.read(path, ContentFormat.SENML_CBOR);
    if (response.code !== Codes.CONTENT) throw new Error(describe(response));
    return this.decode(path, response.payload);
  }

  decode(path: string, payload: Uint8Array, format: number = ContentFormat.SENML_CBOR) {
    const records = decodeContent(format, path, payload, this.#lookup);
    return Object.fromEntries(records.map((record) => [record.path, record.value]));
  }

  records(path: string, payload: Uint8Array, format: number = ContentFormat.SENML_CBOR): LwM2mRecord[] {
    return decodeContent(format, path, payload, this.#lookup);
  }

  send(
    code: Code,
    path: string,
    options: { readonly format?: number; readonly payload?: Uint8Array | string; query?: string[] } = {},
  ): Promise<IncomingResponse> {
    const { payload, format, query } = options;
    return this.endpoint.request(this.client, {
      code,
      options: [
        ...pathOptions(path),
        ...(format === undefined ? [] : [contentFormatOption(format)]),
        ...queryOptions(query ?? []),
      ],
      ...(payload === undefined
        ? {}
        : { payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload }),
    });
  }

  writeText(path: string, text: string): Promise<IncomingResponse> {
    return this.send(Codes.PUT, path, { format: ContentFormat.TEXT, payload: text });
  }

  execute(path: string, args = ''): Promise<IncomingResponse> {
    return this.send(Codes.POST, path, args === '' ? {} : { format: ContentFormat.TEXT, payload: args });
  }

  /** A composite request: FETCH reads the paths, iPATCH writes what the payload holds. */
  fetch(
    paths: readonly string[],
    options: { readonly format?: number; readonly accept?: number; readonly at?: string } = {},
  ): Promise<IncomingResponse> {
    const { format = ContentFormat.SENML_CBOR, accept, at = '/' } = options;
    return this.endpoint.request(this.client, {
      code: Codes.FETCH,
      options: [
        ...pathOptions(at),
        contentFormatOption(format),
        ...(accept === undefined ? [] : [acceptOption(accept)]),
      ],
      payload: encodePaths(format, paths, at),
    });
  }

  /** Observes; notifications gather in the list, and are acknowledged unless `decide` does otherwise. */
  observe(path: string, options: ObserveOptions = {}): Promise<ObservedByServer> {
    return this.#observe(options, { code: Codes.GET, options: this.#options(path, options) });
  }

  /** Observe-Composite; as `observe`. */
  observeComposite(
    paths: readonly string[],
    options: ObserveOptions & { readonly format?: number } = {},
  ): Promise<ObservedByServer> {
    const { format = ContentFormat.SENML_CBOR } = options;
    return this.#observe(options, {
      code: Codes.FETCH,
      options: [...this.#options('/', options), contentFormatOption(format)],
      payload: encodePaths(format, paths),
    });
  }

  #options(path: string, { accept, query = [] }: ObserveOptions): CoapOption[] {
    return [
      ...pathOptions(path),
      ...queryOptions(query),
      ...(accept === undefined ? [] : [acceptOption(accept)]),
    ];
  }

  async #observe(options: ObserveOptions, request: OutgoingRequest): Promise<ObservedByServer> {
    const told: Notification[] = [];
    const { decide = (notification) => notification.accept() } = options;
    const { response, observation } = await this.endpoint.observe(this.client, request, {
      onNotification: (notification) => {
        told.push({
          format: contentFormat(notification.options),
          payload: notification.payload,
          code: notification.code,
          confirmable: notification.confirmable,
          at: this.#now(),
        });
        decide(notification);
      },
    });
    return {
      first: response,
      told,
      cancel: () => observation?.cancel() ?? Promise.reject(new Error(`not observed: ${describe(response)}`)),
    };
  }
}

/** `4.05 Reboot cannot be read`. */
export function describe(response: IncomingResponse): string {
  return `${formatCode(response.code)} ${new TextDecoder().decode(response.payload)}`.trim();
}
